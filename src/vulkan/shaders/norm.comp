#version 450
// RMS_NORM, LAYER_NORM, SOFTMAX (one of them is defined): one work group a
// row; lanes along z.
#extension GL_GOOGLE_include_directive : require
#define GROUP 128u
layout(local_size_x = 128) in;
#include "common.glsl"
#include "reduce.glsl"

#define WIDTH p[0]
#define EPS uintBitsToFloat(p[1])

void main()
{
    uint lane = gl_WorkGroupID.z, row = gl_WorkGroupID.x;
    uint x = base(0u, lane) + row * WIDTH, y = base(3u, lane) + row * WIDTH;
    uint first = gl_LocalInvocationID.x;
#if defined(RMS_NORM)
    float squares = 0.0;
    for (uint i = first; i < WIDTH; i += GROUP)
        squares = fma(F(o0[x + i]), F(o0[x + i]), squares);
    float mean = group_sum(squares) / float(WIDTH);
    float factor = 1.0 / sqrt(mean + EPS);
    for (uint i = first; i < WIDTH; i += GROUP)
        o3[y + i] = W(F(o0[x + i]) * factor * F(o1[at[1] + i]));
#elif defined(LAYER_NORM)
    float sum = 0.0, squares = 0.0;
    for (uint i = first; i < WIDTH; i += GROUP)
        sum += F(o0[x + i]);
    float mean = group_sum(sum) / float(WIDTH);
    for (uint i = first; i < WIDTH; i += GROUP) {
        float d = F(o0[x + i]) - mean;
        squares = fma(d, d, squares);
    }
    float factor = 1.0 / sqrt(group_sum(squares) / float(WIDTH) + EPS);
    for (uint i = first; i < WIDTH; i += GROUP)
        o3[y + i] = W(fma((F(o0[x + i]) - mean) * factor, F(o1[at[1] + i]),
                          F(o2[at[2] + i])));
#elif defined(SOFTMAX)
    float most = F(o0[x]), sum = 0.0;
    for (uint i = first; i < WIDTH; i += GROUP)
        most = max(most, F(o0[x + i]));
    most = group_max(most);
    for (uint i = first; i < WIDTH; i += GROUP)
        sum += exp_(F(o0[x + i]) - most);
    sum = group_sum(sum);
    for (uint i = first; i < WIDTH; i += GROUP)
        o3[y + i] = W(exp_(F(o0[x + i]) - most) / sum);
#endif
}
