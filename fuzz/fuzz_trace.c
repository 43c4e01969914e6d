/* fuzz_trace.c: bytes -> two traces -> their difference, as diff reads them.
 *
 * The input is a length n (two bytes, little endian), n bytes of one trace and
 * the other trace; each is a safetensors file whose header length is made to
 * fit: few that the fuzzer invents would get past it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lab/diff.h"

/* A copy of exact size, to show overreads; the header ends behind the last
 * closing brace. */
static uint8_t *fitted(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    size_t end = n;
    if (n)
        memcpy(copy, bytes, n);
    while (end > 8 && copy[end - 1] != '}')
        end--;
    for (size_t i = 0; i < 8 && end > 8; i++)
        copy[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    return copy;
}

static void use(const diff *d)
{
    diff_note note;
    size_t beyond = 0;
    for (size_t i = 0; i < d->n_ops; i++) {
        if (isnan(d->ops[i].max_error) || d->ops[i].max_error < 0)
            abort(); /* an error that cannot be compared */
        beyond += d->ops[i].first_frame >= 0;
    }
    if ((beyond > 0) != (d->first != NULL) || (d->identical && !d->equal))
        abort(); /* an answer that contradicts itself */
    for (size_t i = 0; diff_note_at(d, i, &note); i++)
        if (strcmp(note.a, note.b) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    moshi_error err = {0};
    trace_file a = {0}, b = {0};
    diff *d = NULL;
    size_t length = n < 2 ? 0 : (size_t)bytes[0] | (size_t)bytes[1] << 8;
    if (n < 2 || length > n - 2)
        return 0;
    size_t rest = n - 2 - length;
    uint8_t *one = fitted(bytes + 2, length);
    uint8_t *other = fitted(bytes + 2 + length, rest);
    bool opened = trace_file_open_memory(&a, one, length, "a", &err) ==
                      MOSHI_OK &&
                  trace_file_open_memory(&b, other, rest, "b", &err) ==
                      MOSHI_OK;
    if (opened && diff_of_traces(&d, &a, &b, -1, &err) == MOSHI_OK)
        use(d);
    if (!opened && err.status >= 0)
        abort(); /* a result that contradicts the status */
    diff_close(&d);
    trace_file_close(&a);
    trace_file_close(&b);
    free(one);
    free(other);
    return 0;
}
