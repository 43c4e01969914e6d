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

static void put_bf16(uint16_t *at, size_t n,
                     const float (*values)[PANEL_ROWS])
{
    for (size_t k = 0; k < n; k++)
        for (size_t r = 0; r < PANEL_ROWS; r++)
            at[k * PANEL_ROWS + r] = bfloat_from_float(values[k][r]);
}

/* One group: d = amax / 127, q = round half away from zero (x (1 / d)). */
static void put_q8_0(unsigned char *group, const float (*values)[PANEL_ROWS])
{
    uint16_t scales[PANEL_ROWS];
    int8_t *quants = (int8_t *)group + Q8_0_QUANT;
    for (size_t r = 0; r < PANEL_ROWS; r++) {
        float most = 0;
        for (size_t k = 0; k < Q8_0_K; k++)
            most = fmaxf(most, fabsf(values[k][r]));
        float d = most / 127, inverse = d > 0 ? 1 / d : 0;
        scales[r] = half_from_float(d);
        for (size_t k = 0; k < Q8_0_K; k++) {
            float q = roundf(values[k][r] * inverse);
            q = q > 127 ? 127 : q < -127 ? -127 : q;
            quants[k * PANEL_ROWS + r] = isnan(q) ? 0 : (int8_t)q;
        }
    }
    memcpy(group, scales, sizeof scales);
}

void panel_put(void *panel, dtype type, size_t k0, size_t n,
               const float (*values)[PANEL_ROWS])
{
    if (type == DTYPE_F32) {
        memcpy((float *)panel + k0 * PANEL_ROWS, values, n * sizeof *values);
    } else if (type == DTYPE_BF16) {
        put_bf16((uint16_t *)panel + k0 * PANEL_ROWS, n, values);
    } else {
        assert(k0 % Q8_0_K == 0 && n % Q8_0_K == 0);
        for (size_t k = 0; k < n; k += Q8_0_K)
            put_q8_0((unsigned char *)panel + (k0 + k) / Q8_0_K * Q8_0_GROUP,
                     values + k);
    }
}
