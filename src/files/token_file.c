/* token_file.c: tell the format; find the tensor in a safetensors file. */
#include "files/token_file.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "files/checkpoint.h"
#include "files/npy.h"
#include "files/token_text.h"

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
