/* Goal: the verdict of a benchmark names models that would be in time, and none
 * that reads what was read already; every number of threads that is spoken of is
 * measured. Method: runs with figures made up, of models of known sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lab/bench.h"
#include "lm/known_models.h"

#define CODEC_BYTES ((uint64_t)224000000)

/* The verdict on a frame of `ms`, of so many bytes in weights and caches. */
static bench_advice judge(const char *name, uint64_t made, uint64_t caches,
                          int64_t cached, double ms)
{
    lm_model lm = {.config = known_models_find(name)->config};
    moshi_model model = {.lm = &lm};
    const bench_model m = {.model = &model};
    bench_run r = {.lanes = 1, .frame_ms = 80, .cached = cached,
                   .lm_cache_read = caches, .read_bytes_per_s = 3e10};
    lm.config.known_as = name;
    r.parts[BENCH_ENCODE].bytes = CODEC_BYTES;
    r.parts[BENCH_FRAME].bytes = CODEC_BYTES + made + caches;
    r.parts[BENCH_FRAME].ms_p99 = ms;
    return bench_advise(&m, &r);
}

/* stt-1b in Q8_0 reads 892 MB: the same again is no way out. */
static void the_same_is_no_advice(void **state)
{
    (void)state;
    bench_advice a = judge("stt-1b", 892000000, 1000000, 0, 80.03);
    assert_false(a.real_time);
    assert_true(a.n_fits > 0);
    for (int i = 0; i < a.n_fits; i++) {
        assert_true(a.fits[i].ms <= 80);
        assert_string_not_equal(a.fits[i].name, "stt-1b in q8_0");
    }
    assert_string_equal(a.fits[0].name, "stt-1b in q6_k");
}

/* Nor is the smallest type, where it is the one that runs. */
static void the_smallest_is_not_smaller(void **state)
{
    (void)state;
    bench_advice a = judge("stt-1b", 892000000, 0, 0, 800);
    assert_int_equal(a.n_fits, 0);
    assert_string_equal(a.smaller.name, "stt-1b in q4_k");
    uint64_t smallest = (uint64_t)a.smaller.bytes - CODEC_BYTES;
    a = judge("stt-1b", smallest + 1000000, 0, 0, 800);
    assert_true(a.smaller.bytes == 0);
}

/* Keys and values do not shrink with the weights. */
static void caches_stay(void **state)
{
    (void)state;
    bench_advice without = judge("moshi-7b", 7600000000, 0, 0, 400);
    bench_advice with = judge("moshi-7b", 7600000000, 1573000000, 3000, 400);
    double caches = with.smaller.bytes - without.smaller.bytes;
    double ms = 400 * with.smaller.bytes / ((double)CODEC_BYTES + 9173e6);
    assert_true(caches > 1572e6 && caches < 1574e6);
    assert_true(with.smaller.ms > ms - 1 && with.smaller.ms < ms + 1);
    /* Nor are they forgotten in what another model would take. */
    for (int i = 0; i < with.n_fits; i++)
        assert_true(with.fits[i].ms <= 80);
    assert_true(with.fits[0].bytes > (double)CODEC_BYTES + 393e6);
}

static void expect_counts(int cores, int threads, const int *wanted, int n)
{
    int counts[BENCH_READS_MAX];
    assert_int_equal(bench_thread_counts(counts, cores, threads), n);
    for (int i = 0; i < n; i++)
        assert_int_equal(counts[i], wanted[i]);
}

static void numbers_of_threads(void **state)
{
    (void)state;
    expect_counts(1, 0, (int[]){1}, 1);
    expect_counts(2, 0, (int[]){1, 2}, 2);
    expect_counts(2, 4, (int[]){1, 2, 3, 4}, 4);
    expect_counts(12, 0, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 12}, 9);
    expect_counts(12, 20, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 12, 20}, 10);
    expect_counts(16, 256, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128,
                                   256}, 13);
    expect_counts(100, 256, (int[]){1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 100,
                                    200, 256}, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_advice),
        cmocka_unit_test(the_smallest_is_not_smaller),
        cmocka_unit_test(caches_stay),
        cmocka_unit_test(numbers_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
