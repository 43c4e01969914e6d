/* Writing WAV files. Goal: every byte of header and samples as FORMATS.md
 * says, and a file only when it is complete. Method: write awkward samples,
 * compare the bytes; full disk, pipe and redirected standard output. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audio/sink_file.h"
#include "audio/source_file.h"
#include "audio_files.h"

static void write_all(const char *path, int rate_hz, sink_format format,
                      const float *samples, size_t n)
{
    sink_file *sink = NULL;
    moshi_error err = {0};
    assert_int_equal(sink_file_open(&sink, path, rate_hz, format, &err),
                     MOSHI_OK);
    assert_int_equal(sink_file_write(sink, samples, n / 2, &err), MOSHI_OK);
    if (n > 0) /* else samples may be NULL */
        assert_int_equal(
            sink_file_write(sink, samples + n / 2, n - n / 2, &err), MOSHI_OK);
    assert_int_equal(sink_file_finish(sink, &err), MOSHI_OK);
    sink_file_close(&sink);
    assert_null(sink);
}

static uint32_t little(const unsigned char *at, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

static void pcm16_header_and_samples(void **state)
{
    (void)state;
    static const struct {
        float in;
        int out;
    } cases[] = {
        {0, 0}, {-0.0f, 0}, {1, 32767}, {-1, -32767},
        {2, 32767}, {-1e30f, -32767}, {INFINITY, 32767},
        {-INFINITY, -32767}, {NAN, 0}, {-NAN, 0},
        {0.5f, 16383}, {-0.5f, -16383}, /* 16383.5 toward zero */
        {0.99999f, 32766}, {-0.99999f, -32766},
        {3e-5f, 0}, {-3e-5f, 0}, /* 0.98 */
        {3.1e-5f, 1}, {-3.1e-5f, -1},
        {1e-40f, 0},
    };
    enum { N = sizeof cases / sizeof *cases };
    static const unsigned char header[44] =
        "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0"
        "\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0"
        "data\0\0\0";
    float in[N];
    for (size_t i = 0; i < N; i++)
        in[i] = cases[i].in;
    write_all(audio_path("pcm.wav"), 24000, SINK_PCM16, in, N);
    size_t n;
    unsigned char *bytes = audio_read_bytes(audio_path("pcm.wav"), &n);
    assert_int_equal(n, 44 + 2 * N);
    assert_int_equal(little(bytes + 4, 4), 36 + 2 * N);
    assert_int_equal(little(bytes + 40, 4), 2 * N);
    memset(bytes + 4, 0, 4);
    memset(bytes + 40, 0, 4);
    assert_memory_equal(bytes, header, 44);
    for (size_t i = 0; i < N; i++)
        assert_int_equal((int16_t)little(bytes + 44 + 2 * i, 2),
                         cases[i].out);
    free(bytes);
}

static void float32_header_and_samples(void **state)
{
    (void)state;
    static const float in[] = {0, 1.5f, -1e-30f, 0.1f, INFINITY};
    static const unsigned char header[58] =
        "RIFF\x46\0\0\0WAVEfmt \x12\0\0\0\x03\0\x01\0"
        "\x80\x3e\0\0\0\xfa\0\0\x04\0\x20\0\0\0"
        "fact\x04\0\0\0\x05\0\0\0data\x14\0\0";
    write_all(audio_path("float.wav"), 16000, SINK_FLOAT32, in, 5);
    size_t n;
    unsigned char *bytes = audio_read_bytes(audio_path("float.wav"), &n);
    assert_int_equal(n, 58 + 20);
    assert_memory_equal(bytes, header, 58);
    assert_memory_equal(bytes + 58, in, 20);
    free(bytes);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 1023, 1024, 1025, 5000};
    float *in = audio_noise(5000, 0.2);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (int format = SINK_PCM16; format <= SINK_FLOAT32; format++) {
            float *out;
            size_t n;
            moshi_error err = {0};
            write_all(audio_path("again.wav"), 24000, (sink_format)format, in,
                      lengths[k]);
            assert_int_equal(source_file_load(audio_path("again.wav"), 24000,
                                              &out, &n, &err),
                             MOSHI_OK);
            assert_int_equal(n, lengths[k]);
            for (size_t i = 0; i < n; i++)
                assert_true(fabsf(out[i] - in[i]) <=
                            (format == SINK_PCM16 ? 2.0f / 32767 : 0));
            free(out);
        }
    free(in);
}

