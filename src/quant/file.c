/* file.c: batches of elements, each batch shared out among threads. */
#include "quant/file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/output_file.h"
#include "base/threads.h"
#include "quant/encode.h"
#include "quant/pieces.h"

/* A task is 32 Ki elements, whole blocks of every type; a batch some tasks. */
#define TASK_ELEMENTS  ((size_t)1 << 15)
#define TASKS          32
#define BATCH_ELEMENTS (TASKS * TASK_ELEMENTS)

/* Sums over one task, added up in the order of the tasks. */
typedef struct sums {
    double squares, error_squares, most;
    bool finite;
} sums;

/* One run; released by quant_file_write. */
typedef struct job {
    const lm_model *model;
    const quant_params *params;
    quant_pieces pieces;
    tensor_writer *writer;
    pool *threads;
    float *scratch;       /* owned: 2 TASK_ELEMENTS for each worker */
    unsigned char *batch; /* owned: BATCH_ELEMENTS of any type */
    uint64_t done, total; /* bytes of the source */
    /* The batch in progress. */
    const quant_piece *piece;
    size_t first, n; /* elements of the piece */
    sums task_sums[TASKS];
} job;

/* Bytes of n elements, whole blocks. */
static size_t bytes_of(dtype type, size_t n)
{
    const dtype_traits *t = dtype_info(type);
    return n / t->block * t->bytes;
}

static const void *source_at(const quant_piece *p, size_t element)
{
    return (const char *)p->source->data +
           bytes_of(p->source->type, p->first + element);
}

static sums measure(const float *x, const float *y, size_t n)
{
    sums s = {.finite = true};
    for (size_t i = 0; i < n; i++) {
        double error = (double)y[i] - x[i];
        s.squares += (double)x[i] * x[i];
        s.error_squares += error * error;
        s.most = fabs(error) > s.most ? fabs(error) : s.most;
    }
    return s;
}

/* The exponent of what is not finite is all ones. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t bits, bad = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &x[i], sizeof bits);
        bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return !bad;
}

static void run_task(void *context, size_t task, int worker)
{
    job *j = context;
    const quant_piece *p = j->piece;
    float *x = j->scratch + (size_t)worker * 2 * TASK_ELEMENTS;
    float *y = x + TASK_ELEMENTS;
    size_t at = task * TASK_ELEMENTS;
    size_t n = j->n - at < TASK_ELEMENTS ? j->n - at : TASK_ELEMENTS;
    const void *source = source_at(p, j->first + at);
    unsigned char *out = j->batch + bytes_of(p->spec.type, at);
    j->task_sums[task] = (sums){.finite = true};
    if (!dtype_is_weight(p->source->type)) { /* then it keeps its type */
        memcpy(out, source, bytes_of(p->source->type, n));
        return;
    }
    quant_decode(p->source->type, x, source, n);
    if (!all_finite(x, n)) {
        j->task_sums[task].finite = false;
        return;
    }
    if (p->spec.type == p->source->type)
        memcpy(out, source, bytes_of(p->source->type, n));
    else
        quant_encode(p->spec.type, out, x, n);
    if (!j->params->measure)
        return;
    quant_decode(p->spec.type, y, out, n);
    j->task_sums[task] = measure(x, y, n);
}

static moshi_status run_batch(job *j, size_t first, sums *all,
                              moshi_error *err)
{
    const quant_piece *p = j->piece;
    size_t left = p->n - first;
    j->first = first;
    j->n = left < BATCH_ELEMENTS ? left : BATCH_ELEMENTS;
    size_t tasks = (j->n + TASK_ELEMENTS - 1) / TASK_ELEMENTS;
    pool_run(j->threads, tasks, run_task, j);
    for (size_t i = 0; i < tasks; i++) {
        const sums *s = &j->task_sums[i];
        all->finite = all->finite && s->finite;
        all->squares += s->squares;
        all->error_squares += s->error_squares;
        all->most = s->most > all->most ? s->most : all->most;
    }
    if (!all->finite)
        return error_set(err, MOSHI_FORMAT,
                         "%s: tensor %s holds numbers that are not finite",
                         checkpoint_path(j->model->file), p->source->name);
    /* The pages of this part will not be read again. */
    checkpoint_tensor part = *p->source;
    part.data = source_at(p, first);
    part.n_bytes = bytes_of(p->source->type, j->n);
    checkpoint_forget(j->model->file, &part);
    j->done += part.n_bytes;
    if (j->params->progress)
        j->params->progress(j->params->user, j->done, j->total);
    return tensor_writer_push(j->writer, j->batch,
                              bytes_of(p->spec.type, j->n), err);
}

