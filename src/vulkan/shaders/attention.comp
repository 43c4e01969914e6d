#version 450
// ATTENTION: one work group for a chunk of the keys of a head, so that a long
// past is spread over a whole GPU. A context of one chunk is done then; else
// attention_combine.comp adds the chunks up. Chunks are counted from the oldest
// key on: the order of a sum depends on the ages of the keys alone, not on where
// the ring has wrapped, nor on other lanes. The type of the cache is defined
// (cache.glsl). Heads along x, chunks of rows along y.
#extension GL_GOOGLE_include_directive : require
#define GROUP 128u
layout(local_size_x = 128) in;
layout(constant_id = 0) const uint HEAD_DIM = 1;
#include "common.glsl"
#include "cache.glsl"
#include "attention.glsl"
#include "reduce.glsl"

#define HEAD_DIM_MAX 512
#define WORDS (HEAD_DIM / UNIT) // of a key
#define TEAM 8u // threads that share a key, reading neighbouring words
#define ROOM (TEAM + 1u) // of a key's sums: one more, to spread the banks

shared float query[HEAD_DIM_MAX];
shared float weight_of[CHUNK];
shared float sums[CHUNK * ROOM]; // of keys, then of values: GROUP * UNIT

// Word w of a key, or of a value.
void cache_word(uint at, uint scales, uint w, bool of_value,
                out float v[UNIT])
{
    uint word = o1[at + w];
#if defined(F32)
    v[0] = F(word);
#elif defined(F16)
    vec2 pair = unpackHalf2x16(word);
    v[0] = pair.x;
    v[1] = pair.y;
#elif defined(Q8_0)
    vec2 both = unpackHalf2x16(o1[scales + w / 8u]);
    float d = of_value ? both.y : both.x;
    for (int j = 0; j < 4; j++)
        v[j] = d * float(bitfieldExtract(int(word), 8 * j, 8));
#endif
}

void main()
{
    uint head = gl_WorkGroupID.x, lane = gl_WorkGroupID.z;
    uint r = gl_WorkGroupID.y / CHUNKS, chunk = gl_WorkGroupID.y % CHUNKS;
    uint t = gl_LocalInvocationID.x, branch = r / STEPS;
    uint y = base(3u, lane) + (CHUNKS > 1u
                                   ? partial_at(r, head, chunk, HEAD_DIM)
                                   : (r * HEADS + head) * HEAD_DIM);
    ivec2 keys_seen = visible(lane, r);
    int left = keys_seen.y - int(chunk) * CHUNK;
    if (left <= 0) {
        if (CHUNKS == 1u) // no source: nothing to attend to
            for (uint d = t; d < HEAD_DIM; d += GROUP)
                o3[y + d] = 0u;
        return;
    }
    uint n = uint(min(left, CHUNK));
    uint slot0 = uint(keys_seen.x + int(chunk) * CHUNK) % CAPACITY;
    uint kv_head = head / (HEADS / KV_HEADS);
    uint keys = base(1u, lane) + branch * BRANCH_STRIDE +
                kv_head * HEAD_STRIDE;
    uint values = keys + HALF_STRIDE;
    uint scales = base(1u, lane) + scales_of(branch, kv_head, 0u);
    uint q = base(0u, lane) + r * WIDTH + head * HEAD_DIM;
    for (uint d = t; d < HEAD_DIM; d += GROUP)
        query[d] = F(o0[q + d]);
    barrier();

    // Scores: a team a key.
    uint member = t % TEAM;
    float v[UNIT];
    for (uint i = t / TEAM; i < n; i += GROUP / TEAM) {
        uint slot = slot0 + i;
        slot = slot < CAPACITY ? slot : slot - CAPACITY;
        float sum = 0.0;
        for (uint w = member; w < WORDS; w += TEAM) {
            cache_word(keys + slot * SLOT_STRIDE, scales + slot * BLOCKS, w,
                       false, v);
            for (uint j = 0u; j < UNIT; j++)
                sum = fma(query[w * UNIT + j], v[j], sum);
        }
        sums[i * ROOM + member] = sum;
    }
    barrier();
    float score = -3.4e38;
    if (t < n) {
        float sum = 0.0;
        for (uint m = 0u; m < TEAM; m++)
            sum += sums[t * ROOM + m];
        score = SCALE * sum;
    }
    float most = group_max(score);
    float e = t < n ? exp_(score - most) : 0.0;
    weight_of[t] = e;
    float total = group_sum(e); // has barriers for weight_of and sums, too

    // Values: a thread a word of every `parts`th of them; then over the parts.
    for (uint w0 = 0u; w0 < WORDS; w0 += GROUP) {
        uint words = min(WORDS - w0, GROUP), parts = GROUP / words;
        uint w = w0 + t % words;
        float sum[UNIT];
        for (uint j = 0u; j < UNIT; j++)
            sum[j] = 0.0;
        for (uint i = t / words; i < n && t < parts * words; i += parts) {
            uint slot = slot0 + i;
            slot = slot < CAPACITY ? slot : slot - CAPACITY;
            cache_word(values + slot * SLOT_STRIDE, scales + slot * BLOCKS, w,
                       true, v);
            for (uint j = 0u; j < UNIT; j++)
                sum[j] = fma(weight_of[i], v[j], sum[j]);
        }
        for (uint j = 0u; j < UNIT; j++)
            sums[t * UNIT + j] = sum[j];
        barrier();
        for (uint d = t; d < words * UNIT; d += GROUP) {
            float all = 0.0;
            for (uint k = 0u; k < parts; k++)
                all += sums[k * words * UNIT + d];
            if (CHUNKS > 1u)
                o3[y + 2u + w0 * UNIT + d] = W(all);
            else
                o3[y + w0 * UNIT + d] = W(all / total);
        }
        barrier();
    }
    if (CHUNKS > 1u && t == 0u) {
        o3[y] = W(most);
        o3[y + 1u] = W(total);
    }
}
