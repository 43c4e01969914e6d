/* linear_int8_i8mm.c: quantised weights times 8-bit activations with the 8-bit
 * matrix products (Armv8.6 and later): 2 rows × 8 by 8 × 2 columns at once;
 * dot products where there is one column. */
#include "cpu/arm/vector_neon.h"

#if !defined(__ARM_FEATURE_MATMUL_INT8) || !defined(__ARM_FEATURE_DOTPROD)
#error "needs -march=armv8.2-a+dotprod+i8mm"
#endif

INLINE int32x4_t dot16(int32x4_t sum, int8x16_t a, int8x16_t b)
{
    return vdotq_s32(sum, a, b);
}

#define HAS_MATRIX 1
#define INT8(name) kernel_##name##_i8mm
#include "cpu/arm/linear_int8_body.h"
