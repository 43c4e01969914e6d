/* The tokenizer. Goal: text goes to ids and back, piece by piece as in one
 * go; what is not text gives nothing; any file that is not a whole model is
 * refused, and nothing is written to standard error. Method: the small models
 * of tests/fixtures/text, and damaged copies of them; several threads. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file_map.h"
#include "text/tokenizer.h"

#define IDS_MAX   256
#define BYTES_MAX 1024

enum { UNKNOWN = 0, BEGIN = 1, END = 2, PAD = 3 };

static const char *fixture(const char *name)
{
    static char path[1024];
    const char *folder = getenv("MOSHI_FIXTURES");
    snprintf(path, sizeof path, "%s/text/%s",
             folder ? folder : "tests/fixtures", name);
    return path;
}

static tokenizer *open_model(const char *name)
{
    tokenizer *t = NULL;
    moshi_error err = {0};
    if (tokenizer_open(&t, fixture(name), &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return t;
}

/* The pieces of the ids, each after the one before, put together. */
static void join_pieces(const tokenizer *t, const int32_t *ids, size_t n,
                        char out[BYTES_MAX])
{
    size_t at = 0;
    out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        at += tokenizer_piece(t, i > 0 ? ids[i - 1] : -1, ids[i], out + at,
                              BYTES_MAX - at);
        assert_true(at < BYTES_MAX);
    }
}

static void sizes_are_those_of_the_tiny_models(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int size;
    } models[] = {{"tiny80.model", 80},
                  {"tiny96.model", 96},
                  {"tiny120.model", 120},
                  {"bytes352.model", 352}};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        tokenizer *t = open_model(models[i].name);
        assert_int_equal(tokenizer_size(t), models[i].size);
        tokenizer_close(&t);
        assert_null(t);
    }
}

static void text_comes_back(void **state)
{
    (void)state;
    static const char *const models[] = {"tiny80.model", "tiny96.model",
                                         "tiny120.model", "bytes352.model"};
    static const char *const texts[] = {
        "hello, how are you today?", "the sea", "x", "zebra quiz, yes.", ""};
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        tokenizer *t = open_model(models[k]);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            int32_t ids[IDS_MAX];
            char text[BYTES_MAX];
            size_t n = tokenizer_encode(t, texts[i], ids, IDS_MAX);
            assert_true(n < IDS_MAX && (n > 0) == (texts[i][0] != 0));
            for (size_t j = 0; j < n; j++)
                assert_true(ids[j] > PAD && ids[j] < tokenizer_size(t));
            assert_int_equal(tokenizer_decode(t, ids, n, text, sizeof text),
                             strlen(texts[i]));
            assert_string_equal(text, texts[i]);
            join_pieces(t, ids, n, text);
            assert_string_equal(text, texts[i]);
        }
        tokenizer_close(&t);
    }
}

/* Fixed, so that a change of the fixture or of the library is seen. */
static void ids_are_stable(void **state)
{
    (void)state;
    static const int32_t expected[] = {40, 38, 13, 17, 29, 43, 4, 31,
                                       5,  30, 21, 27, 7,  47, 45};
    tokenizer *t = open_model("tiny96.model");
    int32_t ids[IDS_MAX];
    size_t n = tokenizer_encode(t, "hello, how are you today?", ids, IDS_MAX);
    assert_int_equal(n, sizeof expected / sizeof *expected);
    assert_memory_equal(ids, expected, sizeof expected);
    tokenizer_close(&t);
}

/* A space belongs to the word that it begins: it shows after another word,
 * not at the start of a text. */
static void spaces_depend_on_what_came_before(void **state)
{
    (void)state;
    tokenizer *t = open_model("tiny96.model");
    int32_t ids[IDS_MAX];
    char text[BYTES_MAX];
    size_t n = tokenizer_encode(t, "hello the", ids, IDS_MAX);
    int32_t the = ids[n - 1], before = ids[n - 2];
    static const char *const none = "the", *const space = " the";
    tokenizer_piece(t, -1, the, text, sizeof text);
    assert_string_equal(text, none);
    tokenizer_piece(t, before, the, text, sizeof text);
    assert_string_equal(text, space);
    /* decode([0, id]) minus decode([0]): the unknown piece is text there. */
    tokenizer_piece(t, UNKNOWN, the, text, sizeof text);
    assert_string_equal(text, space);
    for (int32_t control = BEGIN; control <= PAD; control++) {
        tokenizer_piece(t, control, the, text, sizeof text);
        assert_string_equal(text, none);
    }
    tokenizer_piece(t, 9999, the, text, sizeof text); /* no such id */
    assert_string_equal(text, none);
    tokenizer_close(&t);
}

