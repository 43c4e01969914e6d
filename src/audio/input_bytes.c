/* input_bytes.c: read a pipe to its end. */
#include "audio/input_bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

#define CHUNK_BYTES ((size_t)1 << 16)

moshi_status input_bytes_read_all(input_bytes *input, int fd,
                                  const char *name, moshi_error *err)
{
    unsigned char *data = NULL;
    size_t room = 0, bytes = 0;
    moshi_status status = MOSHI_OK;
    for (;;) {
        if (bytes > LIMIT_PIPE_BYTES) {
            status = error_set(err, MOSHI_UNSUPPORTED,
                               "%s gives more than %zu MiB", name,
                               LIMIT_PIPE_BYTES >> 20);
            error_hint(err, "a file that is named instead has no such limit");
            break;
        }
        if (!memory_grow((void **)&data, &room, bytes + CHUNK_BYTES, 1)) {
            status = error_no_memory(err, "the audio of a pipe");
            break;
        }
        ssize_t n = read(fd, data + bytes, CHUNK_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = error_set(err, MOSHI_IO, "cannot read %s: %s", name,
                               strerror(errno));
        if (n <= 0)
            break;
        bytes += (size_t)n;
    }
    if (status != MOSHI_OK) {
        memory_free(data);
        return status;
    }
    *input = (input_bytes){.data = data, .bytes = bytes};
    return MOSHI_OK;
}

void input_bytes_release(input_bytes *input)
{
    memory_free(input->data);
    *input = (input_bytes){0};
}
