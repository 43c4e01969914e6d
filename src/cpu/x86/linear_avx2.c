/* linear_avx2.c: matrix times columns in AVX2. 16 registers: 4 rows × 3
 * columns of sums, 3 of activations, 1 of weights.
 * bf16, one core of an EPYC 9004: 22 GB/s from memory (1 column), 86 GFLOP/s
 * from the cache (8 columns); the reference does 0.8. */
#include "cpu/x86/vector_avx2.h"

#define TILE_COLUMNS 3
#include "cpu/x86/linear_body.h"
