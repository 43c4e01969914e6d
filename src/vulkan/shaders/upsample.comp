#version 450
// UPSAMPLE: depthwise transposed convolution whose kernel is twice its stride:
// y[t S + j][c] = w[c][j] x[t][c] + w[c][S + j] x[t-1][c]; with TAIL, the past
// becomes the last row of x.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128) in;
#include "common.glsl"

#define C p[0]
#define S p[1]
#define T p[2]
#define ROW_WORDS p[3]

void main()
{
    uint lane = gl_WorkGroupID.z, i = gl_GlobalInvocationID.x;
    uint x = base(1u, lane), past = base(2u, lane), y = base(3u, lane);
#if defined(TAIL)
    if (i < C)
        o2[past + i] = o1[x + (T - 1u) * C + i];
#else
    if (i >= T * S * C)
        return;
    uint c = i % C, j = i / C % S, t = i / C / S;
    float before = F(t == 0u ? o2[past + c] : o1[x + (t - 1u) * C + c]);
    precise float now = F(o0[at[0] + c * ROW_WORDS + j]) * F(o1[x + t * C + c]);
    precise float then = F(o0[at[0] + c * ROW_WORDS + S + j]) * before;
    o3[y + i] = W(now + then);
#endif
}
