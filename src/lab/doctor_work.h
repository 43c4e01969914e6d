/* doctor_work.h: what the checks of the doctor share.
 *
 * Each doctor_NAME function is one station of the examination: it adds checks
 * to the report and leaves what it opened for those after it. Nothing here
 * fails but for want of memory, which the report remembers. */
#ifndef MOSHI_LAB_DOCTOR_WORK_H
#define MOSHI_LAB_DOCTOR_WORK_H

#include "base/error.h"
#include "cpu/backend.h"
#include "files/checkpoint.h"
#include "files/value.h"
#include "lab/doctor.h"
#include "lm/config_load.h"
#include "lm/stream.h"
#include "tasks/model.h"

typedef struct doctor {
    const doctor_params *params;
    doctor_report *report;
    model_files files;                /* owned */
    checkpoint *lm_file, *mimi_file;  /* owned; NULL: damaged */
    value *config;                    /* owned; NULL: none, or damaged */
    bool config_damaged;
    bool names_damaged; /* tensors of the language model are missing */
    lm_layout layout;
    lm_config lm;      /* valid when has_lm */
    bool has_lm;
    moshi_model *model; /* owned; NULL: cannot be opened */
    double bytes_per_s; /* that this machine reads; 0: not measured */
    moshi_error ignored; /* of what can only fail for want of memory */
} doctor;

/* Add a check. The texts of `expected` and `advice` may be ""; found is made
 * by the format. */
typedef struct doctor_finding {
    const char *name;
    lab_class about;
    doctor_status status;
    const char *expected, *advice;
} doctor_finding;

void doctor_add(doctor *d, doctor_finding finding, const char *format, ...)
    ERROR_PRINTF(3, 4);

/* The same from an error: found is its message, the advice its hint (or
 * `advice` when it has none). */
void doctor_add_error(doctor *d, doctor_finding finding,
                      const moshi_error *err);

/* Has a check of this class, or any (LAB_CLASS_COUNT), said fault? */
bool doctor_has_fault(const doctor *d, lab_class about);

void doctor_announce(doctor *d, const char *format, ...) ERROR_PRINTF(2, 3);
void doctor_progress(doctor *d, const char *what, double fraction);

/* The part of a path that may stand in a report which others will read. */
const char *doctor_base_name(const char *path);

/* The path of a file beside the language model; false: it is not there. */
bool doctor_beside(const doctor *d, const char *name, char *path, size_t room);

/* The stations, in order. */
void doctor_files_check(doctor *d);
void doctor_names_check(doctor *d);
void doctor_weights_check(doctor *d);
void doctor_config_check(doctor *d);
void doctor_open_model(doctor *d);
void doctor_text_check(doctor *d);
void doctor_sound_check(doctor *d);
void doctor_codec_check(doctor *d);
void doctor_timeline_check(doctor *d);
void doctor_lm_check(doctor *d);
void doctor_window_check(doctor *d);
void doctor_kernels_check(doctor *d);
void doctor_trace_check(doctor *d);
void doctor_reference_check(doctor *d);
void doctor_measure_memory(doctor *d);
void doctor_speed_check(doctor *d);
void doctor_run_check(doctor *d);

/* Of a run: is params->sound what these codes (`decoded`) sound like? */
struct trace_tokens;
void doctor_run_sound(doctor *d, const struct trace_tokens *codes);

#endif
