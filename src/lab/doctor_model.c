/* doctor_model.c: open the model as every command does, and its tokenizer. */
#include <stdio.h>

#include "lab/doctor_work.h"

void doctor_open_model(doctor *d)
{
    moshi_error err = {0};
    doctor_finding f = {"model: opens", LAB_FILE, DOCTOR_OK,
                        "language model, codec and tokenizer fit each other",
                        "look at the faults above first"};
    moshi_model_params p = d->params->model;
    /* The tokenizer has a check of its own, and nothing below needs it. */
    model_files files = d->files;
    p = (moshi_model_params){.lm = files.lm, .mimi = files.mimi,
                             .config = files.config,
                             .mimi_config = files.mimi_config,
                             .threads = p.threads,
                             .acoustic_delay = p.acoustic_delay,
                             .exact_activations = p.exact_activations,
                             .kv = p.kv,
                             .device = p.device,
                             .gpu_layers = p.gpu_layers};
    if (!d->has_lm || !d->mimi_file) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "its parts cannot be relied on");
    } else if (moshi_model_open(&d->model, &p, &err) == MOSHI_OK) {
        doctor_add(d, f, "yes");
    } else if (!doctor_has_fault(d, LAB_CLASS_COUNT)) {
        f.status = DOCTOR_FAULT;
        doctor_add_error(d, f, &err);
    } else {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "no, after the faults above");
    }
}

void doctor_text_check(doctor *d)
{
    static const char sample[] = "Hello, how are you today?";
    moshi_error err = {0};
    tokenizer *t = NULL;
    int32_t ids[128];
    doctor_finding f = {"tokenizer", LAB_CONFIG, DOCTOR_OK, "",
                        "use the tokenizer of the model's own repository"};
    char expected[96];
    int words = d->has_lm ? d->lm.text_in - 1 : 0;
    if (!d->files.tokenizer) {
        f.status = DOCTOR_WARNING;
        f.advice = "name it with --tokenizer: text is printed as numbers "
                   "without one";
        doctor_add(d, f, "none was found");
        return;
    }
    moshi_status status = tokenizer_open(&t, d->files.tokenizer, &err);
    if (status != MOSHI_OK) {
        f.status = status == MOSHI_LACKING ? DOCTOR_SKIPPED : DOCTOR_FAULT;
        f.about = LAB_FILE;
        doctor_add_error(d, f, &err);
        return;
    }
    int pieces = tokenizer_size(t);
    size_t n = tokenizer_encode(t, sample, ids, sizeof ids / sizeof *ids);
    if (words) {
        snprintf(expected, sizeof expected, "%d pieces, as the language model "
                 "has text tokens", words);
        f.expected = expected;
    }
    if (words && pieces != words)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "%s: %d pieces; '%s' is %zu tokens",
               doctor_base_name(d->files.tokenizer), pieces, sample, n);
    tokenizer_close(&t);
}
