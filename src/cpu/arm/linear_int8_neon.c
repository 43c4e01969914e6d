/* linear_int8_neon.c: quantised weights times 8-bit activations in plain NEON:
 * products in 16 bits, added up in pairs in 32. */
#include "cpu/arm/vector_neon.h"

INLINE int32x4_t dot16(int32x4_t sum, int8x16_t a, int8x16_t b)
{
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
    return vpadalq_s16(sum, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
}

#define HAS_MATRIX 0
#define INT8(name) kernel_##name##_neon
#include "cpu/arm/linear_int8_body.h"
