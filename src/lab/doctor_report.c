/* doctor_report.c: collect the checks and draw the conclusion. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"

const char *doctor_status_name(doctor_status status)
{
    static const char *const names[] = {
#define DOCTOR_STATUS_NAME(name, text) [DOCTOR_##name] = text,
        DOCTOR_STATUSES(DOCTOR_STATUS_NAME)
#undef DOCTOR_STATUS_NAME
    };
    return names[status];
}

static doctor_check *new_check(doctor *d, const doctor_finding *f,
                               const char *advice)
{
    doctor_report *r = d->report;
    if (r->failed || !memory_grow((void **)&r->checks, &r->room, r->count + 1,
                                  sizeof *r->checks)) {
        r->failed = true;
        return NULL;
    }
    doctor_check *c = &r->checks[r->count++];
    memset(c, 0, sizeof *c);
    c->status = f->status;
    c->about = f->about;
    snprintf(c->name, sizeof c->name, "%s", f->name);
    snprintf(c->expected, sizeof c->expected, "%s",
             f->expected ? f->expected : "");
    /* Nobody needs advice where nothing is wrong. */
    if (f->status == DOCTOR_WARNING || f->status == DOCTOR_FAULT)
        snprintf(c->advice, sizeof c->advice, "%s", advice ? advice : "");
    return c;
}

/* The page is for others to read: files by their names alone. */
static void shorten_path(char *text, const char *path)
{
    char *at;
    size_t folder = path ? (size_t)(doctor_base_name(path) - path) : 0;
    while (folder && (at = strstr(text, path)))
        memmove(at, at + folder, strlen(at + folder) + 1);
}

static void shorten_paths(const doctor *d, char *text)
{
    const model_files *f = &d->files;
    shorten_path(text, f->lm);
    shorten_path(text, f->mimi);
    shorten_path(text, f->tokenizer);
    shorten_path(text, f->config);
    shorten_path(text, f->mimi_config);
}

void doctor_add(doctor *d, doctor_finding f, const char *format, ...)
{
    doctor_check *c = new_check(d, &f, f.advice);
    va_list args;
    if (!c)
        return;
    va_start(args, format);
    vsnprintf(c->found, sizeof c->found, format, args);
    va_end(args);
}

void doctor_add_error(doctor *d, doctor_finding f, const moshi_error *err)
{
    doctor_check *c = new_check(d, &f, err->hint[0] ? err->hint : f.advice);
    if (!c)
        return;
    snprintf(c->found, sizeof c->found, "%s", err->message);
    shorten_paths(d, c->found);
}

bool doctor_has_fault(const doctor *d, lab_class about)
{
    const doctor_report *r = d->report;
    for (size_t i = 0; i < r->count; i++)
        if (r->checks[i].status == DOCTOR_FAULT &&
            (about == LAB_CLASS_COUNT || r->checks[i].about == about))
            return true;
    return false;
}

void doctor_announce(doctor *d, const char *format, ...)
{
    char text[256];
    va_list args;
    if (!d->params->announce)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    d->params->announce(d->params->user, text);
}

void doctor_progress(doctor *d, const char *what, double fraction)
{
    if (d->params->progress)
        d->params->progress(d->params->user, what, fraction);
}

const char *doctor_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void doctor_report_release(doctor_report *r)
{
    memory_free(r->checks);
    *r = (doctor_report){0};
}
