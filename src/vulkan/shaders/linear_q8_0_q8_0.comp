#version 450
// LINEAR of Q8_0 weights and Q8_0 activations, as the official engine and
// src/cpu/ref/linear_q8_0.c: for each block an exact integer sum, times the
// weights' scale, times the activations' scale. A thread takes whole blocks.
//
// With DOT four products are one instruction (VK_KHR_shader_integer_dot_
// product); teams and columns as in linear.comp.
#extension GL_GOOGLE_include_directive : require
#if defined(SUBGROUP)
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
#if defined(DOT)
#extension GL_EXT_spirv_intrinsics : require
// OpSDot with capabilities DotProductInput4x8BitPacked and DotProduct; the
// last operand says that the words are four packed signed bytes.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"],
                  capabilities = [6018, 6019], id = 4450)
int signed_dot(uint a, uint b, spirv_literal int format);
#endif
layout(local_size_x = 128) in;
layout(constant_id = 0) const uint COLUMNS = 1;
#include "common.glsl"

#define COLUMNS_MAX 8
#define N p[0]
#define K p[1]
#define ROW_WORDS p[2]
#define ROWS p[3]
#define ALL p[5]
#define BIASED p[6]

#if !defined(SUBGROUP)
#define TEAM 32u
shared float part[128];
#endif

int dot4(uint a, uint b)
{
#if defined(DOT)
    return signed_dot(a, b, 0);
#else
    int sum = 0;
    for (int j = 0; j < 32; j += 8)
        sum += bitfieldExtract(int(a), j, 8) * bitfieldExtract(int(b), j, 8);
    return sum;
#endif
}

void main()
{
#if defined(SUBGROUP)
    uint member = gl_SubgroupInvocationID, members = gl_SubgroupSize;
    uint r = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
#else
    uint member = gl_LocalInvocationID.x % TEAM, members = TEAM;
    uint r = gl_WorkGroupID.x * 4u + gl_LocalInvocationID.x / TEAM;
#endif
    uint blocks = K / 32u;
    uint column0 = gl_WorkGroupID.y * COLUMNS;
    uint row = at[0] + min(r, N - 1u) * ROW_WORDS;
    uint x[COLUMNS_MAX], scales[COLUMNS_MAX], first[COLUMNS_MAX];
    float sum[COLUMNS_MAX];
    for (uint c = 0u; c < COLUMNS; c++) {
        uint column = min(column0 + c, ALL - 1u);
        uint lane = base(1u, column / ROWS);
        x[c] = lane + column % ROWS * (K / 4u);
        scales[c] = lane + ROWS * (K / 4u);
        first[c] = column % ROWS * blocks;
        sum[c] = 0.0;
    }
    for (uint b = member; b < blocks; b += members) {
        uint w[8];
        for (uint j = 0u; j < 8u; j++)
            w[j] = o0[row + b * 8u + j];
        float d = half_to(o0[row + K / 4u + b / 2u] >> 16u * (b & 1u) &
                          0xffffu);
        for (uint c = 0u; c < COLUMNS; c++) {
            int whole = 0;
            for (uint j = 0u; j < 8u; j++)
                whole += dot4(w[j], o1[x[c] + b * 8u + j]);
            uint i = first[c] + b;
            float e = half_to(o1[scales[c] + i / 2u] >> 16u * (i & 1u) &
                              0xffffu);
            sum[c] += float(whole) * d * e;
        }
    }
    for (uint c = 0u; c < COLUMNS; c++) {
        uint column = column0 + c;
#if defined(SUBGROUP)
        float y = subgroupAdd(sum[c]);
#else
        uint t = gl_LocalInvocationID.x;
        part[t] = sum[c];
        barrier();
        for (uint n = TEAM / 2u; n > 0u; n >>= 1) {
            if (member < n)
                part[t] += part[t + n];
            barrier();
        }
        float y = part[t - member];
        barrier();
#endif
        if (member == 0u && r < N && column < ALL) {
            if (BIASED != 0u)
                y += F(o2[at[2] + r]);
            o3[base(3u, column / ROWS) + column % ROWS * N + r] = W(y);
        }
    }
}
