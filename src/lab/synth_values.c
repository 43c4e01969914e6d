/* synth_values.c: the generator behind synthetic checkpoints.
 *
 * Counter-based: word i of a tensor is mix(key + i * GOLDEN), the splitmix64
 * sequence (Steele, Lea, Flood 2014) entered at any point. A word gives two
 * values, each the sum of two 16-bit numbers: a triangle, near enough to the
 * bell of trained weights, in integer arithmetic but for one product. */
#include "lab/synth_values.h"

#include <stdio.h>
#include <string.h>

#include "base/half.h"
#include "cpu/kernels.h"

#define GOLDEN 0x9E3779B97F4A7C15u

/* The sum of two 16-bit numbers has the mean 65535 and the variance
 * (2^32 - 1) / 6. */
#define TRIANGLE_MEAN   65535
#define TRIANGLE_SPREAD 26754.42f

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Where the tensor's sequence begins: FNV-1a of its name, and the seed. */
static uint64_t key_of(const char *name, uint64_t seed)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
    return mix(hash + mix(seed + GOLDEN));
}

static float triangle(uint32_t word)
{
    return (float)((int32_t)(word & 0xFFFF) + (int32_t)(word >> 16) -
                   TRIANGLE_MEAN);
}

static void fill(float *out, uint64_t key, const synth_law *law, size_t first,
                 size_t n)
{
    float mean = law->mean, step = law->spread / TRIANGLE_SPREAD;
    uint64_t at = key + first / 2 * GOLDEN;
    size_t i = 0;
    for (; i + 2 <= n; i += 2, at += GOLDEN) {
        uint64_t word = mix(at);
        out[i] = mean + step * triangle((uint32_t)word);
        out[i + 1] = mean + step * triangle((uint32_t)(word >> 32));
    }
    if (i < n)
        out[i] = mean + step * triangle((uint32_t)mix(at));
}

/* Element `index` of the tensor with that key. */
static float value_at(uint64_t key, const synth_law *law, size_t index)
{
    float pair[2];
    fill(pair, key, law, index & ~(size_t)1, 2);
    return pair[index & 1];
}

/* Rows of a codebook's sum times the usage of the row. */
static void apply_usage(float *out, const tensor_spec *spec,
                        const synth_law *usage, uint64_t seed, size_t first,
                        size_t n)
{
    char name[sizeof spec->name];
    const char *dot = strrchr(spec->name, '.');
    snprintf(name, sizeof name, "%.*s.cluster_usage",
             (int)(dot ? dot - spec->name : 0), spec->name);
    uint64_t key = key_of(name, seed);
    size_t width = spec->dims[spec->n_dims - 1];
    for (size_t i = 0; i < n;) {
        size_t row = (first + i) / width, end = (row + 1) * width - first;
        float factor = value_at(key, usage, row);
        for (; i < n && i < end; i++)
            out[i] *= factor;
    }
}

void synth_values_fill(float *out, const tensor_spec *spec,
                       const synth_law *law, uint64_t seed, size_t first,
                       size_t n)
{
    fill(out, key_of(spec->name, seed), law, first, n);
    if (law->usage)
        apply_usage(out, spec, law->usage, seed, first, n);
}

size_t synth_values_encode(void *out, dtype type, const float *values,
                           size_t n)
{
    if (type == DTYPE_BF16) {
        uint16_t *halves = out;
        for (size_t i = 0; i < n; i++)
            halves[i] = bfloat_from_float(values[i]);
        return n * sizeof *halves;
    }
    if (type == DTYPE_Q8_0) {
        const dtype_traits *q8 = dtype_info(DTYPE_Q8_0);
        kernels_for(cpu_level_chosen())->quantize_q8_0(out, values, n);
        return n / q8->block * q8->bytes;
    }
    memcpy(out, values, n * sizeof *values);
    return n * sizeof *values;
}
