/* metrics.c: atomic counters, and Prometheus's text format 0.0.4. */
#include "serve/metrics.h"

#include <math.h>
#include <string.h>

/* Milliseconds; the last bucket is everything. */
static const double ends_ms[METRICS_BUCKETS - 1] = {
    1, 2, 3, 5, 8, 12, 20, 30, 40, 60, 80, 120, 200, 500, 1000};

typedef struct description {
    const char *name, *help;
} description;

#define METRICS_DESCRIPTION(name, text, help) {text, help},
static const description counters[] = {METRICS_COUNTERS(METRICS_DESCRIPTION)};
static const description gauges[] = {METRICS_GAUGES(METRICS_DESCRIPTION)};
static const description histograms[] = {
    METRICS_HISTOGRAMS(METRICS_DESCRIPTION)};
#undef METRICS_DESCRIPTION

void metrics_count(metrics *m, metrics_counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&m->counters[counter], n, memory_order_relaxed);
}

uint64_t metrics_counted(const metrics *m, metrics_counter counter)
{
    return atomic_load_explicit(&m->counters[counter], memory_order_relaxed);
}

void metrics_set(metrics *m, metrics_gauge gauge, int64_t value)
{
    atomic_store_explicit(&m->gauges[gauge], value, memory_order_relaxed);
}

void metrics_observe(metrics *m, metrics_histogram histogram, double seconds)
{
    int b = 0;
    seconds = seconds > 0 ? seconds : 0;
    while (b < METRICS_BUCKETS - 1 && seconds * 1e3 > ends_ms[b])
        b++;
    atomic_fetch_add_explicit(&m->histograms[histogram].buckets[b], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&m->histograms[histogram].sum_ns,
                              (uint64_t)(seconds * 1e9),
                              memory_order_relaxed);
}

static uint64_t bucket(const metrics *m, int histogram, int b)
{
    return atomic_load_explicit(&m->histograms[histogram].buckets[b],
                                memory_order_relaxed);
}

double metrics_quantile(const metrics *m, metrics_histogram histogram,
                        double q)
{
    uint64_t all = 0, below = 0;
    for (int b = 0; b < METRICS_BUCKETS; b++)
        all += bucket(m, (int)histogram, b);
    if (all == 0)
        return 0;
    for (int b = 0; b < METRICS_BUCKETS - 1; b++) {
        below += bucket(m, (int)histogram, b);
        if ((double)below >= q * (double)all)
            return ends_ms[b] * 1e-3;
    }
    return INFINITY;
}

/* HELP and TYPE stand once in front of all series of a name. */
static void write_head(text_buffer *out, const description *d,
                       const char *type)
{
    size_t n = strcspn(d->name, "{");
    if (d->help[0])
        text_buffer_add(out, "# HELP moshi_%.*s %s\n# TYPE moshi_%.*s %s\n",
                        (int)n, d->name, d->help, (int)n, d->name, type);
}

static void write_histogram(const metrics *m, int h, text_buffer *out)
{
    const char *name = histograms[h].name;
    uint64_t below = 0;
    write_head(out, &histograms[h], "histogram");
    for (int b = 0; b < METRICS_BUCKETS - 1; b++) {
        below += bucket(m, h, b);
        text_buffer_add(out, "moshi_%s_bucket{le=\"%g\"} %llu\n", name,
                        ends_ms[b] * 1e-3, (unsigned long long)below);
    }
    below += bucket(m, h, METRICS_BUCKETS - 1);
    uint64_t sum_ns = atomic_load_explicit(&m->histograms[h].sum_ns,
                                           memory_order_relaxed);
    text_buffer_add(out, "moshi_%s_bucket{le=\"+Inf\"} %llu\n"
                    "moshi_%s_sum %.9f\nmoshi_%s_count %llu\n",
                    name, (unsigned long long)below, name,
                    (double)sum_ns * 1e-9, name, (unsigned long long)below);
}

void metrics_write(const metrics *m, text_buffer *out)
{
    for (int i = 0; i < METRICS_N_COUNTERS; i++) {
        write_head(out, &counters[i], "counter");
        text_buffer_add(out, "moshi_%s %llu\n", counters[i].name,
                        (unsigned long long)metrics_counted(
                            m, (metrics_counter)i));
    }
    for (int i = 0; i < METRICS_N_GAUGES; i++) {
        write_head(out, &gauges[i], "gauge");
        text_buffer_add(out, "moshi_%s %lld\n", gauges[i].name,
                        (long long)atomic_load_explicit(
                            &m->gauges[i], memory_order_relaxed));
    }
    for (int h = 0; h < METRICS_N_HISTOGRAMS; h++)
        write_histogram(m, h, out);
}
