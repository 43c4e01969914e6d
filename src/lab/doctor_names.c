/* doctor_names.c: are there tensors too few, or too many?
 *
 * Before any config is believed: one flipped bit in the name of a tensor makes
 * a model look as if it had fewer layers or codebooks, and the config would be
 * blamed. So numbered tensors are looked through for gaps, and names that no
 * model of the family has are told, those one letter off as damage. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/synth_lm.h"

#define NAME_BYTES 160

/* --- gaps --- */

/* What is numbered throughout: PREFIX n REST exists for every n, or none. */
static const char *const families[] = {
    "transformer.layers.", "depformer.layers.", "depformer.",  "emb.",
    "linears.",            "depformer_in.",     "depformer_emb.",
    "depformer_norms.",    "extra_heads.",
};
#define FAMILIES (sizeof families / sizeof *families)

typedef struct numbered {
    int family;
    long number;
    const char *rest; /* behind the number, with its full stop */
} numbered;

static bool split(const char *name, numbered *out)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        size_t n = strlen(families[i]);
        char *end;
        if (strncmp(name, families[i], n) != 0 ||
            !isdigit((unsigned char)name[n]))
            continue;
        out->family = (int)i;
        out->number = strtol(name + n, &end, 10);
        out->rest = end;
        /* Only the first slice's table holds two words. */
        return *end == '.' && out->number < (long)LIMIT_LAYERS &&
               strncmp(end, ".emb.out", 8) != 0;
    }
    return false;
}

/* The first name that is missing, into `name`; how many are. */
static size_t count_gaps(const checkpoint *file, char name[NAME_BYTES])
{
    long last[FAMILIES];
    numbered n;
    size_t missing = 0;
    for (size_t i = 0; i < FAMILIES; i++)
        last[i] = -1;
    for (size_t i = 0; i < checkpoint_count(file); i++)
        if (split(checkpoint_at(file, i)->name, &n) &&
            n.number > last[n.family])
            last[n.family] = n.number;
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        if (!split(checkpoint_at(file, i)->name, &n))
            continue;
        /* Each gap is seen from its neighbour below, or from above if it is
         * the first. */
        long beside = n.number < last[n.family] ? n.number + 1 : -1;
        if (n.number == 1 && !checkpoint_find_format(
                                 file, "%s0%s", families[n.family], n.rest))
            beside = 0;
        if (beside < 0 ||
            checkpoint_find_format(file, "%s%ld%s", families[n.family], beside,
                                   n.rest))
            continue;
        if (missing++ == 0)
            snprintf(name, NAME_BYTES, "%s%ld%s", families[n.family], beside,
                     n.rest);
    }
    return missing;
}

/* --- strange names --- */

typedef struct patterns {
    char (*list)[NAME_BYTES]; /* owned */
    size_t count, room;
    bool failed;
} patterns;

/* Numbers become '#', names of conditioners '*'. */
static void make_pattern(const char *name, char out[NAME_BYTES])
{
    static const char prefix[] = "condition_provider.conditioners.";
    size_t n = 0, skip = sizeof prefix - 1;
    bool conditioned = strncmp(name, prefix, skip) == 0;
    for (const char *at = name; *at && n < NAME_BYTES - 1; at++) {
        if (conditioned && at == name + skip) {
            out[n++] = '*';
            at += strcspn(at, ".");
            if (!*at)
                break;
        }
        if (isdigit((unsigned char)*at) && at > name && at[-1] == '.') {
            out[n++] = '#';
            while (isdigit((unsigned char)at[1]))
                at++;
        } else {
            out[n++] = *at;
        }
    }
    out[n] = 0;
}

static void add_pattern(patterns *p, const char *name)
{
    char made[NAME_BYTES];
    make_pattern(name, made);
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->list[i], made) == 0)
            return;
    if (p->failed || !memory_grow((void **)&p->list, &p->room, p->count + 1,
                                  sizeof *p->list)) {
        p->failed = true;
        return;
    }
    memcpy(p->list[p->count++], made, NAME_BYTES);
}

/* What the loader understands beyond the published files. */
static void add_variants(patterns *p)
{
    static const char *const stems[] = {"transformer.layers.0",
                                        "depformer.layers.0",
                                        "depformer.0.transformer.layers.0"};
    static const char *const ends[] = {
        "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
        "linear1.weight", "linear2.weight", "self_attn.in_proj.weight",
        "self_attn.in_projs.0.weight", "self_attn.out_projs.0.weight",
        "norm_cross.alpha", "cross_attention.in_proj.weight",
        "cross_attention.in_projs.0.weight",
        "cross_attention.out_projs.0.weight",
    };
    char name[NAME_BYTES];
    for (size_t s = 0; s < sizeof stems / sizeof *stems; s++)
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            snprintf(name, sizeof name, "%s.%s", stems[s], ends[e]);
            add_pattern(p, name);
        }
    add_pattern(p, "out_norm.weight");
    add_pattern(p, "out_norm.bias");
}

