/* npy.c: read the header's dictionary and widen the integers. */
#include "files/npy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"

#define MAGIC_BYTES 6
#define HEADER_TEXT 1024 /* longer headers belong to structured arrays */

bool npy_recognise(const void *bytes, size_t n_bytes)
{
    return n_bytes >= MAGIC_BYTES && memcmp(bytes, "\x93NUMPY", MAGIC_BYTES) == 0;
}

typedef struct header {
    char text[HEADER_TEXT]; /* the dictionary, terminated */
    size_t data;            /* where the data begins */
    int size;               /* bytes of an element: 1, 2, 4, 8 */
    bool is_signed;
    int n_dims;
    size_t dims[LIMIT_DIMS];
} header;

static moshi_status damaged(const char *label, const char *what,
                            moshi_error *err)
{
    error_set(err, MOSHI_FORMAT, "%s: damaged npy file: %s", label, what);
    return error_hint(err, "save the array again with numpy.save");
}

static moshi_status take_text(header *h, const unsigned char *bytes, size_t n,
                              const char *label, moshi_error *err)
{
    size_t wide = n > MAGIC_BYTES && bytes[MAGIC_BYTES] > 1 ? 4 : 2;
    size_t start = MAGIC_BYTES + 2 + wide, length = 0;
    if (n < start)
        return damaged(label, "it ends in its header", err);
    for (size_t i = wide; i-- > 0;)
        length = length << 8 | bytes[MAGIC_BYTES + 2 + i];
    if (length >= HEADER_TEXT)
        return damaged(label, "its header is too long for a plain array", err);
    if (length > n - start)
        return damaged(label, "it ends in its header", err);
    memcpy(h->text, bytes + start, length);
    h->text[length] = 0;
    h->data = start + length;
    return MOSHI_OK;
}

/* What stands behind 'key':, or NULL. */
static const char *value_of(const header *h, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(h->text, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    while (*at == ' ' || *at == ':')
        at++;
    return at;
}

static moshi_status take_type(header *h, const char *label, moshi_error *err)
{
    const char *at = value_of(h, "descr");
    if (!at || *at != '\'' || strlen(at) < 5)
        return damaged(label, "its header names no plain type", err);
    char order = at[1], kind = at[2], size = at[3];
    bool known = (kind == 'i' || kind == 'u') && strchr("1248", size) &&
                 at[4] == '\'';
    if (!known) {
        error_set(err, MOSHI_UNSUPPORTED,
                  "%s: an array of type %.5s; codes are whole numbers", label,
                  at);
        return error_hint(err, "save it with .astype(numpy.int32)");
    }
    if (order == '>') {
        error_set(err, MOSHI_UNSUPPORTED, "%s: big-endian numbers", label);
        return error_hint(err, "save it with .astype('<i4')");
    }
    h->is_signed = kind == 'i';
    h->size = size - '0';
    return MOSHI_OK;
}

static moshi_status take_order(const header *h, const char *label,
                               moshi_error *err)
{
    const char *at = value_of(h, "fortran_order");
    if (at && strncmp(at, "False", 5) == 0)
        return MOSHI_OK;
    if (!at || strncmp(at, "True", 4) != 0)
        return damaged(label, "its header does not say fortran_order", err);
    error_set(err, MOSHI_UNSUPPORTED, "%s: the array is in Fortran order",
              label);
    return error_hint(err, "save it with numpy.ascontiguousarray");
}

static moshi_status take_shape(header *h, const char *label, moshi_error *err)
{
    const char *at = value_of(h, "shape");
    if (!at || *at++ != '(')
        return damaged(label, "its header has no shape", err);
    while (*at != ')') {
        size_t n = 0;
        if (!isdigit((unsigned char)*at) || h->n_dims == LIMIT_DIMS)
            return damaged(label, "its shape cannot be read", err);
        for (; isdigit((unsigned char)*at); at++)
            if ((n = n * 10 + (size_t)(*at - '0')) > LIMIT_TOKENS)
                return damaged(label, "its shape is too large for codes", err);
        h->dims[h->n_dims++] = n;
        while (*at == ',' || *at == ' ')
            at++;
    }
    if (h->n_dims == 2 || (h->n_dims == 3 && h->dims[0] == 1))
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "%s: an array of %d axes%s, expected [K, T]", label,
                     h->n_dims, h->n_dims == 3 ? ", of more than one batch"
                                               : "");
}

/* Little-endian, sign extended. */
static int64_t element(const header *h, const unsigned char *at)
{
    uint64_t v = 0;
    for (int i = h->size; i-- > 0;)
        v = v << 8 | at[i];
    if (h->is_signed && h->size < 8 && v >> (8 * h->size - 1))
        v |= ~(uint64_t)0 << 8 * h->size;
    /* An unsigned number beyond 2^63 is no code whatever it becomes. */
    return h->is_signed || v <= INT64_MAX ? (int64_t)v : INT64_MAX;
}

moshi_status npy_read(token_matrix *out, const void *bytes, size_t n_bytes,
                      const char *label, moshi_error *err)
{
    header h = {.n_dims = 0};
    const unsigned char *at = bytes;
    moshi_status status = take_text(&h, at, n_bytes, label, err);
    if (status == MOSHI_OK)
        status = take_type(&h, label, err);
    if (status == MOSHI_OK)
        status = take_order(&h, label, err);
    if (status == MOSHI_OK)
        status = take_shape(&h, label, err);
    if (status == MOSHI_OK)
        status = token_matrix_reserve(out, h.dims[h.n_dims - 2],
                                      h.dims[h.n_dims - 1], label, err);
    if (status != MOSHI_OK)
        return status;
    size_t n = out->rows * out->columns, size = (size_t)h.size;
    if (n > (n_bytes - h.data) / size)
        return damaged(label, "it holds less data than its shape says", err);
    for (size_t i = 0; i < n && status == MOSHI_OK; i++)
        status = token_matrix_set(out, i, element(&h, at + h.data + i * size),
                                  label, err);
    return status;
}
