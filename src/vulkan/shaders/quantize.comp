#version 450
// QUANTIZE: floats to Q8_0 with the same bytes as src/cpu/ref/quantize.c. The
// quants of all blocks come first, then the scales, two halves a word: so a
// thread takes two blocks.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32) in;
#include "common.glsl"
#include "quantize.glsl"

#define BLOCKS p[0] // of a lane

void main()
{
    uint lane = gl_WorkGroupID.z, x = base(0u, lane), y = base(3u, lane);
    uint step_ = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint pair = gl_GlobalInvocationID.x; 2u * pair < BLOCKS;
         pair += step_) {
        uint block = 2u * pair;
        uint scales = quantize_block(x + block * 32u, y + block * 8u);
        if (++block < BLOCKS)
            scales |= quantize_block(x + block * 32u, y + block * 8u) << 16;
        o3[y + BLOCKS * 8u + pair] = scales;
    }
}
