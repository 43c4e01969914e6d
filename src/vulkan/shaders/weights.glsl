// weights.glsl: rows of a weight in operand 0, as src/vulkan/layout.h has
// them: a row begins at a word that 4 divides; of the types whose blocks are
// no whole words (Q8_0, Q4_0, Q6_K) the bodies of all blocks come first, then
// their scales as halves. One of F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q5_K, Q6_K
// is defined.
//
// A unit is what one thread takes at a time: QUADS times four neighbouring
// elements of a row; place(u, k) is where in the row its k-th four are, counted
// in fours. Four neighbours, so that a vector of x is one load of 16 bytes a thread, and
// the threads of a team read x, like the weight, without a gap. raw_of fetches
// a unit, quad_of makes numbers of it: many can be under way at once. A row
// that ends within a four ends in zeros.
//
// With NARROW what is narrow is loaded as such, not cut out of a word: halves
// (16-bit storage), and the scales of Q6_K (8-bit storage).

#if defined(NARROW)
layout(set = 0, binding = 0) readonly buffer Halves0 { float16_t o0h[]; };
#endif

// Half i of those that begin at a word.
float half_at(uint word, uint i)
{
#if defined(NARROW)
    return float(o0h[2u * word + i]);
#else
    return half_to(o0[word + i / 2u] >> 16u * (i & 1u) & 0xffffu);
#endif
}

// The bytes of a word, one a component.
uvec4 bytes_of(uint word)
{
    return uvec4(word, word >> 8, word >> 16, word >> 24) & 255u;
}

#if defined(F32)
#define QUADS 1u
#define ELEMENTS 4u
#define Raw uvec4
layout(set = 0, binding = 0) readonly buffer Quads0 { uvec4 o0x4[]; };
uint place(uint u, uint k) { return u; }
Raw raw_of(uint row, uint width, uint u) { return o0x4[row / 4u + u]; }
vec4 quad_of(Raw raw, uint k) { return uintBitsToFloat(raw); }

#elif defined(F16) || defined(BF16)
#define QUADS 1u
#define ELEMENTS 4u
#define Raw uvec2
layout(set = 0, binding = 0) readonly buffer Pairs0 { uvec2 o0x2[]; };
uint place(uint u, uint k) { return u; }
Raw raw_of(uint row, uint width, uint u) { return o0x2[row / 2u + u]; }
vec4 quad_of(Raw raw, uint k)
{
#if defined(F16)
    return vec4(unpackHalf2x16(raw.x), unpackHalf2x16(raw.y));
#else
    return uintBitsToFloat(uvec4(raw.x << 16, raw.x & 0xffff0000u,
                                 raw.y << 16, raw.y & 0xffff0000u));
#endif
}

#elif defined(Q8_0)
#define QUADS 1u
#define ELEMENTS 4u
struct Raw {
    uint q;
    float d;
};
uint place(uint u, uint k) { return u; }
Raw raw_of(uint row, uint width, uint u)
{
    return Raw(o0[row + u], half_at(row + width / 4u, u / 8u));
}
vec4 quad_of(Raw raw, uint k)
{
    int q = int(raw.q);
    return raw.d * vec4(ivec4(q << 24, q << 16, q << 8, q) >> 24);
}

#elif defined(Q4_0)
#define QUADS 2u
#define ELEMENTS 8u
struct Raw {
    uint q;
    float d;
};
uint place(uint u, uint k) { return u / 4u * 8u + u % 4u + k * 4u; }
Raw raw_of(uint row, uint width, uint u)
{
    return Raw(o0[row + u], half_at(row + width / 8u, u / 4u));
}
vec4 quad_of(Raw raw, uint k)
{
    return raw.d * vec4(ivec4(bytes_of(raw.q) >> 4u * k & 15u) - 8);
}

