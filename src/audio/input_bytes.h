/* input_bytes.h: the bytes of an input that cannot seek, held in memory.
 *
 * Audio containers are read by jumping about in them; a pipe cannot jump, so
 * all of it is read first. */
#ifndef MOSHI_AUDIO_INPUT_BYTES_H
#define MOSHI_AUDIO_INPUT_BYTES_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct input_bytes {
    unsigned char *data; /* owned */
    size_t bytes;
    size_t at; /* reading position */
} input_bytes;

/* Read the descriptor to its end. `name` is for messages. Errors: MOSHI_IO,
 * MOSHI_UNSUPPORTED (more than LIMIT_PIPE_BYTES), MOSHI_NO_MEMORY. */
moshi_status input_bytes_read_all(input_bytes *input, int fd,
                                  const char *name, moshi_error *err);
void input_bytes_release(input_bytes *input);

#endif
