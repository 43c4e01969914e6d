/* fuzz_config.c: text -> value tree, by both parsers; then every reading
 * function on every value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "files/value.h"

static void read_tree(const value *v)
{
    bool b;
    int64_t i;
    double r;
    const char *s;
    value_bool(v, &b);
    value_integer(v, &i);
    value_real(v, &r);
    if (value_string(v, &s) && strlen(s) > ((size_t)1 << 30))
        abort(); /* reads all of it, to its end */
    for (size_t k = 0; k < value_count(v); k++) {
        const char *key = value_key(v, k);
        if ((value_type(v) == VALUE_OBJECT) != (key != NULL))
            abort(); /* keys are for objects alone, and each item has one */
        if (key && value_get(v, key) != value_at(v, k))
            abort(); /* a key that is not found, or twice there */
        read_tree(value_at(v, k));
    }
}

static void try_text(const char *text, size_t n, int toml)
{
    value *v = NULL;
    moshi_error err = {0};
    moshi_status status =
        toml ? value_parse_toml(&v, text, n, "input", &err)
             : value_parse_json(&v, text, n, "input", &err);
    if ((status == MOSHI_OK) != (v != NULL) || err.status != status)
        abort(); /* a result that contradicts the status */
    read_tree(v);
    value_close(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *block = malloc(n); /* exact: shows overreads */
    if (n)
        memcpy(block, bytes, n);
    try_text(block, n, 0);
    try_text(block, n, 1);
    free(block);
    return 0;
}
