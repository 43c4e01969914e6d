#version 450
// LINEAR: y[c][r] = bias[r] + sum_i w[r][i] x[c][i]; a weight type is defined.
// Teams, rows and columns: team.glsl.
//
// A thread fetches STEPS units of each of its rows before it uses the first:
// with one column the memory is what a product waits for, and only enough
// bytes under way keep it busy.
#extension GL_GOOGLE_include_directive : require
#include "team.glsl"
#include "weights.glsl"

// 64 bytes a thread with two rows and one column; fewer of the types whose
// units have scales of their own, which take registers, as more columns do.
#if defined(F32) || defined(Q4_K) || defined(Q5_K) || defined(Q6_K)
#define STEPS_MAX 2u
#else
#define STEPS_MAX 4u
#endif
const uint STEPS = COLUMNS > 2u ? STEPS_MAX / 2u : STEPS_MAX;
// Fours of x begin at words that 4 divides and do not cross the end of a row.
const bool WIDE = (SHAPE >> 16) != 0u;
layout(set = 0, binding = 1) readonly buffer Quads1 { vec4 o1x4[]; };

vec4 x_quad(uint x, uint q)
{
    if (WIDE)
        return o1x4[x / 4u + q];
    uint i = 4u * q;
    vec4 v = vec4(0.0); // beyond the row there may be anything, even NaN
    [[unroll]] for (uint j = 0u; j < 4u; j++)
        if (i + j < K)
            v[j] = F(o1[x + i + j]);
    return v;
}

uint x[COLUMNS_MAX]; // where the columns begin
Raw raws[STEPS_MAX * ROWS_MAX];

// Unit u of all rows, fetched at step s, times all columns.
void add_unit(uint s, uint u)
{
    [[unroll]] for (uint k = 0u; k < QUADS; k++) {
        vec4 w[ROWS_MAX];
        [[unroll]] for (uint r = 0u; r < ROWS; r++)
            w[r] = quad_of(raws[s * ROWS_MAX + r], k);
        [[unroll]] for (uint c = 0u; c < COLUMNS; c++) {
            vec4 v = x_quad(x[c], place(u, k));
            [[unroll]] for (uint r = 0u; r < ROWS; r++)
                SUM(r, c) = fma(w[r].w, v.w, fma(w[r].z, v.z,
                                fma(w[r].y, v.y, fma(w[r].x, v.x,
                                                     SUM(r, c)))));
        }
    }
}

void main()
{
    uint rows[ROWS_MAX], n = units(K);
    [[unroll]] for (uint r = 0u; r < ROWS; r++)
        rows[r] = row_at(my_row() + r);
    [[unroll]] for (uint c = 0u; c < COLUMNS; c++)
        x[c] = base(1u, column_of(c) / COLUMNS_OF_LANE) +
               column_of(c) % COLUMNS_OF_LANE * STRIDE;
    clear_sums();
    // Without a condition between its loads and their use: compilers move a
    // load that is used under a condition to behind it.
    uint u = MEMBER;
    for (; u + (STEPS - 1u) * MEMBERS < n; u += STEPS * MEMBERS) {
        [[unroll]] for (uint s = 0u; s < STEPS; s++)
            [[unroll]] for (uint r = 0u; r < ROWS; r++)
                raws[s * ROWS_MAX + r] =
                    raw_of(rows[r], K, u + s * MEMBERS);
        [[unroll]] for (uint s = 0u; s < STEPS; s++)
            add_unit(s, u + s * MEMBERS);
    }
    for (; u < n; u += MEMBERS) {
        [[unroll]] for (uint r = 0u; r < ROWS; r++)
            raws[r] = raw_of(rows[r], K, u);
        add_unit(0u, u);
    }
    store_sums();
}
