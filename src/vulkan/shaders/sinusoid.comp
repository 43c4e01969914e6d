#version 450
// SINUSOID: x + the cosines, then sines, of position / period[i]; the periods
// are operand 1. Rows along y.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"
#include "angles.glsl"

#define HALF p[0]
#define STEPS p[1]
#define CONSTANT int(p[2]) // the position; -1: the stream's
#define WIDTH p[3]

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.y;
    uint i = gl_GlobalInvocationID.x;
    if (i >= HALF)
        return;
    int first = CONSTANT < 0 ? position_of(lane) : CONSTANT;
    float position = float(first + int(r % STEPS));
    vec2 v = cos_sin(divide(position, F(o1[at[1] + i])));
    uint x = base(0u, lane) + r * WIDTH, y = base(3u, lane) + r * WIDTH;
    o3[y + i] = W(F(o0[x + i]) + v.x);
    o3[y + HALF + i] = W(F(o0[x + HALF + i]) + v.y);
}
