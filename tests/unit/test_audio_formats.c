/* Compressed files. Goal: FLAC, Ogg Vorbis, Ogg Opus and MP3 are read, from a
 * file and from a pipe, and a damaged one is an error or ends early. Method:
 * encode two seconds of a tone with libsndfile; a format that this libsndfile
 * cannot encode is skipped and shown as such. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

#include "audio/source_file.h"
#include "audio_files.h"
#include "base/memory.h"

#define RATE_HZ 48000
#define N       (2 * RATE_HZ)

/* Asked by the leak sanitizer when the program is built with it. libsndfile
 * 1.2.0 forgets what it has read of an Ogg Vorbis header when the rest of the
 * header is missing. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_info_init\n";
}

typedef struct format {
    const char *name;
    int code;
    int rate_hz;          /* Opus always decodes to 48 kHz */
    size_t padding;       /* samples that the format may add at either end */
    double level_error;   /* largest, in dB */
} format;

/* MP3: libsndfile 1.2 writes its numbers as 0x230000 and 0x82. */
static format flac = {"x.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, RATE_HZ,
                      0, 0.001};
static format vorbis = {"x.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, RATE_HZ,
                        0, 0.2};
static format opus = {"x.opus", SF_FORMAT_OGG | 0x64, RATE_HZ, 960, 0.2};
static format mp3 = {"x.mp3", 0x230000 | 0x82, RATE_HZ, 2400, 0.2};

static double rms_db(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return 10 * log10(sum / (double)n);
}

/* Stereo: 440 Hz on the left at 0.5, and the same on the right. */
static bool encode(const format *f)
{
    float *tone = audio_sine(N, RATE_HZ, 440, 0.5);
    float *stereo = malloc(2 * N * sizeof *stereo);
    assert_non_null(stereo);
    for (size_t i = 0; i < N; i++)
        stereo[2 * i] = stereo[2 * i + 1] = tone[i];
    bool ok = audio_write(audio_path(f->name), f->code, RATE_HZ, 2, stereo, N);
    free(tone), free(stereo);
    if (!ok)
        print_message("this libsndfile cannot write %s\n", f->name);
    return ok;
}

static void check(const format *f, const char *path)
{
    float *x;
    size_t n;
    moshi_error err = {0};
    if (source_file_load(path, RATE_HZ, &x, &n, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    assert_true(n >= N - f->padding && n <= N + f->padding);
    double level = rms_db(x + n / 4, n / 2);
    assert_true(fabs(level - 20 * log10(0.5 / sqrt(2))) < f->level_error);
    memory_free(x);
}

static void reads(void **state)
{
    const format *f = *state;
    if (!encode(f))
        skip();
    source_file *source = NULL;
    assert_int_equal(source_file_open(&source, audio_path(f->name), NULL),
                     MOSHI_OK);
    assert_int_equal(source_file_rate_hz(source), f->rate_hz);
    assert_int_equal(source_file_channels(source), 2);
    source_file_close(&source);
    check(f, audio_path(f->name));
}

static void reads_from_a_pipe(void **state)
{
    const format *f = *state;
    if (!encode(f))
        skip();
    size_t bytes;
    unsigned char *file = audio_read_bytes(audio_path(f->name), &bytes);
    const char *pipe_path = audio_path("pipe");
    unlink(pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(pipe_path, O_WRONLY);
        ssize_t written = write(fd, file, bytes);
        _exit(written == (ssize_t)bytes ? 0 : 1);
    }
    check(f, pipe_path);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(file);
}

/* Cut it, then break it in the middle: never a crash, never more sound than
 * there was, and a failure is MOSHI_FORMAT with a time or a guess in it. */
static void survives_damage(void **state)
{
    const format *f = *state;
    if (!encode(f))
        skip();
    size_t bytes;
    unsigned char *file = audio_read_bytes(audio_path(f->name), &bytes);
    for (int k = 0; k < 20; k++) {
        float *x = NULL;
        size_t n = 0;
        moshi_error err = {0};
        size_t keep = k < 10 ? bytes * (size_t)k / 10 + 3 : bytes;
        if (k >= 10)
            for (size_t i = 0; i < 200; i++)
                file[bytes * (size_t)(k - 10) / 11 + i] ^= (unsigned char)i;
        audio_write_bytes(audio_path("damaged"), file, keep);
        moshi_status status =
            source_file_load(audio_path("damaged"), RATE_HZ, &x, &n, &err);
        if (status == MOSHI_OK) {
            assert_true(n > 0 && n <= N + f->padding);
        } else {
            assert_int_equal(status, MOSHI_FORMAT);
            assert_true(strlen(err.message) > 20);
        }
        memory_free(x);
    }
    free(file);
}

int main(void)
{
#define TESTS_OF(f)                                                       \
    {#f " is read", reads, NULL, NULL, &f},                               \
    {#f " is read from a pipe", reads_from_a_pipe, NULL, NULL, &f},       \
    {#f " survives damage", survives_damage, NULL, NULL, &f}
    const struct CMUnitTest tests[] = {
        TESTS_OF(flac),
        TESTS_OF(vorbis),
        TESTS_OF(opus),
        TESTS_OF(mp3),
    };
#undef TESTS_OF
    return cmocka_run_group_tests(tests, NULL, NULL);
}
