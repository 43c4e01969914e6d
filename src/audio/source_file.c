/* source_file.c: audio files by libsndfile.
 *
 * A regular file is read in place. Anything else ("-", a named pipe, a
 * device) may not seek: it is read to its end into memory first and given to
 * libsndfile from there.
 *
 * Inside libsndfile the MP3 decoder writes notes about damaged files to
 * standard error; there is no way through to its switch for that. */
#include "audio/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

#include "audio/input_bytes.h"
#include "audio/looks_like.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

/* Samples per channel that are decoded at a time. */
#define BLOCK 1024

/* No header is longer, unless it carries a picture. */
#define HEADER_BYTES_USUAL 4096

/* libsndfile's answer when the container does not say its length. */
#define FRAMES_UNKNOWN SF_COUNT_MAX

struct source_file {
    char *name; /* "'x.wav'" or "standard input", for messages */
    int fd;     /* -1: none of ours */
    input_bytes input; /* what a pipe held */
    SNDFILE *sound;
    SF_INFO info;
    float *block; /* [BLOCK, channels] */
    size_t have, at; /* frames in block, and how many are read */
    int64_t position; /* of block[0] in the file, in frames */
    bool ended;
};

static sf_count_t memory_length(void *self)
{
    return (sf_count_t)((input_bytes *)self)->bytes;
}

static sf_count_t memory_seek(sf_count_t offset, int whence, void *self)
{
    input_bytes *input = self;
    sf_count_t bytes = (sf_count_t)input->bytes;
    sf_count_t from = whence == SEEK_CUR   ? (sf_count_t)input->at
                      : whence == SEEK_END ? bytes
                                           : 0;
    /* from is in [0, bytes], so these comparisons cannot overflow. */
    if (offset < -from || offset > bytes - from)
        return -1;
    input->at = (size_t)(from + offset);
    return (sf_count_t)input->at;
}

static sf_count_t memory_read(void *out, sf_count_t count, void *self)
{
    input_bytes *input = self;
    size_t left = input->bytes - input->at;
    size_t n = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;
    if (n > 0)
        memcpy(out, input->data + input->at, n);
    input->at += n;
    return (sf_count_t)n;
}

static sf_count_t memory_write(const void *data, sf_count_t n, void *self)
{
    (void)data, (void)n, (void)self;
    return 0;
}

static sf_count_t memory_tell(void *self)
{
    return (sf_count_t)((input_bytes *)self)->at;
}

static SF_VIRTUAL_IO memory_io = {memory_length, memory_seek, memory_read,
                                  memory_write, memory_tell};

/* libsndfile's sentence without its full stop and its "Error : ". */
static void copy_reason(char *out, size_t room, const char *reason)
{
    const char *front = "Error : ";
    if (strncmp(reason, front, strlen(front)) == 0)
        reason += strlen(front);
    snprintf(out, room, "%s", reason);
    size_t n = strlen(out);
    while (n > 0 && (out[n - 1] == '.' || out[n - 1] == '\n'))
        out[--n] = 0;
}

static moshi_status not_audio(const source_file *s, moshi_error *err)
{
    unsigned char head[LOOKS_LIKE_BYTES];
    ssize_t n = 0;
    char reason[160];
    copy_reason(reason, sizeof reason, sf_strerror(NULL));
    if (s->input.data) {
        n = (ssize_t)(s->input.bytes < sizeof head ? s->input.bytes
                                                   : sizeof head);
        memcpy(head, s->input.data, (size_t)n);
    } else {
        n = pread(s->fd, head, sizeof head, 0);
    }
    const char *guess = n > 0 ? looks_like(head, (size_t)n) : NULL;
    if (guess)
        error_set(err, MOSHI_FORMAT,
                  "%s is not audio that can be read: it looks like %s",
                  s->name, guess);
    else
        error_set(err, MOSHI_FORMAT, "%s is not audio that can be read (%s)",
                  s->name, reason);
    error_hint(err, "WAV, FLAC, Ogg (Vorbis, Opus) and MP3 can be read; most "
                    "others become one by: ffmpeg -i FILE out.wav");
    return MOSHI_FORMAT;
}

/* Open the descriptor; tell a pipe from a file. */
static moshi_status open_bytes(source_file *s, const char *path, bool *pipe,
                               moshi_error *err)
{
    struct stat info;
    bool standard = strcmp(path, "-") == 0;
    size_t room = strlen(path) + 3;
    s->name = memory_calloc(room > 16 ? room : 16, 1);
    if (!s->name)
        return error_no_memory(err, "an audio file");
    if (standard)
        snprintf(s->name, 16, "standard input");
    else
        snprintf(s->name, room, "'%s'", path);
    s->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                     : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &info) != 0)
        return error_set(err, MOSHI_IO, "cannot open %s: %s", s->name,
                         strerror(errno));
    if (S_ISDIR(info.st_mode))
        return error_set(err, MOSHI_IO, "cannot read %s: it is a folder",
                         s->name);
    *pipe = !S_ISREG(info.st_mode);
    bool empty = !*pipe && info.st_size == 0;
    if (*pipe) {
        moshi_status status = input_bytes_read_all(&s->input, s->fd, s->name,
                                                   err);
        if (status != MOSHI_OK)
            return status;
        empty = s->input.bytes == 0;
    }
    if (empty)
        return error_set(err, MOSHI_FORMAT, "%s is empty (0 bytes)", s->name);
    return MOSHI_OK;
}

