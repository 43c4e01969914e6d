/* fuzz_checkpoint.h: open bytes as a checkpoint and use all that it promises.
 * The targets for the two formats share it. */
#ifndef FUZZ_CHECKPOINT_H
#define FUZZ_CHECKPOINT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "files/checkpoint.h"

static void use_tensor(const checkpoint *file, const checkpoint_tensor *t)
{
    char text[64];
    volatile unsigned char sink;
    const unsigned char *data = t->data;
    for (size_t i = 0; i < t->n_bytes; i++)
        sink = data[i];
    (void)sink;
    if (checkpoint_find(file, t->name) != t)
        abort(); /* a name that is not found, or found elsewhere */
    checkpoint_shape_text(t, text, sizeof text);
    size_t n = checkpoint_elements(t), bytes;
    if (n && (!dtype_row_bytes(t->type, n, &bytes) || bytes != t->n_bytes))
        abort(); /* a shape that does not fit its data */
}

/* The input lies in a block of its exact size, to show overreads. */
static void use_checkpoint(const uint8_t *bytes, size_t n)
{
    moshi_error err = {0};
    checkpoint *file = NULL;
    void *block = malloc(n);
    if (n)
        memcpy(block, bytes, n);
    moshi_status status = checkpoint_open_memory(&file, block, n, "input",
                                                 &err);
    if ((status == MOSHI_OK) != (file != NULL) || err.status != status)
        abort(); /* a result that contradicts the status */
    if (file) {
        for (size_t i = 0; i < checkpoint_count(file); i++)
            use_tensor(file, checkpoint_at(file, i));
        checkpoint_metadata(file, "format");
        checkpoint_find(file, "no such tensor");
    }
    checkpoint_close(&file);
    free(block);
}

#endif
