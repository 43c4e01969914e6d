/* trace_recorder.c: lay out a trace file from its plans; fill it from hooks. */
#include "lab/trace_recorder.h"

#include <assert.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/trace_format.h"
#include "plan/sampler.h"

#define NOT_RECORDED SIZE_MAX

/* A value of a plan and the tensor of the file that it goes to. */
typedef struct place {
    plan_value value;
    size_t spec; /* NOT_RECORDED */
} place;

typedef struct part {
    trace_recorder *recorder;
    const plan *plan;
    place *places;  /* owned; of each operation, then of each input */
    tensor_id *inputs; /* owned; n_inputs tensors */
    size_t n_inputs;
    plan_hook hook;
} part;

/* One column a frame while the run lasts: [T][rows]. */
typedef struct table {
    void *cells;  /* owned; 4 bytes each; NULL: not in this trace */
    size_t rows, columns, spec;
} table;

struct trace_recorder {
    trace_recorder_params params;
    tensor_writer *writer; /* owned */
    tensor_spec *specs;    /* owned */
    size_t n_specs, specs_room;
    part parts[TRACE_PART_COUNT];
    table tables[TRACE_TABLE_COUNT];
    void *buffer;          /* owned; room for any value */
    size_t buffer_bytes;
    size_t frame;          /* that runs */
    moshi_status status;   /* of the hooks of this frame */
    moshi_error error;
};

/* --- layout --- */

static bool add_spec(trace_recorder *r, const tensor_spec *spec, size_t *index)
{
    if (!memory_grow((void **)&r->specs, &r->specs_room, r->n_specs + 1,
                     sizeof *r->specs))
        return false;
    *index = r->n_specs;
    r->specs[r->n_specs++] = *spec;
    return true;
}

static bool wanted(const trace_recorder *r, const char *name)
{
    for (size_t i = 0; i < r->params.n_match; i++)
        if (fnmatch(r->params.match[i], name, 0) == 0)
            return true;
    return r->params.n_match == 0;
}

/* name: of an operation, or "PLAN.TENSOR" of an input. */
static bool add_place(trace_recorder *r, const char *name, place *p)
{
    const plan_value *v = &p->value;
    tensor_spec spec = {.type = v->type, .n_dims = 3,
                        .dims = {r->params.end - r->params.first, v->rows,
                                 v->width}};
    p->spec = NOT_RECORDED;
    if (r->buffer_bytes < v->room)
        r->buffer_bytes = v->room;
    if (!wanted(r, name))
        return true;
    snprintf(spec.name, sizeof spec.name, "%s", name);
    return add_spec(r, &spec, &p->spec);
}

static bool add_inputs(trace_recorder *r, part *p)
{
    char name[256];
    size_t room = 0;
    for (size_t t = 0; t < p->plan->n_tensors; t++) {
        plan_value v;
        bool forced = p == &r->parts[TRACE_LM] &&
                      (tensor_id)t == r->params.lm_forced;
        if (forced || !plan_value_of_input(p->plan, (tensor_id)t, &v))
            continue;
        if (!memory_grow((void **)&p->inputs, &room, p->n_inputs + 1,
                         sizeof *p->inputs))
            return false;
        place *to = &p->places[p->plan->n_ops + p->n_inputs];
        p->inputs[p->n_inputs++] = (tensor_id)t;
        to->value = v;
        snprintf(name, sizeof name, "%s.%s", p->plan->name,
                 p->plan->tensors[t].name);
        if (!add_place(r, name, to))
            return false;
    }
    return true;
}

static bool add_part(trace_recorder *r, part *p)
{
    const plan *pl = p->plan;
    p->places = memory_calloc(pl->n_ops + pl->n_tensors, sizeof *p->places);
    if (!p->places || !add_inputs(r, p))
        return false;
    for (size_t i = 0; i < pl->n_ops; i++) {
        place *to = &p->places[i];
        to->spec = NOT_RECORDED;
        if (plan_value_of_op(pl, &pl->ops[i], &to->value) &&
            !add_place(r, pl->ops[i].name, to))
            return false;
    }
    return true;
}

static bool add_table(trace_recorder *r, trace_table which, size_t rows,
                      size_t columns, bool flat)
{
    table *t = &r->tables[which];
    tensor_spec spec = {.type = which == TRACE_MARGINS ? DTYPE_F32 : DTYPE_I32,
                        .n_dims = flat ? 1 : 2};
    if (rows == 0 || columns == 0)
        return true;
    spec.dims[0] = flat ? columns : rows;
    spec.dims[1] = flat ? 0 : columns;
    snprintf(spec.name, sizeof spec.name, "%s", trace_table_name(which));
    *t = (table){.rows = rows, .columns = columns};
    t->cells = memory_calloc(columns, rows * sizeof(int32_t));
    return t->cells && add_spec(r, &spec, &t->spec);
}