static moshi_status check_info(const source_file *s, moshi_error *err)
{
    if (s->info.channels < 1 || s->info.channels > LIMIT_CHANNELS)
        return error_set(err, MOSHI_UNSUPPORTED,
                         "%s has %d channels; from 1 to %d are possible",
                         s->name, s->info.channels, LIMIT_CHANNELS);
    if (s->info.samplerate < 1 || s->info.samplerate > LIMIT_SAMPLE_RATE_HZ)
        return error_set(err, MOSHI_UNSUPPORTED,
                         "%s has a sample rate of %d Hz; from 1 to %d Hz are "
                         "possible",
                         s->name, s->info.samplerate, LIMIT_SAMPLE_RATE_HZ);
    return MOSHI_OK;
}

/* Decode the next block. At the end of the file `have` is 0. */
static moshi_status next_block(source_file *s, moshi_error *err)
{
    s->position += (int64_t)s->have;
    s->have = s->at = 0;
    sf_count_t n = sf_readf_float(s->sound, s->block, BLOCK);
    if (n < 0)
        n = 0;
    s->ended = n == 0;
    if (n < BLOCK && sf_error(s->sound) != SF_ERR_NO_ERROR) {
        char reason[160];
        copy_reason(reason, sizeof reason, sf_strerror(s->sound));
        double seconds = (double)(s->position + n) / s->info.samplerate;
        s->ended = true;
        return error_set(err, MOSHI_FORMAT, "%s is damaged at %.3f s: %s",
                         s->name, seconds, reason);
    }
    s->have = (size_t)n;
    return MOSHI_OK;
}

static moshi_status no_sample(const source_file *s, moshi_error *err)
{
    struct stat info = {0};
    size_t bytes = s->input.bytes;
    if (!s->input.data && fstat(s->fd, &info) == 0)
        bytes = (size_t)info.st_size;
    error_set(err, MOSHI_FORMAT, "%s holds no sound: it has a header and no "
                                 "sample",
              s->name);
    if (bytes > HEADER_BYTES_USUAL)
        error_hint(err, "%zu bytes are there all the same, as when a recorder "
                        "is cut off: ffmpeg -i FILE out.wav may mend it",
                   bytes);
    return MOSHI_FORMAT;
}

/* libsndfile gets a descriptor of its own: when it fails it closes the one it
 * was given, whether it was asked to or not (1.2.0). */
static SNDFILE *open_copy(source_file *s)
{
    int copy = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? NULL : sf_open_fd(copy, SFM_READ, &s->info, SF_TRUE);
}

static moshi_status open_sound(source_file *s, const char *path,
                               moshi_error *err)
{
    bool pipe = false;
    moshi_status status = open_bytes(s, path, &pipe, err);
    if (status != MOSHI_OK)
        return status;
    s->sound = pipe ? sf_open_virtual(&memory_io, SFM_READ, &s->info,
                                      &s->input)
                    : open_copy(s);
    if (!s->sound)
        return not_audio(s, err);
    status = check_info(s, err);
    if (status != MOSHI_OK)
        return status;
    s->block = memory_calloc(BLOCK * (size_t)s->info.channels,
                             sizeof *s->block);
    if (!s->block)
        return error_no_memory(err, "an audio file");
    status = next_block(s, err);
    return status == MOSHI_OK && s->have == 0 ? no_sample(s, err) : status;
}

moshi_status source_file_open(source_file **out, const char *path,
                              moshi_error *err)
{
    source_file *s = memory_calloc(1, sizeof *s);
    if (!s)
        return error_no_memory(err, "an audio file");
    s->fd = -1;
    moshi_status status = open_sound(s, path, err);
    if (status != MOSHI_OK) {
        source_file_close(&s);
        return status;
    }
    *out = s;
    return MOSHI_OK;
}

void source_file_close(source_file **source)
{
    source_file *s = *source;
    if (!s)
        return;
    if (s->sound)
        sf_close(s->sound);
    if (s->fd >= 0)
        close(s->fd);
    input_bytes_release(&s->input);
    memory_free(s->block);
    memory_free(s->name);
    memory_free(s);
    *source = NULL;
}

int source_file_rate_hz(const source_file *source)
{
    return source->info.samplerate;
}

int source_file_channels(const source_file *source)
{
    return source->info.channels;
}

int64_t source_file_samples(const source_file *source)
{
    return source->info.frames == FRAMES_UNKNOWN ? -1 : source->info.frames;
}

/* Average one frame of the block; false at a sample that is not finite. */
static bool mix(const source_file *s, size_t frame, float *out, int *channel)
{
    int channels = s->info.channels;
    const float *in = s->block + frame * (size_t)channels;
    double sum = 0;
    for (int c = 0; c < channels; c++) {
        if (!isfinite(in[c])) {
            *channel = c;
            return false;
        }
        sum += (double)in[c];
    }
    *out = (float)(sum / channels);
    return true;
}

moshi_status source_file_read(source_file *source, float *mono, size_t n,
                              size_t *got, moshi_error *err)
{
    size_t done = 0;
    while (done < n) {
        if (source->at == source->have) {
            if (source->ended)
                break;
            moshi_status status = next_block(source, err);
            if (status != MOSHI_OK)
                return status;
            continue;
        }
        int channel = 0;
        if (!mix(source, source->at, &mono[done], &channel)) {
            int64_t at = source->position + (int64_t)source->at;
            return error_set(
                err, MOSHI_FORMAT,
                "%s: sample %lld (at %.3f s, channel %d) is not a finite "
                "number",
                source->name, (long long)at,
                (double)at / (double)source->info.samplerate, channel + 1);
        }
        source->at++;
        done++;
    }
    *got = done;
    return MOSHI_OK;
}
