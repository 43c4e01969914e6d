#version 450
// QUANTIZE: floats to Q8_0 with the same bytes as src/cpu/ref/quantize.c. The
// quants of all blocks come first, then the scales, two halves a word: so a
// thread takes two blocks.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 32) in;
#include "common.glsl"

#define BLOCKS p[0] // of a lane

uint quantize_block(uint x, uint y, uint block)
{
    float most = 0.0;
    for (uint j = 0u; j < 32u; j++) {
        float v = abs(F(o0[x + block * 32u + j]));
        if (v > most) // NaN counts as nothing
            most = v;
    }
    float d = divide(most, 127.0), inverse = d > 0.0 ? divide(1.0, d) : 0.0;
    for (uint w = 0u; w < 8u; w++) {
        uint word = 0u;
        for (uint j = 0u; j < 4u; j++) {
            float v = F(o0[x + block * 32u + w * 4u + j]) * inverse;
            if (isnan(v))
                v = 0.0;
            v = clamp(v, -127.0, 127.0);
            float t = trunc(v); // halves away from zero; v - t is exact
            if (abs(v - t) >= 0.5)
                t += sign(v);
            word |= (uint(int(t)) & 255u) << 8u * j;
        }
        o3[y + block * 8u + w] = word;
    }
    return half_from(d);
}

void main()
{
    uint lane = gl_WorkGroupID.z, x = base(0u, lane), y = base(3u, lane);
    uint step_ = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint pair = gl_GlobalInvocationID.x; 2u * pair < BLOCKS;
         pair += step_) {
        uint scales = quantize_block(x, y, 2u * pair);
        if (2u * pair + 1u < BLOCKS)
            scales |= quantize_block(x, y, 2u * pair + 1u) << 16;
        o3[y + BLOCKS * 8u + pair] = scales;
    }
}
