/* loading.c: remember what the library tells; draw it. */
#include "cli/loading.h"

#include <stdio.h>
#include <time.h>

#include "cli/progress.h"

#define LOOK_NS 50000000L

static void note(void *user, size_t done, size_t total)
{
    loading *l = user;
    atomic_store(&l->done, done);
    atomic_store(&l->total, total);
}

void loading_ask(loading *l, moshi_model_params *params)
{
    atomic_init(&l->done, 0);
    atomic_init(&l->total, 0);
    params->loading = note;
    params->loading_user = l;
}

double loading_fraction(const loading *l)
{
    size_t total = atomic_load(&l->total);
    return total ? (double)atomic_load(&l->done) / (double)total : 1;
}

void loading_wait(loading *l, moshi_model *model, bool quiet)
{
    progress bar;
    char text[64];
    progress_open(&bar, "loading", quiet);
    /* Without a terminal, and after the last call, there is only waiting. */
    while (bar.shown && loading_fraction(l) < 1) {
        struct timespec look = {.tv_nsec = LOOK_NS};
        snprintf(text, sizeof text, "%.1f of %.1f GB",
                 1e-9 * (double)atomic_load(&l->done),
                 1e-9 * (double)atomic_load(&l->total));
        progress_set(&bar, loading_fraction(l), text);
        nanosleep(&look, NULL);
    }
    progress_close(&bar);
    moshi_model_wait(model);
}
