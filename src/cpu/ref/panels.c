/* panels.c: reference: weights in panels times columns (plan/panels.h). */
#include <string.h>

#include "base/half.h"
#include "cpu/kernel_list.h"
#include "plan/panels.h"

/* What one type's weights are: element (k, row) of a panel. */
typedef float element_of(const unsigned char *panel, size_t k, size_t row);

static float element_f32(const unsigned char *panel, size_t k, size_t row)
{
    float f;
    memcpy(&f, panel + (k * PANEL_ROWS + row) * sizeof f, sizeof f);
    return f;
}

static float element_bf16(const unsigned char *panel, size_t k, size_t row)
{
    uint16_t h;
    memcpy(&h, panel + (k * PANEL_ROWS + row) * sizeof h, sizeof h);
    return bfloat_to_float(h);
}

static float element_q8_0(const unsigned char *panel, size_t k, size_t row)
{
    uint16_t d;
    const unsigned char *group = panel + k / 32 * 34 * PANEL_ROWS;
    memcpy(&d, group + row * sizeof d, sizeof d);
    group += PANEL_ROWS * sizeof d;
    return half_to_float(d) *
           (float)(signed char)group[k % 32 * PANEL_ROWS + row];
}

static float dot(element_of *element, const unsigned char *panel, size_t row,
                 const float *x, size_t K, size_t block)
{
    float total = 0;
    for (size_t k0 = 0; k0 < K; k0 += block) {
        float sum = 0;
        for (size_t k = k0; k < K && k < k0 + block; k++)
            sum += element(panel, k, row) * x[k];
        total += sum;
    }
    return total;
}

static void panels(element_of *element, size_t bytes, size_t block,
                   float *const *y, const float *const *x, size_t columns,
                   const void *w, size_t K, size_t N, const float *bias,
                   size_t panel0, size_t panel1)
{
    for (size_t r = panel0 * PANEL_ROWS; r < panel1 * PANEL_ROWS && r < N;
         r++) {
        const unsigned char *panel =
            (const unsigned char *)w + r / PANEL_ROWS * bytes;
        for (size_t c = 0; c < columns; c++) {
            float sum = dot(element, panel, r % PANEL_ROWS, x[c], K, block);
            y[c][r] = bias ? sum + bias[r] : sum;
        }
    }
}

#define PANELS(type, name, block)                                      \
    KERNEL_PANELS(kernel_panels_##name##_ref)                          \
    {                                                                  \
        panels(element_##name, panel_bytes(DTYPE_##type, K), block, y, \
               x, columns, w, K, N, bias, panel0, panel1);             \
    }
PANELS(F32, f32, PANEL_BLOCK)
PANELS(BF16, bf16, PANEL_BLOCK)
PANELS(Q8_0, q8_0, 32)
