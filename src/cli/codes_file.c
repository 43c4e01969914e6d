/* codes_file.c: turn [T][K] tables into [K, T] tensors. */
#include "cli/codes_file.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
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
