#version 450
// ROPE: rotate the q and k heads of each row; v is copied. One thread a pair;
// rows along y.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"

#define WIDTH p[0]
#define HALF p[1]
#define ROTATED p[2] // floats of the rotated heads
#define STEPS p[3]
#define CONCAT p[4]

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.y;
    uint x = base(0u, lane) + r * WIDTH, y = base(3u, lane) + r * WIDTH;
    uint table = base(1u, lane) + r % STEPS * 2u * HALF;
    uint i = gl_GlobalInvocationID.x; // pair
    if (2u * i >= WIDTH)
        return;
    if (2u * i >= ROTATED) { // v: pairs side by side
        for (uint k = 2u * i; k < min(2u * i + 2u, WIDTH); k++)
            o3[y + k] = o0[x + k];
        return;
    }
    uint head = i / HALF, j = i % HALF;
    uint first = head * 2u * HALF + (CONCAT != 0u ? j : 2u * j);
    uint second = first + (CONCAT != 0u ? HALF : 1u);
    float a = F(o0[x + first]), b = F(o0[x + second]);
    float c = F(o1[table + j]), s = F(o1[table + HALF + j]);
    o3[y + first] = W(a * c - b * s);
    o3[y + second] = W(a * s + b * c);
}
