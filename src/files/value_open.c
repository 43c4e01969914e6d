/* value_open.c: a config file, JSON or TOML by its name. */
#include "files/value.h"

#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/limits.h"
#include "files/sniff.h"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static moshi_status parse(value **out, const char *path, const file_map *map,
                          moshi_error *err)
{
    bool toml = ends_with(path, ".toml");
    const char *format = toml ? "TOML" : "JSON";
    if (map->bytes == 0)
        return error_set(err, MOSHI_FORMAT,
                         "%s: the file is empty; a %s config was expected",
                         path, format);
    if (map->bytes > LIMIT_CONFIG_BYTES)
        return error_set(err, MOSHI_FORMAT,
                         "%s: %zu bytes are more than a config can have (%zu)",
                         path, map->bytes, LIMIT_CONFIG_BYTES);
    const sniff_kind *other = sniff(map->data, map->bytes);
    if (other) {
        error_set(err, MOSHI_FORMAT, "%s: this is %s, not a %s config", path,
                  other->what, format);
        error_hint(err, "%s", other->hint);
        return MOSHI_FORMAT;
    }
    const char *text = (const char *)map->data;
    return toml ? value_parse_toml(out, text, map->bytes, path, err)
                : value_parse_json(out, text, map->bytes, path, err);
}

moshi_status value_open(value **out, const char *path, moshi_error *err)
{
    file_map map = {0};
    moshi_status status = file_map_open(&map, path, err);
    if (status == MOSHI_OK)
        status = parse(out, path, &map, err);
    file_map_close(&map);
    return status;
}