static void what_is_not_text_gives_nothing(void **state)
{
    (void)state;
    static const int32_t none[] = {UNKNOWN, BEGIN, END, PAD,
                                   -1, 96, INT32_MAX, INT32_MIN};
    tokenizer *t = open_model("tiny96.model");
    char text[BYTES_MAX];
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        memcpy(text, "old", 4);
        assert_int_equal(tokenizer_piece(t, 5, none[i], text, sizeof text), 0);
        assert_string_equal(text, "");
    }
    assert_int_equal(
        tokenizer_decode(t, none, sizeof none / sizeof *none, text, 8), 0);
    assert_string_equal(text, "");
    /* Left out between others, and no space is lost. */
    int32_t ids[IDS_MAX], mixed[2 * IDS_MAX];
    size_t n = tokenizer_encode(t, "good night", ids, IDS_MAX), m = 0;
    for (size_t i = 0; i < n; i++) {
        mixed[m++] = none[i % 8];
        mixed[m++] = ids[i];
    }
    tokenizer_decode(t, mixed, m, text, sizeof text);
    assert_string_equal(text, "good night");
    tokenizer_close(&t);
}

static void buffers_are_kept(void **state)
{
    (void)state;
    tokenizer *t = open_model("tiny96.model");
    int32_t ids[IDS_MAX], few[3] = {-7, -7, -7};
    char text[BYTES_MAX];
    size_t n = tokenizer_encode(t, "good night", ids, IDS_MAX);
    assert_int_equal(tokenizer_encode(t, "good night", NULL, 0), n);
    assert_int_equal(tokenizer_encode(t, "good night", few, 2), n);
    assert_int_equal(few[1], ids[1]);
    assert_int_equal(few[2], -7);
    assert_int_equal(tokenizer_decode(t, ids, n, NULL, 0), 10);
    for (size_t cap = 1; cap < 15; cap++) {
        memset(text, '#', sizeof text);
        assert_int_equal(tokenizer_decode(t, ids, n, text, cap), 10);
        assert_int_equal(strlen(text), cap < 11 ? cap - 1 : 10);
        assert_memory_equal(text, "good night", strlen(text));
        assert_int_equal(text[cap < 11 ? cap : 11], '#');
    }
    assert_int_equal(tokenizer_piece(t, -1, ids[0], NULL, 0),
                     tokenizer_piece(t, -1, ids[0], text, 1));
    assert_string_equal(text, "");
    tokenizer_close(&t);
}

/* Characters that the model has no piece for come as bytes. */
static void bytes_are_passed_on(void **state)
{
    (void)state;
    static const char expected[] = "caf\xc3\xa9 \xe2\x82\xac\x31";
    tokenizer *t = open_model("bytes352.model");
    int32_t ids[IDS_MAX];
    char text[BYTES_MAX];
    size_t n = tokenizer_encode(t, expected, ids, IDS_MAX);
    tokenizer_decode(t, ids, n, text, sizeof text);
    assert_string_equal(text, expected);
    join_pieces(t, ids, n, text);
    assert_string_equal(text, expected);
    /* One piece is one byte, whatever stands before. */
    size_t single = 0;
    for (size_t i = 0; i < n; i++) {
        size_t bytes = tokenizer_piece(t, END, ids[i], text, sizeof text);
        single += bytes == 1 && (unsigned char)text[0] > 127;
    }
    assert_int_equal(single, 5);
    tokenizer_close(&t);
}

static void text_that_is_not_utf8_is_survived(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xff\xfe", "a\xc3", "\xed\xa0\x80"};
    tokenizer *t = open_model("bytes352.model");
    for (size_t i = 0; i < 3; i++) {
        int32_t ids[IDS_MAX];
        size_t n = tokenizer_encode(t, texts[i], ids, IDS_MAX);
        assert_true(n > 0 && n < IDS_MAX);
    }
    tokenizer_close(&t);
}

typedef struct job {
    const tokenizer *t;
    int32_t expected[IDS_MAX];
    size_t n;
    int wrong;
} job;

static void *work(void *argument)
{
    job *j = argument;
    for (int i = 0; i < 500; i++) {
        int32_t ids[IDS_MAX];
        char text[BYTES_MAX];
        size_t n = tokenizer_encode(j->t, "what can you tell me?", ids,
                                    IDS_MAX);
        join_pieces(j->t, ids, n, text);
        j->wrong += n != j->n ||
                    memcmp(ids, j->expected, n * sizeof *ids) != 0 ||
                    strcmp(text, "what can you tell me?") != 0;
    }
    return NULL;
}

