/* blocks.h: one block of numbers into its bytes, for each type that needs a
 * search (cpu/blocks.h has the layouts).
 *
 * Internal to src/quant. */
#ifndef MOSHI_QUANT_BLOCKS_H
#define MOSHI_QUANT_BLOCKS_H

/* x: the numbers of one block; block: its bytes, all of them written. */
typedef void quant_block(unsigned char *block, const float *x);

/* The searches are built twice from the same lines, for any processor and for
 * one with AVX2, which is three times as fast; the bytes are the same. */
#define QUANT_BLOCKS_DECLARE(isa)                             \
    quant_block quant_q4_0_##isa;             /* 32 numbers */ \
    quant_block quant_q4_k_##isa, quant_q5_k_##isa; /* 256 */ \
    quant_block quant_q6_k_##isa;                   /* 256 */

QUANT_BLOCKS_DECLARE(any)
QUANT_BLOCKS_DECLARE(avx2)

#if defined(__AVX2__)
#define QUANT_BLOCK(type) void quant_##type##_avx2(unsigned char *block, \
                                                   const float *x)
#else
#define QUANT_BLOCK(type) void quant_##type##_any(unsigned char *block, \
                                                  const float *x)
#endif

#endif