static bool add_tables(trace_recorder *r)
{
    const trace_recorder_params *p = &r->params;
    size_t own = (size_t)p->own, user = (size_t)p->user, T = p->frames;
    size_t delay = (size_t)p->delay, spoken = T > delay ? T - delay : 0;
    const plan *lm = p->plans[TRACE_LM];
    size_t read = lm ? lm->tensors[p->lm_inputs].width : 0;
    bool ok = add_table(r, TRACE_FRAMES, 1, p->end - p->first, true) &&
              add_table(r, TRACE_CODES_IN, user, T, false) &&
              add_table(r, TRACE_CODES_OUT, own, spoken, false);
    if (!ok || !lm)
        return ok;
    return add_table(r, TRACE_INPUTS, read, T, false) &&
           add_table(r, TRACE_TEXT_TOKENS, 1, T, true) &&
           add_table(r, TRACE_AUDIO_TOKENS, own, T, false) &&
           add_table(r, TRACE_LIKELIEST, 1 + own, T, false) &&
           add_table(r, TRACE_MARGINS, 1 + own, T, false);
}

/* --- what the hooks do --- */

static void write_value(trace_recorder *r, const plan_runner *runner,
                        const part *p, const place *to)
{
    const trace_recorder_params *q = &r->params;
    if (to->spec == NOT_RECORDED || r->status != MOSHI_OK ||
        r->frame < q->first || r->frame >= q->end)
        return;
    plan_value_read(q->backend, runner, p->plan, &to->value, 0, r->buffer);
    r->status = tensor_writer_put(r->writer, to->spec,
                                  (r->frame - q->first) * to->value.bytes,
                                  r->buffer, to->value.bytes, &r->error);
}

/* The choice that the logits suggest, and by how much. */
static void note_choice(trace_recorder *r, const plan_runner *runner,
                        const plan *p, const plan_op *op)
{
    const plan_tensor *t = &p->tensors[op->in[0]];
    const float *logits = r->buffer;
    size_t n = t->rows * t->width, best = 0;
    r->params.backend->read(runner, op->in[0], 0, r->buffer);
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    float second = -INFINITY;
    for (size_t i = 0; i < n; i++)
        if (i != best && logits[i] > second)
            second = logits[i];
    table *likeliest = &r->tables[TRACE_LIKELIEST];
    size_t at = r->frame * likeliest->rows + (size_t)op->p.sample.column;
    ((int32_t *)likeliest->cells)[at] = (int32_t)best;
    ((float *)r->tables[TRACE_MARGINS].cells)[at] = logits[best] - second;
}

static void note_inputs(trace_recorder *r, const plan_runner *runner,
                        const plan *p)
{
    table *t = &r->tables[TRACE_INPUTS];
    /* A guided step reads the same tokens in both branches. */
    size_t bytes = t->rows * sizeof(int32_t);
    assert(bytes <= p->tensors[r->params.lm_inputs].bytes);
    r->params.backend->read(runner, r->params.lm_inputs, 0, r->buffer);
    memcpy((char *)t->cells + r->frame * bytes, r->buffer, bytes);
}

static void after(void *user, plan_runner *runner, const plan_op *op)
{
    part *p = user;
    trace_recorder *r = p->recorder;
    size_t index = (size_t)(op - p->plan->ops);
    bool lm = p == &r->parts[TRACE_LM];
    if (index == 0) { /* inputs are pinned: they are still there */
        for (size_t i = 0; i < p->n_inputs; i++)
            write_value(r, runner, p, &p->places[p->plan->n_ops + i]);
        if (lm)
            note_inputs(r, runner, p->plan);
    }
    write_value(r, runner, p, &p->places[index]);
    if (lm && op->kind == OP_SAMPLE)
        note_choice(r, runner, p->plan, op);
}

/* --- the life of a recorder --- */

