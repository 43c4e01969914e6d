/* token_file.c: tell the format, find the tensor, sort out the axes. */
#include "files/token_file.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/limits.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "files/npy.h"
#include "files/token_text.h"

void token_matrix_release(token_matrix *m)
{
    memory_free(m->values);
    *m = (token_matrix){0};
}

moshi_status token_matrix_reserve(token_matrix *out, size_t rows,
                                  size_t columns, const char *label,
                                  moshi_error *err)
{
    size_t n;
    if (rows == 0 || columns == 0)
        return error_set(err, MOSHI_FORMAT, "%s: holds no codes", label);
    if (!size_mul(rows, columns, &n) || n > LIMIT_TOKENS)
        return error_set(err, MOSHI_FORMAT,
                         "%s: %zu rows of %zu codes; at most %zu codes can be "
                         "read", label, rows, columns, LIMIT_TOKENS);
    out->values = memory_calloc(n, sizeof *out->values);
    if (!out->values)
        return error_no_memory(err, "the codes");
    out->rows = rows;
    out->columns = columns;
    return MOSHI_OK;
}

moshi_status token_matrix_set(token_matrix *m, size_t i, int64_t value,
                              const char *label, moshi_error *err)
{
    if (value < INT32_MIN || value > INT32_MAX)
        return error_set(err, MOSHI_FORMAT,
                         "%s: %lld in row %zu, column %zu is no code", label,
                         (long long)value, i / m->columns, i % m->columns);
    m->values[i] = (int32_t)value;
    return MOSHI_OK;
}

/* --- safetensors --- */

static bool is_integer(dtype type)
{
    return type == DTYPE_I32 || type == DTYPE_I64;
}

/* [K, T], or [1, K, T] as batches of one are written. */
static bool has_two_axes(const checkpoint_tensor *t)
{
    return t->n_dims == 2 || (t->n_dims == 3 && t->dims[0] == 1);
}

static const checkpoint_tensor *only_candidate(const checkpoint *file)
{
    const checkpoint_tensor *only = NULL;
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const checkpoint_tensor *t = checkpoint_at(file, i);
        if (!is_integer(t->type) || !has_two_axes(t))
            continue;
        if (only)
            return NULL;
        only = t;
    }
    return only;
}

static moshi_status find_tensor(const checkpoint *file, const char *name,
                                const checkpoint_tensor **out,
                                moshi_error *err)
{
    char shape[160];
    const char *path = checkpoint_path(file);
    const checkpoint_tensor *t = checkpoint_find(file, name ? name : "codes");
    if (!t && !name)
        t = checkpoint_find(file, "codes_out");
    if (!t && !name)
        t = only_candidate(file);
    if (!t) {
        error_set(err, MOSHI_MISMATCH, "%s: tensor %s is missing", path,
                  name ? name : "codes");
        return error_hint(err, "a file made by 'moshi codec encode' is "
                          "expected; name another tensor with --tensor");
    }
    checkpoint_shape_text(t, shape, sizeof shape);
    if (!is_integer(t->type) || !has_two_axes(t))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: tensor %s is %s in %s, expected [K, T] in I32",
                         path, t->name, shape, dtype_info(t->type)->name);
    *out = t;
    return MOSHI_OK;
}

static moshi_status read_tensor(token_matrix *m, const void *bytes,
                                size_t n_bytes, const char *label,
                                const char *name, moshi_error *err)
{
    checkpoint *file = NULL;
    const checkpoint_tensor *t = NULL;
    moshi_status status = checkpoint_open_memory(&file, bytes, n_bytes, label,
                                                 err);
    if (status == MOSHI_OK)
        status = find_tensor(file, name, &t, err);
    if (status == MOSHI_OK)
        status = token_matrix_reserve(m, t->dims[t->n_dims - 2],
                                      t->dims[t->n_dims - 1], label, err);
    for (size_t i = 0; status == MOSHI_OK && i < m->rows * m->columns; i++)
        status = token_matrix_set(m, i, checkpoint_integer(t, i), label, err);
    checkpoint_close(&file);
    return status;
}

/* --- any format --- */

/* Text begins with a number or a comment; no other format does. */
static bool is_text(const unsigned char *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && isspace(bytes[i]))
        i++;
    if (i == n || (!isdigit(bytes[i]) && bytes[i] != '-' && bytes[i] != '#'))
        return false;
    return !memchr(bytes, 0, n < 64 ? n : 64);
}

moshi_status token_bytes_open(token_matrix *out, const void *bytes,
                              size_t n_bytes, const char *label,
                              const char *name, moshi_error *err)
{
    moshi_error ignored;
    token_matrix m = {0};
    moshi_status status;
    err = err ? err : &ignored;
    if (npy_recognise(bytes, n_bytes))
        status = npy_read(&m, bytes, n_bytes, label, err);
    else if (is_text(bytes, n_bytes))
        status = token_text_read(&m, bytes, n_bytes, label, err);
    else
        status = read_tensor(&m, bytes, n_bytes, label, name, err);
    if (status == MOSHI_OK)
        *out = m;
    else
        token_matrix_release(&m);
    return status;
}

moshi_status token_file_open(token_matrix *out, const char *path,
                             const char *name, moshi_error *err)
{
    file_map map;
    moshi_status status = file_map_open(&map, path, err);
    if (status != MOSHI_OK)
        return status;
    status = token_bytes_open(out, map.data, map.bytes, path, name, err);
    file_map_close(&map);
    return status;
}

/* --- codes --- */

static moshi_status out_of_range(int32_t code, size_t k, size_t f, int bins,
                                 const char *label, moshi_error *err)
{
    error_set(err, MOSHI_MISMATCH,
              "%s: code %d in codebook %zu, frame %zu; the codec has codes 0 "
              "to %d", label, code, k, f, bins - 1);
    if (code >= -2 && code < 0)
        return error_hint(err, "negative codes stand where a delayed codebook "
                          "has no token yet: undo the delays first, or leave "
                          "those frames out");
    if (code == bins)
        return error_hint(err, "%d is the language model's initial token: "
                          "undo the delays first, or leave those frames out",
                          code);
    return MOSHI_MISMATCH;
}

moshi_status token_matrix_codes(const token_matrix *m, token_layout layout,
                                int codebooks_max, int bins, const char *label,
                                int32_t **codes, int *K, size_t *T,
                                moshi_error *err)
{
    size_t most = (size_t)codebooks_max;
    bool frames_first = layout == TOKEN_LAYOUT_TK ||
                        (layout == TOKEN_LAYOUT_AUTO && m->rows > most &&
                         m->columns <= most);
    size_t books = frames_first ? m->columns : m->rows;
    size_t frames = frames_first ? m->rows : m->columns;
    if (books > most)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: the codes are [%zu, %zu], but the codec has 1 to "
                         "%d codebooks", label, m->rows, m->columns,
                         codebooks_max);
    int32_t *all = memory_calloc(books * frames, sizeof *all);
    if (!all)
        return error_no_memory(err, "the codes");
    for (size_t k = 0; k < books; k++)
        for (size_t f = 0; f < frames; f++) {
            int32_t code = m->values[frames_first ? f * books + k
                                                  : k * frames + f];
            if (code < 0 || code >= bins) {
                memory_free(all);
                return out_of_range(code, k, f, bins, label, err);
            }
            all[f * books + k] = code;
        }
    *codes = all;
    *K = (int)books;
    *T = frames;
    return MOSHI_OK;
}
