/* bench_advice.c: can this machine hold a conversation with the model, and if
 * it cannot, with which?
 *
 * A frame's time follows its bytes: what one model takes here for each byte,
 * another takes too. */
#include <stdio.h>
#include <string.h>

#include "lab/bench.h"
#include "lab/synth_list.h"
#include "lab/synth_lm.h"
#include "lm/known_models.h"
#include "quant/encode.h"

/* Types that a frame may be made smaller by, largest first. */
static const struct { dtype type; const char *name; } types[] = {
    {DTYPE_Q8_0, "q8_0"}, {DTYPE_Q6_K, "q6_k"}, {DTYPE_Q5_K, "q5_k"},
    {DTYPE_Q4_K, "q4_k"},
};
/* What is no more than a hundredth smaller is no advice. */
#define LESS 0.99

#define TYPES (sizeof types / sizeof *types)

/* Tables of tokens: a frame reads one row of each. */
static bool is_table(const char *name)
{
    const char *end = strstr(name, "emb.");
    return strncmp(name, "emb.", 4) == 0 ||
           strcmp(name, "text_emb.weight") == 0 ||
           (end && strcmp(end, "emb.weight") == 0);
}

/* Bytes that a frame of the language model reads; one copy of the depformer for
 * each codebook, as in the candle layout. 0: out of memory. */
static double frame_bytes(const lm_config *config, dtype type)
{
    synth_list list = {0};
    double sum = 0;
    synth_lm_add(&list, config, SYNTH_CANDLE, type);
    for (size_t i = 0; i < list.count && !list.failed; i++)
        if (!is_table(list.specs[i].name))
            sum += (double)tensor_spec_bytes(&list.specs[i]);
    synth_list_release(&list);
    return sum;
}

/* Hears, speaks, or both. */
static bool same_kind(const lm_config *a, const lm_config *b)
{
    return (a->dep_q > 0) == (b->dep_q > 0) &&
           (a->n_q > a->dep_q) == (b->n_q > b->dep_q);
}

/* One that `moshi synth` writes has been published. */
static bool published(const char *name)
{
    return synth_presets_find(name) != NULL;
}

/* What the rest of a frame reads, and what a byte costs here. Keys and values
 * follow a model's layers, its width and how far it looks back. */
typedef struct scale {
    double codec_bytes, cache_share, ms_per_byte, frame_ms;
    int64_t steps; /* behind the streams; 0: few */
} scale;

/* Bytes of keys and values that a frame reads, in units of `cache_share`. */
static double cache_units(const lm_config *c, int64_t steps)
{
    double valid = steps && steps < c->context ? (double)steps
                   : steps                     ? (double)c->context
                                               : 1;
    int repeat = c->kv_repeat > 0 ? c->kv_repeat : 1;
    return valid * c->num_layers * c->dim / repeat;
}

static bench_choice choice_of(const lm_config *c, const char *name,
                              size_t type, const scale *s)
{
    bench_choice out = {.bytes = frame_bytes(c, types[type].type) +
                                 s->codec_bytes +
                                 s->cache_share * cache_units(c, s->steps)};
    snprintf(out.name, sizeof out.name, "%s in %s", name, types[type].name);
    out.ms = out.bytes * s->ms_per_byte;
    return out;
}

/* Keep the largest that are in time. */
static void consider(bench_advice *a, const bench_choice *c, const scale *s)
{
    if (c->ms > s->frame_ms)
        return;
    int at = a->n_fits;
    while (at > 0 && a->fits[at - 1].bytes < c->bytes)
        at--;
    if (at == BENCH_CHOICES_MAX)
        return;
    int last = a->n_fits < BENCH_CHOICES_MAX ? a->n_fits++
                                             : BENCH_CHOICES_MAX - 1;
    for (int i = last; i > at; i--)
        a->fits[i] = a->fits[i - 1];
    a->fits[at] = *c;
}

/* The largest type of one model that is in time and reads less than now. */
static void consider_model(bench_advice *a, const lm_config *c,
                           const char *name, double bytes_now, const scale *s)
{
    for (size_t i = 0; i < TYPES; i++) {
        bench_choice choice = choice_of(c, name, i, s);
        if (choice.bytes > LESS * bytes_now || choice.ms > s->frame_ms)
            continue;
        consider(a, &choice, s);
        return;
    }
}

bool bench_run_in_time(const bench_run *r)
{
    return r->parts[BENCH_FRAME].ms_p99 < r->frame_ms;
}

bench_advice bench_advise(const bench_model *m, const bench_run *run)
{
    const bench_part *frame = &run->parts[BENCH_FRAME];
    double bytes = (double)frame->bytes;
    bench_advice a = {.real_time = bench_run_in_time(run)};
    /* With the share of the bandwidth that a frame reaches here at its 99th
     * percentile. */
    a.needed_bytes_per_s =
        run->read_bytes_per_s * frame->ms_p99 / run->frame_ms;
    if (a.real_time || !m->model->lm || bytes <= 0)
        return a;
    const lm_config *c = &m->model->lm->config;
    const char *own = c->known_as ? c->known_as : "this model";
    scale s = {.codec_bytes = (double)(run->parts[BENCH_ENCODE].bytes +
                                       run->parts[BENCH_DECODE].bytes),
               .cache_share = (double)run->lm_cache_read /
                              cache_units(c, run->cached),
               .ms_per_byte = frame->ms_p99 / bytes,
               .steps = run->cached,
               .frame_ms = run->frame_ms};
    a.smaller = choice_of(c, own, TYPES - 1, &s);
    if (a.smaller.bytes > LESS * bytes)
        a.smaller = (bench_choice){.bytes = 0}; /* it is what runs now */
    consider_model(&a, c, own, bytes, &s);
    for (size_t i = 0; i < known_models_count(); i++) {
        const known_model *k = known_models_at(i);
        if (strcmp(k->name, own) != 0 && published(k->name) &&
            same_kind(&k->config, c))
            consider_model(&a, &k->config, k->name, bytes, &s);
    }
    return a;
}
