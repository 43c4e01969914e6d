#version 450
// WINDOW: the past in front of x; then, with TAIL, the past moves on (after a
// barrier, from the output alone).
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 128) in;
#include "common.glsl"

#define PAST p[0]  // words of the past
#define COUNT p[1] // words of x
#define ROW p[2]   // words of a row
#define REPLICATE p[3]

void main()
{
    uint lane = gl_WorkGroupID.z, i = gl_GlobalInvocationID.x;
    uint y = base(3u, lane), tail = base(2u, lane), x = base(0u, lane);
#if defined(TAIL)
    if (i < PAST)
        o2[tail + i] = o3[y + COUNT + i];
#else
    if (i >= PAST + COUNT)
        return;
    uint v;
    if (i >= PAST)
        v = o0[x + i - PAST];
    else if (REPLICATE != 0u && position_of(lane) == 0)
        v = o0[x + i % ROW];
    else
        v = o2[tail + i];
    o3[y + i] = v;
#endif
}
