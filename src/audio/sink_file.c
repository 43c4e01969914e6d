/* sink_file.c: samples as a WAV file, header and all.
 *
 * The header goes out first with sizes of 0xffffffff, the sign for "until the
 * end" that ffmpeg and sox write and read in streams; finish puts the true
 * sizes there when the file can seek. A pipe keeps the sign. */
#include "audio/sink_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/output_file.h"

/* Samples converted at a time. */
#define CHUNK 1024

/* RIFF, fmt and data chunks alone; a float file also has a fact chunk and an
 * empty extension in fmt, which its format asks for. */
#define PCM16_HEADER_BYTES   44
#define FLOAT32_HEADER_BYTES 58
#define HEADER_BYTES_MAX     FLOAT32_HEADER_BYTES

#define SIZE_UNKNOWN UINT32_MAX

enum { WAVE_PCM = 1, WAVE_FLOAT = 3 };

struct sink_file {
    output_file *file;
    char *path;
    int rate_hz;
    sink_format format;
    uint64_t data_bytes;
    off_t start;   /* of the header in the file */
    bool can_seek; /* the sizes will be put right, so they must fit */
};

static unsigned char *put_tag(unsigned char *at, const char *tag)
{
    memcpy(at, tag, 4);
    return at + 4;
}

static unsigned char *put_16(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
    return at + 2;
}

static unsigned char *put_32(unsigned char *at, uint32_t value)
{
    return put_16(put_16(at, value & 0xffff), value >> 16);
}

static uint32_t sample_bytes(sink_format format)
{
    return format == SINK_PCM16 ? 2 : 4;
}

static size_t header_bytes(sink_format format)
{
    return format == SINK_PCM16 ? PCM16_HEADER_BYTES : FLOAT32_HEADER_BYTES;
}

/* The header of a file with so many bytes of samples; returns its size. */
static size_t make_header(const sink_file *s, uint32_t data_bytes,
                          unsigned char out[HEADER_BYTES_MAX])
{
    uint32_t width = sample_bytes(s->format);
    bool is_float = s->format == SINK_FLOAT32;
    bool known = data_bytes != SIZE_UNKNOWN;
    uint32_t before = (uint32_t)header_bytes(s->format) - 8;
    unsigned char *at = put_tag(out, "RIFF");
    at = put_32(at, known ? before + data_bytes : SIZE_UNKNOWN);
    at = put_tag(at, "WAVE");
    at = put_tag(at, "fmt ");
    at = put_32(at, is_float ? 18 : 16);
    at = put_16(at, is_float ? WAVE_FLOAT : WAVE_PCM);
    at = put_16(at, 1); /* channel */
    at = put_32(at, (uint32_t)s->rate_hz);
    at = put_32(at, (uint32_t)s->rate_hz * width); /* bytes per second */
    at = put_16(at, width);                        /* bytes per frame */
    at = put_16(at, width * 8);                    /* bits per sample */
    if (is_float) {
        at = put_16(at, 0); /* bytes of extension */
        at = put_tag(at, "fact");
        at = put_32(at, 4);
        at = put_32(at, known ? data_bytes / width : SIZE_UNKNOWN);
    }
    at = put_tag(at, "data");
    at = put_32(at, data_bytes);
    return (size_t)(at - out);
}

/* A regular file that is not opened for appending: standard output may be a
 * pipe, or a file that somebody has already written to. */
static void find_start(sink_file *s)
{
    struct stat info;
    int fd = output_file_descriptor(s->file);
    int flags = fcntl(fd, F_GETFL);
    s->start = lseek(fd, 0, SEEK_CUR);
    s->can_seek = s->start >= 0 && flags >= 0 && !(flags & O_APPEND) &&
                  fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

static moshi_status begin(sink_file *s, const char *path, moshi_error *err)
{
    unsigned char header[HEADER_BYTES_MAX];
    s->path = memory_strdup(path);
    if (!s->path)
        return error_no_memory(err, "a WAV file");
    moshi_status status = output_file_open(&s->file, path, err);
    if (status != MOSHI_OK)
        return status;
    find_start(s);
    return output_file_write(s->file, header,
                             make_header(s, SIZE_UNKNOWN, header), err);
}

moshi_status sink_file_open(sink_file **out, const char *path, int rate_hz,
                            sink_format format, moshi_error *err)
{
    if (rate_hz < 1 || rate_hz > LIMIT_SAMPLE_RATE_HZ)
        return error_set(err, MOSHI_ARGUMENT,
                         "'%s': a sample rate of %d Hz; from 1 to %d Hz are "
                         "possible",
                         path, rate_hz, LIMIT_SAMPLE_RATE_HZ);
    sink_file *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "a WAV file");
    s->rate_hz = rate_hz;
    s->format = format;
    moshi_status status = begin(s, path, err);
    if (status != MOSHI_OK) {
        sink_file_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

/* trunc(clamp(x, -1, 1) * 32767); NaN gives 0. */
static int16_t to_pcm16(float x)
{
    if (isnan(x))
        return 0;
    if (x < -1.0f)
        x = -1.0f;
    if (x > 1.0f)
        x = 1.0f;
    return (int16_t)(x * 32767.0f);
}

/* n samples as little-endian bytes; returns how many bytes. */
static size_t encode(sink_format format, const float *in, size_t n,
                     unsigned char *out)
{
    unsigned char *at = out;
    for (size_t i = 0; i < n; i++) {
        if (format == SINK_PCM16) {
            at = put_16(at, (uint16_t)to_pcm16(in[i]));
        } else {
            uint32_t bits;
            memcpy(&bits, &in[i], sizeof bits);
            at = put_32(at, bits);
        }
    }
    return (size_t)(at - out);
}

moshi_status sink_file_write(sink_file *sink, const float *mono, size_t n,
                             moshi_error *err)
{
    unsigned char bytes[CHUNK * 4];
    uint64_t most = (SIZE_UNKNOWN - HEADER_BYTES_MAX - sink->data_bytes) /
                    sample_bytes(sink->format);
    if (sink->can_seek && n > most)
        return error_set(err, MOSHI_UNSUPPORTED,
                         "'%s': a WAV file holds at most 4 GiB", sink->path);
    while (n > 0) {
        size_t part = n < CHUNK ? n : CHUNK;
        size_t n_bytes = encode(sink->format, mono, part, bytes);
        moshi_status status = output_file_write(sink->file, bytes, n_bytes,
                                                err);
        if (status != MOSHI_OK)
            return status;
        sink->data_bytes += n_bytes;
        mono += part;
        n -= part;
    }
    return MOSHI_OK;
}

moshi_status sink_file_finish(sink_file *sink, moshi_error *err)
{
    unsigned char header[HEADER_BYTES_MAX];
    if (sink->can_seek) {
        size_t n = make_header(sink, (uint32_t)sink->data_bytes, header);
        int fd = output_file_descriptor(sink->file);
        if (pwrite(fd, header, n, sink->start) != (ssize_t)n)
            return error_set(err, MOSHI_IO, "cannot write '%s': %s",
                             sink->path, strerror(errno));
    }
    return output_file_commit(sink->file, err);
}

void sink_file_close(sink_file **sink)
{
    sink_file *s = *sink;
    if (!s)
        return;
    output_file_close(&s->file);
    memory_free(s->path);
    memory_free(s);
    *sink = NULL;
}
