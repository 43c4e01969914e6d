/* bench_report.h: what moshi bench found, for people and as JSON. */
#ifndef MOSHI_CLI_BENCH_REPORT_H
#define MOSHI_CLI_BENCH_REPORT_H

#include "lab/bench.h"

/* All that was measured; runs[0 … n_runs) with their numbers of lanes. */
typedef struct bench_findings {
    const char *name;         /* of the model */
    const bench_machine *machine;
    const bench_run *runs;
    const bench_advice *advice; /* of the first run */
    const char *device;         /* "cpu", or which GPU */
    size_t n_runs;
    bool has_lm;
    double open_ms, load_ms;  /* of files; 0: of no file */
} bench_findings;

void bench_report_print(const bench_findings *f);
void bench_report_json(const bench_findings *f);

#endif
