/* codes_file.c: turn [T][K] tables into [K, T] tensors and back. */
#include "cli/codes_file.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "files/tensor_writer.h"

static size_t row_values(const codes_table *t)
{
    return t->K ? (size_t)t->K : 1;
}

bool codes_table_add(codes_table *t, const int32_t *row)
{
    size_t n = row_values(t);
    if (!memory_grow((void **)&t->rows, &t->room, (t->T + 1) * n,
                     sizeof *t->rows))
        return false;
    memcpy(t->rows + t->T * n, row, n * sizeof *row);
    t->T++;
    return true;
}

void codes_table_release(codes_table *t)
{
    memory_free(t->rows);
    t->rows = NULL;
    t->T = t->room = 0;
}

static moshi_status push_table(tensor_writer *w, const codes_table *t,
                               moshi_error *err)
{
    size_t n = row_values(t);
    int32_t *row = memory_calloc(t->T, sizeof *row);
    moshi_status status = row ? MOSHI_OK : error_no_memory(err, "the codes");
    for (size_t k = 0; k < n && status == MOSHI_OK; k++) {
        for (size_t f = 0; f < t->T; f++)
            row[f] = t->rows[f * n + k];
        status = tensor_writer_push(w, row, t->T * sizeof *row, err);
    }
    memory_free(row);
    return status;
}

moshi_status codes_file_write(const char *path, const codes_table *tables,
                              size_t n, moshi_error *err)
{
    tensor_writer *w = NULL;
    tensor_spec *specs = memory_calloc(n, sizeof *specs);
    if (!specs)
        return error_no_memory(err, "the codes");
    size_t filled = 0;
    for (size_t i = 0; i < n; i++) {
        if (tables[i].T == 0)
            continue;
        tensor_spec *s = &specs[filled++];
        snprintf(s->name, sizeof s->name, "%s", tables[i].name);
        s->type = DTYPE_I32;
        s->n_dims = tables[i].K ? 2 : 1;
        s->dims[0] = tables[i].K ? (size_t)tables[i].K : tables[i].T;
        s->dims[1] = tables[i].K ? tables[i].T : 0;
    }
    moshi_status status = tensor_writer_open(&w, path, CHECKPOINT_SAFETENSORS,
                                             specs, filled, err);
    for (size_t i = 0; i < n && status == MOSHI_OK; i++)
        if (tables[i].T > 0)
            status = push_table(w, &tables[i], err);
    if (status == MOSHI_OK)
        status = tensor_writer_finish(w, err);
    tensor_writer_close(&w);
    memory_free(specs);
    return status;
}

/* Element i of an I32 or I64 tensor. */
static int64_t element(const checkpoint_tensor *t, size_t i)
{
    int32_t narrow;
    int64_t wide;
    if (t->type == DTYPE_I32) {
        memcpy(&narrow, (const char *)t->data + i * sizeof narrow,
               sizeof narrow);
        return narrow;
    }
    memcpy(&wide, (const char *)t->data + i * sizeof wide, sizeof wide);
    return wide;
}

static moshi_status take(const checkpoint_tensor *t, const char *path,
                         int bins, int32_t *codes, moshi_error *err)
{
    size_t K = t->dims[0], T = t->dims[1];
    for (size_t k = 0; k < K; k++)
        for (size_t f = 0; f < T; f++) {
            int64_t code = element(t, k * T + f);
            if (code < 0 || code >= bins)
                return error_set(err, MOSHI_MISMATCH,
                                 "%s: code %lld in codebook %zu, frame %zu; "
                                 "the codec has codes 0 to %d", path,
                                 (long long)code, k, f, bins - 1);
            codes[f * K + k] = (int32_t)code;
        }
    return MOSHI_OK;
}

static moshi_status check_shape(const checkpoint_tensor *t, const char *path,
                                int K_max, moshi_error *err)
{
    char shape[160];
    if (!t) {
        error_set(err, MOSHI_MISMATCH, "%s: tensor codes is missing", path);
        return error_hint(err, "a file made by 'moshi codec encode' is "
                          "expected");
    }
    checkpoint_shape_text(t, shape, sizeof shape);
    if ((t->type != DTYPE_I32 && t->type != DTYPE_I64) || t->n_dims != 2)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: tensor codes is %s in %s, expected [K, T] in I32",
                         path, shape, dtype_info(t->type)->name);
    if (t->dims[0] < 1 || t->dims[0] > (size_t)K_max)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: tensor codes is %s, but the codec has 1 to %d "
                         "codebooks", path, shape, K_max);
    if (t->dims[1] == 0)
        return error_set(err, MOSHI_MISMATCH, "%s: holds no frame", path);
    return MOSHI_OK;
}

moshi_status codes_file_read(const char *path, int K_max, int bins,
                             int32_t **codes, int *K, size_t *T,
                             moshi_error *err)
{
    checkpoint *file = NULL;
    moshi_status status = checkpoint_open(&file, path, err);
    if (status != MOSHI_OK)
        return status;
    const checkpoint_tensor *t = checkpoint_find(file, "codes");
    status = check_shape(t, path, K_max, err);
    int32_t *all = NULL;
    if (status == MOSHI_OK) {
        all = memory_calloc(t->dims[0] * t->dims[1], sizeof *all);
        status = all ? take(t, path, bins, all, err)
                     : error_no_memory(err, "the codes");
    }
    if (status == MOSHI_OK) {
        *codes = all;
        *K = (int)t->dims[0];
        *T = t->dims[1];
    } else {
        memory_free(all);
    }
    checkpoint_close(&file);
    return status;
}
