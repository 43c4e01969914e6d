/* known_models.h: the published models, as far as their shapes tell them apart.
 *
 * What shapes cannot tell (head count, context, rotary period, delays, weight
 * schedule, possible values of conditioners) is taken from here when there is
 * no config file, and messages name the known model that a file fits.
 * The same table for readers: docs/FORMATS.md, known models. */
#ifndef MOSHI_LM_KNOWN_MODELS_H
#define MOSHI_LM_KNOWN_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "lm/config.h"

typedef struct known_model {
    const char *name;  /* "moshi-7b", "hibiki-1b", "stt-1b", … */
    const char *about; /* one line for people */
    lm_config config;  /* all fields set, from = LM_FROM_PRESET */
} known_model;

size_t known_models_count(void);

/* index < known_models_count(). Static. */
const known_model *known_models_at(size_t index);
const known_model *known_models_find(const char *name); /* or NULL */

/* The model whose shapes (dim, num_layers, text_in, n_q, dep_q, and where
 * those do not decide also depformer_sets and kv_repeat) are those of
 * `config`; NULL if there is none. */
const known_model *known_models_match(const lm_config *config);

#endif
