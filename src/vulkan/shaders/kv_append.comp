#version 450
// KV_APPEND: k|v of each row into the slot of its position; the type of the
// cache is defined (cache.glsl), and rounded to with the CPU's bits. Rows along
// y; along x the words of k|v, or of Q8_0 the blocks of k, each with its v.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"
#include "cache.glsl"
#if defined(Q8_0)
#include "quantize.glsl"
#endif

#define WIDTH p[0] // of a row of qkv
#define Q p[1]     // floats of q in front
#define STEPS p[3]
#define CONSTANT int(p[4])
#define HEAD_DIM p[5]

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.y;
    uint i = gl_GlobalInvocationID.x, width = KV_HEADS * HEAD_DIM; // of k
    int first = CONSTANT < 0 ? position_of(lane) : CONSTANT;
    uint slot = uint(first + int(r % STEPS)) % CAPACITY, branch = r / STEPS;
    uint from = base(0u, lane) + r * WIDTH + Q;
    uint to = base(3u, lane) + branch * BRANCH_STRIDE + slot * SLOT_STRIDE;
#if defined(Q8_0)
    if (i >= width / 32u)
        return;
    uint head = i / BLOCKS, block = i % BLOCKS;
    to += head * HEAD_STRIDE + block * 8u;
    uint k = quantize_block(from + i * 32u, to);
    uint v = quantize_block(from + width + i * 32u, to + HALF_STRIDE);
    o3[base(3u, lane) + scales_of(branch, head, slot) + block] = k | v << 16;
#else
    uint element = i * UNIT, half_ = element / width, e = element % width;
    if (element >= 2u * width)
        return;
    to += half_ * HALF_STRIDE + e / HEAD_DIM * HEAD_STRIDE +
          e % HEAD_DIM / UNIT;
#if defined(F16)
    o3[to] = half_from(F(o0[from + element])) |
             half_from(F(o0[from + element + 1u])) << 16;
#else
    o3[to] = o0[from + element];
#endif
#endif
}
