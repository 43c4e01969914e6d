/* trace_file.c: open a trace and check what its readers rely on. */
#include "lab/trace_file.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file_map.h"
#include "base/half.h"
#include "base/memory.h"

/* What the header of a trace may hold. A parsed header takes many times its
 * bytes, brackets and commas most of all: these bounds keep that below some
 * 50 MB, and leave room for 16,000 operations. */
#define HEADER_BYTES_MAX ((size_t)4 << 20)
#define BRACKETS_MAX ((size_t)1 << 16)
#define COMMAS_MAX ((size_t)1 << 18)

#define HINT "a file made by 'moshi trace' is expected"

/* --- opening --- */

static moshi_status check_header(const unsigned char *bytes, size_t n,
                                 const char *path, moshi_error *err)
{
    uint64_t length = 0;
    size_t brackets = 0, commas = 0;
    if (n < 8)
        return MOSHI_OK; /* the reader says what that is */
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > n - 8)
        return MOSHI_OK; /* likewise */
    for (size_t i = 8; i < 8 + length; i++) {
        brackets += bytes[i] == '[' || bytes[i] == '{';
        commas += bytes[i] == ',';
    }
    if (length <= HEADER_BYTES_MAX && brackets <= BRACKETS_MAX &&
        commas <= COMMAS_MAX)
        return MOSHI_OK;
    error_set(err, MOSHI_FORMAT,
              "%s: the header (%llu bytes, %zu brackets) is larger than that "
              "of any trace", path, (unsigned long long)length, brackets);
    return error_hint(err, HINT);
}

static moshi_status unfit(const trace_file *t, const checkpoint_tensor *x,
                          const char *expected, moshi_error *err)
{
    char shape[160];
    error_set(err, MOSHI_MISMATCH, "%s: tensor %s is %s %s, expected %s",
              checkpoint_path(t->file), x->name, dtype_info(x->type)->name,
              checkpoint_shape_text(x, shape, sizeof shape), expected);
    return error_hint(err, HINT);
}

static moshi_status take_table(trace_file *t, const checkpoint_tensor *x,
                               moshi_error *err)
{
    int which = 0;
    while (strcmp(trace_table_name((trace_table)which), x->name) != 0)
        which++;
    bool flat = which == TRACE_FRAMES || which == TRACE_TEXT_TOKENS;
    bool type_fits = which == TRACE_MARGINS ? x->type == DTYPE_F32
                                            : trace_is_whole(x);
    if (!type_fits || x->n_bytes == 0 || x->n_dims != (flat ? 1 : 2) ||
        (!flat && x->dims[0] > 1 + LIMIT_CODEBOOKS))
        return unfit(t, x, flat ? "I32 [T]" : "I32 (margins F32) [K, T]", err);
    t->tables[which] = x;
    return MOSHI_OK;
}

static bool readable(dtype type)
{
    return type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16 ||
           type == DTYPE_I32 || type == DTYPE_I64;
}

static moshi_status check_values(trace_file *t, moshi_error *err)
{
    char expected[64];
    const checkpoint_tensor *numbers = t->tables[TRACE_FRAMES];
    if (t->n_values == 0) {
        error_set(err, MOSHI_MISMATCH, "%s: holds no operation",
                  checkpoint_path(t->file));
        return error_hint(err, HINT);
    }
    t->frames = numbers ? numbers->dims[0]
                : t->values[0]->n_dims ? t->values[0]->dims[0] : 0;
    snprintf(expected, sizeof expected, "F32 or I32 [%zu frames, rows, width]",
             t->frames);
    for (size_t i = 0; i < t->n_values; i++) {
        const checkpoint_tensor *x = t->values[i];
        if (!readable(x->type) || x->n_dims < 1 || x->n_bytes == 0 ||
            x->dims[0] != t->frames)
            return unfit(t, x, expected, err);
    }
    for (size_t r = 1; r < t->frames; r++)
        if (trace_file_frame(t, r) <= trace_file_frame(t, r - 1))
            return error_set(err, MOSHI_MISMATCH,
                             "%s: the numbers of the frames do not ascend: "
                             "%lld follows %lld", checkpoint_path(t->file),
                             (long long)trace_file_frame(t, r),
                             (long long)trace_file_frame(t, r - 1));
    return MOSHI_OK;
}

