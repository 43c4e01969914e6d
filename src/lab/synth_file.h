/* synth_file.h: write a list of random tensors as one file. */
#ifndef MOSHI_LAB_SYNTH_FILE_H
#define MOSHI_LAB_SYNTH_FILE_H

#include "lab/synth.h"
#include "lab/synth_list.h"

/* How far the writing is; one for all files of a preset. */
typedef struct synth_meter {
    synth_progress *call; /* may be NULL */
    void *user;
    uint64_t done, total, told; /* bytes of tensor data */
} synth_meter;

moshi_status synth_file_write(const synth_list *list, const char *path,
                              checkpoint_format format, uint64_t seed,
                              synth_meter *meter, moshi_error *err);

#endif