static moshi_status lay_out(trace_recorder *r, moshi_error *err)
{
    const trace_recorder_params *p = &r->params;
    size_t values = 0;
    for (int i = 0; i < TRACE_PART_COUNT; i++) {
        part *at = &r->parts[i];
        *at = (part){.recorder = r, .plan = p->plans[i]};
        at->hook = (plan_hook){after, at, NULL};
        if (!at->plan)
            continue;
        if (!add_part(r, at))
            return error_no_memory(err, "the layout of a trace");
        /* Logits and tokens are read whether they are recorded or not. */
        for (size_t t = 0; t < at->plan->n_tensors; t++)
            if (at->plan->tensors[t].space == PLAN_FRAME &&
                at->plan->tensors[t].bytes > r->buffer_bytes)
                r->buffer_bytes = at->plan->tensors[t].bytes;
    }
    values = r->n_specs;
    if (values == 0)
        return error_set(err, MOSHI_ARGUMENT,
                         "no operation has a name that matches '%s'",
                         p->match[0]);
    r->buffer = memory_aligned_calloc(r->buffer_bytes);
    if (!add_tables(r) || !r->buffer)
        return error_no_memory(err, "the layout of a trace");
    int32_t *numbers = r->tables[TRACE_FRAMES].cells;
    for (size_t f = p->first; f < p->end; f++)
        numbers[f - p->first] = (int32_t)f;
    return tensor_writer_open_scattered(&r->writer, p->path, p->notes,
                                        p->n_notes, r->specs, r->n_specs, err);
}

moshi_status trace_recorder_open(trace_recorder **out,
                                 const trace_recorder_params *params,
                                 moshi_error *err)
{
    if (params->first >= params->end || params->end > params->frames)
        return error_set(err, MOSHI_ARGUMENT,
                         "frames %zu to %zu were asked for; the run has frames "
                         "0 to %zu", params->first, params->end,
                         params->frames);
    trace_recorder *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "a trace");
    r->params = *params;
    moshi_status status = lay_out(r, err);
    if (status == MOSHI_OK)
        *out = r;
    else
        trace_recorder_close(&r);
    return status;
}

void trace_recorder_close(trace_recorder **handle)
{
    trace_recorder *r = *handle;
    if (!r)
        return;
    tensor_writer_close(&r->writer);
    for (int i = 0; i < TRACE_PART_COUNT; i++) {
        memory_free(r->parts[i].places);
        memory_free(r->parts[i].inputs);
    }
    for (int i = 0; i < TRACE_TABLE_COUNT; i++)
        memory_free(r->tables[i].cells);
    memory_aligned_free(r->buffer);
    memory_free(r->specs);
    memory_free(r);
    *handle = NULL;
}

const plan_hook *trace_recorder_hook(const trace_recorder *r, trace_part which)
{
    return &r->parts[which].hook;
}

void trace_recorder_begin(trace_recorder *r, size_t frame)
{
    assert(frame < r->params.frames);
    r->frame = frame;
}

static void fill(table *t, size_t column, const int32_t *cells, int32_t none)
{
    if (!t->cells || column >= t->columns)
        return;
    int32_t *to = (int32_t *)t->cells + column * t->rows;
    for (size_t i = 0; i < t->rows; i++)
        to[i] = cells ? cells[i] : none;
}

moshi_status trace_recorder_end(trace_recorder *r, const trace_frame *brought,
                                moshi_error *err)
{
    const int32_t *tokens = brought->tokens;
    size_t delay = (size_t)r->params.delay;
    fill(&r->tables[TRACE_CODES_IN], r->frame, brought->codes_in, TOKEN_ZERO);
    fill(&r->tables[TRACE_TEXT_TOKENS], r->frame, tokens, TOKEN_ZERO);
    fill(&r->tables[TRACE_AUDIO_TOKENS], r->frame, tokens ? tokens + 1 : NULL,
         TOKEN_ZERO);
    if (r->frame >= delay)
        fill(&r->tables[TRACE_CODES_OUT], r->frame - delay, brought->codes_out,
             TOKEN_ZERO);
    if (r->status != MOSHI_OK && err)
        *err = r->error;
    return r->status;
}

/* [T][rows] as it was collected -> [rows, T] as it is written. */
static moshi_status write_table(trace_recorder *r, const table *t,
                                moshi_error *err)
{
    const int32_t *cells = t->cells;
    int32_t *row = memory_calloc(t->columns, sizeof *row);
    moshi_status status = row ? MOSHI_OK : error_no_memory(err, "the tokens");
    for (size_t i = 0; i < t->rows && status == MOSHI_OK; i++) {
        for (size_t f = 0; f < t->columns; f++)
            row[f] = cells[f * t->rows + i];
        status = tensor_writer_put(r->writer, t->spec,
                                   i * t->columns * sizeof *row, row,
                                   t->columns * sizeof *row, err);
    }
    memory_free(row);
    return status;
}

moshi_status trace_recorder_finish(trace_recorder *r, moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    for (int i = 0; i < TRACE_TABLE_COUNT && status == MOSHI_OK; i++)
        if (r->tables[i].cells)
            status = write_table(r, &r->tables[i], err);
    return status == MOSHI_OK ? tensor_writer_finish(r->writer, err) : status;
}
