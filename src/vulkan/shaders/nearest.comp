#version 450
// NEAREST: argmin_j half_norms[j] - r . table[j], ties to the lowest index.
// The CPU does it in double; here two floats hold one number (some 45 bits),
// since Apple's GPUs have no doubles. Operand 2: half_norms as (high, low)
// pairs. One work group a row; rows along x.
#extension GL_GOOGLE_include_directive : require
#define GROUP 128u
layout(local_size_x = 128) in;
#include "common.glsl"

#define DIM p[0]
#define ENTRIES p[1]
#define TOKENS p[2]
#define COLUMN p[3]
#define ROW_WORDS p[4]

shared vec2 distance_of[GROUP];
shared uint entry_of[GROUP];

bool nearer(vec2 a, uint i, vec2 b, uint j)
{
    return a.x < b.x || (a.x == b.x && (a.y < b.y || (a.y == b.y && i < j)));
}

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.x;
    uint t = gl_LocalInvocationID.x, x = base(1u, lane) + r * DIM;
    vec2 least = vec2(3.4e38, 0.0);
    uint best = 0u;
    for (uint j = t; j < ENTRIES; j += GROUP) {
        vec2 d = vec2(F(o2[at[2] + 2u * j]), F(o2[at[2] + 2u * j + 1u]));
        for (uint i = 0u; i < DIM; i++)
            d = double_add(d, -two_product(F(o1[x + i]),
                                           F(o0[at[0] + j * ROW_WORDS + i])));
        if (d.x < least.x || (d.x == least.x && d.y < least.y)) {
            least = d;
            best = j;
        }
    }
    distance_of[t] = least;
    entry_of[t] = best;
    barrier();
    for (uint n = GROUP / 2u; n > 0u; n >>= 1) {
        if (t < n && nearer(distance_of[t + n], entry_of[t + n],
                            distance_of[t], entry_of[t])) {
            distance_of[t] = distance_of[t + n];
            entry_of[t] = entry_of[t + n];
        }
        barrier();
    }
    if (t == 0u)
        o3[base(3u, lane) + r * TOKENS + COLUMN] = entry_of[0];
}
