/* loading.h: how far a model's weights are on their way into memory.
 *
 * The library tells from a thread of its own (moshi/model.h, loading); this
 * keeps the figures until somebody draws them. */
#ifndef MOSHI_CLI_LOADING_H
#define MOSHI_CLI_LOADING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <moshi/model.h>

typedef struct loading {
    atomic_size_t done, total; /* bytes; total 0: nothing was told yet */
} loading;

/* Ask for the figures; *l must live until the model is closed. */
void loading_ask(loading *l, moshi_model_params *params);

/* 0 … 1; 1 also when nothing loads. */
double loading_fraction(const loading *l);

/* Wait for the weights behind a bar on standard error. */
void loading_wait(loading *l, moshi_model *model, bool quiet);

#endif
