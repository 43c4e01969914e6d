/* trace_tokens.c: read [K, T] tables into rows a step; check every number. */
#include "lab/trace_tokens.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "lab/trace_format.h"

/* Element i of an I32 or I64 tensor; a number that no token can be becomes
 * INT32_MIN, which the checks refuse. */
static int32_t element(const checkpoint_tensor *t, size_t i)
{
    int64_t wide = checkpoint_integer(t, i);
    return wide > INT32_MIN && wide <= INT32_MAX ? (int32_t)wide : INT32_MIN;
}

/* A table [K, T], or [T] for K = 1, of whole numbers, none empty. */
static moshi_status find(const checkpoint *file, const char *name, bool flat,
                         const checkpoint_tensor **out, moshi_error *err)
{
    char shape[160];
    const checkpoint_tensor *t = checkpoint_find(file, name);
    if (!t) {
        error_set(err, MOSHI_MISMATCH, "%s: tensor %s is missing",
                  checkpoint_path(file), name);
        return error_hint(err, "a trace, or a file made by 'moshi gen "
                          "--codes', is expected");
    }
    checkpoint_shape_text(t, shape, sizeof shape);
    if ((t->type != DTYPE_I32 && t->type != DTYPE_I64) ||
        t->n_dims != (flat ? 1 : 2) || t->n_bytes == 0 ||
        (!flat && t->dims[0] > LIMIT_CODEBOOKS))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: tensor %s is %s in %s, expected %s in I32",
                         checkpoint_path(file), name, shape,
                         dtype_info(t->type)->name, flat ? "[T]" : "[K, T]");
    *out = t;
    return MOSHI_OK;
}

/* Columns of t into rows of `to`, each `width` wide, from `at` on. */
static void lay(const checkpoint_tensor *t, int32_t *to, size_t width,
                size_t at)
{
    size_t T = t->dims[t->n_dims - 1], K = t->n_dims == 2 ? t->dims[0] : 1;
    for (size_t k = 0; k < K; k++)
        for (size_t f = 0; f < T; f++)
            to[f * width + at + k] = element(t, k * T + f);
}

static moshi_status same_length(const checkpoint *file, const char *name,
                                size_t found, size_t steps, moshi_error *err)
{
    if (found == steps)
        return MOSHI_OK;
    return error_set(err, MOSHI_MISMATCH,
                     "%s: %s holds %zu steps but text_tokens holds %zu",
                     checkpoint_path(file), name, found, steps);
}

static moshi_status read_steps(trace_tokens *t, const checkpoint *file,
                               moshi_error *err)
{
    const checkpoint_tensor *text = NULL, *audio = NULL, *heard = NULL;
    const char *text_name = trace_table_name(TRACE_TEXT_TOKENS);
    const char *audio_name = trace_table_name(TRACE_AUDIO_TOKENS);
    const char *heard_name = trace_table_name(TRACE_CODES_IN);
    moshi_status status = find(file, text_name, true, &text, err);
    if (status == MOSHI_OK)
        status = find(file, audio_name, false, &audio, err);
    if (status == MOSHI_OK && checkpoint_find(file, heard_name))
        status = find(file, heard_name, false, &heard, err);
    if (status == MOSHI_OK)
        status = same_length(file, audio_name, audio->dims[1], text->dims[0],
                             err);
    if (status == MOSHI_OK && heard)
        status = same_length(file, heard_name, heard->dims[1], text->dims[0],
                             err);
    if (status != MOSHI_OK)
        return status;
    t->steps = text->dims[0];
    t->own = (int)audio->dims[0];
    t->user = heard ? (int)heard->dims[0] : 0;
    size_t width = 1 + (size_t)t->own;
    t->tokens = memory_calloc(t->steps, width * sizeof *t->tokens);
    t->heard = memory_calloc(t->steps, (size_t)t->user * sizeof *t->heard);
    if (!t->tokens || !t->heard)
        return error_no_memory(err, "the tokens");
    lay(text, t->tokens, width, 0);
    lay(audio, t->tokens, width, 1);
    if (heard)
        lay(heard, t->heard, (size_t)t->user, 0);
    return MOSHI_OK;
}

