/* compare_spec.h: one side of moshi compare: "threads=1,isa=ref". */
#ifndef MOSHI_CLI_COMPARE_SPEC_H
#define MOSHI_CLI_COMPARE_SPEC_H

#include "base/cpu_flags.h"
#include "cli/options.h"
#include "tasks/model_files.h"

typedef struct compare_spec {
    moshi_model_params params; /* borrows from `words` and from argv */
    cpu_level level;
    char *words; /* owned: the text, cut into words */
} compare_spec;

/* The shared options of the command line, overridden by `text`. Errors:
 * MOSHI_ARGUMENT (a mistake in the text), MOSHI_LACKING (a device or an
 * instruction set that is not here). */
moshi_status compare_spec_read(compare_spec *out, const options *o,
                               const char *text, moshi_error *err);
void compare_spec_release(compare_spec *spec);

/* Does it name a model, or the parts that are needed? */
bool compare_spec_named(const compare_spec *spec, model_parts needed);

#endif
