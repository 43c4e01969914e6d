/* analyze_findings.c: what a report is filled with: measures, findings, places. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "lab/analyze_work.h"

const analyze_measure_info *analyze_measure_about(analyze_measure m)
{
    static const analyze_measure_info about[] = {
#define ANALYZE_MEASURE_INFO(id, name, unit, low, high, text) \
    [ANALYZE_##id] = {name, unit, text, low, high},
        ANALYZE_MEASURES(ANALYZE_MEASURE_INFO)
#undef ANALYZE_MEASURE_INFO
    };
    return &about[m];
}

void analyze_flag_add(analyze_report *r, size_t sample, size_t samples)
{
    if (r->flags < ANALYZE_FLAGS_MAX)
        r->flag[r->flags++] = (analyze_flag){sample, samples};
}

void analyze_add(analyze_report *r, lab_class about, int penalty,
                 analyze_measure m, const char *format, ...)
{
    const analyze_measure_info *info = analyze_measure_about(m);
    va_list args;
    if (r->findings == ANALYZE_FINDINGS_MAX)
        return;
    analyze_finding *f = &r->finding[r->findings++];
    *f = (analyze_finding){.about = about, .penalty = penalty,
                           .measured = r->measure[m], .low = info->low,
                           .high = info->high};
    va_start(args, format);
    vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
}

void analyze_report_release(analyze_report *report)
{
    analyze_picture_release(&report->picture);
}
