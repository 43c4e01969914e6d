/* doctor.h: judge a model before blaming the code.
 *
 * Checks go along the way of the data: file, config, tokenizer, codec,
 * timeline, language model, kernels, likelihood, speed. Each says what was
 * found, what was expected and from where, and what to try; the verdict is the
 * class of the first fault, since what comes after it may follow from it. A
 * check whose ground is missing is skipped, visibly, with the reason.
 *
 * Memory stays within the model's own (its files mapped, what is converted of
 * them, its streams) and 100 MB, of which the block that bandwidth is measured
 * with is 80. */
#ifndef MOSHI_LAB_DOCTOR_H
#define MOSHI_LAB_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/model.h>

#include "lab/verdict.h"

/* X(NAME, text) */
#define DOCTOR_STATUSES(X) \
    X(OK, "ok") X(WARNING, "warning") X(FAULT, "fault") X(SKIPPED, "skipped")

typedef enum doctor_status {
#define DOCTOR_STATUS_ENUM(name, text) DOCTOR_##name,
    DOCTOR_STATUSES(DOCTOR_STATUS_ENUM)
#undef DOCTOR_STATUS_ENUM
} doctor_status;

/* "warning"; static. */
const char *doctor_status_name(doctor_status status);

typedef struct doctor_check {
    char name[48];
    doctor_status status;
    lab_class about; /* what a fault of it would be */
    char found[512], expected[384], advice[256]; /* "" where there is none */
} doctor_check;

typedef struct doctor_report {
    doctor_check *checks; /* owned */
    size_t count, room;
    bool failed;          /* out of memory: checks are missing */
    lab_class verdict;    /* LAB_OK without a fault */
    char line[640];       /* the verdict in one sentence */
    char machine[160];    /* version, instruction set, threads */
} doctor_report;

typedef struct doctor_params {
    moshi_model_params model;
    bool quick; /* leaves out what reads all weights: hashes, values */
    const char *run; /* NULL, or a recorded run to judge, in place of all but
                        the files and the config; implies quick */
    const char *sound;  /* with run: NULL, or the sound that came out of it */
    /* What is going to be done, before it is, and how far it has got (0 … 1);
     * either may be NULL. */
    void (*announce)(void *user, const char *text);
    void (*progress)(void *user, const char *what, double fraction);
    void *user;
} doctor_params;

/* Errors: MOSHI_IO (no such model, a part is missing), MOSHI_ARGUMENT,
 * MOSHI_NO_MEMORY. Anything else is a check that says fault. */
moshi_status doctor_examine(doctor_report *out, const doctor_params *params,
                            moshi_error *err);
void doctor_report_release(doctor_report *report);

#endif
