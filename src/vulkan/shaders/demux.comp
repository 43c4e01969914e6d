#version 450
// DEMUX: left = t mod base, right = t div base - 1; both -1 for t = -1.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 1) in;
#include "common.glsl"

#define TOKENS p[0]
#define COLUMN p[1]
#define ONE_ROW p[2]
#define BASE int(p[3])

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.x;
    uint tokens = base(0u, lane) + (ONE_ROW != 0u ? 0u : r * TOKENS);
    int token = int(o0[tokens + COLUMN]);
    uint y = base(3u, lane) + 2u * r;
    o3[y] = uint(token < 0 ? -1 : token % BASE);
    o3[y + 1u] = uint(token < 0 ? -1 : token / BASE - 1);
}
