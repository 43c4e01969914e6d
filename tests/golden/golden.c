/* golden.c: fixtures, comparisons and taps for the golden tests. */
#include "golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cpu_flags.h"
#include "plan/split.h"
#include "tasks/device.h"

const char *golden_path(const char *relative)
{
    static char paths[2][1024];
    static int turn;
    const char *folder = getenv("MOSHI_FIXTURES");
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s",
             folder ? folder : "tests/fixtures", relative);
    return paths[turn];
}

checkpoint *golden_open(const char *relative)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    if (checkpoint_open(&file, golden_path(relative), &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return file;
}

const checkpoint_tensor *golden_tensor(const checkpoint *file,
                                       const char *name)
{
    const checkpoint_tensor *t = checkpoint_find(file, name);
    if (!t)
        fail_msg("%s holds no tensor %s", checkpoint_path(file), name);
    return t;
}

const float *golden_floats(const checkpoint *file, const char *name, size_t *n)
{
    const checkpoint_tensor *t = golden_tensor(file, name);
    assert_int_equal(t->type, DTYPE_F32);
    if (n)
        *n = checkpoint_elements(t);
    return t->data;
}

const int32_t *golden_ints(const checkpoint *file, const char *name, size_t *n)
{
    const checkpoint_tensor *t = golden_tensor(file, name);
    assert_int_equal(t->type, DTYPE_I32);
    if (n)
        *n = checkpoint_elements(t);
    return t->data;
}

lm_model *golden_lm(const char *model, const char *config)
{
    moshi_error err = {0};
    lm_model *m = NULL;
    lm_model_params p = {.path = golden_path(model),
                         .config_path = golden_path(config),
                         .acoustic_delay = -1};
    if (lm_model_open(&m, &p, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return m;
}

/* Every other layer of every transformer. */
static bool odd_layer(const plan *p, const plan_op *op, int user)
{
    const char *at = strstr(op->name, "layers.");
    (void)p;
    (void)user;
    return at && strtol(at + 7, NULL, 10) % 2 == 1;
}

static backend *with_cpu(backend *first)
{
    backend *cpu = NULL, *both = NULL;
    moshi_error err = {0};
    if (device_open(&cpu, "cpu", 2, CPU_LEVEL_COUNT, NULL, &err) != MOSHI_OK ||
        split_backend_open(&both, first, cpu, odd_layer, 0, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return both;
}

/* A run with other kernels than were asked for would prove nothing of them. */
static void need_level(void)
{
    const char *name = getenv("MOSHI_CPU");
    cpu_level wanted;
    if (!name)
        return;
    if (!cpu_level_from_name(name, &wanted))
        fail_msg("MOSHI_CPU=%s is no instruction set", name);
    if (cpu_level_chosen() == wanted)
        return;
    fprintf(stderr, "SKIPPED: this processor has no %s\n", name);
    exit(77);
}

backend *golden_backend(int threads)
{
    backend *be = NULL;
    moshi_error err = {0};
    need_level();
    const char *device = getenv("MOSHI_TEST_DEVICE");
    moshi_status status = device_open(&be, device, threads, CPU_LEVEL_COUNT,
                                      NULL, &err);
    if (status == MOSHI_LACKING && device) {
        fprintf(stderr, "SKIPPED: %s\n", err.message);
        exit(77);
    }
    if (status != MOSHI_OK)
        fail_msg("%s", err.message);
    return getenv("MOSHI_TEST_SPLIT") ? with_cpu(be) : be;
}

double golden_error(const float *a, const float *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) && isnan(b[i]))
            continue;
        double e = fabs((double)a[i] - (double)b[i]);
        if (!(e <= worst)) /* a lone NaN is the worst error */
            worst = isnan(e) ? INFINITY : e;
    }
    return worst;
}

double golden_peak(const float *a, size_t n)
{
    double peak = 0;
    for (size_t i = 0; i < n; i++)
        peak = fabs((double)a[i]) > peak ? fabs((double)a[i]) : peak;
    return peak;
}

void golden_expect(const char *what, double error, double bound)
{
    printf("  %-52s %.2e (bound %.0e)\n", what, error, bound);
    if (!(error <= bound))
        fail_msg("%s: error %g is beyond %g", what, error, bound);
}

void golden_expect_ints(const char *what, const int32_t *got,
                        const int32_t *want, size_t n)
{
    size_t wrong = 0, first = n;
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i]) {
            first = wrong ? first : i;
            wrong++;
        }
    printf("  %-52s %zu of %zu differ\n", what, wrong, n);
    if (wrong)
        fail_msg("%s: %zu of %zu differ, first at %zu: %d instead of %d", what,
                 wrong, n, first, got[first], want[first]);
}

void golden_record(void *user, plan_runner *runner, const plan_op *op)
{
    golden_taps *t = user;
    const char *name = t->plan->tensors[op->out].name;
    for (size_t i = 0; i < t->n_taps; i++)
        if (strcmp(t->taps[i].name, name) == 0) {
            assert_int_equal(t->plan->tensors[op->out].bytes,
                             t->taps[i].n * sizeof(float));
            t->backend->read(runner, op->out, 0, t->taps[i].data);
            t->taps[i].seen++;
        }
}
