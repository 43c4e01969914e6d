/* models.h: the tiny models that the stream tests run, and noise to feed. */
#ifndef TESTS_STREAM_MODELS_H
#define TESTS_STREAM_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/moshi.h>

#include "lab/synth_mimi.h"
#include "lm/stream.h"
#include "mimi/stream.h"

/* Each ends the test when it fails. */
mimi_model *models_mimi(void);
lm_model *models_lm(void);
moshi_model *models_both(int threads);

/* A random codec of these sizes in a new file: path ends in XXXXXX, which is
 * filled in. Returns 0, or -1: for a test's setup. */
int models_mimi_write(char *path, const mimi_config *config);
/* Open it, with what else p says; ends the test when it fails. The tiny codec's
 * config says 8 codebooks; the one given here says nothing of them. */
mimi_model *models_mimi_open(const char *path, mimi_model_params p);

/* n samples of something loud and broad, different for each seed. */
void models_noise(float *pcm, size_t n, uint32_t seed);
/* n codes 0 … bins-1. */
void models_codes(int32_t *codes, size_t n, int bins, uint32_t seed);

/* Encode frames of noise, seeds 0, 1, …, in a fresh stream; codes:
 * [frames][m->codebooks]. */
void models_encode(backend *be, const mimi_model *m, int frames,
                   int32_t *codes);

#endif
