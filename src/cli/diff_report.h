/* diff_report.h: say what diff and compare have found. */
#ifndef MOSHI_CLI_DIFF_REPORT_H
#define MOSHI_CLI_DIFF_REPORT_H

#include <stdbool.h>

#include "cli/exit_status.h"
#include "lab/diff.h"

/* Print to standard output, for people or as JSON; labels are what the two
 * runs are called. The exit status says whether they are equal. */
exit_status diff_report(const diff *d, const char *label_a,
                        const char *label_b, bool json);

#endif
