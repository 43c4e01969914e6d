#version 450
// QUANTIZE: floats to Q8_0 with the same bytes as src/cpu/ref/quantize.c. The
// quants of all blocks come first, then the scales, two halves a word. Eight
// threads take a block, four neighbours each.
#extension GL_GOOGLE_include_directive : require
#include "narrow.glsl"
#define GROUP 64u
layout(local_size_x = 64) in;
#include "common.glsl"

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
    float most = 0.0;
    for (int j = 0; j < 4; j++)
        if (abs(v[j]) > most) // NaN counts as nothing
            most = abs(v[j]);
    mosts[t] = most;
    barrier();
    for (uint j = 0u; j < 8u; j++)
        most = max(most, mosts[own * 8u + j]);
    float d = divide(most, 127.0), inverse = d > 0.0 ? divide(1.0, d) : 0.0;
    uint word = 0u;
    for (int j = 0; j < 4; j++) {
        float q = v[j] * inverse;
        if (isnan(q))
            q = 0.0;
        q = clamp(q, -127.0, 127.0);
        float whole = trunc(q); // halves away from zero; q - whole is exact
        if (abs(q - whole) >= 0.5)
            whole += sign(q);
        word |= (uint(int(whole)) & 255u) << 8 * j;
    }
    if (block < BLOCKS)
        o3[y + i] = word;
#if defined(NARROW)
    if (i % 8u == 0u && block < BLOCKS)
        o3h[2u * (y + BLOCKS * 8u) + block] = uint16_t(half_from(d));
#else
    // Two blocks share a word; one beyond the last is all zeros.
    if (t % 8u == 0u)
        scales[own] = half_from(d);
    barrier();
    if (t % 16u == 0u && block < BLOCKS)
        o3[y + BLOCKS * 8u + block / 2u] = scales[own] | scales[own + 1u] << 16;
#endif
}