static void empty_file_has_a_header(void **state)
{
    (void)state;
    size_t n;
    write_all(audio_path("empty.wav"), 24000, SINK_PCM16, NULL, 0);
    unsigned char *bytes = audio_read_bytes(audio_path("empty.wav"), &n);
    assert_int_equal(n, 44);
    assert_int_equal(little(bytes + 4, 4), 36);
    assert_int_equal(little(bytes + 40, 4), 0);
    free(bytes);
}

static void unfinished_file_never_appears(void **state)
{
    (void)state;
    sink_file *sink = NULL;
    float in[100] = {0};
    moshi_error err = {0};
    assert_int_equal(sink_file_open(&sink, audio_path("half.wav"), 24000,
                                    SINK_PCM16, &err),
                     MOSHI_OK);
    assert_int_equal(sink_file_write(sink, in, 100, &err), MOSHI_OK);
    assert_int_equal(access(audio_path("half.wav"), F_OK), -1);
    sink_file_close(&sink);
    assert_int_equal(access(audio_path("half.wav"), F_OK), -1);
}

static void full_disk_is_an_error(void **state)
{
    (void)state;
    sink_file *sink = NULL;
    moshi_error err = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(
        sink_file_open(&sink, "/dev/full", 24000, SINK_PCM16, &err), MOSHI_IO);
    assert_null(sink);
    assert_non_null(strstr(err.message, "/dev/full"));
    assert_non_null(strstr(err.message, "No space left"));
}

static void bad_targets_are_errors(void **state)
{
    (void)state;
    sink_file *sink = NULL;
    moshi_error err = {0};
    assert_int_equal(sink_file_open(&sink, audio_path("no/such/x.wav"), 24000,
                                    SINK_PCM16, &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "no/such/x.wav"));
    assert_int_equal(sink_file_open(&sink, audio_path("x.wav"), 0,
                                    SINK_PCM16, &err),
                     MOSHI_ARGUMENT);
    assert_null(sink);
}

/* Write three samples to "-" with standard output led to fd, then back. */
static void write_standard(int fd)
{
    static const float in[] = {0.25f, -0.25f, 1};
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    write_all("-", 24000, SINK_PCM16, in, 3);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    close(saved);
}

static void pipe_gets_the_sign_for_unknown_sizes(void **state)
{
    (void)state;
    int ends[2];
    unsigned char bytes[64];
    assert_int_equal(pipe(ends), 0);
    write_standard(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], bytes, sizeof bytes), 44 + 6);
    close(ends[0]);
    assert_int_equal(little(bytes + 4, 4), UINT32_MAX);
    assert_int_equal(little(bytes + 40, 4), UINT32_MAX);
    /* Our own reader takes it to the end. */
    float *out;
    size_t n;
    audio_write_bytes(audio_path("stream.wav"), bytes, 50);
    assert_int_equal(
        source_file_load(audio_path("stream.wav"), 24000, &out, &n, NULL),
        MOSHI_OK);
    assert_int_equal(n, 3);
    assert_true(fabsf(out[1] + 0.25f) < 1e-4f);
    free(out);
}

/* A file that standard output leads to gets true sizes, at the place where
 * the file begins in it; opened for appending it cannot. */
static void redirected_output_gets_true_sizes(void **state)
{
    (void)state;
    for (int append = 0; append < 2; append++) {
        const char *path = audio_path(append ? "append.wav" : "redirect.wav");
        size_t n;
        int fd = open(path, O_RDWR | O_CREAT | (append ? O_APPEND : 0), 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "before", 6), 6);
        write_standard(fd);
        close(fd);
        unsigned char *bytes = audio_read_bytes(path, &n);
        assert_int_equal(n, 6 + 44 + 6);
        assert_memory_equal(bytes, "beforeRIFF", 10);
        assert_int_equal(little(bytes + 10, 4), append ? UINT32_MAX : 42);
        assert_int_equal(little(bytes + 46, 4), append ? UINT32_MAX : 6);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcm16_header_and_samples),
        cmocka_unit_test(float32_header_and_samples),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(empty_file_has_a_header),
        cmocka_unit_test(unfinished_file_never_appears),
        cmocka_unit_test(full_disk_is_an_error),
        cmocka_unit_test(bad_targets_are_errors),
        cmocka_unit_test(pipe_gets_the_sign_for_unknown_sizes),
        cmocka_unit_test(redirected_output_gets_true_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
