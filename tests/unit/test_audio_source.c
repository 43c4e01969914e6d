/* Reading WAV files. Goal: any rate and number of channels becomes mono, and
 * whatever is not sound is refused with a sentence that says what it is.
 * Method: files made here, whole, damaged and from a pipe. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

#define WAV_16    (SF_FORMAT_WAV | SF_FORMAT_PCM_16)
#define WAV_FLOAT (SF_FORMAT_WAV | SF_FORMAT_FLOAT)

static source_file *open_file(const char *path)
{
    source_file *source = NULL;
    moshi_error err = {0};
    if (source_file_open(&source, path, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return source;
}

/* Opening and reading `path` must fail so, and say both. */
static void assert_refused(const char *path, moshi_status status,
                           const char *say, const char *say_too)
{
    float *out = (float *)path;
    size_t n = 77;
    moshi_error err = {0};
    assert_int_equal(source_file_load(path, 24000, &out, &n, &err), status);
    assert_int_equal(err.status, status);
    assert_ptr_equal(out, path);
    assert_int_equal(n, 77);
    if (!strstr(err.message, say) || !strstr(err.message, say_too))
        fail_msg("'%s' does not say '%s' and '%s'", err.message, say,
                 say_too);
}

static void channels_are_averaged(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 3, 6, 8, 64};
    enum { FRAMES = 3000 };
    float *in = audio_noise(FRAMES * 64, 0.1);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        int channels = counts[k];
        const char *path = audio_path("channels.wav");
        float out[FRAMES + 10];
        size_t done = 0, got;
        assert_true(audio_write(path, WAV_FLOAT, 24000, channels, in, FRAMES));
        source_file *source = open_file(path);
        assert_int_equal(source_file_channels(source), channels);
        assert_int_equal(source_file_samples(source), FRAMES);
        do { /* in odd pieces, across the blocks inside */
            size_t n = FRAMES + 10 - done < 701 ? FRAMES + 10 - done : 701;
            assert_int_equal(
                source_file_read(source, out + done, n, &got, NULL), MOSHI_OK);
            done += got;
        } while (got > 0);
        assert_int_equal(done, FRAMES);
        for (size_t i = 0; i < FRAMES; i++) {
            double sum = 0;
            for (int c = 0; c < channels; c++)
                sum += (double)in[i * (size_t)channels + (size_t)c];
            assert_true(out[i] == (float)(sum / channels));
        }
        source_file_close(&source);
        assert_null(source);
    }
    free(in);
}

static void every_rate_works(void **state)
{
    (void)state;
    static const int rates[] = {8000,  11025, 16000, 22050, 24000,
                                44100, 48000, 96000, 192000};
    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        const char *path = audio_path("rate.wav");
        size_t frames = (size_t)rates[k] / 4 + 1, n;
        float *in = audio_sine(frames, rates[k], 500, 0.5), *out;
        assert_true(audio_write(path, WAV_16, rates[k], 1, in, frames));
        source_file *source = open_file(path);
        assert_int_equal(source_file_rate_hz(source), rates[k]);
        source_file_close(&source);
        assert_int_equal(source_file_load(path, 24000, &out, &n, NULL),
                         MOSHI_OK);
        assert_int_equal(
            n, (size_t)floor((double)frames * 24000 / rates[k] + 0.5));
        for (size_t i = n / 4; i < n * 3 / 4; i++)
            assert_true(fabs((double)out[i] -
                             0.5 * sin(2 * PI * 500 * (double)i / 24000)) <
                        1e-3);
        memory_free(out);
        free(in);
    }
}

