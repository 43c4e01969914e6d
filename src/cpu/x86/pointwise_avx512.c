/* pointwise_avx512.c: functions of single elements, in AVX-512; see
 * pointwise_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/vector/pointwise_body.h"
