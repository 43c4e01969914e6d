/* analyze_html.h: a report of moshi analyze as one page, with pictures. */
#ifndef MOSHI_CLI_ANALYZE_HTML_H
#define MOSHI_CLI_ANALYZE_HTML_H

#include <moshi/error.h>

#include "lab/analyze.h"

/* One self-contained file, readable in light and dark. `name` is what the
 * page calls the recording. */
moshi_status analyze_html_write(const char *path, const analyze_report *r,
                                const char *name, moshi_error *err);

#endif