static void every_sample_type_works(void **state)
{
    (void)state;
    static const struct {
        int type;
        double step; /* largest error */
    } types[] = {
        {SF_FORMAT_PCM_U8, 1.0 / 128},     {SF_FORMAT_PCM_16, 1.0 / 32768},
        {SF_FORMAT_PCM_24, 1.0 / 8388608}, {SF_FORMAT_PCM_32, 1e-7},
        {SF_FORMAT_FLOAT, 0},              {SF_FORMAT_DOUBLE, 0},
        {SF_FORMAT_ULAW, 0.02},
    };
    float *in = audio_noise(1000, 0.1);
    for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
        float *out;
        size_t n;
        assert_true(audio_write(audio_path("type.wav"),
                                SF_FORMAT_WAV | types[k].type, 24000, 1, in,
                                1000));
        assert_int_equal(source_file_load(audio_path("type.wav"), 24000, &out,
                                          &n, NULL),
                         MOSHI_OK);
        assert_int_equal(n, 1000);
        for (size_t i = 0; i < n; i++)
            assert_true(fabs((double)out[i] - (double)in[i]) <=
                        types[k].step);
        memory_free(out);
    }
    free(in);
}

static void missing_and_unreadable(void **state)
{
    (void)state;
    assert_refused(audio_path("none.wav"), MOSHI_IO, "none.wav'",
                   "No such file");
    assert_refused(audio_path(""), MOSHI_IO, "cannot read", "folder");
    audio_write_bytes(audio_path("empty.wav"), "", 0);
    assert_refused(audio_path("empty.wav"), MOSHI_FORMAT, "empty.wav'",
                   "is empty (0 bytes)");
}

static void not_audio_says_what_it_looks_like(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *say;
    } files[] = {
        {"Dear diary,\nnothing was recorded today.\n", 40, "text"},
        {"<!DOCTYPE html><html><body>404</body></html>", 44, "web page"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS"},
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "PNG"},
        {"\0\0\0\x20" "ftypM4A \0\0\0\0", 16, "M4A"},
        {"\x1a\x45\xdf\xa3\x01\0\0\0", 8, "WebM"},
        {"GGUF\x03\0\0\0\0\0\0\0", 12, "GGUF"},
        {"\x10\0\0\0\0\0\0\0{\"a\":1}", 15, "safetensors"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0", 12, "zero bytes"},
        {"RIFF\x24\0\0\0WAVEfmt ", 16, "WAV file with a damaged header"},
        {"fLaC\0\0\0\x22", 8, "FLAC file with a damaged header"},
        {"OggS\0\x02\0\0\0\0\0\0\0\0", 14, "Ogg file"},
        {"x\x01", 2, "not audio that can be read ("},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        audio_write_bytes(audio_path("other.bin"), files[i].bytes, files[i].n);
        assert_refused(audio_path("other.bin"), MOSHI_FORMAT, "other.bin'",
                       files[i].say);
    }
}

static void no_sample_is_refused(void **state)
{
    (void)state;
    assert_true(audio_write(audio_path("zero.wav"), WAV_16, 24000, 1, NULL, 0));
    assert_refused(audio_path("zero.wav"), MOSHI_FORMAT, "zero.wav'",
                   "no sample");
    /* A header that was never completed, with sound behind it. */
    source_file *source = NULL;
    moshi_error err = {0};
    float *in = audio_noise(5000, 0.1);
    size_t bytes;
    assert_true(
        audio_write(audio_path("open.wav"), WAV_16, 24000, 1, in, 5000));
    unsigned char *file = audio_read_bytes(audio_path("open.wav"), &bytes);
    memset(file + 4, 0, 4);
    memset(file + 40, 0, 4);
    audio_write_bytes(audio_path("open.wav"), file, bytes);
    assert_int_equal(source_file_open(&source, audio_path("open.wav"), &err),
                     MOSHI_FORMAT);
    assert_null(source);
    assert_non_null(strstr(err.hint, "10044 bytes"));
    free(file), free(in);
}

