/* attend_avx2.c: attention of one head, in AVX2; see attend_body.h. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/x86/attend_body.h"
