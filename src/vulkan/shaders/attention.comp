#version 450
// ATTENTION: one work group for a head of a row of a lane. Keys are taken 128
// at a time, oldest first: a thread forms the score of one key, then one
// element of the output over all of them; maximum and sum are carried along
// and what was summed is scaled down when the maximum grows (Milakov and
// Gimelshein 2018). The order depends on the ages of the keys alone, not on
// where the ring has wrapped.
#extension GL_GOOGLE_include_directive : require
#define GROUP 128u
layout(local_size_x = 128) in;
#include "common.glsl"
#include "cache.glsl"
#include "reduce.glsl"

#define WIDTH p[0] // of a row of operand 0
#define HEADS p[1]
#define KV_HEADS p[2]
#define HEAD_DIM p[3]
#define STEPS p[4]
#define CAPACITY p[5]
#define CONTEXT int(p[6])
#define CONSTANT int(p[7])
#define WINDOW p[8] // op_window
#define SCALE uintBitsToFloat(p[9])
#define HAS_LENGTH p[10]
#define EXACT 0u
#define RING 1u
#define SOURCE 2u
#define HEAD_DIM_MAX 512

shared float query[HEAD_DIM_MAX];
shared float weight_of[GROUP];

void main()
{
    uint head = gl_WorkGroupID.x, r = gl_WorkGroupID.y, lane = gl_WorkGroupID.z;
    uint t = gl_LocalInvocationID.x, branch = r / STEPS;
    uint y = base(3u, lane) + (r * HEADS + head) * HEAD_DIM;
    int first = CONSTANT < 0 ? position_of(lane) : CONSTANT;
    int newest = first + int(r % STEPS), oldest = newest - CONTEXT + 1;
    if (WINDOW == RING) {
        oldest = first + int(STEPS) - CONTEXT;
    } else if (WINDOW == SOURCE) {
        oldest = 0;
        newest = HAS_LENGTH != 0u ? int(o2[base(2u, lane) + branch]) - 1 : -1;
    }
    oldest = max(oldest, 0);
    int count = newest - oldest + 1;
    if (count <= 0) { // no source: nothing to attend to
        for (uint d = t; d < HEAD_DIM; d += GROUP)
            o3[y + d] = 0u;
        return;
    }
    uint keys = base(1u, lane) + branch * BRANCH_STRIDE +
                head / (HEADS / KV_HEADS) * HEAD_STRIDE;
    uint values = keys + HALF_STRIDE;
    uint q = base(0u, lane) + r * WIDTH + head * HEAD_DIM;
    for (uint d = t; d < HEAD_DIM; d += GROUP)
        query[d] = F(o0[q + d]);
    barrier();

    float most = 0.0, total = 0.0;
    float sum[HEAD_DIM_MAX / GROUP];
    for (uint k = 0u; k < HEAD_DIM_MAX / GROUP; k++)
        sum[k] = 0.0;
    for (int c = 0; c < count; c += int(GROUP)) {
        int n = min(count - c, int(GROUP));
        bool mine = int(t) < n;
        float score = -3.4e38;
        if (mine) {
            uint slot = uint(oldest + c + int(t)) % CAPACITY;
            uint key = keys + slot * SLOT_STRIDE;
            float dot_ = 0.0;
            for (uint d = 0u; d < HEAD_DIM; d++)
                dot_ = fma(query[d], F(o1[key + d]), dot_);
            score = SCALE * dot_;
        }
        float peak = group_max(score);
        if (c > 0)
            peak = max(peak, most);
        float factor = c > 0 ? exp_(most - peak) : 0.0;
        float e = mine ? exp_(score - peak) : 0.0;
        weight_of[t] = e;
        total = total * factor + group_sum(e); // has a barrier for weight_of
        most = peak;
        for (uint k = 0u; k < HEAD_DIM_MAX / GROUP; k++) {
            uint d = t + k * GROUP;
            if (d >= HEAD_DIM)
                break;
            float s = sum[k] * factor;
            uint slot = uint(oldest + c) % CAPACITY;
            for (int i = 0; i < n; i++) {
                s = fma(weight_of[i], F(o1[values + slot * SLOT_STRIDE + d]),
                        s);
                slot = slot + 1u == CAPACITY ? 0u : slot + 1u;
            }
            sum[k] = s;
        }
        barrier();
    }
    for (uint k = 0u; k < HEAD_DIM_MAX / GROUP; k++)
        if (t + k * GROUP < HEAD_DIM)
            o3[y + t + k * GROUP] = W(sum[k] / total);
}
