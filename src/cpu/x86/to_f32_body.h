/* to_f32_body.h: dequantise a row, in the words of a vector header. */
#ifndef MOSHI_CPU_X86_TO_F32_BODY_H
#define MOSHI_CPU_X86_TO_F32_BODY_H

#include "cpu/kernel_list.h"
#include "cpu/x86/weights_body.h"

INLINE void to_f32(const dtype type, float *y, const void *row, size_t n)
{
    const size_t step = weights_step(type);
    weights_scales scales;
    size_t i = 0;
    for (; i + step <= n; i += step) {
        vec w[VECS_OF_32];
        if (weights_super(type) && i % SUPER_BLOCK == 0)
            scales_load(type, &scales, row, i);
        weights_load(type, w, row, i, &scales);
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

#endif