static moshi_status check(trace_file *t, moshi_error *err)
{
    size_t n = checkpoint_count(t->file);
    if (checkpoint_kind(t->file) != CHECKPOINT_SAFETENSORS) {
        error_set(err, MOSHI_MISMATCH, "%s: a GGUF file is no trace",
                  checkpoint_path(t->file));
        return error_hint(err, HINT);
    }
    t->values = memory_calloc(n, sizeof *t->values);
    if (!t->values)
        return error_no_memory(err, "a trace");
    moshi_status status = MOSHI_OK;
    for (size_t i = 0; i < n && status == MOSHI_OK; i++) {
        const checkpoint_tensor *x = checkpoint_at(t->file, i);
        if (trace_is_table(x->name))
            status = take_table(t, x, err);
        else
            t->values[t->n_values++] = x;
    }
    return status == MOSHI_OK ? check_values(t, err) : status;
}

static moshi_status check_or_close(trace_file *out, checkpoint *file,
                                   moshi_error *err)
{
    trace_file t = {.file = file};
    moshi_status status = check(&t, err);
    if (status == MOSHI_OK)
        *out = t;
    else
        trace_file_close(&t);
    return status;
}

moshi_status trace_file_open(trace_file *out, const char *path,
                             moshi_error *err)
{
    checkpoint *file = NULL;
    file_map map = {0};
    moshi_status status = file_map_open(&map, path, err);
    if (status == MOSHI_OK)
        status = check_header(map.data, map.bytes, path, err);
    file_map_close(&map);
    if (status == MOSHI_OK)
        status = checkpoint_open(&file, path, err);
    return status == MOSHI_OK ? check_or_close(out, file, err) : status;
}

moshi_status trace_file_open_memory(trace_file *out, const void *bytes,
                                    size_t n_bytes, const char *label,
                                    moshi_error *err)
{
    checkpoint *file = NULL;
    moshi_status status = check_header(bytes, n_bytes, label, err);
    if (status == MOSHI_OK)
        status = checkpoint_open_memory(&file, bytes, n_bytes, label, err);
    return status == MOSHI_OK ? check_or_close(out, file, err) : status;
}

void trace_file_close(trace_file *t)
{
    memory_free(t->values);
    checkpoint_close(&t->file);
    *t = (trace_file){0};
}

/* --- reading --- */

const char *trace_file_note(const trace_file *t, const char *key)
{
    const char *text = checkpoint_metadata(t->file, key);
    return text ? text : "";
}

const checkpoint_tensor *trace_file_find(const trace_file *t, const char *name)
{
    return trace_is_table(name) ? NULL : checkpoint_find(t->file, name);
}

static const unsigned char *number_at(const checkpoint_tensor *t, size_t i)
{
    return (const unsigned char *)t->data + i * dtype_info(t->type)->bytes;
}

static int64_t whole_at(const checkpoint_tensor *t, size_t i)
{
    int32_t narrow;
    int64_t wide;
    if (t->type == DTYPE_I32) {
        memcpy(&narrow, number_at(t, i), sizeof narrow);
        return narrow;
    }
    memcpy(&wide, number_at(t, i), sizeof wide);
    return wide;
}

int64_t trace_file_frame(const trace_file *t, size_t row)
{
    const checkpoint_tensor *numbers = t->tables[TRACE_FRAMES];
    return numbers ? whole_at(numbers, row) : (int64_t)row;
}

size_t trace_row_numbers(const checkpoint_tensor *t)
{
    size_t n = 1; /* no overflow: the whole tensor lies in the file */
    for (int i = 1; i < t->n_dims; i++)
        n *= t->dims[i];
    return n;
}

bool trace_is_whole(const checkpoint_tensor *t)
{
    return t->type == DTYPE_I32 || t->type == DTYPE_I64;
}

void trace_row_floats(const checkpoint_tensor *t, size_t row, size_t from,
                      size_t n, float *out)
{
    size_t at = row * trace_row_numbers(t) + from;
    uint16_t half;
    if (t->type == DTYPE_F32) {
        memcpy(out, number_at(t, at), n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(&half, number_at(t, at + i), sizeof half);
        out[i] = t->type == DTYPE_F16 ? half_to_float(half)
                                      : bfloat_to_float(half);
    }
}

void trace_row_whole(const checkpoint_tensor *t, size_t row, size_t from,
                     size_t n, int64_t *out)
{
    size_t at = row * trace_row_numbers(t) + from;
    for (size_t i = 0; i < n; i++)
        out[i] = whole_at(t, at + i);
}

size_t trace_table_rows(const checkpoint_tensor *t)
{
    return t->n_dims == 2 ? t->dims[0] : 1;
}

size_t trace_table_columns(const checkpoint_tensor *t)
{
    return t->dims[t->n_dims - 1];
}

int64_t trace_cell(const checkpoint_tensor *t, size_t row, size_t column)
{
    return whole_at(t, row * trace_table_columns(t) + column);
}

float trace_cell_float(const checkpoint_tensor *t, size_t row, size_t column)
{
    float x;
    memcpy(&x, number_at(t, row * trace_table_columns(t) + column), sizeof x);
    return x;
}