/* Every name that a language model of the family may have: a model with all
 * of its options, in both layouts. */
static void list_patterns(patterns *p)
{
    static const lm_config everything = {
        .dim = 2, .num_heads = 1, .num_layers = 1, .hidden = 2, .kv_repeat = 1,
        .text_in = 2, .text_out = 1, .card = 1, .n_q = 2, .dep_q = 2,
        .depformer_dim = 2, .depformer_num_heads = 1,
        .depformer_num_layers = 1, .depformer_hidden = 2, .depformer_sets = 2,
        .depformer_low_rank = 1, .depformer_norm = 1, .demux = 1,
        .cross_attention = 1, .gated = 1, .depformer_gated = 1,
        .extra_heads = 1, .extra_heads_dim = 1, .n_conditioners = 1,
        .conditioners = {{.name = "any", .kind = LM_CONDITIONER_LUT,
                          .n_bins = 1, .dim = 1}},
    };
    static const synth_layout layouts[] = {SYNTH_PYTORCH, SYNTH_CANDLE};
    for (int l = 0; l < 2; l++) {
        synth_list list = {0};
        synth_lm_add(&list, &everything, layouts[l], DTYPE_F32);
        for (size_t i = 0; i < list.count; i++)
            add_pattern(p, list.specs[i].name);
        p->failed |= list.failed;
        synth_list_release(&list);
    }
    add_variants(p);
}

typedef enum acquaintance { KNOWN, STRANGE, ONE_LETTER_OFF } acquaintance;

static acquaintance look_up(const patterns *p, const char *name)
{
    char made[NAME_BYTES];
    acquaintance result = STRANGE;
    make_pattern(name, made);
    size_t n = strlen(made);
    for (size_t i = 0; i < p->count; i++) {
        size_t differ = 0;
        if (strlen(p->list[i]) != n)
            continue;
        for (size_t b = 0; b < n; b++)
            differ += made[b] != p->list[i][b];
        if (differ == 0)
            return KNOWN;
        if (differ == 1)
            result = ONE_LETTER_OFF;
    }
    return result;
}

static void check_strange(doctor *d)
{
    patterns p = {0};
    size_t counts[3] = {0};
    const char *first[3] = {"", "", ""};
    doctor_finding f = {"file: unexpected tensors", LAB_FILE, DOCTOR_OK,
                        "only names that models of the family have", ""};
    list_patterns(&p);
    for (size_t i = 0; i < checkpoint_count(d->lm_file); i++) {
        const char *name = checkpoint_at(d->lm_file, i)->name;
        acquaintance a = look_up(&p, name);
        if (counts[a]++ == 0)
            first[a] = name;
    }
    memory_free(p.list);
    d->report->failed |= p.failed;
    if (counts[ONE_LETTER_OFF]) {
        f.status = DOCTOR_FAULT;
        d->names_damaged = true;
        f.advice = "the header is damaged: download the file again";
        doctor_add(d, f, "%zu with a name that is one letter off, first "
                   "%.200s", counts[ONE_LETTER_OFF],
                   first[ONE_LETTER_OFF]);
    } else if (counts[STRANGE]) {
        f.status = DOCTOR_WARNING;
        f.advice = "these are not used; if the model was converted, look at "
                   "what became of them";
        doctor_add(d, f, "%zu that no model of the family has, first %.200s",
                   counts[STRANGE], first[STRANGE]);
    } else {
        doctor_add(d, f, "none");
    }
}

void doctor_names_check(doctor *d)
{
    moshi_error err = {0};
    char name[NAME_BYTES] = "";
    doctor_finding f = {"file: missing tensors", LAB_FILE, DOCTOR_OK,
                        "every layer and codebook has the tensors of its "
                        "neighbours", "download the file again, or convert it "
                        "again"};
    if (!d->lm_file)
        return;
    if (lm_layout_recognise(d->lm_file, &d->layout, &err) != MOSHI_OK) {
        f.name = "file: naming";
        f.status = DOCTOR_FAULT;
        d->names_damaged = true;
        f.expected = "a language model in the candle or PyTorch naming";
        doctor_add_error(d, f, &err);
        return;
    }
    size_t gaps = count_gaps(d->lm_file, name);
    if (gaps) {
        f.status = DOCTOR_FAULT;
        d->names_damaged = true;
        doctor_add(d, f, "%zu missing, first %s", gaps, name);
    } else {
        doctor_add(d, f, "none (layout %s)", lm_layout_name(d->layout));
    }
    check_strange(d);
}