#elif defined(Q4_K) || defined(Q5_K)
#define QUADS 2u
#define ELEMENTS 8u
#if defined(Q4_K)
#define BLOCK_WORDS 36u
#define QUANTS 4u
#else
#define BLOCK_WORDS 44u
#define HIGH 4u
#define QUANTS 12u
#endif
layout(set = 0, binding = 0) readonly buffer Quads0 { uvec4 o0x4[]; };
struct Raw {
    uint q;
#if defined(Q5_K)
    uint high; // fifth bits, at 0 those of the first four
#endif
    vec4 scales; // factor and less of the first four, then of the second
};

// Word v of the 32 of quants: bytes of sub-blocks 2 (v / 8) and the next.
uint place(uint u, uint k)
{
    uint v = u % 32u;
    return u / 32u * 64u + v / 8u * 16u + k * 8u + v % 8u;
}

// Scale and min of sub-block s: src/cpu/blocks.h. head: the block's first 16
// bytes, of which 12 hold them.
vec2 scale_min(uvec4 head, uint s)
{
    uvec3 bytes = head.yzw >> 8u * (s % 4u) & 255u;
    return vec2(s < 4u ? bytes.xy & 63u
                       : uvec2(bytes.z & 15u, bytes.z >> 4) |
                             bytes.xy >> 6 << 4);
}

Raw raw_of(uint row, uint width, uint u)
{
    uint block = row + u / 32u * BLOCK_WORDS, v = u % 32u, s = v / 8u * 2u;
    uvec4 head = o0x4[block / 4u];
    vec2 d = unpackHalf2x16(head.x);
    Raw raw;
    raw.q = o0[block + QUANTS + v];
#if defined(Q5_K)
    raw.high = o0[block + HIGH + v % 8u] >> s;
#endif
    raw.scales = vec4(d * scale_min(head, s), d * scale_min(head, s + 1u));
    return raw;
}

vec4 quad_of(Raw raw, uint k)
{
    uvec4 n = bytes_of(raw.q) >> 4u * k & 15u;
#if defined(Q5_K)
    n |= (bytes_of(raw.high) >> k & 1u) << 4;
#endif
    vec2 scale = k == 0u ? raw.scales.xy : raw.scales.zw;
    precise vec4 wide = scale.x * vec4(n);
    precise vec4 value = wide - scale.y;
    return value;
}

#elif defined(Q6_K)
#define QUADS 2u
#define ELEMENTS 8u
#define BLOCK_WORDS 52u
#define SCALES 48u
struct Raw {
    uint q;
    uint high; // bits 4 and 5, at 0 those of the first four, at 4 the others'
    vec2 scales;
};
#if defined(NARROW)
layout(set = 0, binding = 0) readonly buffer Bytes0 { int8_t o0b[]; };
#endif

// Word v of 32: half v / 16; within it sub-blocks (v / 8) % 2 and 2 more.
uint place(uint u, uint k)
{
    uint v = u % 32u;
    return u / 32u * 64u + v / 16u * 32u + v / 8u % 2u * 8u + k * 16u + v % 8u;
}

// Of sub-block i.
float scale_at(uint block, uint i)
{
#if defined(NARROW)
    return float(int(o0b[4u * (block + SCALES) + i]));
#else
    return float(bitfieldExtract(int(o0[block + SCALES + i / 4u]),
                                 int(i % 4u * 8u), 8));
#endif
}

Raw raw_of(uint row, uint width, uint u)
{
    uint b = u / 32u, v = u % 32u, block = row + b * BLOCK_WORDS;
    float d = half_at(row + width / 256u * BLOCK_WORDS, b);
    return Raw(o0[block + v],
               o0[block + 32u + v / 16u * 8u + v % 8u] >> v / 8u % 2u * 2u,
               d * vec2(scale_at(block, place(v, 0u) / 4u),
                        scale_at(block, place(v, 1u) / 4u)));
}

vec4 quad_of(Raw raw, uint k)
{
    uvec4 n = (bytes_of(raw.q) >> 4u * k & 15u) |
              (bytes_of(raw.high) >> 4u * k & 3u) << 4;
    return (k == 0u ? raw.scales.x : raw.scales.y) * vec4(ivec4(n) - 32);
}
#endif

uint units(uint width) { return (width + ELEMENTS - 1u) / ELEMENTS; }
