// cache.glsl: where keys and values lie, and what a word of them is. A stream's
// own past lies head by head, so that what a head reads is one run of memory:
// [branch][k, v][head][slot]; the source of cross-attention as it is written
// from outside, [branch][slot][k, v][head]. Strides are in words; as
// src/cpu/op_attention.c.
//
// One of F32, F16, Q8_0 is defined: UNIT elements a word. The scales of Q8_0
// lie behind all quants, [branch][head][slot][block], one word a block: the
// half of the key, and above it that of the value. So every word has one
// writer, whatever the width of a head, and all of them take the plan's bytes.

#if defined(F32)
#define UNIT 1u
#elif defined(F16)
#define UNIT 2u
#elif defined(Q8_0)
#define UNIT 4u
#endif

#define KV_HEADS p[14]
#define CAPACITY p[15]
#define BRANCH_STRIDE p[16]
#define HALF_STRIDE p[17]
#define HEAD_STRIDE p[18]
#define SLOT_STRIDE p[19]
#define SCALES p[20] // words of quants in front of them
#define BLOCKS p[21] // of a key

uint scales_of(uint branch, uint head, uint slot)
{
    return SCALES + ((branch * KV_HEADS + head) * CAPACITY + slot) * BLOCKS;
}
