/* doctor_trace.c: the model against a trace of a right run, if one lies beside
 * it.
 *
 * The trace (docs/TRACE.md) holds the sound, the tokens and whatever outputs
 * somebody recorded of the same model: with another engine, or with a build
 * that is known to be right. The run is repeated here with its sound and its
 * tokens given. What no test of a model against itself can find, a formula
 * that is wrong everywhere and always, is found so; the first operation that
 * differs says which part it is in. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/diff.h"
#include "lab/doctor_work.h"
#include "lab/nameless_file.h"
#include "lab/trace_run.h"

#define TRACE_NAME "reference.trace.safetensors"
#define SOUND "mimi.encoder.pcm"
#define CHECK "reference: trace"

/* What repeating a trace needs; all owned. */
typedef struct repeat {
    trace_file kept;
    trace_tokens tokens;
    moshi_model *model;
    const char **names; /* of the operations in the trace */
    float *pcm;
    nameless_file made;
    diff *d;
} repeat;

static void repeat_release(repeat *r)
{
    diff_close(&r->d);
    nameless_file_close(&r->made);
    memory_free(r->pcm);
    memory_free(r->names);
    moshi_model_close(&r->model);
    trace_tokens_release(&r->tokens);
    trace_file_close(&r->kept);
}

/* The frames 0 … F-1 of the sound. */
static moshi_status take_sound(repeat *r, const char *path, size_t samples,
                               moshi_error *err)
{
    const checkpoint_tensor *t = trace_file_find(&r->kept, SOUND);
    size_t F = r->kept.frames;
    if (!t || trace_is_whole(t) || trace_row_numbers(t) != samples ||
        trace_file_frame(&r->kept, F - 1) != (int64_t)F - 1)
        return error_set(err, MOSHI_MISMATCH, "%s: the sound of all frames "
                         "from the first on (%s, %zu samples each) is missing",
                         doctor_base_name(path), SOUND, samples);
    r->pcm = memory_calloc(F * samples, sizeof *r->pcm);
    if (!r->pcm)
        return error_no_memory(err, "the sound of a trace");
    for (size_t f = 0; f < F; f++)
        trace_row_floats(t, f, 0, samples, r->pcm + f * samples);
    return MOSHI_OK;
}

/* As the trace was made: with activations quantised, or exact, and the same
 * type of keys and values. */
static moshi_status open_model(repeat *r, const doctor *d, moshi_error *err)
{
    const model_files *files = &d->files;
    moshi_model_params p = {.lm = files->lm, .mimi = files->mimi,
                            .config = files->config,
                            .mimi_config = files->mimi_config,
                            .threads = d->params->model.threads,
                            .acoustic_delay = d->params->model.acoustic_delay};
    p.exact_activations =
        strcmp(trace_file_note(&r->kept, "activations"), "exact") == 0;
    p.kv = trace_file_note(&r->kept, "kv");
    if (!*p.kv) /* older than halves */
        p.kv = "f32";
    return moshi_model_open(&r->model, &p, err);
}

static moshi_status repeat_run(repeat *r, const char *path, moshi_error *err)
{
    trace_run run = {.path = r->made.path,
                     .pcm = r->pcm,
                     .frames = r->kept.frames,
                     .match = r->names,
                     .n_match = r->kept.n_values,
                     .forced = &r->tokens,
                     .inputs = {.recording = path, .tokens = path}};
    for (size_t i = 0; i < r->kept.n_values; i++)
        r->names[i] = r->kept.values[i]->name;
    moshi_status status = trace_run_model(r->model, NULL, &run, err);
    return status == MOSHI_OK
               ? diff_open(&r->d, path, r->made.path, -1, err) : status;
}

static moshi_status repeat_trace(repeat *r, const doctor *d, const char *path,
                                 moshi_error *err)
{
    moshi_status status = trace_file_open(&r->kept, path, err);
    if (status == MOSHI_OK)
        status = trace_tokens_open(&r->tokens, path, err);
    if (status == MOSHI_OK)
        status = take_sound(
            r, path, (size_t)d->model->mimi->config.frame_samples, err);
    if (status == MOSHI_OK) {
        r->names = memory_calloc(r->kept.n_values, sizeof *r->names);
        if (!r->names)
            status = error_no_memory(err, "the names of a trace");
    }
    if (status == MOSHI_OK)
        status = open_model(r, d, err);
    if (status == MOSHI_OK)
        status = nameless_file_open(&r->made, "a trace", err);
    return status == MOSHI_OK ? repeat_run(r, path, err) : status;
}

