/* nearest_avx2.c: the nearest row of a codebook, in AVX2; see
 * nearest_body.h. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/vector/nearest_body.h"
