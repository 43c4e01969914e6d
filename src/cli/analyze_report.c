/* analyze_report.c: a report as text and as JSON. */
#include "cli/analyze_report.h"

#include <math.h>
#include <stdio.h>

#include "cli/json_out.h"

/* "-45 … 0.1", "at least 6", "any"; the text goes into `out`. */
static const char *range_text(char *out, size_t room, double low, double high)
{
    if (isinf(low) && isinf(high))
        snprintf(out, room, "any");
    else if (isinf(low))
        snprintf(out, room, "at most %g", high);
    else if (isinf(high))
        snprintf(out, room, "at least %g", low);
    else
        snprintf(out, room, "%g to %g", low, high);
    return out;
}

static void print_measure(const analyze_report *r, analyze_measure m)
{
    const analyze_measure_info *about = analyze_measure_about(m);
    double v = r->measure[m];
    char range[48], value[32];
    if (isnan(v))
        snprintf(value, sizeof value, "-");
    else
        snprintf(value, sizeof value, "%.*g", fabs(v) >= 1000 ? 9 : 4, v);
    printf("%-20s %10s %-5s %-12s %s\n", about->name, value, about->unit,
           range_text(range, sizeof range, about->low, about->high),
           about->text);
}

void analyze_report_text(const analyze_report *r, const char *name)
{
    char range[48];
    printf("%s\n\n", name);
    for (int m = 0; m < ANALYZE_MEASURE_COUNT; m++)
        print_measure(r, (analyze_measure)m);
    if (r->findings)
        putchar('\n');
    for (size_t i = 0; i < r->findings; i++) {
        const analyze_finding *f = &r->finding[i];
        printf("found: %s\n       measured %.4g, expected %s; class: %s\n",
               f->what, f->measured,
               range_text(range, sizeof range, f->low, f->high),
               lab_class_name(f->about));
    }
    printf("\nscore: ");
    if (r->scored)
        printf("%d of 100", r->score);
    else
        printf("none");
    printf("\nverdict: %s - %s\n", lab_class_name(r->verdict), r->line);
}

static void put_findings(json_out *j, const analyze_report *r)
{
    json_out_array(j, "findings");
    for (size_t i = 0; i < r->findings; i++) {
        const analyze_finding *f = &r->finding[i];
        json_out_object(j, NULL);
        json_out_text(j, "what", f->what);
        json_out_text(j, "class", lab_class_name(f->about));
        json_out_real(j, "measured", f->measured);
        json_out_array(j, "expected");
        json_out_real(j, NULL, f->low);
        json_out_real(j, NULL, f->high);
        json_out_end(j);
        json_out_end(j);
    }
    json_out_end(j);
}

static void put_flags(json_out *j, const analyze_report *r)
{
    json_out_array(j, "flagged");
    for (size_t i = 0; i < r->flags; i++) {
        json_out_object(j, NULL);
        json_out_real(j, "second",
                      (double)r->flag[i].sample / ANALYZE_RATE_HZ);
        json_out_integer(j, "samples", (int64_t)r->flag[i].samples);
        json_out_end(j);
    }
    json_out_end(j);
}

void analyze_report_json(const analyze_report *r)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    if (r->scored)
        json_out_integer(&j, "score", r->score);
    else
        json_out_null(&j, "score");
    json_out_text(&j, "verdict", lab_class_name(r->verdict));
    json_out_text(&j, "line", r->line);
    put_findings(&j, r);
    json_out_object(&j, "measures");
    for (int m = 0; m < ANALYZE_MEASURE_COUNT; m++)
        json_out_real(&j, analyze_measure_about((analyze_measure)m)->name,
                      r->measure[m]);
    json_out_end(&j);
    put_flags(&j, r);
    json_out_end(&j);
}
