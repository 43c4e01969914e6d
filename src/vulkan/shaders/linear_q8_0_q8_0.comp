#version 450
// LINEAR of Q8_0 weights and Q8_0 activations, as the official engine and
// src/cpu/ref/linear_q8_0.c: for each block an exact integer sum, times the
// weights' scale, times the activations' scale. Teams, rows and columns:
// team.glsl; a unit is a block, fetched as two times 16 bytes.
//
// With DOT four products are one instruction (VK_KHR_shader_integer_dot_
// product).
#extension GL_GOOGLE_include_directive : require
#if defined(DOT)
#extension GL_EXT_spirv_intrinsics : require
// OpSDot with capabilities DotProductInput4x8BitPacked and DotProduct; the
// last operand says that the words are four packed signed bytes.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6018, 6019], id = 4450)
int signed_dot(uint a, uint b, spirv_literal int format);
#endif
#include "team.glsl"

layout(set = 0, binding = 0) readonly buffer Quads0 { uvec4 o0x4[]; };
layout(set = 0, binding = 1) readonly buffer Quads1 { uvec4 o1x4[]; };
#if defined(NARROW)
layout(set = 0, binding = 0) readonly buffer Halves0 { float16_t o0h[]; };
layout(set = 0, binding = 1) readonly buffer Halves1 { float16_t o1h[]; };
#define HALF(operand, word, i) float(operand##h[2u * (word) + (i)])
#else
#define HALF(operand, word, i)                                                 \
    half_to(operand[(word) + (i) / 2u] >> 16u * ((i) & 1u) & 0xffffu)
#endif

int dot4(uint a, uint b)
{
#if defined(DOT)
    return signed_dot(a, b, 0);
#else
    int sum = 0;
    [[unroll]] for (int j = 0; j < 32; j += 8)
        sum += bitfieldExtract(int(a), j, 8) * bitfieldExtract(int(b), j, 8);
    return sum;
#endif
}

int dot16(uvec4 a, uvec4 b)
{
    return dot4(a.x, b.x) + dot4(a.y, b.y) + dot4(a.z, b.z) + dot4(a.w, b.w);
}

void main()
{
    uint blocks = K / 32u;
    uint rows[ROWS_MAX];
    // Where the quants of a column begin; the word of its lane's scales, and
    // which of them is its first.
    uint x[COLUMNS_MAX], scales[COLUMNS_MAX], scale[COLUMNS_MAX];
    [[unroll]] for (uint r = 0u; r < ROWS; r++)
        rows[r] = row_at(my_row() + r);
    [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
        uint lane = base(1u, column_of(c) / COLUMNS_OF_LANE);
        uint i = column_of(c) % COLUMNS_OF_LANE;
        x[c] = lane + i * (K / 4u);
        scales[c] = lane + COLUMNS_OF_LANE * (K / 4u);
        scale[c] = i * blocks;
    }
    clear_sums();
    for (uint b = MEMBER; b < blocks; b += MEMBERS) {
        uvec4 low[ROWS_MAX], high[ROWS_MAX];
        float d[ROWS_MAX];
        [[unroll]] for (uint r = 0u; r < ROWS; r++) {
            low[r] = o0x4[rows[r] / 4u + 2u * b];
            high[r] = o0x4[rows[r] / 4u + 2u * b + 1u];
            d[r] = HALF(o0, rows[r] + K / 4u, b);
        }
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            uvec4 x_low = o1x4[x[c] / 4u + 2u * b];
            uvec4 x_high = o1x4[x[c] / 4u + 2u * b + 1u];
            float e = HALF(o1, scales[c], scale[c] + b);
            [[unroll]] for (uint r = 0u; r < ROWS; r++)
                SUM(r, c) += float(dot16(low[r], x_low) +
                                   dot16(high[r], x_high)) * d[r] * e;
        }
    }
    store_sums();
}
