/* timing.c: collect, sort and print the times of the parts of a frame. */
#include "cli/timing.h"

#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "base/quantile.h"

static const char *const names[TIMING_COUNT] = {
#define TIMING_NAME(name, text) text,
    TIMING_PARTS(TIMING_NAME)
#undef TIMING_NAME
};

bool timing_series_add(timing_series *s, double seconds)
{
    if (!memory_grow((void **)&s->seconds, &s->room, s->count + 1,
                     sizeof *s->seconds))
        return false;
    s->seconds[s->count++] = seconds;
    return true;
}

double timing_series_quantile(timing_series *s, double q)
{
    return quantile(s->seconds, s->count, q);
}

void timing_series_release(timing_series *s)
{
    memory_free(s->seconds);
    *s = (timing_series){0};
}

void timing_init(timing *t)
{
    memset(t, 0, sizeof *t);
}

void timing_release(timing *t)
{
    for (int p = 0; p < TIMING_COUNT; p++)
        timing_series_release(&t->parts[p]);
    timing_init(t);
}

bool timing_add(timing *t, const double seconds[TIMING_COUNT])
{
    for (int p = 0; p < TIMING_COUNT; p++)
        if (!timing_series_add(&t->parts[p], seconds[p]))
            return false;
    return true;
}

double timing_quantile(timing *t, timing_part part, double q)
{
    return timing_series_quantile(&t->parts[part], q);
}

static double gigabytes_per_second(timing *t, timing_part part)
{
    double median = timing_quantile(t, part, 0.5);
    return median > 0 ? (double)t->bytes[part] / median * 1e-9 : 0;
}

void timing_print(timing *t, FILE *out)
{
    fprintf(out, "%-12s %9s %9s %9s %11s %8s\n", "part", "p50 ms", "p95 ms",
            "p99 ms", "MB/frame", "GB/s");
    for (int p = 0; p < TIMING_COUNT; p++) {
        timing_part part = (timing_part)p;
        fprintf(out, "%-12s %9.2f %9.2f %9.2f %11.1f %8.2f\n", names[p],
                1e3 * timing_quantile(t, part, 0.5),
                1e3 * timing_quantile(t, part, 0.95),
                1e3 * timing_quantile(t, part, 0.99),
                (double)t->bytes[p] * 1e-6, gigabytes_per_second(t, part));
    }
}

void timing_json(timing *t, json_out *j)
{
    json_out_array(j, "parts");
    for (int p = 0; p < TIMING_COUNT; p++) {
        timing_part part = (timing_part)p;
        json_out_object(j, NULL);
        json_out_text(j, "name", names[p]);
        json_out_real(j, "ms_p50", 1e3 * timing_quantile(t, part, 0.5));
        json_out_real(j, "ms_p95", 1e3 * timing_quantile(t, part, 0.95));
        json_out_real(j, "ms_p99", 1e3 * timing_quantile(t, part, 0.99));
        json_out_integer(j, "bytes", (int64_t)t->bytes[p]);
        json_out_real(j, "gb_per_s", gigabytes_per_second(t, part));
        /* Only a benchmark measures the bandwidth beside it. */
        json_out_null(j, "of_read_bandwidth");
        json_out_end(j);
    }
    json_out_end(j);
}

uint64_t timing_peak_memory(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
#if defined(__APPLE__)
    return (uint64_t)usage.ru_maxrss; /* bytes there, KiB elsewhere */
#else
    return (uint64_t)usage.ru_maxrss * 1024;
#endif
}
