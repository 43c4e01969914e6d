// weights.glsl: rows of a weight in operand 0, as src/vulkan/layout.h has
// them: a row begins at a word; of the types whose blocks are no whole words
// (Q8_0, Q4_0, Q6_K) the bodies of all blocks come first, then their scales,
// two halves a word.
//
// A unit is what one thread takes at a time: one word of a row's quants, with
// UNIT elements. weights_of decodes them; element(u, j) is where in the row
// the j-th of them is. One of F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q5_K, Q6_K is
// defined.

float row_half(uint scales, uint i)
{
    return half_to(o0[scales + i / 2u] >> 16u * (i & 1u) & 0xffffu);
}

#if defined(F32)
#define UNIT 1u
uint units(uint K) { return K; }
uint element(uint u, uint j) { return u; }
void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    w[0] = F(o0[row + u]);
}

#elif defined(F16) || defined(BF16)
// The last word of an odd row ends in a zero.
#define UNIT 2u
#define RAGGED
uint units(uint K) { return (K + 1u) / 2u; }
uint element(uint u, uint j) { return 2u * u + j; }
void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    uint pair = o0[row + u];
#if defined(F16)
    vec2 v = unpackHalf2x16(pair);
    w[0] = v.x;
    w[1] = v.y;
#else
    w[0] = uintBitsToFloat(pair << 16);
    w[1] = uintBitsToFloat(pair & 0xffff0000u);
#endif
}

#elif defined(Q8_0)
#define UNIT 4u
uint units(uint K) { return K / 4u; }
uint element(uint u, uint j) { return 4u * u + j; }
void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    int q = int(o0[row + u]);
    float d = row_half(row + K / 4u, u / 8u);
    for (int j = 0; j < 4; j++)
        w[j] = d * float(bitfieldExtract(q, 8 * j, 8));
}

#elif defined(Q4_0)
#define UNIT 8u
uint units(uint K) { return K / 8u; }
uint element(uint u, uint j)
{
    return u / 4u * 32u + u % 4u * 4u + j % 4u + j / 4u * 16u;
}
void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    uint q = o0[row + u];
    float d = row_half(row + K / 8u, u / 4u);
    for (uint j = 0u; j < 4u; j++) {
        uint pair = q >> 8u * j;
        w[j] = d * float(int(pair & 15u) - 8);
        w[j + 4u] = d * float(int(pair >> 4 & 15u) - 8);
    }
}

#elif defined(Q4_K) || defined(Q5_K)
#define UNIT 8u
#if defined(Q4_K)
#define BLOCK_WORDS 36u
#define QUANTS 4u
#else
#define BLOCK_WORDS 44u
#define HIGH 4u
#define QUANTS 12u
#endif
uint units(uint K) { return K / 8u; }
// Word v of the 32 of quants: bytes of sub-blocks 2 (v / 8) and the next.
uint element(uint u, uint j)
{
    uint v = u % 32u;
    return u / 32u * 256u + v / 8u * 64u + j / 4u * 32u + v % 8u * 4u +
           j % 4u;
}

uint scale_byte(uint block, uint i)
{
    return o0[block + 1u + i / 4u] >> 8u * (i % 4u) & 255u;
}

// Scale and min of sub-block s: src/cpu/blocks.h.
uvec2 scale_min(uint block, uint s)
{
    if (s < 4u)
        return uvec2(scale_byte(block, s) & 63u,
                     scale_byte(block, s + 4u) & 63u);
    uint low = scale_byte(block, s + 4u);
    return uvec2((low & 15u) | scale_byte(block, s - 4u) >> 6 << 4,
                 low >> 4 | scale_byte(block, s) >> 6 << 4);
}

void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    uint block = row + u / 32u * BLOCK_WORDS, v = u % 32u, s = v / 8u * 2u;
    vec2 d = unpackHalf2x16(o0[block]);
    uint q = o0[block + QUANTS + v];
#if defined(Q5_K)
    uint high = o0[block + HIGH + v % 8u];
#endif
    for (uint k = 0u; k < 2u; k++) {
        uvec2 m = scale_min(block, s + k);
        float factor = d.x * float(m.x), less = d.y * float(m.y);
        for (uint j = 0u; j < 4u; j++) {
            uint n = q >> (8u * j + 4u * k) & 15u;
#if defined(Q5_K)
            n += (high >> (8u * j + s + k) & 1u) * 16u;
#endif
            precise float wide = factor * float(n);
            precise float value = wide - less;
            w[4u * k + j] = value;
        }
    }
}

#elif defined(Q6_K)
#define UNIT 8u
#define BLOCK_WORDS 52u
uint units(uint K) { return K / 8u; }
// Word v of 32: half v / 16; within it sub-blocks (v / 8) % 2 and 2 more.
uint element(uint u, uint j)
{
    uint v = u % 32u;
    return u / 32u * 256u + v / 16u * 128u + v / 8u % 2u * 32u +
           j / 4u * 64u + v % 8u * 4u + j % 4u;
}
void weights_of(uint row, uint K, uint u, out float w[UNIT])
{
    uint b = u / 32u, v = u % 32u, block = row + b * BLOCK_WORDS;
    float d = row_half(row + K / 256u * BLOCK_WORDS, b);
    uint q = o0[block + v];
    uint high = o0[block + 32u + v / 16u * 8u + v % 8u];
    for (uint k = 0u; k < 2u; k++) {
        uint g = v / 8u % 2u + 2u * k;
        for (uint j = 0u; j < 4u; j++) {
            uint n = q >> (8u * j + 4u * k) & 15u;
            n |= (high >> (8u * j + 2u * g) & 3u) << 4;
            uint s = element(v, 4u * k + j) / 16u;
            int factor = bitfieldExtract(int(o0[block + 48u + s / 4u]),
                                         int(8u * (s % 4u)), 8);
            w[4u * k + j] = d * float(factor) * float(int(n) - 32);
        }
    }
}
#endif
