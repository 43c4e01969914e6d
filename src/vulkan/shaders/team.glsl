// team.glsl: how the threads share out a product y[c][r] = sum_i w[r][i] x[c][i].
//
// A team takes ROWS rows of the weight and up to COLUMNS columns (the rows of
// x of all lanes) at once: what it reads of the weight serves all columns, what
// it reads of x all rows. With SUBGROUP a team is a subgroup, else 32 threads;
// they take the units of a row in turn and add up at the end. So a sum has the
// same order whatever ROWS and COLUMNS are, and whatever its neighbours.
//
// Columns go along x, rows along y: work groups that share rows come one after
// the other, and find them in the cache.
#if defined(SUBGROUP)
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#endif
// Unrolled, what is indexed by the count of a loop is a register.
#extension GL_EXT_control_flow_attributes : require
#include "narrow.glsl"
layout(local_size_x = 128) in;
// src/vulkan/ops_linear.c: COLUMNS, ROWS, WIDE, a byte each.
layout(constant_id = 0) const uint SHAPE = 0x010101u;
#include "common.glsl"

#define COLUMNS_MAX 8u
#define ROWS_MAX 4u
const uint COLUMNS = SHAPE & 255u;
const uint ROWS = SHAPE >> 8 & 255u;

#define N p[0]
#define K p[1]
#define ROW_WORDS p[2]
#define COLUMNS_OF_LANE p[3]
#define STRIDE p[4] // from column to column of x
#define ALL p[5]    // columns: COLUMNS_OF_LANE * lanes
#define BIASED p[6]

#if defined(SUBGROUP)
#define MEMBER gl_SubgroupInvocationID
#define MEMBERS gl_SubgroupSize
#else
#define MEMBERS 32u
#define TEAMS 4u
#define MEMBER (gl_LocalInvocationID.x % MEMBERS)
#define PART 129u // no two threads that add up meet in a bank
shared float part[COLUMNS_MAX * PART];
#endif

// The first row of a team of this work group.
uint row_of(uint team)
{
#if defined(SUBGROUP)
    return (gl_WorkGroupID.y * gl_NumSubgroups + team) * ROWS;
#else
    return (gl_WorkGroupID.y * TEAMS + team) * ROWS;
#endif
}

uint my_row()
{
#if defined(SUBGROUP)
    return row_of(gl_SubgroupID);
#else
    return row_of(gl_LocalInvocationID.x / MEMBERS);
#endif
}

// Rows and columns beyond the last are computed as the last, not written.
uint row_at(uint r) { return at[0] + min(r, N - 1u) * ROW_WORDS; }

uint column_of(uint c)
{
    return min(gl_WorkGroupID.x * COLUMNS + c, ALL - 1u);
}

void store(uint r, uint c, float y)
{
    uint column = gl_WorkGroupID.x * COLUMNS + c;
    if (r >= N || column >= ALL)
        return;
    if (BIASED != 0u)
        y += F(o2[at[2] + r]);
    o3[base(3u, column / COLUMNS_OF_LANE) + column % COLUMNS_OF_LANE * N + r] =
        W(y);
}

// This thread's share of the sum of row r and column c.
float sums[ROWS_MAX * COLUMNS_MAX];
#define SUM(r, c) sums[(c) * ROWS_MAX + (r)]

void clear_sums()
{
    [[unroll]] for (uint i = 0u; i < ROWS_MAX * COLUMNS_MAX; i++)
        sums[i] = 0.0;
}

void store_sums()
{
    [[unroll]] for (uint r = 0u; r < ROWS; r++) {
#if defined(SUBGROUP)
        float y = 0.0; // member c of at least 8 stores column c
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            float sum = subgroupAdd(SUM(r, c));
            if (MEMBER == c)
                y = sum;
        }
        if (MEMBER < COLUMNS)
            store(my_row() + r, MEMBER, y);
#else
        uint t = gl_LocalInvocationID.x;
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++)
            part[c * PART + t] = SUM(r, c);
        barrier();
        if (t < TEAMS * COLUMNS) {
            uint team = t / COLUMNS, c = t % COLUMNS;
            float y = 0.0;
            for (uint i = 0u; i < MEMBERS; i++)
                y += part[c * PART + team * MEMBERS + i];
            store(row_of(team) + r, c, y);
        }
        barrier();
#endif
    }
}