static void samples_that_are_no_numbers_are_refused(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        float *in = audio_noise(2 * 24000, 0.1), first[24000];
        size_t got;
        moshi_error err = {0};
        in[2 * 12000 + 1] = bad[k];
        assert_true(audio_write(audio_path("nan.wav"), WAV_FLOAT, 24000, 2, in,
                                24000));
        assert_refused(audio_path("nan.wav"), MOSHI_FORMAT,
                       "nan.wav': sample 12000 (at 0.500 s, channel 2)",
                       "not a finite number");
        /* What stands before it can be read. */
        source_file *source = open_file(audio_path("nan.wav"));
        assert_int_equal(source_file_read(source, first, 12000, &got, &err),
                         MOSHI_OK);
        assert_int_equal(got, 12000);
        assert_int_equal(source_file_read(source, first, 1, &got, &err),
                         MOSHI_FORMAT);
        source_file_close(&source);
        free(in);
    }
}

static void overflowing_samples_are_refused(void **state)
{
    (void)state;
    float *in = audio_noise(48000, 1), *out = NULL;
    size_t n;
    moshi_error err = {0};
    for (size_t i = 0; i < 48000; i++)
        in[i] = in[i] > 0 ? 3.4e38f : -3.4e38f;
    assert_true(audio_write(audio_path("loud.wav"), WAV_FLOAT, 48000, 1, in,
                            48000));
    assert_int_equal(source_file_load(audio_path("loud.wav"), 24000, &out, &n,
                                      &err), MOSHI_FORMAT);
    assert_non_null(strstr(err.message, "loud.wav"));
    assert_non_null(strstr(err.message, "too large"));
    assert_null(out);
    free(in);
}

static void limits_are_named(void **state)
{
    (void)state;
    float *in = audio_noise(65 * 10, 0.1);
    assert_true(audio_write(audio_path("wide.wav"), WAV_16, 24000, 65, in, 10));
    assert_refused(audio_path("wide.wav"), MOSHI_UNSUPPORTED, "65 channels",
                   "64");
    assert_true(
        audio_write(audio_path("fast.wav"), WAV_16, 1000000, 1, in, 10));
    assert_refused(audio_path("fast.wav"), MOSHI_UNSUPPORTED, "1000000 Hz",
                   "768000");
    assert_true(audio_write(audio_path("slow.wav"), WAV_16, 50, 1, in, 10));
    assert_refused(audio_path("slow.wav"), MOSHI_UNSUPPORTED, "slow.wav'",
                   "from 50 Hz to 24000 Hz");
    free(in);
}

/* Cut at every byte of the header and somewhere in the samples: an error or
 * what is left, never more. */
static void truncated_wav_gives_what_is_there(void **state)
{
    (void)state;
    float *in = audio_noise(1000, 0.1);
    size_t bytes;
    assert_true(
        audio_write(audio_path("whole.wav"), WAV_16, 24000, 1, in, 1000));
    unsigned char *whole = audio_read_bytes(audio_path("whole.wav"), &bytes);
    assert_int_equal(bytes, 44 + 2000);
    for (size_t cut = 1; cut < bytes; cut += cut < 60 ? 1 : 333) {
        float *out;
        size_t n = 0;
        moshi_error err = {0};
        audio_write_bytes(audio_path("cut.wav"), whole, cut);
        moshi_status status =
            source_file_load(audio_path("cut.wav"), 24000, &out, &n, &err);
        if (cut < 46) {
            assert_int_equal(status, MOSHI_FORMAT);
            continue;
        }
        assert_int_equal(status, MOSHI_OK);
        assert_int_equal(n, (cut - 44) / 2);
        for (size_t i = 0; i < n; i++)
            assert_true(fabsf(out[i] - in[i]) <= 1.0f / 32768);
        memory_free(out);
    }
    free(whole), free(in);
}

/* RIFF and data sizes as ffmpeg and sox write them when they cannot seek, and
 * as libsndfile leaves them when its program dies. */
