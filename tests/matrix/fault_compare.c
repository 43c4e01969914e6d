/* fault_compare.c: fault=NAME among the settings of one side of compare. */
#include <stdio.h>
#include <string.h>

#include "cli/compare_spec.h"
#include "cli/trace_args.h"
#include "faults.h"

#define SPECS_MAX 2
#define TEXT_MAX 1024

/* Which spec asks for which fault. */
static struct {
    const moshi_model_params *params;
    fault f;
} sides[SPECS_MAX];
static int n_sides;

moshi_status __real_compare_spec_read(compare_spec *out, const options *o,
                                      const char *text, moshi_error *err);
moshi_status __wrap_compare_spec_read(compare_spec *out, const options *o,
                                      const char *text, moshi_error *err);

moshi_status __wrap_compare_spec_read(compare_spec *out, const options *o,
                                      const char *text, moshi_error *err)
{
    static char kept[SPECS_MAX][TEXT_MAX];
    fault f = FAULT_NONE;
    if (strncmp(text, "fault=", 6) == 0 && n_sides < SPECS_MAX) {
        char *copy = kept[n_sides];
        snprintf(copy, TEXT_MAX, "%s", text + 6);
        size_t n = strcspn(copy, ",");
        text = copy[n] ? copy + n + 1 : copy + n;
        copy[n] = 0;
        f = fault_find(copy);
    }
    if (n_sides < SPECS_MAX) {
        sides[n_sides].params = &out->params;
        sides[n_sides++].f = f == FAULT_COUNT ? FAULT_NONE : f;
    }
    return __real_compare_spec_read(out, o, text, err);
}

moshi_status __real_trace_args_open(moshi_model **out,
                                    const moshi_model_params *p, bool codec,
                                    cpu_level level, moshi_error *err);
moshi_status __wrap_trace_args_open(moshi_model **out,
                                    const moshi_model_params *p, bool codec,
                                    cpu_level level, moshi_error *err);

moshi_status __wrap_trace_args_open(moshi_model **out,
                                    const moshi_model_params *p, bool codec,
                                    cpu_level level, moshi_error *err)
{
    for (int i = 0; i < n_sides; i++)
        if (sides[i].params == p)
            fault_set(sides[i].f);
    return __real_trace_args_open(out, p, codec, level, err);
}
