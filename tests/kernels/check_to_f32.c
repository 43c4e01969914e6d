/* check_to_f32.c: dequantisation. The reference against values made by
 * another implementation (tests/fixtures/quants), all levels against the
 * reference to the bit, for any bytes whatever. */
#include <math.h>
#include <string.h>

#include "../fixtures/quants/vectors.h"
#include "check.h"

static void check_vectors(const kernel_table *table, dtype type)
{
    static const struct {
        dtype type;
        const uint8_t *blocks;
        const uint32_t *values;
    } vectors[] = {
        {DTYPE_Q8_0, q8_0_blocks, q8_0_values},
        {DTYPE_Q4_0, q4_0_blocks, q4_0_values},
        {DTYPE_Q4_K, q4_k_blocks, q4_k_values},
        {DTYPE_Q5_K, q5_k_blocks, q5_k_values},
        {DTYPE_Q6_K, q6_k_blocks, q6_k_values},
    };
    float got[VECTOR_ELEMENTS], want[VECTOR_ELEMENTS];
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        if (vectors[i].type != type)
            continue;
        memcpy(want, vectors[i].values, sizeof want);
        table->to_f32[type](got, vectors[i].blocks, VECTOR_ELEMENTS);
        expect_same(got, want, VECTOR_ELEMENTS, "vector");
    }
}

/* n elements of random bytes: every bit pattern is legal. */
static void random_case(const kernel_table *table, dtype type, size_t n)
{
    const dtype_traits *info = dtype_info(type);
    size_t element = type == DTYPE_F32 ? 4 : 2;
    size_t bytes = n / info->block * info->bytes;
    unsigned char *row = array(bytes / element, element,
                               (place)random_below(PLACE_COUNT));
    for (size_t i = 0; i < bytes; i++)
        row[i] = (unsigned char)random_bits();
    float *got = array(n, sizeof *got, (place)random_below(PLACE_COUNT));
    float *want = array(n, sizeof *want, PLACE_END);
    table->to_f32[type](got, row, n);
    kernels_for(CPU_REF)->to_f32[type](want, row, n);
    expect_same(got, want, n, "random");
    arrays_clear();
}

/* Every half and bfloat, by the definition of the formats. */
static void check_halves(const kernel_table *table, dtype type)
{
    enum { ALL = 65536 };
    uint16_t *row = array(ALL, sizeof *row, PLACE_END);
    float *got = array(ALL, sizeof *got, PLACE_END);
    for (uint32_t h = 0; h < ALL; h++)
        row[h] = (uint16_t)h;
    table->to_f32[type](got, row, ALL);
    int mantissa_bits = type == DTYPE_F16 ? 10 : 7;
    int bias = type == DTYPE_F16 ? 15 : 127;
    for (uint32_t h = 0; h < ALL; h++) {
        int exponent = (int)((h & 0x7fff) >> mantissa_bits);
        int mantissa = (int)(h & ((1u << mantissa_bits) - 1));
        double v = exponent ? mantissa + (1 << mantissa_bits) : mantissa;
        v = ldexp(v, (exponent ? exponent : 1) - bias - mantissa_bits);
        if (exponent == 2 * bias + 1)
            v = mantissa ? (double)NAN : (double)INFINITY;
        expect_near(got[h], h & 0x8000 ? -v : v, 0, "half", h);
    }
    arrays_clear();
}

static void check_to_f32(const kernel_table *table, dtype type)
{
    size_t block = dtype_info(type)->block;
    check_vectors(table, type);
    if (type == DTYPE_F16 || type == DTYPE_BF16)
        check_halves(table, type);
    random_case(table, type, 0);
    for (size_t i = 0; i < any_lengths_count; i++)
        random_case(table, type, any_lengths[i] / block * block);
    for (size_t n = 1; n <= 64; n++)
        random_case(table, type, n * block);
}

const check checks_to_f32[] = {
    {"to_f32_f32", check_to_f32, DTYPE_F32},
    {"to_f32_f16", check_to_f32, DTYPE_F16},
    {"to_f32_bf16", check_to_f32, DTYPE_BF16},
    {"to_f32_q8_0", check_to_f32, DTYPE_Q8_0},
    {"to_f32_q4_0", check_to_f32, DTYPE_Q4_0},
    {"to_f32_q4_k", check_to_f32, DTYPE_Q4_K},
    {"to_f32_q5_k", check_to_f32, DTYPE_Q5_K},
    {"to_f32_q6_k", check_to_f32, DTYPE_Q6_K},
    {NULL, NULL, DTYPE_COUNT},
};
