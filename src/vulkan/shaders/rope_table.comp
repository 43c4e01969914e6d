#version 450
// ROPE_TABLE: cosines, then sines, of position * frequency. Steps along y.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"
#include "angles.glsl"

#define HALF p[0]

void main()
{
    uint lane = gl_WorkGroupID.z, t = gl_WorkGroupID.y;
    uint i = gl_GlobalInvocationID.x;
    if (i >= HALF)
        return;
    precise float angle = float(position_of(lane) + int(t)) * F(o0[at[0] + i]);
    vec2 v = cos_sin(angle);
    uint y = base(3u, lane) + t * 2u * HALF;
    o3[y + i] = W(v.x);
    o3[y + HALF + i] = W(v.y);
}
