/* panels.c: the sizes of panels; rounding floats into them. */
#include "plan/panels.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"

#define Q8_0_K     32u                      /* k that share a scale */
#define Q8_0_GROUP (34u * PANEL_ROWS)       /* bytes of 32 k */
#define Q8_0_QUANT (sizeof(uint16_t) * PANEL_ROWS) /* after the scales */

bool panels_possible(dtype type, size_t K)
{
    return type == DTYPE_F32 || type == DTYPE_BF16 ||
           (type == DTYPE_Q8_0 && K % Q8_0_K == 0);
}

size_t panel_bytes(dtype type, size_t K)
{
    assert(panels_possible(type, K));
    if (type == DTYPE_Q8_0)
        return K / Q8_0_K * Q8_0_GROUP;
    return K * PANEL_ROWS * (type == DTYPE_F32 ? sizeof(float)
                                               : sizeof(uint16_t));
}

static void put_bf16(void *to, size_t n, const float *values)
{
    uint16_t *at = to;
    for (size_t i = 0; i < n; i++)
        at[i] = bfloat_from_float(values[i]);
}

/* 32 values, `step` apart, as their quants; the scale: d = amax / 127, q =
 * round half away from zero (x (1 / d)). */
static uint16_t put_block(int8_t *quants, const float *x, size_t step)
{
    float most = 0;
    for (size_t k = 0; k < Q8_0_K; k++)
        most = fmaxf(most, fabsf(x[k * step]));
    float d = most / 127, inverse = d > 0 ? 1 / d : 0;
    for (size_t k = 0; k < Q8_0_K; k++) {
        float q = roundf(x[k * step] * inverse);
        q = q > 127 ? 127 : q < -127 ? -127 : q;
        quants[k * step] = isnan(q) ? 0 : (int8_t)q;
    }
    return half_from_float(d);
}

static void put_q8_0(unsigned char *group, const float (*values)[PANEL_ROWS])
{
    uint16_t scales[PANEL_ROWS];
    for (size_t r = 0; r < PANEL_ROWS; r++)
        scales[r] = put_block((int8_t *)group + Q8_0_QUANT + r,
                              &values[0][r], PANEL_ROWS);
    memcpy(group, scales, sizeof scales);
}

void panel_put(void *panel, dtype type, size_t k0, size_t n,
               const float (*values)[PANEL_ROWS])
{
    if (type == DTYPE_F32) {
        memcpy((float *)panel + k0 * PANEL_ROWS, values, n * sizeof *values);
    } else if (type == DTYPE_BF16) {
        put_bf16((uint16_t *)panel + k0 * PANEL_ROWS, n * PANEL_ROWS,
                 *values);
    } else {
        assert(k0 % Q8_0_K == 0 && n % Q8_0_K == 0);
        for (size_t k = 0; k < n; k += Q8_0_K)
            put_q8_0((unsigned char *)panel + (k0 + k) / Q8_0_K * Q8_0_GROUP,
                     values + k);
    }
}

void panel_round_row(void *row, dtype type, size_t n, const float *values)
{
    unsigned char *block = row;
    if (type == DTYPE_F32) {
        memcpy(row, values, n * sizeof *values);
    } else if (type == DTYPE_BF16) {
        put_bf16(row, n, values);
    } else {
        assert(n % Q8_0_K == 0);
        for (size_t k = 0; k < n; k += Q8_0_K) {
            uint16_t d = put_block((int8_t *)block + sizeof d, values + k, 1);
            memcpy(block, &d, sizeof d);
            block += sizeof d + Q8_0_K;
        }
    }
}
