/* default_model.h: where the small model lies that ships with the project. */
#ifndef MOSHI_CLI_DEFAULT_MODEL_H
#define MOSHI_CLI_DEFAULT_MODEL_H

#include <moshi/error.h>

/* The folder of nano: beside an installed program (../share/moshi/nano), in the
 * source tree of one that was built but not installed, or where it was
 * installed. The string lives as long as the program. MOSHI_IO when it is in
 * none of these places. Not thread-safe. */
moshi_status default_model_folder(const char **out, moshi_error *err);

#endif