static void tell(const job *j, const sums *all)
{
    const quant_piece *p = j->piece;
    if (!j->params->tensor)
        return;
    quant_report r = {.name = p->spec.name,
                      .from = p->source->type,
                      .to = p->spec.type,
                      .wanted = j->params->type,
                      .n_dims = p->spec.n_dims,
                      .dims = p->spec.dims,
                      .bytes_from = bytes_of(p->source->type, p->n),
                      .bytes_to = bytes_of(p->spec.type, p->n),
                      .rms = all->squares > 0
                                 ? sqrt(all->error_squares / all->squares)
                                 : 0,
                      .most = all->most};
    j->params->tensor(j->params->user, &r);
}

static moshi_status write_piece(job *j, const quant_piece *p, moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    sums all = {.finite = true};
    j->piece = p;
    for (size_t at = 0; at < p->n && status == MOSHI_OK; at += BATCH_ELEMENTS)
        status = run_batch(j, at, &all, err);
    if (status == MOSHI_OK)
        tell(j, &all);
    return status;
}

static moshi_status check(const job *j, const char *path, moshi_error *err)
{
    const char *source = checkpoint_path(j->model->file);
    if (!dtype_is_weight(j->params->type))
        return error_set(err, MOSHI_ARGUMENT, "weights cannot have type %s",
                         dtype_info(j->params->type)->name);
    /* It would be replaced under our eyes. */
    if (!output_file_replaces(path, source))
        return MOSHI_OK;
    error_set(err, MOSHI_ARGUMENT, "'%s' is the file that is read", path);
    return error_hint(err, "write to another name");
}

static moshi_status open_writer(job *j, const char *path, quant_summary *out,
                                moshi_error *err)
{
    tensor_spec *specs = memory_calloc(j->pieces.count, sizeof *specs);
    if (!specs)
        return error_no_memory(err, "the list of tensors");
    for (size_t i = 0; i < j->pieces.count; i++) {
        const quant_piece *p = &j->pieces.list[i];
        specs[i] = p->spec;
        j->total += bytes_of(p->source->type, p->n);
        out->bytes_to += tensor_spec_bytes(&p->spec);
        if (p->spec.n_dims == 2 && p->spec.type != j->params->type)
            out->other_type++;
    }
    out->bytes_from = j->total;
    out->layout = j->pieces.layout;
    out->tensors = j->pieces.count;
    out->left_out = j->pieces.n_left_out;
    if (j->pieces.left_out)
        snprintf(out->left_out_name, sizeof out->left_out_name, "%s",
                 j->pieces.left_out);
    moshi_status status = tensor_writer_open(&j->writer, path, CHECKPOINT_GGUF,
                                             specs, j->pieces.count, err);
    memory_free(specs);
    return status;
}

static moshi_status open_workers(job *j, moshi_error *err)
{
    moshi_status status = pool_open(&j->threads, j->params->threads, err);
    if (status != MOSHI_OK)
        return status;
    j->scratch = memory_calloc((size_t)pool_threads(j->threads) * 2 *
                                   TASK_ELEMENTS, sizeof *j->scratch);
    j->batch = memory_calloc(BATCH_ELEMENTS, sizeof(int64_t));
    return j->scratch && j->batch ? MOSHI_OK
                                  : error_no_memory(err, "the quantiser");
}

moshi_status quant_file_write(const lm_model *model, const char *path,
                              const quant_params *params, quant_summary *out,
                              moshi_error *err)
{
    quant_summary summary = {0};
    job *j = memory_calloc(1, sizeof *j);
    if (!j)
        return error_no_memory(err, "the quantiser");
    j->model = model;
    j->params = params;
    moshi_status status = check(j, path, err);
    if (status == MOSHI_OK)
        status = quant_pieces_list(&j->pieces, model, params->type, err);
    if (status == MOSHI_OK)
        status = open_workers(j, err);
    if (status == MOSHI_OK)
        status = open_writer(j, path, &summary, err);
    for (size_t i = 0; i < j->pieces.count && status == MOSHI_OK; i++)
        status = write_piece(j, &j->pieces.list[i], err);
    if (status == MOSHI_OK)
        status = tensor_writer_finish(j->writer, err);
    tensor_writer_close(&j->writer);
    pool_close(&j->threads);
    quant_pieces_release(&j->pieces);
    memory_free(j->scratch);
    memory_free(j->batch);
    memory_free(j);
    if (status == MOSHI_OK && out)
        *out = summary;
    return status;
}
