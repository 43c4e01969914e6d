/* half.c: scalar conversion between float32 and the 16-bit floats. */
#include "base/half.h"

#include <string.h>

static uint32_t float_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float bits_float(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = (h >> 10) & 31, mantissa = h & 1023;
    if (exponent == 31) /* infinity, NaN */
        return bits_float(sign | 0x7f800000u | mantissa << 13);
    if (exponent == 0) { /* zero, subnormal: mantissa * 2^-24, exact */
        float magnitude = (float)mantissa * 0x1p-24f;
        return bits_float(sign | float_bits(magnitude));
    }
    return bits_float(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t half_from_float(float f)
{
    uint32_t u = float_bits(f), sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
    if (a > 0x7f800000) /* NaN stays NaN, made quiet */
        return (uint16_t)(sign | 0x7e00 | ((a >> 13) & 0x3ff));
    if (a >= 0x477ff000) /* rounds beyond 65504 */
        return (uint16_t)(sign | 0x7c00);
    if (a < 0x38800000) { /* result is subnormal: units of 2^-24 */
        float scaled = bits_float(a) * 0x1p24f;
        uint32_t n = (uint32_t)scaled;
        float rest = scaled - (float)n;
        n += rest > 0.5f || (rest == 0.5f && (n & 1));
        return (uint16_t)(sign | n);
    }
    uint32_t round = 0xfff + ((a >> 13) & 1);
    return (uint16_t)(sign | ((a + round - 0x38000000u) >> 13));
}

float bfloat_to_float(uint16_t b)
{
    return bits_float((uint32_t)b << 16);
}

uint16_t bfloat_from_float(float f)
{
    uint32_t u = float_bits(f);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
