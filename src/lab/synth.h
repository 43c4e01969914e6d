/* synth.h: random checkpoints with the names, shapes and types of real ones.
 *
 * For tests and benchmarks where no weights can be had. Values are drawn from
 * a counter-based generator (same preset and seed: same file, whatever the
 * machine), scaled so that activations stay finite and of order one through
 * all layers; norms near 1, LayerScale near 0.1, codebooks of unit scale. */
#ifndef MOSHI_LAB_SYNTH_H
#define MOSHI_LAB_SYNTH_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "files/tensor_writer.h"

typedef struct synth_preset {
    const char *name;  /* "moshi-7b-q8" */
    const char *about; /* one line */
    checkpoint_format format;
} synth_preset;

size_t synth_presets_count(void);
const synth_preset *synth_presets_at(size_t index);
const synth_preset *synth_presets_find(const char *name); /* or NULL */

/* The tensors that the preset's file holds, in file order. *specs is
 * allocated (memory_free). */
moshi_status synth_specs(const synth_preset *preset, tensor_spec **specs,
                         size_t *count, moshi_error *err);

/* What a model made in memory is made of. */
typedef struct synth_parts {
    struct synth_list *lm, *mimi; /* NULL: the model has no such part */
    checkpoint_format format;     /* of the language model */
    char *lm_config, *mimi_config; /* JSON, or NULL where shapes say it all */
} synth_parts;

/* The parts of "PRESET", or of "PRESET-TYPE": the same language model in
 * another weight type (f32, f16, bf16, q8_0, q4_0, q4_k, q5_k, q6_k). A
 * language model comes with the published codec. Errors: MOSHI_ARGUMENT (no
 * such preset or type), MOSHI_NO_MEMORY. */
moshi_status synth_parts_make(synth_parts *out, const char *name,
                              moshi_error *err);
void synth_parts_release(synth_parts *parts);

/* Write the file. progress (may be NULL) is called now and then with the
 * bytes done and in all. Memory stays below 64 MB. A preset that needs more
 * than one file ("tiny": language model, codec, configs) writes a folder. */
typedef void synth_progress(void *user, uint64_t done, uint64_t total);
moshi_status synth_write(const synth_preset *preset, const char *path,
                         uint64_t seed, synth_progress *progress, void *user,
                         moshi_error *err);

#endif
