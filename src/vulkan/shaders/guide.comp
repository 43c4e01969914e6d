#version 450
// GUIDE: null + guidance * (given - null), of the two branches' logits.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128) in;
#include "common.glsl"

#define V p[0]
#define GUIDANCE p[1] // word of the settings

void main()
{
    uint lane = gl_WorkGroupID.z, i = gl_GlobalInvocationID.x;
    if (i >= V)
        return;
    uint x = base(0u, lane);
    float alpha = F(o1[base(1u, lane) + GUIDANCE]);
    float given = F(o0[x + i]), null_ = F(o0[x + V + i]);
    o3[base(3u, lane) + i] = W(null_ + alpha * (given - null_));
}
