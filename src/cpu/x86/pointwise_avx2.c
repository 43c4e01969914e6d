/* pointwise_avx2.c: functions of single elements, in AVX2; see
 * pointwise_body.h. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/vector/pointwise_body.h"
