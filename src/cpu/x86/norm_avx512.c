/* norm_avx512.c: normalisation of one vector, in AVX-512; see norm_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/vector/norm_body.h"
