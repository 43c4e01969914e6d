/* linear_int8_dotprod.c: quantised weights times 8-bit activations with the dot
 * product instructions (Armv8.2 and later). */
#include "cpu/arm/vector_neon.h"

#if !defined(__ARM_FEATURE_DOTPROD)
#error "needs -march=armv8.2-a+dotprod"
#endif

INLINE int32x4_t dot16(int32x4_t sum, int8x16_t a, int8x16_t b)
{
    return vdotq_s32(sum, a, b);
}

#define HAS_MATRIX 0
#define INT8(name) kernel_##name##_dotprod
#include "cpu/arm/linear_int8_body.h"
