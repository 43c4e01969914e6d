/* default_model.c: find nano from where the program itself lies, so that a tree
 * can be moved and an installation be packed. */
#include "cli/default_model.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"

/* From the folder of the program: installed, and built in the tree. */
static const char *const beside_program[] = {
    "../share/moshi/nano",
    "../../../models/nano",
};

static bool holds_model(const char *folder)
{
    char path[LIMIT_PATH_BYTES];
    struct stat info;
    int n = snprintf(path, sizeof path, "%s/config.json", folder);
    return n > 0 && (size_t)n < sizeof path && stat(path, &info) == 0;
}

/* The folder that holds the running program; false where it cannot be known. */
static bool program_folder(char *out, size_t room)
{
    ssize_t n = readlink("/proc/self/exe", out, room - 1);
    if (n <= 0 || (size_t)n >= room - 1)
        return false;
    out[n] = 0;
    char *slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = 0;
    return true;
}

static const char *find(void)
{
    static char found[LIMIT_PATH_BYTES];
    char folder[LIMIT_PATH_BYTES];
    size_t n = sizeof beside_program / sizeof *beside_program;
    if (program_folder(folder, sizeof folder))
        for (size_t i = 0; i < n; i++) {
            int length = snprintf(found, sizeof found, "%s/%s", folder,
                                  beside_program[i]);
            if (length > 0 && (size_t)length < sizeof found &&
                holds_model(found))
                return found;
        }
    return holds_model(MOSHI_MODEL_FOLDER) ? MOSHI_MODEL_FOLDER : NULL;
}

moshi_status default_model_folder(const char **out, moshi_error *err)
{
    const char *folder = find();
    if (!folder) {
        error_set(err, MOSHI_IO, "the model that ships with the program was "
                  "not found");
        return error_hint(err, "name a model's folder");
    }
    *out = folder;
    return MOSHI_OK;
}