static void unknown_sizes_mean_to_the_end(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{UINT32_MAX, UINT32_MAX},
                                        {0x7ffff024, 0x7ffff000},
                                        {8, 0}};
    float *in = audio_noise(1000, 0.1);
    size_t bytes;
    assert_true(
        audio_write(audio_path("sizes.wav"), WAV_16, 24000, 1, in, 1000));
    unsigned char *file = audio_read_bytes(audio_path("sizes.wav"), &bytes);
    for (size_t k = 0; k < 3; k++) {
        float *out;
        size_t n;
        for (int i = 0; i < 4; i++) {
            file[4 + i] = (unsigned char)(sizes[k][0] >> 8 * i);
            file[40 + i] = (unsigned char)(sizes[k][1] >> 8 * i);
        }
        audio_write_bytes(audio_path("sizes.wav"), file, bytes);
        assert_int_equal(source_file_load(audio_path("sizes.wav"), 24000, &out,
                                          &n, NULL),
                         MOSHI_OK);
        assert_int_equal(n, 1000);
        memory_free(out);
    }
    free(file), free(in);
}

/* Another process writes the file into a named pipe. */
static void pipe_is_read_like_a_file(void **state)
{
    (void)state;
    float *in = audio_noise(48000, 0.1), *out;
    size_t n, bytes;
    assert_true(
        audio_write(audio_path("sent.wav"), WAV_16, 24000, 1, in, 48000));
    unsigned char *file = audio_read_bytes(audio_path("sent.wav"), &bytes);
    const char *pipe_path = audio_path("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(pipe_path, O_WRONLY);
        ssize_t written = write(fd, file, bytes);
        _exit(written == (ssize_t)bytes ? 0 : 1);
    }
    assert_int_equal(source_file_load(pipe_path, 24000, &out, &n, NULL),
                     MOSHI_OK);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(n, 48000);
    for (size_t i = 0; i < n; i++)
        assert_true(fabsf(out[i] - in[i]) <= 1.0f / 32768);
    memory_free(out);
    free(file), free(in);
}

/* Load "-" with standard input led to fd. */
static moshi_status load_standard(int fd, size_t *n, moshi_error *err)
{
    float *out = NULL;
    int saved = dup(STDIN_FILENO);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    moshi_status status = source_file_load("-", 24000, &out, n, err);
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    memory_free(out);
    return status;
}

static void standard_input(void **state)
{
    (void)state;
    float *in = audio_noise(1000, 0.1);
    size_t n = 0, bytes;
    moshi_error err = {0};
    int ends[2];
    assert_true(
        audio_write(audio_path("in.wav"), WAV_16, 24000, 2, in, 500));
    int fd = open(audio_path("in.wav"), O_RDONLY);
    assert_int_equal(load_standard(fd, &n, &err), MOSHI_OK);
    assert_int_equal(n, 500);
    close(fd);

    unsigned char *file = audio_read_bytes(audio_path("in.wav"), &bytes);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], file, bytes), bytes);
    close(ends[1]);
    n = 0;
    assert_int_equal(load_standard(ends[0], &n, &err), MOSHI_OK);
    assert_int_equal(n, 500);
    close(ends[0]);

    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    assert_int_equal(load_standard(ends[0], &n, &err), MOSHI_FORMAT);
    assert_string_equal(err.message, "standard input is empty (0 bytes)");
    close(ends[0]);
    free(file), free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_averaged),
        cmocka_unit_test(every_rate_works),
        cmocka_unit_test(every_sample_type_works),
        cmocka_unit_test(missing_and_unreadable),
        cmocka_unit_test(not_audio_says_what_it_looks_like),
        cmocka_unit_test(no_sample_is_refused),
        cmocka_unit_test(samples_that_are_no_numbers_are_refused),
        cmocka_unit_test(overflowing_samples_are_refused),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(truncated_wav_gives_what_is_there),
        cmocka_unit_test(unknown_sizes_mean_to_the_end),
        cmocka_unit_test(pipe_is_read_like_a_file),
        cmocka_unit_test(standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
