/* doctor_config.c: the config against the tensors, and both against the
 * published model that they are.
 *
 * What shapes decide, lm_config_load has compared. The rest (heads, rotary
 * period, delays, weight schedule, padding ids) is compared here with the
 * table of known models, where a hand-edited config shows. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lm/known_models.h"

/* The published model that a config describes, by what it says itself. */
static const known_model *config_of(const value *document)
{
    static const lm_config nothing;
    lm_config said = nothing;
    moshi_error ignored;
    if (!document ||
        lm_config_from_document(&said, document, "", &ignored) != MOSHI_OK)
        return NULL;
    for (size_t i = 0; i < known_models_count(); i++) {
        lm_config known = known_models_at(i)->config;
        static const lm_field outline[] = {LM_FIELD_dim, LM_FIELD_num_layers,
                                           LM_FIELD_text_in, LM_FIELD_n_q};
        bool same = true;
        for (size_t f = 0; f < sizeof outline / sizeof *outline; f++)
            same = same && said.from[outline[f]] &&
                   *lm_config_integer(&said, outline[f]) ==
                       *lm_config_integer(&known, outline[f]);
        if (same)
            return known_models_at(i);
    }
    return NULL;
}

static bool load(doctor *d)
{
    moshi_error err = {0};
    char advice[256];
    doctor_finding f = {"config: fits the tensors", LAB_CONFIG, DOCTOR_OK,
                        "config, tensors and the published model agree", ""};
    if (lm_config_load(&d->lm, d->lm_file, d->layout, d->config,
                       d->files.config ? doctor_base_name(d->files.config)
                                       : NULL, -1, &err) == MOSHI_OK) {
        int n[5] = {0};
        for (int i = 0; i < LM_FIELD_COUNT; i++)
            n[d->lm.from[i]]++;
        doctor_add(d, f, "%d values from the tensors, %d from the config, %d "
                   "from the table of published models; known as %s",
                   n[LM_FROM_SHAPES], n[LM_FROM_CONFIG], n[LM_FROM_PRESET],
                   d->lm.known_as ? d->lm.known_as
                                  : "none of the published models");
        d->has_lm = true;
        return true;
    }
    const known_model *other = config_of(d->config);
    f.status = DOCTOR_FAULT;
    if (other) {
        snprintf(advice, sizeof advice, "this is the config of %s: use the "
                 "one of the model's own repository, and do not edit it",
                 other->name);
        f.advice = advice;
        err.hint[0] = 0;
    }
    doctor_add_error(d, f, &err);
    return false;
}

/* --- against the known model --- */

/* Fields that no shape shows and that change every number. The context may be
 * shorter on purpose; extra heads differ between files of one model. */
static const lm_field decisive[] = {
    LM_FIELD_num_heads, LM_FIELD_max_period, LM_FIELD_norm,
    LM_FIELD_positions, LM_FIELD_text_pad, LM_FIELD_text_end_pad,
    LM_FIELD_depformer_num_heads, LM_FIELD_depformer_positions,
};

static size_t list_differences(const lm_config *c, const known_model *known,
                               char *text, size_t room)
{
    lm_config mine = *c, theirs = known->config;
    size_t n = 0, at = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof decisive / sizeof *decisive; i++) {
        int a = *lm_config_integer(&mine, decisive[i]);
        int b = *lm_config_integer(&theirs, decisive[i]);
        if (a == b || !theirs.from[decisive[i]] || at >= room)
            continue;
        if (c->dep_q == 0 && decisive[i] >= LM_FIELD_depformer_dim &&
            decisive[i] <= LM_FIELD_depformer_norm)
            continue;
        at += (size_t)snprintf(text + at, room - at, "%s%s is %d, not %d",
                               n++ ? ", " : "", lm_field_name(decisive[i]), a,
                               b);
    }
    return n;
}

static void compare_known(doctor *d, const known_model *known)
{
    char text[400];
    doctor_finding f = {"config: as published", LAB_CONFIG, DOCTOR_OK, "",
                        "use the config of the model's own repository, or "
                        "none"};
    char expected[96];
    snprintf(expected, sizeof expected, "the values of %s", known->name);
    f.expected = expected;
    size_t n = list_differences(&d->lm, known, text, sizeof text);
    if (n) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s", text);
    } else if (d->lm.context != known->config.context) {
        f.status = DOCTOR_WARNING;
        f.advice = "a shorter context forgets earlier, a longer one was never "
                   "trained";
        doctor_add(d, f, "context is %d steps, not %d", d->lm.context,
                   known->config.context);
    } else {
        doctor_add(d, f, "every decisive value is that of %s", known->name);
    }
}

/* --- delays --- */

static void describe_delays(const lm_config *c, char *text, size_t room)
{
    size_t at = 0;
    for (int i = 0; i <= c->n_q && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%d", i ? " " : "",
                               c->delays[i]);
}

/* In every published model the semantic codebook of a stream comes first and
 * all acoustic ones of it together. */
