/* doctor.c: the examination, station by station, and the verdict. */
#include "lab/doctor.h"

#include <stdio.h>
#include <string.h>

#include "base/threads.h"
#include "lab/doctor_work.h"

static void conclude(doctor *d)
{
    doctor_report *r = d->report;
    size_t warnings = 0, skipped = 0;
    for (size_t i = 0; i < r->count; i++) {
        const doctor_check *c = &r->checks[i];
        if (c->status == DOCTOR_FAULT) {
            r->verdict = c->about;
            snprintf(r->line, sizeof r->line, "%s: %s", c->name, c->found);
            return;
        }
        warnings += c->status == DOCTOR_WARNING;
        skipped += c->status == DOCTOR_SKIPPED;
    }
    r->verdict = LAB_OK;
    snprintf(r->line, sizeof r->line, "no fault in %zu checks (%zu warnings, "
             "%zu skipped)", r->count, warnings, skipped);
}

static void describe_machine(doctor *d)
{
    int threads = d->params->model.threads;
    snprintf(d->report->machine, sizeof d->report->machine,
             "moshi %s, instruction set %s, %d threads of %d cores",
             moshi_version(), cpu_level_name(cpu_level_chosen()),
             threads ? threads : threads_usable_cores(),
             threads_usable_cores());
}

/* A config.json that cannot be parsed hides the names of the other files. */
static moshi_status find_files(doctor *d, moshi_error *err)
{
    moshi_error cause = {0};
    moshi_status status = model_files_find(&d->files, &d->params->model,
                                           MODEL_PARTS_BOTH, &cause);
    if (status == MOSHI_FORMAT) {
        doctor_finding f = {"config: file", LAB_CONFIG, DOCTOR_FAULT,
                            "JSON (official) or TOML (candle)",
                            "download the config again"};
        doctor_add_error(d, f, &cause);
    } else if (status != MOSHI_OK && err) {
        *err = cause;
    }
    return status;
}

static void release(doctor *d)
{
    moshi_model_close(&d->model);
    checkpoint_close(&d->lm_file);
    checkpoint_close(&d->mimi_file);
    value_close(&d->config);
    model_files_release(&d->files);
}

typedef void station(doctor *);

static station *const all_stations[] = {
    doctor_files_check,    doctor_names_check,  doctor_weights_check,
    doctor_config_check,   doctor_text_check,   doctor_measure_memory,
    doctor_open_model,     doctor_sound_check,  doctor_codec_check,
    doctor_timeline_check, doctor_lm_check,     doctor_window_check,
    doctor_kernels_check,  doctor_trace_check,  doctor_reference_check,
    doctor_speed_check,    NULL,
};

static station *const run_stations[] = {
    doctor_files_check, doctor_names_check, doctor_config_check,
    doctor_open_model,  doctor_run_check,   NULL,
};

moshi_status doctor_examine(doctor_report *out, const doctor_params *params,
                            moshi_error *err)
{
    doctor_report report = {0};
    doctor_params quick = *params;
    doctor d = {.params = params, .report = &report};
    station *const *next = params->run ? run_stations : all_stations;
    quick.quick = true;
    if (params->run)
        d.params = &quick;
    describe_machine(&d);
    moshi_status status = find_files(&d, err);
    for (; status == MOSHI_OK && *next; next++)
        (*next)(&d);
    if (status == MOSHI_FORMAT)
        status = MOSHI_OK;
    release(&d);
    if (status == MOSHI_OK && report.failed)
        status = error_no_memory(err, "the examination");
    if (status != MOSHI_OK) {
        doctor_report_release(&report);
        return status;
    }
    d.report = &report;
    conclude(&d);
    *out = report;
    return MOSHI_OK;
}
