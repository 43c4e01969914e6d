#version 450
// ATTENTION, second half: the chunks of a head's keys (operand 0) added up,
// oldest first, each scaled down to the largest score of all. One work group
// for a head of a row of a lane.
#extension GL_GOOGLE_include_directive : require
#define GROUP 128u
layout(local_size_x = 128) in;
#include "common.glsl"
#include "attention.glsl"

#define HEAD_DIM p[3]

void main()
{
    uint head = gl_WorkGroupID.x, r = gl_WorkGroupID.y, lane = gl_WorkGroupID.z;
    uint t = gl_LocalInvocationID.x;
    uint y = base(3u, lane) + (r * HEADS + head) * HEAD_DIM;
    uint from = base(0u, lane) + partial_at(r, head, 0u, HEAD_DIM);
    uint step_ = HEAD_DIM + 2u;
    uint chunks = uint(visible(lane, r).y + CHUNK - 1) / uint(CHUNK);
    float most = -3.4e38, total = 0.0;
    for (uint c = 0u; c < chunks; c++)
        most = max(most, F(o0[from + c * step_]));
    for (uint c = 0u; c < chunks; c++)
        total = fma(exp_(F(o0[from + c * step_]) - most),
                    F(o0[from + c * step_ + 1u]), total);
    for (uint d = t; d < HEAD_DIM; d += GROUP) {
        float sum = 0.0;
        for (uint c = 0u; c < chunks; c++)
            sum = fma(exp_(F(o0[from + c * step_]) - most),
                      F(o0[from + c * step_ + 2u + d]), sum);
        o3[y + d] = W(chunks > 0u ? sum / total : 0.0);
    }
}