static void threads_may_share_it(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    job jobs[THREADS];
    tokenizer *t = open_model("tiny120.model");
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){.t = t};
        jobs[i].n = tokenizer_encode(t, "what can you tell me?",
                                     jobs[i].expected, IDS_MAX);
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].wrong, 0);
    }
    tokenizer_close(&t);
}

static void missing_file_is_named(void **state)
{
    (void)state;
    tokenizer *t = NULL;
    moshi_error err = {0};
    assert_int_equal(tokenizer_open(&t, fixture("none.model"), &err),
                     MOSHI_IO);
    assert_non_null(strstr(err.message, "none.model"));
    assert_null(t);
    tokenizer_close(&t);
}

/* Open `bytes` as a model with standard error caught; use it if it opens. */
static moshi_status try_bytes(const void *bytes, size_t n, moshi_error *err)
{
    char path[] = "/tmp/moshi-model-XXXXXX", caught[] = "/tmp/moshi-err-XXXXXX";
    tokenizer *t = NULL;
    int fd = mkstemp(path), err_fd = mkstemp(caught), saved = dup(2);
    assert_true(fd >= 0 && err_fd >= 0 && saved >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    dup2(err_fd, 2);
    moshi_status status = tokenizer_open(&t, path, err);
    if (status == MOSHI_OK) {
        int32_t ids[IDS_MAX];
        char text[BYTES_MAX];
        size_t count = tokenizer_encode(t, "hello \xc3\xa9 x", ids, IDS_MAX);
        tokenizer_decode(t, ids, count < IDS_MAX ? count : IDS_MAX, text,
                         sizeof text);
        for (int32_t id = -1; id <= tokenizer_size(t) && id < 500; id++)
            tokenizer_piece(t, id, id, text, sizeof text);
    }
    tokenizer_close(&t);
    struct stat info;
    fstat(err_fd, &info);
    dup2(saved, 2);
    close(saved);
    close(err_fd);
    unlink(path);
    unlink(caught);
    assert_int_equal(info.st_size, 0);
    return status;
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *say;
    } files[] = {
        {"", 0, "empty"},
        {"hello, this is text\n", 20, "another type"},
        {"RIFF\x24\0\0\0WAVEfmt ", 16, "another type"},
        {"\x12\x02\x08\x01", 4, "no pieces"},
        /* A piece, then a table of normalisation of one byte. */
        {"\x0a\x03\x0a\x01\x61\x1a\x03\x12\x01\x07", 10, "normalisation"},
        {"\x0a\x03\x0a\x01\x61\x0a\x7f\x0a", 8, "cut short"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        moshi_error err = {0};
        assert_int_equal(try_bytes(files[i].bytes, files[i].n, &err),
                         MOSHI_FORMAT);
        if (!strstr(err.message, files[i].say))
            fail_msg("'%s' does not say '%s'", err.message, files[i].say);
        assert_non_null(strstr(err.hint, "tokenizer_"));
    }
}

/* Cut anywhere and with bytes changed: refused or usable, and quiet. */
static void damaged_models_are_survived(void **state)
{
    (void)state;
    static const char *const models[] = {"tiny96.model", "bytes352.model"};
    for (size_t k = 0; k < 2; k++) {
        file_map file = {0};
        uint32_t random = 1;
        assert_int_equal(file_map_open(&file, fixture(models[k]), NULL),
                         MOSHI_OK);
        unsigned char *copy = malloc(file.bytes);
        assert_non_null(copy);
        for (int i = 0; i < 150; i++) {
            memcpy(copy, file.data, file.bytes);
            size_t n = i % 3 ? file.bytes : file.bytes * (size_t)i / 150;
            for (int j = 0; i % 3 && j < i % 7 + 1; j++) {
                random = random * 1664525u + 1013904223u;
                copy[random % file.bytes] ^= (unsigned char)(random >> 24);
            }
            moshi_error err = {0};
            moshi_status status = try_bytes(copy, n, &err);
            assert_true(status == MOSHI_OK || status == MOSHI_FORMAT);
        }
        free(copy);
        file_map_close(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_those_of_the_tiny_models),
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(spaces_depend_on_what_came_before),
        cmocka_unit_test(what_is_not_text_gives_nothing),
        cmocka_unit_test(buffers_are_kept),
        cmocka_unit_test(bytes_are_passed_on),
        cmocka_unit_test(text_that_is_not_utf8_is_survived),
        cmocka_unit_test(threads_may_share_it),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(damaged_models_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
