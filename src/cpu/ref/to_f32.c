/* to_f32.c: reference: dequantise a row. The block formats are described in
 * cpu/blocks.h. Every instruction set gives the same bits. */
#include "base/half.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

KERNEL_TO_F32(kernel_to_f32_f32_ref)
{
    memcpy(y, row, n * sizeof *y);
}

KERNEL_TO_F32(kernel_to_f32_f16_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = half_to_float(block_half((const unsigned char *)row + 2 * i));
}

KERNEL_TO_F32(kernel_to_f32_bf16_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = bfloat_to_float(block_half((const unsigned char *)row + 2 * i));
}

KERNEL_TO_F32(kernel_to_f32_q8_0_ref)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = block_at(row, i, 32, Q8_0_BYTES);
        float d = half_to_float(block_half(b));
        y[i] = d * (float)(int8_t)b[Q8_0_QUANTS + i % 32];
    }
}

KERNEL_TO_F32(kernel_to_f32_q4_0_ref)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = block_at(row, i, 32, Q4_0_BYTES);
        float d = half_to_float(block_half(b));
        int pair = b[Q4_0_QUANTS + i % 16];
        int q = i % 32 < 16 ? pair & 15 : pair >> 4;
        y[i] = d * (float)(q - 8);
    }
}

KERNEL_TO_F32(kernel_to_f32_q4_k_ref)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = block_at(row, i, SUPER_BLOCK, Q4_K_BYTES);
        float d = half_to_float(block_half(b));
        float dmin = half_to_float(block_half(b + Q4_K_DMIN));
        size_t sub = i % SUPER_BLOCK / 32, l = i % 32;
        int scale, min;
        block_scale_min(b + Q4_K_SCALES, sub, &scale, &min);
        int pair = b[Q4_K_QUANTS + sub / 2 * 32 + l];
        int q = sub % 2 ? pair >> 4 : pair & 15;
        y[i] = d * (float)scale * (float)q - dmin * (float)min;
    }
}

KERNEL_TO_F32(kernel_to_f32_q5_k_ref)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = block_at(row, i, SUPER_BLOCK, Q5_K_BYTES);
        float d = half_to_float(block_half(b));
        float dmin = half_to_float(block_half(b + Q4_K_DMIN));
        size_t sub = i % SUPER_BLOCK / 32, l = i % 32;
        int scale, min;
        block_scale_min(b + Q4_K_SCALES, sub, &scale, &min);
        int pair = b[Q5_K_QUANTS + sub / 2 * 32 + l];
        int q = sub % 2 ? pair >> 4 : pair & 15;
        q += (b[Q5_K_HIGH + l] >> sub & 1) * 16;
        y[i] = d * (float)scale * (float)q - dmin * (float)min;
    }
}

KERNEL_TO_F32(kernel_to_f32_q6_k_ref)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char *b = block_at(row, i, SUPER_BLOCK, Q6_K_BYTES);
        float d = half_to_float(block_half(b + Q6_K_D));
        size_t half = i % SUPER_BLOCK / 128, g = i % 128 / 32, l = i % 32;
        int pair = b[64 * half + 32 * (g % 2) + l];
        int high = b[Q6_K_HIGH + 32 * half + l] >> (2 * g) & 3;
        int q = (g / 2 ? pair >> 4 : pair & 15) + 16 * high - 32;
        int scale = (int8_t)b[Q6_K_SCALES + i % SUPER_BLOCK / 16];
        y[i] = d * (float)scale * (float)q;
    }
}
