/* Goal: every checkpoint and config among the fixtures opens, and the tensors
 * are the ones that its README lists. Method: walk the folder; count. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files/checkpoint.h"
#include "files/value.h"

static char paths[64][512];
static size_t n_paths;

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The files of $MOSHI_FIXTURES/folder. */
static void list_folder(const char *fixtures, const char *folder)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixtures, folder);
    DIR *list = opendir(path);
    if (!list)
        fail_msg("no folder %s", path);
    for (struct dirent *e; (e = readdir(list)) != NULL;)
        if (e->d_name[0] != '.' && n_paths < sizeof paths / sizeof *paths)
            snprintf(paths[n_paths++], sizeof *paths, "%s/%s/%s", fixtures,
                     folder, e->d_name);
    closedir(list);
}

static int list_all(void **state)
{
    static const char *const folders[] = {
        "mimi-tiny",   "lm-moshi-tiny", "lm-hibiki-tiny",
        "lm-stt-tiny", "lm-tts-tiny",   "e2e-tiny"};
    (void)state;
    const char *fixtures = getenv("MOSHI_FIXTURES");
    for (size_t i = 0; fixtures && i < sizeof folders / sizeof *folders; i++)
        list_folder(fixtures, folders[i]);
    return n_paths == 0;
}

static void all_open(void **state)
{
    (void)state;
    size_t checkpoints = 0, configs = 0;
    for (size_t i = 0; i < n_paths; i++) {
        checkpoint *file = NULL;
        value *config = NULL;
        moshi_error err = {0};
        if (ends_with(paths[i], ".safetensors") ||
            ends_with(paths[i], ".gguf")) {
            if (checkpoint_open(&file, paths[i], &err) != MOSHI_OK)
                fail_msg("%s", err.message);
            assert_int_equal(checkpoint_kind(file) == CHECKPOINT_GGUF,
                             ends_with(paths[i], ".gguf"));
            assert_true(checkpoint_count(file) > 0);
            checkpoint_close(&file);
            checkpoints++;
        } else if (ends_with(paths[i], ".json")) {
            if (value_open(&config, paths[i], &err) != MOSHI_OK)
                fail_msg("%s", err.message);
            assert_int_equal(value_type(config), VALUE_OBJECT);
            value_close(&config);
            configs++;
        }
    }
    assert_int_equal(checkpoints, 26);
    assert_int_equal(configs, 5);
}

static checkpoint *open_named(const char *end)
{
    for (size_t i = 0; i < n_paths; i++)
        if (ends_with(paths[i], end)) {
            checkpoint *file = NULL;
            assert_int_equal(checkpoint_open(&file, paths[i], NULL), MOSHI_OK);
            return file;
        }
    fail_msg("no fixture %s", end);
    return NULL;
}

/* The two formats hold the same tensors, in other types. */
static void gguf_beside_safetensors(void **state)
{
    (void)state;
    checkpoint *a = open_named("lm-moshi-tiny/model.candle.safetensors");
    checkpoint *b = open_named("lm-moshi-tiny/model.q8.gguf");
    size_t elements = 0;
    assert_int_equal(checkpoint_count(a), 157);
    assert_int_equal(checkpoint_count(b), 157);
    for (size_t i = 0; i < checkpoint_count(a); i++) {
        const checkpoint_tensor *t = checkpoint_at(a, i);
        const checkpoint_tensor *q = checkpoint_find(b, t->name);
        assert_non_null(q);
        assert_int_equal(t->type, DTYPE_F32);
        assert_int_equal(q->type, t->n_dims == 2 ? DTYPE_Q8_0 : DTYPE_F32);
        assert_int_equal(q->n_dims, t->n_dims);
        for (int k = 0; k < t->n_dims; k++)
            assert_int_equal(q->dims[k], t->dims[k]);
        if (q->type == DTYPE_F32)
            assert_memory_equal(q->data, t->data, t->n_bytes);
        elements += checkpoint_elements(t);
    }
    assert_int_equal(elements, 417536); /* norms repeated for each slice */
    checkpoint_close(&a);
    checkpoint_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_open),
        cmocka_unit_test(gguf_beside_safetensors),
    };
    return cmocka_run_group_tests(tests, list_all, NULL);
}
