/* synth_tiny.h: a complete model of a few megabytes: a folder with a language
 * model, a codec and their official-style config files. */
#ifndef MOSHI_LAB_SYNTH_TINY_H
#define MOSHI_LAB_SYNTH_TINY_H

#include "lab/synth_file.h"
#include "lm/config.h"

/* Its language model: Moshi's topology, 64 wide, 3 layers. */
extern const lm_config synth_tiny_lm;

/* The texts of its two config files, allocated (memory_free); NULL when out of
 * memory. */
char *synth_tiny_lm_config(void);
char *synth_tiny_mimi_config(void);

/* Write the folder; it may exist, files in it are replaced. */
moshi_status synth_tiny_write(const char *folder, uint64_t seed,
                              synth_meter *meter, moshi_error *err);

#endif
