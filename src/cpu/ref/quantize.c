/* quantize.c: reference: floats to Q8_0 blocks (docs/FORMATS.md). Every
 * instruction set gives the same bytes, for any input:
 *  - NaN counts as nothing in the maximum, and becomes 0;
 *  - a block with an infinity has d = infinity and quants 0;
 *  - quants are kept within ±127 where 1/d overflows (maximum below 2^-121). */
#include <math.h>

#include "base/half.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

static int8_t quantize(float v)
{
    if (isnan(v))
        return 0;
    if (v > 127)
        return 127;
    if (v < -127)
        return -127;
    return (int8_t)roundf(v); /* halves away from zero */
}

KERNEL_QUANTIZE(kernel_quantize_q8_0_ref)
{
    unsigned char *block = blocks;
    for (size_t i = 0; i + 32 <= n; i += 32, block += Q8_0_BYTES) {
        float most = 0;
        for (size_t j = 0; j < 32; j++)
            if (fabsf(x[i + j]) > most)
                most = fabsf(x[i + j]);
        float d = most / 127, inverse = d > 0 ? 1 / d : 0;
        uint16_t half = half_from_float(d);
        memcpy(block, &half, sizeof half);
        for (size_t j = 0; j < 32; j++)
            block[Q8_0_QUANTS + j] =
                (unsigned char)quantize(x[i + j] * inverse);
    }
}
