/* linear_avx512.c: matrix times columns in AVX-512. 32 registers: 4 rows × 4
 * columns of sums, 4 of activations, the others for weights.
 * bf16, one core of an EPYC 9004: 24 GB/s from memory (1 column), 117 GFLOP/s
 * from the cache (8 columns), near the peak of its multipliers. */
#include "cpu/x86/vector_avx512.h"

#define TILE_COLUMNS 4
#include "cpu/x86/linear_body.h"
