/* linear.c: reference: matrix times columns, float activations.
 *
 *   y[c][r] = Σ_i w[r][i] x[c][i] + bias[r]
 *
 * Weights are widened to float exactly; the sum is sequential, in float. */
#include "base/dtype.h"
#include "cpu/kernel_list.h"

/* Elements widened at a time: a whole number of blocks of every type. */
#define CHUNK 256

/* One function for all types: how a row is widened is its argument. */
static void linear(dtype type, kernel_to_f32 *to_f32, float *const *y,
                   const void *const *x, int columns, const void *w,
                   size_t row_bytes, size_t K, const float *bias,
                   size_t row0, size_t row1)
{
    const dtype_traits *info = dtype_info(type);
    size_t chunk_bytes = CHUNK / info->block * info->bytes;
    for (size_t r = row0; r < row1; r++) {
        const unsigned char *row = (const unsigned char *)w + r * row_bytes;
        float sum[KERNEL_COLUMNS] = {0};
        for (size_t i = 0; i < K; i += CHUNK, row += chunk_bytes) {
            float weight[CHUNK];
            size_t n = K - i < CHUNK ? K - i : CHUNK;
            to_f32(weight, row, n);
            for (int c = 0; c < columns; c++) {
                const float *column = (const float *)x[c] + i;
                for (size_t j = 0; j < n; j++)
                    sum[c] += weight[j] * column[j];
            }
        }
        for (int c = 0; c < columns; c++)
            y[c][r] = bias ? sum[c] + bias[r] : sum[c];
    }
}

#define LINEAR(type, name, unused)                                      \
    KERNEL_LINEAR(kernel_linear_##name##_ref)                           \
    {                                                                   \
        linear(DTYPE_##type, kernel_to_f32_##name##_ref, y, x, columns, \
               w, row_bytes, K, bias, row0, row1);                      \
    }
KERNEL_WEIGHT_TYPES(LINEAR, )
