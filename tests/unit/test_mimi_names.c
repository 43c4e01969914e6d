/* test_mimi_names.c: older names of the codec's tensors load into the same
 * model.
 *
 * Goal: weight norm that is not folded in, the names of the codebooks in raw
 * training checkpoints and the module names of attention give the same codes.
 * Method: the tiny codec written anew under those names. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files/tensor_writer.h"
#include "golden.h"
#include "mimi/stream.h"
#include "models.h"

#define FRAMES 10
#define K 8

static bool ends(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

/* `name` with its last strlen(suffix) bytes replaced. */
static void replaced(char *out, size_t room, const char *name,
                     const char *suffix, const char *by)
{
    snprintf(out, room, "%.*s%s", (int)(strlen(name) - strlen(suffix)), name,
             by);
}

static bool is_conv(const checkpoint_tensor *t)
{
    return t->n_dims == 3 && (ends(t->name, "conv.conv.weight") ||
                              ends(t->name, "convtr.convtr.weight")) &&
           strncmp(t->name, "upsample", 8) != 0;
}

static void new_name(const char *name, char *out, size_t room)
{
    static const char *const pairs[][2] = {
        {"embedding_sum", "embed_avg"},
        {"cluster_usage", "cluster_size"},
        {"self_attn.in_proj_weight", "self_attn.in_projs.0.weight"},
        {"self_attn.out_proj.weight", "self_attn.out_projs.0.weight"},
        {"norm1.weight", "norm1.alpha"}};
    snprintf(out, room, "%s", name);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (ends(name, pairs[i][0]))
            replaced(out, room, name, pairs[i][0], pairs[i][1]);
}

/* Specs of the new file; a convolution's weight becomes g and v. */
static size_t list(const checkpoint *file, tensor_spec *specs)
{
    size_t n = 0;
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const checkpoint_tensor *t = checkpoint_at(file, i);
        tensor_spec *s = &specs[n++];
        *s = (tensor_spec){.type = DTYPE_F32, .n_dims = t->n_dims};
        memcpy(s->dims, t->dims, sizeof s->dims);
        new_name(t->name, s->name, sizeof s->name);
        if (!is_conv(t))
            continue;
        replaced(s->name, sizeof s->name, t->name, "weight", "weight_v");
        specs[n] = *s;
        replaced(specs[n].name, sizeof s->name, t->name, "weight",
                 "weight_g");
        specs[n].dims[1] = specs[n].dims[2] = 1;
        n++;
    }
    return n;
}

/* v is the weight times a number that differs by row; g the row's norm. */
static void push_normed(tensor_writer *w, const checkpoint_tensor *t)
{
    size_t rows = t->dims[0], width = t->dims[1] * t->dims[2];
    const float *in = t->data;
    float *v = malloc(rows * width * sizeof *v), *g = malloc(rows * sizeof *g);
    moshi_error err = {0};
    for (size_t r = 0; r < rows; r++) {
        double sum = 0;
        for (size_t i = 0; i < width; i++) {
            float x = in[r * width + i];
            v[r * width + i] = x * (0.5f + (float)r);
            sum += (double)x * x;
        }
        g[r] = (float)sqrt(sum);
    }
    assert_int_equal(tensor_writer_push(w, v, rows * width * sizeof *v, &err),
                     MOSHI_OK);
    assert_int_equal(tensor_writer_push(w, g, rows * sizeof *g, &err),
                     MOSHI_OK);
    free(v);
    free(g);
}

static void write_renamed(const char *path)
{
    checkpoint *file = golden_open("mimi-tiny/model.safetensors");
    tensor_spec *specs = calloc(2 * checkpoint_count(file), sizeof *specs);
    size_t n = list(file, specs);
    moshi_error err = {0};
    tensor_writer *w = NULL;
    if (tensor_writer_open(&w, path, CHECKPOINT_SAFETENSORS, specs, n, &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const checkpoint_tensor *t = checkpoint_at(file, i);
        if (is_conv(t))
            push_normed(w, t);
        else
            assert_int_equal(tensor_writer_push(w, t->data, t->n_bytes, &err),
                             MOSHI_OK);
    }
    assert_int_equal(tensor_writer_finish(w, &err), MOSHI_OK);
    tensor_writer_close(&w);
    checkpoint_close(&file);
    free(specs);
}

static void older_names(void **state)
{
    char path[] = "/tmp/moshi-names-XXXXXX";
    int32_t want[FRAMES][K], got[FRAMES][K];
    moshi_error err = {0};
    mimi_model *m = models_mimi();
    backend *be = golden_backend(1);
    (void)state;
    models_encode(be, m, FRAMES, want[0]);
    mimi_model_close(&m);
    close(mkstemp(path));
    write_renamed(path);
    mimi_model_params p = {
        .path = path, .config_path = golden_path("mimi-tiny/config.json")};
    moshi_status status = mimi_model_open(&m, &p, &err);
    unlink(path);
    if (status != MOSHI_OK)
        fail_msg("%s", err.message);
    models_encode(be, m, FRAMES, got[0]);
    assert_memory_equal(want, got, sizeof want);
    mimi_model_close(&m);
    be->close(&be);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(older_names)};
    return cmocka_run_group_tests_name("mimi names", tests, NULL, NULL);
}