/* --- what it says --- */

static const plan_op *find(const plan *p, const char *name)
{
    for (size_t i = 0; i < p->n_ops; i++)
        if (strcmp(p->ops[i].name, name) == 0)
            return &p->ops[i];
    return NULL;
}

/* Of the row of tokens that a step reads: is it the same but for what is
 * heard, and is that one number in every codebook? Then nobody was heard. */
static bool hears_nobody(const repeat *r, const diff_op *op)
{
    const lm_config *c = &r->model->lm->config;
    const checkpoint_tensor *a = trace_file_find(&r->d->a, op->name);
    const checkpoint_tensor *b = trace_file_find(&r->d->b, op->name);
    int64_t right[1 + 2 * LIMIT_CODEBOOKS], read[1 + 2 * LIMIT_CODEBOOKS];
    size_t n = 1 + (size_t)c->n_q, own = 1 + (size_t)c->dep_q;
    size_t row = (size_t)op->first_frame;
    if (trace_row_numbers(a) != n || trace_row_numbers(b) != n || own == n)
        return false;
    trace_row_whole(a, row, 0, n, right);
    trace_row_whole(b, row, 0, n, read);
    if (memcmp(right, read, own * sizeof *read) != 0)
        return false;
    for (size_t k = own; k < n; k++)
        if (read[k] != read[own] && read[k] != c->card)
            return false;
    return true;
}

/* An input of a step or of the decoder is the work of the timeline, a token
 * that is not the one given is that of the sampler; the first difference
 * elsewhere is in what computes. */
static lab_class class_of(const repeat *r, const diff_op *first)
{
    const moshi_model *m = r->model;
    const plan_op *op = find(m->lm->plain.plan, first->name);
    if (op)
        return op->kind == OP_SAMPLE ? LAB_SAMPLING : LAB_MODEL_CODE;
    if (find(m->mimi->encoder, first->name) ||
        find(m->mimi->decoder, first->name))
        return LAB_CODEC;
    return strcmp(first->name, "lm.tokens") == 0 && hears_nobody(r, first)
               ? LAB_INPUT : LAB_TIMELINE;
}

static void report(doctor *d, const repeat *r, const char *path)
{
    const diff *x = r->d;
    char expected[160];
    snprintf(expected, sizeof expected, "%s within %g (%s)",
             doctor_base_name(path), x->tolerance, x->tolerance_reason);
    doctor_finding f = {CHECK, LAB_MODEL_CODE, DOCTOR_OK, expected,
                        "read this operation; 'moshi trace' and 'moshi diff' "
                        "against the engine that made the trace show the rest"};
    if (!x->first) {
        doctor_add(d, f, "%zu outputs of %zu frames are those of %s %s", x->n_ops,
                   x->frames, *trace_file_note(&x->a, "engine")
                                  ? trace_file_note(&x->a, "engine")
                                  : "another engine",
                   trace_file_note(&x->a, "version"));
        return;
    }
    f.status = DOCTOR_FAULT;
    f.about = class_of(r, x->first);
    doctor_add(d, f, "first off is %s in frame %lld, by %.2g of its size",
               x->first->name, (long long)x->first->first_frame,
               x->first_error);
}

void doctor_trace_check(doctor *d)
{
    char path[4096];
    moshi_error err = {0};
    repeat r = {.made = {.fd = -1}};
    doctor_finding f = {CHECK, LAB_MODEL_CODE, DOCTOR_SKIPPED, "", ""};
    if (!d->model) {
        doctor_add(d, f, "the model cannot be opened");
        return;
    }
    if (!doctor_beside(d, TRACE_NAME, path, sizeof path)) {
        doctor_add(d, f, "no " TRACE_NAME " lies beside the model");
        return;
    }
    moshi_status status = repeat_trace(&r, d, path, &err);
    if (status == MOSHI_OK) {
        report(d, &r, path);
    } else if (status == MOSHI_NO_MEMORY) {
        d->report->failed = true;
    } else {
        f.status = DOCTOR_WARNING;
        f.about = LAB_FILE;
        f.advice = "take the trace of this very model";
        doctor_add_error(d, f, &err);
    }
    repeat_release(&r);
}
