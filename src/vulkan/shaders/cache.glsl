// cache.glsl: where keys and values lie. A stream's own past lies head by head,
// so that what a head reads is one run of memory: [branch][k, v][head][slot];
// the source of cross-attention as it is written from outside, [branch][slot]
// [k, v][head]. Strides are in words; as src/cpu/op_attention.c.

#define BRANCH_STRIDE p[16]
#define HALF_STRIDE p[17]
#define HEAD_STRIDE p[18]
#define SLOT_STRIDE p[19]
