#version 450
// KV_APPEND: k|v of each row into the slot of its position. Rows along y.
// Where an element lies: cache.glsl.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"
#include "cache.glsl"

#define WIDTH p[0] // of a row of qkv
#define Q p[1]     // floats of q in front
#define CAPACITY p[2]
#define STEPS p[3]
#define CONSTANT int(p[4])
#define HEAD_DIM p[5]

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.y;
    uint i = gl_GlobalInvocationID.x, n = WIDTH - Q;
    if (i >= n)
        return;
    int first = CONSTANT < 0 ? position_of(lane) : CONSTANT;
    uint slot = uint(first + int(r % STEPS)) % CAPACITY;
    uint half_ = i / (n / 2u), head = i % (n / 2u) / HEAD_DIM;
    uint to = base(3u, lane) + r / STEPS * BRANCH_STRIDE +
              half_ * HALF_STRIDE + head * HEAD_STRIDE + slot * SLOT_STRIDE;
    o3[to + i % HEAD_DIM] = o0[base(0u, lane) + r * WIDTH + Q + i];
}
