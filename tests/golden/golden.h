/* golden.h: the official engine's numbers, and what a run is held against.
 *
 * Fixtures lie in $MOSHI_FIXTURES; see its README.md for how they were made.
 * Every comparison prints the largest error that it saw. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files/checkpoint.h"
#include "lm/model.h"
#include "plan/backend.h"

/* Path of a fixture; the string is static and overwritten by the call after
 * next. */
const char *golden_path(const char *relative);

/* Open a fixture file; ends the test if that fails. */
checkpoint *golden_open(const char *relative);

/* Data of a tensor, type checked; ends the test if it is missing. */
const float *golden_floats(const checkpoint *file, const char *name,
                           size_t *n);
const int32_t *golden_ints(const checkpoint *file, const char *name,
                           size_t *n);
const checkpoint_tensor *golden_tensor(const checkpoint *file,
                                       const char *name);

/* A language model of the fixtures with its config; ends the test if it does
 * not open. */
lm_model *golden_lm(const char *model, const char *config);

/* The CPU backend with `threads` threads, or the device that
 * MOSHI_TEST_DEVICE names; exits 77 where that is not, or the instruction set
 * that MOSHI_CPU names. With MOSHI_TEST_SPLIT every other layer is left to a CPU
 * backend beside it. */
backend *golden_backend(int threads);

/* Largest |a - b|; NaN where both are NaN counts as equal. */
double golden_error(const float *a, const float *b, size_t n);
double golden_peak(const float *a, size_t n);

/* Print "  what: error e (bound b)" and fail the test beyond the bound. */
void golden_expect(const char *what, double error, double bound);
/* Print and fail on any difference. */
void golden_expect_ints(const char *what, const int32_t *got,
                        const int32_t *want, size_t n);

/* Records named tensors of lane 0 while a plan runs. */
typedef struct golden_tap {
    const char *name;   /* of the tensor, i.e. of the operation's output */
    float *data;        /* room for one frame of it; filled by the hook */
    size_t n;
    int seen;           /* how often it was written since the last clear */
} golden_tap;
typedef struct golden_taps {
    backend *backend;
    const plan *plan;
    golden_tap *taps;
    size_t n_taps;
} golden_taps;
/* The hook; user is a golden_taps *. */
void golden_record(void *user, plan_runner *runner, const plan_op *op);

#endif
