/* encode.c: one encoder for each type, and which tensor gets which type. */
#include "quant/encode.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "cpu/kernels.h"
#include "quant/blocks.h"

static void encode_halves(uint16_t *out, const float *x, size_t n, bool brain)
{
    for (size_t i = 0; i < n; i++)
        out[i] = brain ? bfloat_from_float(x[i]) : half_from_float(x[i]);
}

/* The searches, by type; a type that needs none has NULL. */
static quant_block *const any[DTYPE_COUNT] = {
    [DTYPE_Q4_0] = quant_q4_0_any,
    [DTYPE_Q4_K] = quant_q4_k_any,
    [DTYPE_Q5_K] = quant_q5_k_any,
    [DTYPE_Q6_K] = quant_q6_k_any,
};
#if defined(__x86_64__)
static quant_block *const avx2[DTYPE_COUNT] = {
    [DTYPE_Q4_0] = quant_q4_0_avx2,
    [DTYPE_Q4_K] = quant_q4_k_avx2,
    [DTYPE_Q5_K] = quant_q5_k_avx2,
    [DTYPE_Q6_K] = quant_q6_k_avx2,
};
#endif

static quant_block *encoder_of(dtype type)
{
#if defined(__x86_64__)
    if (cpu_level_chosen() >= CPU_AVX2)
        return avx2[type];
#endif
    return any[type];
}

static void encode_blocks(dtype type, unsigned char *out, const float *x,
                          size_t n)
{
    const dtype_traits *t = dtype_info(type);
    quant_block *encode = encoder_of(type);
    for (; n >= t->block; n -= t->block, x += t->block, out += t->bytes)
        encode(out, x);
}

void quant_encode(dtype type, void *out, const float *x, size_t n)
{
    assert(dtype_is_weight(type) && n % dtype_info(type)->block == 0);
    switch (type) {
    case DTYPE_F16:
    case DTYPE_BF16:
        encode_halves(out, x, n, type == DTYPE_BF16);
        break;
    case DTYPE_Q8_0:
        kernels_for(cpu_level_chosen())->quantize_q8_0(out, x, n);
        break;
    case DTYPE_F32:
        memcpy(out, x, n * sizeof *x);
        break;
    default:
        encode_blocks(type, out, x, n);
    }
}

void quant_decode(dtype type, float *out, const void *blocks, size_t n)
{
    kernels_for(cpu_level_chosen())->to_f32[type](out, blocks, n);
}

dtype quant_type_for(dtype wanted, int n_dims, const size_t *dims)
{
    if (n_dims != 2)
        return DTYPE_F32;
    if (dims[1] % dtype_info(wanted)->block == 0)
        return wanted;
    if (dims[1] % dtype_info(DTYPE_Q8_0)->block != 0)
        return DTYPE_F32;
    return wanted == DTYPE_Q4_K ? DTYPE_Q4_0 : DTYPE_Q8_0;
}

double quant_bits(dtype type)
{
    const dtype_traits *t = dtype_info(type);
    return 8.0 * (double)t->bytes / (double)t->block;
}
