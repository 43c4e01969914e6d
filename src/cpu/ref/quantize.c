/* quantize.c: reference: floats to Q8_0 blocks (docs/FORMATS.md), and to
 * the columns that K-quants take (cpu/blocks.h), by the same rule. Every
 * instruction set gives the same bytes, for any input:
 *  - NaN counts as nothing in the maximum, and becomes 0;
 *  - a block with an infinity has d = infinity and quants 0;
 *  - quants are kept within ±127 where 1/d overflows (maximum below 2^-121). */
#include <math.h>
#include <stdbool.h>

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

KERNEL_COLUMN(kernel_column_q8_0_ref)
{
    const unsigned char *from = x;
    unsigned char *to = column;
    for (size_t i = 0; i + 32 <= n; i += 32) {
        float d = half_to_float(block_half(from));
        int32_t sum = 0;
        for (size_t j = 0; j < 32; j++)
            sum += (int8_t)from[Q8_0_QUANTS + j];
        memcpy(to, from + Q8_0_QUANTS, 32);
        memcpy(to + COLUMN_32_D, &d, sizeof d);
        memcpy(to + COLUMN_32_SUM, &sum, sizeof sum);
        from += Q8_0_BYTES;
        to += COLUMN_32_BYTES;
    }
}

/* A column for K-quants: one scale for 256, in float. `paired`: in the order
 * of Q4_K and Q5_K, with sums of sub-blocks; else sums of each 16. */
static void quantize_k(unsigned char *block, const float *x, bool paired)
{
    float most = 0;
    for (size_t i = 0; i < SUPER_BLOCK; i++)
        if (fabsf(x[i]) > most)
            most = fabsf(x[i]);
    float d = most / 127, inverse = d > 0 ? 1 / d : 0;
    int16_t sums[16] = {0};
    for (size_t i = 0; i < SUPER_BLOCK; i++) {
        size_t s = i / SUB_BLOCK;
        size_t at = paired ? column_k_place(s) * SUB_BLOCK + i % SUB_BLOCK : i;
        int8_t q = quantize(x[i] * inverse);
        block[at] = (unsigned char)q;
        sums[paired ? s : i / 16] += q;
    }
    memset(block + COLUMN_K_SUMS, 0, COLUMN_K_BYTES - COLUMN_K_SUMS);
    memcpy(block + COLUMN_K_SUMS, sums, sizeof sums);
    memcpy(block + COLUMN_K_D, &d, sizeof d);
}

KERNEL_COLUMN(kernel_column_k_paired_ref)
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, true);
}

KERNEL_COLUMN(kernel_column_k_straight_ref)
{
    for (size_t i = 0; i + SUPER_BLOCK <= n; i += SUPER_BLOCK)
        quantize_k((unsigned char *)column + i / SUPER_BLOCK * COLUMN_K_BYTES,
                   (const float *)x + i, false);
}
