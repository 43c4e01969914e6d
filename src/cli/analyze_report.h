/* analyze_report.h: the forms of a report of moshi analyze. */
#ifndef MOSHI_CLI_ANALYZE_REPORT_H
#define MOSHI_CLI_ANALYZE_REPORT_H

#include "lab/analyze.h"

/* On standard output. */
void analyze_report_text(const analyze_report *r, const char *name);
void analyze_report_json(const analyze_report *r);

#endif
