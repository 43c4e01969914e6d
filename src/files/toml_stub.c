/* toml_stub.c: stands in for toml.cpp in a build without toml++. */
#include "base/error.h"
#include "files/value.h"

moshi_status value_parse_toml(value **out, const char *text, size_t n_bytes,
                              const char *label, moshi_error *err)
{
    (void)out, (void)text, (void)n_bytes;
    error_set(err, MOSHI_LACKING,
              "%s: cannot read TOML: this program was built without toml++",
              label);
    error_hint(err, "install libtomlplusplus-dev and build again with "
                    "-Dtomlplusplus=enabled, or write the config as JSON");
    return MOSHI_LACKING;
}
