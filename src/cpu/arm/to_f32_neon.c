/* to_f32_neon.c: dequantise a row, in NEON. */
#include "cpu/arm/vector_neon.h"

#include "cpu/arm/weights.h"
#include "cpu/kernel_list.h"

INLINE void to_f32(const dtype type, float *y, const void *row, size_t n)
{
    const size_t step = weights_step(type);
    size_t i = 0;
    for (; i + step <= n; i += step) {
        vec w[VECS_OF_32];
        weights_load(type, w, row, i);
        for (size_t j = 0; j < step / LANES; j++)
            vec_store(y + i + j * LANES, w[j]);
    }
    if (weights_plain(type) && i < n)
        vec_store_first(y + i, weights_load_first(type, row, i, n - i),
                        vec_first(n - i));
}

#define TO_F32(type, name, unused)          \
    KERNEL_TO_F32(KERNEL(to_f32_##name))    \
    {                                       \
        to_f32(DTYPE_##type, y, row, n);    \
    }
KERNEL_WEIGHT_TYPES(TO_F32, )
