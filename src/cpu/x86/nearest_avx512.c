/* nearest_avx512.c: the nearest row of a codebook, in AVX-512; see
 * nearest_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/vector/nearest_body.h"
