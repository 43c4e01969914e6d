/* check.h: the frame of checkkernels, our test of the CPU kernels.
 *
 * A check tests one entry of the kernel table at one level. It draws its
 * inputs from a seeded generator, takes its arrays from `array`, which puts
 * them against pages that may not be touched, and reports what is wrong with
 * `fail`. The driver (check.c) runs each check at each usable level. */
#ifndef MOSHI_TESTS_KERNELS_CHECK_H
#define MOSHI_TESTS_KERNELS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu/kernels.h"

/* One entry of the table. */
typedef struct check {
    const char *name;
    void (*run)(const kernel_table *table, dtype type);
    dtype type; /* of the weights; DTYPE_COUNT where there are none */
} check;

/* All checks, in groups by file; each ends with a NULL name. */
extern const check checks_linear[], checks_to_f32[], checks_pointwise[],
    checks_norm[], checks_attend[], checks_nearest[], checks_quantize[],
    checks_panels[];

/* Where an array stands between the forbidden pages. */
typedef enum place {
    PLACE_END,   /* ends where the forbidden page begins */
    PLACE_SHIFT, /* one element before that: another alignment */
    PLACE_START, /* starts right after a forbidden page */
    PLACE_COUNT
} place;

/* count elements of `size` bytes, filled with a pattern. Lives until the next
 * arrays_clear, which also fails if a byte around an array was changed. */
void *array(size_t count, size_t size, place where);
void arrays_clear(void);

/* True if the n bytes still hold the pattern of a new array. */
bool array_untouched(const void *at, size_t n);

/* Random numbers of the check that runs: the same for the same seed. */
uint32_t random_bits(void);
size_t random_below(size_t n);
float random_float(void); /* -1 … 1 */

/* count floats, -scale … scale. */
float *random_floats(size_t count, float scale, place where);

/* A matrix of weights with random finite contents; row_bytes as given. */
void *random_weights(dtype type, size_t rows, size_t K, size_t row_bytes,
                     place where);

/* Say what is wrong; only the first few of a check are printed. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fail unless got is within `most` of want; NaN and infinities must agree.
 * Returns whether it was. */
bool expect_near(double got, double want, double most, const char *what,
                 size_t index);

/* fail unless all n floats have the same bits (NaN equals NaN). */
bool expect_same(const float *got, const float *want, size_t n,
                 const char *what);

/* Lengths for kernels that take any: 0 or 1 … 2 vectors + 1, real widths. */
extern const size_t any_lengths[];
extern const size_t any_lengths_count;

/* bench.c: time every entry at a level. */
void bench_run(const kernel_table *table, const char *only);

#endif
