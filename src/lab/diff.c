/* diff.c: align two traces; gather the answer. */
#include "lab/diff.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/diff_parts.h"

/* --- the default tolerance --- */

static bool same(const diff *d, const char *key)
{
    const char *a = trace_file_note(&d->a, key);
    const char *b = trace_file_note(&d->b, key);
    return !*a || !*b || strcmp(a, b) == 0; /* what nobody says is no reason */
}

static bool quantizes(const trace_file *t)
{
    return strcmp(trace_file_note(t, "activations"), "q8_0") == 0;
}

static bool keeps(const trace_file *t, const char *type)
{
    return strcmp(trace_file_note(t, "kv"), type) == 0;
}

/* What a cache of rounded keys and values costs: a last bit more or less in a
 * key can move it by a step of its type, and then quantised activations by a
 * step of theirs. 0: nothing. */
static double cache_tolerance(const diff *d, bool machines)
{
    if (machines && same(d, "kv"))
        return 0;
    if (keeps(&d->a, "q8_0") || keeps(&d->b, "q8_0"))
        return DIFF_TOLERANCE_LOOSE;
    if (!keeps(&d->a, "f16") && !keeps(&d->b, "f16"))
        return 0;
    return quantizes(&d->a) || quantizes(&d->b) ? DIFF_TOLERANCE_LOOSE
                                                : DIFF_TOLERANCE_HALVES;
}

static void choose_tolerance(diff *d, double wanted)
{
    bool machines = same(d, "isa") && same(d, "engine");
    const char *reason = NULL;
    if (!same(d, "backend"))
        reason = "another device";
    else if (!same(d, "weights"))
        reason = "weights of other types";
    else if (!same(d, "activations"))
        reason = "activations quantised in one of them";
    else if (!machines && (quantizes(&d->a) || quantizes(&d->b)))
        reason = "activations quantised, by other instructions";
    double halves = reason ? 0 : cache_tolerance(d, machines);
    d->tolerance = reason ? DIFF_TOLERANCE_LOOSE : DIFF_TOLERANCE;
    d->tolerance_reason = reason ? reason : "the same weights and device";
    if (halves > 0) {
        d->tolerance = halves;
        d->tolerance_reason =
            same(d, "kv") ? "keys and values rounded, by other instructions"
                          : "keys and values of other types";
    }
    if (wanted >= 0) {
        d->tolerance = wanted;
        d->tolerance_reason = "as given";
    }
}

/* --- alignment --- */

static moshi_status align_frames(diff *d, moshi_error *err)
{
    diff_rows r;
    diff_rows_init(&r, &d->a, &d->b);
    while (diff_rows_next(&r)) {
        if (d->frames++ == 0)
            d->frame_first = r.frame;
        d->frame_last = r.frame;
    }
    if (d->frames > 0)
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "no frame is in both traces: %s begins with frame %lld, "
                     "%s with %lld", checkpoint_path(d->a.file),
                     (long long)trace_file_frame(&d->a, 0),
                     checkpoint_path(d->b.file),
                     (long long)trace_file_frame(&d->b, 0));
}

static moshi_status align_names(diff *d, moshi_error *err)
{
    d->ops = memory_calloc(d->a.n_values, sizeof *d->ops);
    if (!d->ops)
        return error_no_memory(err, "a comparison");
    for (size_t i = 0; i < d->a.n_values; i++) {
        const char *name = d->a.values[i]->name;
        if (trace_file_find(&d->b, name))
            d->ops[d->n_ops++] = (diff_op){.name = name, .first_frame = -1};
        else if (d->only_a++ == 0)
            d->only_a_name = name;
    }
    for (size_t i = 0; i < d->b.n_values; i++) {
        const char *name = d->b.values[i]->name;
        if (!trace_file_find(&d->a, name) && d->only_b++ == 0)
            d->only_b_name = name;
    }
    if (d->n_ops > 0)
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "no operation is in both traces: %s has %s, %s has %s",
                     checkpoint_path(d->a.file), d->only_a_name,
                     checkpoint_path(d->b.file), d->only_b_name);
}

/* --- the answer --- */

static void judge(diff *d)
{
    d->identical = d->tokens.identical && d->only_a == 0 && d->only_b == 0 &&
                   d->frames == d->a.frames && d->frames == d->b.frames;
    for (size_t i = 0; i < d->n_ops; i++) {
        const diff_op *op = &d->ops[i];
        d->identical = d->identical && op->identical;
        if (op->first_frame >= 0 &&
            (!d->first || op->first_frame < d->first->first_frame))
            d->first = op; /* of one frame, the first in order */
    }
    d->equal = !d->first && (d->tokens.forced || d->tokens.different == 0);
}

static moshi_status compare(diff *d, double tolerance, moshi_error *err)
{
    choose_tolerance(d, tolerance);
    moshi_status status = align_names(d, err);
    if (status == MOSHI_OK)
        status = align_frames(d, err);
    if (status != MOSHI_OK)
        return status;
    for (size_t i = 0; i < d->n_ops; i++)
        diff_compare_op(d, &d->ops[i]);
    diff_compare_tokens(d);
    judge(d);
    if (d->first)
        d->first_error = diff_error_in_frame(d, d->first,
                                             d->first->first_frame);
    return MOSHI_OK;
}

moshi_status diff_of_traces(diff **out, trace_file *a, trace_file *b,
                            double tolerance, moshi_error *err)
{
    diff *d = memory_calloc(1, sizeof *d);
    if (!d) {
        trace_file_close(a);
        trace_file_close(b);
        return error_no_memory(err, "a comparison");
    }
    d->a = *a;
    d->b = *b;
    *a = *b = (trace_file){0};
    moshi_status status = compare(d, tolerance, err);
    if (status == MOSHI_OK)
        *out = d;
    else
        diff_close(&d);
    return status;
}

moshi_status diff_open(diff **out, const char *path_a, const char *path_b,
                       double tolerance, moshi_error *err)
{
    trace_file a = {0}, b = {0};
    moshi_status status = trace_file_open(&a, path_a, err);
    if (status == MOSHI_OK)
        status = trace_file_open(&b, path_b, err);
    if (status == MOSHI_OK)
        return diff_of_traces(out, &a, &b, tolerance, err);
    trace_file_close(&a);
    trace_file_close(&b);
    return status;
}

void diff_close(diff **handle)
{
    diff *d = *handle;
    if (!d)
        return;
    memory_free(d->ops);
    trace_file_close(&d->a);
    trace_file_close(&d->b);
    memory_free(d);
    *handle = NULL;
}

bool diff_note_at(const diff *d, size_t index, diff_note *out)
{
    static const char *const keys[] = {
        "engine", "version", "build", "traced", "backend", "isa", "threads",
        "weights", "activations", "kv", "produced", "seed", "sampling", "config",
        "mimi_config", "files"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        *out = (diff_note){keys[i], trace_file_note(&d->a, keys[i]),
                           trace_file_note(&d->b, keys[i])};
        if (strcmp(out->a, out->b) != 0 && index-- == 0)
            return true;
    }
    return false;
}
