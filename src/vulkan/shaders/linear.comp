#version 450
// LINEAR: y[c][r] = bias[r] + sum_i w[r][i] x[c][i]; a weight type is defined.
//
// A team of threads takes one row of the weight and up to COLUMNS columns (the
// rows of x of all lanes), so that each weight is read once for all of them.
// A column is summed in the same order whatever its neighbours are. With
// SUBGROUP a team is a subgroup; else 32 threads that add up in shared memory.
// Rows along x, columns along y.
#extension GL_GOOGLE_include_directive : require
#if defined(SUBGROUP)
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
layout(local_size_x = 128) in;
layout(constant_id = 0) const uint COLUMNS = 1;
#include "common.glsl"
#include "weights.glsl"

#define COLUMNS_MAX 8
#define N p[0]
#define K p[1]
#define ROW_WORDS p[2]
#define ROWS p[3]     // of a lane
#define STRIDE p[4]   // from row to row of x
#define ALL p[5]      // columns: ROWS * lanes
#define BIASED p[6]

#if !defined(SUBGROUP)
#define TEAM 32u
shared float part[128];
#endif

void main()
{
#if defined(SUBGROUP)
    uint member = gl_SubgroupInvocationID, members = gl_SubgroupSize;
    uint r = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
#else
    uint member = gl_LocalInvocationID.x % TEAM, members = TEAM;
    uint r = gl_WorkGroupID.x * 4u + gl_LocalInvocationID.x / TEAM;
#endif
    uint column0 = gl_WorkGroupID.y * COLUMNS;
    uint row = at[0] + min(r, N - 1u) * ROW_WORDS;
    uint x[COLUMNS_MAX];
    float sum[COLUMNS_MAX];
    for (uint c = 0u; c < COLUMNS; c++) {
        uint column = min(column0 + c, ALL - 1u);
        x[c] = base(1u, column / ROWS) + column % ROWS * STRIDE;
        sum[c] = 0.0;
    }
    for (uint u = member; u < units(K); u += members) {
        float w[UNIT];
        weights_of(row, K, u, w);
        for (uint j = 0u; j < UNIT; j++) {
            uint i = element(u, j);
#if defined(RAGGED)
            if (i >= K)
                break;
#endif
            for (uint c = 0u; c < COLUMNS; c++)
                sum[c] = fma(w[j], F(o1[x[c] + i]), sum[c]);
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
