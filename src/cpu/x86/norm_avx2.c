/* norm_avx2.c: normalisation of one vector, in AVX2; see norm_body.h. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/vector/norm_body.h"