static const char *odd_delays(const lm_config *c)
{
    int streams[2] = {c->dep_q, c->n_q - c->dep_q}, at = 1;
    if (c->delays[0] != 0)
        return "the text stream is delayed";
    for (int s = 0; s < 2; s++) {
        for (int k = 1; k < streams[s]; k++) {
            if (c->delays[at + k] < c->delays[at])
                return "an acoustic codebook comes before the semantic one";
            if (k > 1 && c->delays[at + k] != c->delays[at + 1])
                return "the acoustic codebooks of a stream have different "
                       "delays";
        }
        at += streams[s];
    }
    return NULL;
}

static void check_delays(doctor *d, const known_model *known)
{
    const lm_config *c = &d->lm;
    char text[300], theirs[300], expected[384];
    doctor_finding f = {"config: delays", LAB_TIMELINE, DOCTOR_OK, "",
                        "use the delays that the model was trained with: each "
                        "frame is put together from several otherwise"};
    describe_delays(c, text, sizeof text);
    const char *odd = odd_delays(c);
    if (known && memcmp(c->delays, known->config.delays,
                        (size_t)(c->n_q + 1) * sizeof *c->delays) != 0) {
        describe_delays(&known->config, theirs, sizeof theirs);
        snprintf(expected, sizeof expected, "%s, as %s was trained", theirs,
                 known->name);
        f.expected = expected;
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s", text);
    } else if (odd) {
        f.expected = "text and semantic codebooks first, acoustic ones "
                     "together";
        f.status = DOCTOR_WARNING;
        doctor_add(d, f, "%s: %s", odd, text);
    } else {
        f.expected = known ? "as the published model was trained" : "";
        doctor_add(d, f, "acoustic delay %d (%s from the %s)",
                   lm_config_acoustic_delay(c), text,
                   lm_origin_name(c->from[LM_FIELD_delays]));
    }
}

/* --- conditioners, codebooks, sampling --- */

static void check_conditioners(doctor *d)
{
    const lm_config *c = &d->lm;
    char text[256];
    size_t at = 0;
    doctor_finding f = {"config: conditioners", LAB_CONFIG, DOCTOR_OK,
                        "Hibiki has 'description', the TTS models have "
                        "'speaker_wavs', 'cfg' and 'control'; Moshi and STT "
                        "have none", ""};
    text[0] = 0;
    for (int i = 0; i < c->n_conditioners && at < sizeof text; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s",
                               i ? ", " : "", c->conditioners[i].name);
    if (c->n_conditioners)
        doctor_add(d, f, "%s", text);
    else
        doctor_add(d, f, "none, which is normal for %s: no quality "
                   "conditioning is missing",
                   c->known_as ? c->known_as
                               : "a model without tensors for them");
}

static void check_codebooks(doctor *d)
{
    const lm_config *c = &d->lm;
    moshi_error err = {0};
    mimi_config m;
    value *document = NULL;
    int user = c->n_q - c->dep_q, needed = user > c->dep_q ? user : c->dep_q;
    doctor_finding f = {"config: codebooks", LAB_CONFIG, DOCTOR_OK, "",
                        "use the codec of the model's own repository"};
    char expected[128];
    if (!d->mimi_file)
        return;
    snprintf(expected, sizeof expected, "at least %d codebooks of %d entries, "
             "as the language model has", needed, c->card);
    f.expected = expected;
    moshi_status status = MOSHI_OK;
    if (d->files.mimi_config)
        status = value_open(&document, d->files.mimi_config, &err);
    if (status == MOSHI_OK)
        status = mimi_config_load(&m, d->mimi_file, document,
                                  d->files.mimi_config
                                      ? doctor_base_name(d->files.mimi_config)
                                      : NULL, &err);
    value_close(&document);
    if (status != MOSHI_OK) {
        f.status = DOCTOR_FAULT;
        doctor_add_error(d, f, &err);
        return;
    }
    if (m.codebooks < needed || m.bins != c->card)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "the codec has %d codebooks of %d entries; %d are heard, "
               "%d spoken", m.codebooks, m.bins, user, c->dep_q);
}

static void check_sampling(doctor *d)
{
    static const char *const keys[] = {"temp", "temp_text", "text_temp"};
    const value *gen = value_get(d->config, "lm_gen_config");
    doctor_finding f = {"config: sampling", LAB_SAMPLING, DOCTOR_OK,
                        "temperatures up to 1.5 (0.6 to 0.8 are published)",
                        "take the temperature out of lm_gen_config, or give "
                        "--temp and --text-temp"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        double t;
        if (!value_real(value_get(gen, keys[i]), &t) || (t >= 0 && t <= 1.5))
            continue;
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s asks for %s = %g",
                   doctor_base_name(d->files.config), keys[i], t);
        return;
    }
    doctor_add(d, f, gen ? "as lm_gen_config says" : "the program's own");
}

void doctor_config_check(doctor *d)
{
    doctor_finding skipped = {"config: fits the tensors", LAB_CONFIG,
                              DOCTOR_SKIPPED, "", ""};
    if (!d->lm_file || d->names_damaged || d->config_damaged) {
        doctor_add(d, skipped, "%s cannot be relied on",
                   d->config_damaged ? "the config" : "the file");
        return;
    }
    if (!load(d))
        return;
    const known_model *known =
        d->lm.known_as ? known_models_find(d->lm.known_as) : NULL;
    if (known)
        compare_known(d, known);
    check_delays(d, known);
    check_conditioners(d);
    check_codebooks(d);
    check_sampling(d);
}
