/* attend_avx512.c: attention of one head, in AVX-512; see attend_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/x86/attend_body.h"
