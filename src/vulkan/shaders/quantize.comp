#version 450
// QUANTIZE: floats to Q8_0 with the same bytes as src/cpu/ref/quantize.c. The
// quants of all blocks come first, then the scales, two halves a word. Eight
// threads take a block, four neighbours each.
#extension GL_GOOGLE_include_directive : require
#include "narrow.glsl"
#define GROUP 64u
layout(local_size_x = 64) in;
#include "common.glsl"
#include "quantize.glsl"

#define BLOCKS p[0] // of a lane

layout(set = 0, binding = 0) readonly buffer Quads0 { vec4 o0x4[]; };
#if defined(NARROW)
layout(set = 0, binding = 3) buffer Halves3 { uint16_t o3h[]; };
#else
shared uint scales[GROUP / 8u];
#endif
shared float mosts[GROUP];

void main()
{
    uint lane = gl_WorkGroupID.z, x = base(0u, lane), y = base(3u, lane);
    uint i = gl_GlobalInvocationID.x, t = gl_LocalInvocationID.x;
    uint block = i / 8u, own = t / 8u;
    vec4 v = block < BLOCKS ? o0x4[x / 4u + i] : vec4(0.0);
    float most = most_of(0.0, v);
    mosts[t] = most;
    barrier();
    for (uint j = 0u; j < 8u; j++)
        most = max(most, mosts[own * 8u + j]);
    vec2 d = scale_of(most);
    if (block < BLOCKS)
        o3[y + i] = quants_of(v, d.y);
#if defined(NARROW)
    if (t % 8u == 0u && block < BLOCKS)
        o3h[2u * (y + BLOCKS * 8u) + block] = uint16_t(half_from(d.x));
#else
    // Two blocks share a word; one beyond the last is all zeros.
    if (t % 8u == 0u)
        scales[own] = half_from(d.x);
    barrier();
    if (t % 16u == 0u && block < BLOCKS)
        o3[y + BLOCKS * 8u + block / 2u] = scales[own] | scales[own + 1u] << 16;
#endif
}