static moshi_status read_codes(trace_tokens *t, const checkpoint *file,
                               moshi_error *err)
{
    const checkpoint_tensor *codes = NULL;
    const char *name = trace_table_name(TRACE_CODES_OUT);
    if (!checkpoint_find(file, name))
        name = "codes";
    moshi_status status = find(file, name, false, &codes, err);
    if (status != MOSHI_OK)
        return status;
    t->steps = codes->dims[1];
    t->own = (int)codes->dims[0];
    t->decoded = memory_calloc(t->steps, (size_t)t->own * sizeof *t->decoded);
    if (!t->decoded)
        return error_no_memory(err, "the codes");
    lay(codes, t->decoded, (size_t)t->own, 0);
    return MOSHI_OK;
}

typedef moshi_status reader(trace_tokens *t, const checkpoint *file,
                            moshi_error *err);

static moshi_status open_with(trace_tokens *out, const char *path,
                              reader *read, moshi_error *err)
{
    trace_tokens t = {.path = memory_strdup(path)};
    checkpoint *file = NULL;
    moshi_status status = t.path ? checkpoint_open(&file, path, err)
                                 : error_no_memory(err, "the tokens");
    if (status == MOSHI_OK)
        status = read(&t, file, err);
    checkpoint_close(&file);
    if (status == MOSHI_OK)
        *out = t;
    else
        trace_tokens_release(&t);
    return status;
}

moshi_status trace_tokens_open(trace_tokens *out, const char *path,
                               moshi_error *err)
{
    return open_with(out, path, read_steps, err);
}

moshi_status trace_tokens_open_codes(trace_tokens *out, const char *path,
                                     moshi_error *err)
{
    return open_with(out, path, read_codes, err);
}

void trace_tokens_release(trace_tokens *t)
{
    memory_free(t->path);
    memory_free(t->tokens);
    memory_free(t->heard);
    memory_free(t->decoded);
    *t = (trace_tokens){0};
}

size_t trace_tokens_most(const trace_tokens *t, int32_t *text)
{
    size_t width = 1 + (size_t)t->own, count = 0;
    *text = t->tokens[0];
    for (size_t s = 0; s < t->steps; s++) { /* by votes */
        int32_t token = t->tokens[s * width];
        *text = count ? *text : token;
        count = token == *text ? count + 1 : count - 1;
    }
    count = 0;
    for (size_t s = 0; s < t->steps; s++)
        count += t->tokens[s * width] == *text;
    return count;
}

/* What a codebook may hold: initial tokens are there in steps that the delays
 * reach back beyond the start; -1 is no token. */
static moshi_status check(const trace_tokens *t, const char *what,
                          const int32_t *cells, size_t width, int from, int to,
                          int first_to, moshi_error *err)
{
    for (size_t i = 0; i < t->steps * width; i++) {
        int most = i % width == 0 ? first_to : to;
        if (cells[i] < from || cells[i] > most)
            return error_set(err, MOSHI_MISMATCH,
                             "%s: %s holds %d in row %zu, step %zu; %d to %d "
                             "are possible", t->path, what, cells[i], i % width,
                             i / width, from, most);
    }
    return MOSHI_OK;
}

moshi_status trace_tokens_check(const trace_tokens *t, const lm_config *c,
                                moshi_error *err)
{
    int user = c->n_q - c->dep_q;
    if (t->own != c->dep_q || (t->user && t->user != user))
        return error_set(err, MOSHI_MISMATCH,
                         "%s: holds tokens of %d own and %d heard codebooks; "
                         "this model has %d and %d", t->path, t->own, t->user,
                         c->dep_q, user);
    moshi_status status = check(t, "the tokens", t->tokens,
                                1 + (size_t)t->own, -1, c->card,
                                c->text_in - 1, err);
    if (status == MOSHI_OK && t->user)
        status = check(t, trace_table_name(TRACE_CODES_IN), t->heard,
                       (size_t)t->user, -1, c->card, c->card, err);
    return status;
}

moshi_status trace_tokens_check_codes(const trace_tokens *t, int codebooks,
                                      int bins, moshi_error *err)
{
    if (t->own > codebooks)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: holds codes of %d codebooks; the codec has %d",
                         t->path, t->own, codebooks);
    return check(t, "the codes", t->decoded, (size_t)t->own, 0, bins - 1,
                 bins - 1, err);
}
