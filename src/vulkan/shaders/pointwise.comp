#version 450
// Functions of single elements: ADD, SILU_GATE, GELU, ELU (one of them is
// defined). One thread an element; lanes along z.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128) in;
#include "common.glsl"

#define COUNT p[0]  // elements of the output of one lane
#define WIDTH p[1]  // of its rows
#define SCALED p[2] // ADD: there is a scale

// 1 - erf(u / sqrt 2) as exp(-u P(u)): src/cpu/x86/pointwise_body.h.
float gelu(float x)
{
    const float P[10] = float[10](
        0.797884583, 0.318309754, 0.0363358222, -0.00478060776,
        -4.37737945e-05, 0.000224629388, -6.55420299e-05, 1.05443778e-05,
        -9.63383513e-07, 3.89994028e-08);
    float u = min(32.0, abs(x)), q = P[9];
    for (int i = 8; i >= 0; i--)
        q = fma(q, u, P[i]);
    float e = exp_(-q * u);
    return x * 0.5 * (x > 0.0 ? 2.0 - e : e);
}

void main()
{
    uint lane = gl_WorkGroupID.z;
    uint in0 = base(0u, lane), in1 = base(1u, lane), out_ = base(3u, lane);
    uint step_ = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    for (uint i = gl_GlobalInvocationID.x; i < COUNT; i += step_) {
#if defined(ADD)
        float b = F(o1[in1 + i]);
        if (SCALED != 0u)
            b = F(o2[base(2u, lane) + i % WIDTH]) * b;
        float y = F(o0[in0 + i]) + b;
#elif defined(SILU_GATE)
        uint row = i / WIDTH, column = i % WIDTH;
        float gate = F(o0[in0 + row * 2u * WIDTH + column]);
        float up = F(o0[in0 + (row * 2u + 1u) * WIDTH + column]);
        float y = gate / (1.0 + exp_(-gate)) * up;
#if defined(TEST_FAULT) // only ever in tests/vulkan
        y += 0.5 * float(i == WIDTH / 2u);
#endif
#elif defined(GELU)
        float y = gelu(F(o0[in0 + i]));
#elif defined(ELU)
        float x = F(o0[in0 + i]);
        float y = x > 0.0 ? x : exp_(x) - 1.0;
#endif
        o3[out_ + i] = W(y);
    }
}
