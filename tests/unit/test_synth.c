/* Synthetic checkpoints. Goal: the files have the names, shapes, types and
 * sizes of the published ones, and the same bytes on every machine. Method:
 * the tensor lists alone, without data, against the published counts and bytes
 * (docs/FORMATS.md); and the small preset, written to a folder and opened
 * again. */
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

#include "base/memory.h"
#include "files/checkpoint.h"
#include "files/value.h"
#include "lab/synth.h"
#include "lab/synth_file.h"
#include "lab/synth_lm.h"
#include "lab/synth_mimi.h"
#include "lab/synth_tiny.h"
#include "lab/synth_values.h"
#include "lm/known_models.h"
#include "mimi/config.h"

/* The list of a preset, and what it adds up to. */
typedef struct listing {
    tensor_spec *specs;
    size_t count;
    uint64_t elements, bytes;
    size_t of_type[DTYPE_COUNT];
} listing;

static const synth_preset *preset_of(const char *name)
{
    const synth_preset *preset = synth_presets_find(name);
    assert_non_null(preset);
    return preset;
}

static listing list_of(const char *name)
{
    listing l = {0};
    moshi_error err = {0};
    assert_int_equal(synth_specs(preset_of(name), &l.specs, &l.count, &err),
                     MOSHI_OK);
    for (size_t i = 0; i < l.count; i++) {
        l.elements += synth_elements(&l.specs[i]);
        l.bytes += tensor_spec_bytes(&l.specs[i]);
        l.of_type[l.specs[i].type]++;
    }
    return l;
}

static const tensor_spec *find(const listing *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->specs[i].name, name) == 0)
            return &l->specs[i];
    return NULL;
}

static void presets_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < synth_presets_count(); i++) {
        const synth_preset *preset = synth_presets_at(i);
        assert_ptr_equal(synth_presets_find(preset->name), preset);
        assert_true(strlen(preset->about) > 0);
    }
    assert_null(synth_presets_find("moshi"));
    synth_preset alien = {"alien", "", CHECKPOINT_GGUF};
    tensor_spec *specs = NULL;
    size_t count = 0;
    moshi_error err = {0};
    assert_int_equal(synth_specs(&alien, &specs, &count, &err),
                     MOSHI_ARGUMENT);
    assert_non_null(strstr(err.message, "alien"));
    assert_int_equal(synth_write(&alien, "x", 0, NULL, NULL, &err),
                     MOSHI_ARGUMENT);
}

static void totals_are_the_published_ones(void **state)
{
    static const struct {
        const char *name;
        size_t tensors, f32, bf16, q8_0;
        uint64_t elements, bytes;
    } rows[] = {
        {"moshi-7b", 523, 0, 523, 0, 7687815168, 15375630336},
        {"moshi-7b-q8", 523, 161, 0, 362, 7687815168, 8169374464},
        {"moshi-7b-pytorch", 355, 0, 355, 0, 7687729152, 15375458304},
        {"personaplex-7b", 475, 0, 475, 0, 8371408896, 16742817792},
        {"hibiki-1b", 430, 0, 430, 0, 1799993856, 3599987712},
        {"hibiki-1b-q8", 430, 132, 0, 298, 1799993856, 1913084544},
        {"hibiki-1b-pytorch", 262, 3, 259, 0, 1799907840, 3599886336},
        {"hibiki-2b", 355, 3, 352, 0, 3171962880, 6344013824},
        {"hibiki-zero-3b", 408, 0, 408, 0, 3131686912, 6263373824},
        {"stt-1b", 131, 0, 131, 0, 989204480, 1978408960},
        {"stt-1b-candle", 135, 0, 135, 0, 989253632, 1978507264},
        {"stt-1b-q8", 135, 33, 0, 102, 989253632, 1051280512},
        {"stt-2.6b", 323, 0, 323, 0, 2617118720, 5234237440},
        {"tts-1.6b", 418, 8, 410, 0, 1836550272, 3683672576},
        {"tts-0.75b", 312, 0, 312, 0, 780002304, 1560004608},
        {"mimi", 318, 318, 0, 0, 96151393, 384605572},
        {"tiny", 157, 157, 0, 0, 417536, 1670144},
    };
    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, synth_presets_count());
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        listing l = list_of(rows[i].name);
        assert_int_equal(l.count, rows[i].tensors);
        assert_int_equal(l.elements, rows[i].elements);
        assert_int_equal(l.bytes, rows[i].bytes);
        assert_int_equal(l.of_type[DTYPE_F32], rows[i].f32);
        assert_int_equal(l.of_type[DTYPE_BF16], rows[i].bf16);
        assert_int_equal(l.of_type[DTYPE_Q8_0], rows[i].q8_0);
        memory_free(l.specs);
    }
}

/* A published GGUF file that no preset writes. */
static void stt_26b_quantised_has_the_published_size(void **state)
{
    (void)state;
    synth_list list = {0};
    synth_lm_add(&list, &known_models_find("stt-2.6b")->config, SYNTH_CANDLE,
                 DTYPE_Q8_0);
    assert_false(list.failed);
    assert_int_equal(list.count, 226 + 97);
    assert_int_equal(synth_list_bytes(&list), 2781272192);
    synth_list_release(&list);
}

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t p = 0; p < synth_presets_count(); p++) {
        listing l = list_of(synth_presets_at(p)->name);
        for (size_t i = 0; i < l.count; i++)
            assert_ptr_equal(find(&l, l.specs[i].name), &l.specs[i]);
        memory_free(l.specs);
    }
}

typedef struct expected {
    const char *name;
    dtype type;
    int n_dims;
    size_t dims[3];
} expected;

static void check_tensors(const char *preset, const expected *rows, size_t n)
{
    listing l = list_of(preset);
    for (size_t i = 0; i < n; i++) {
        const tensor_spec *spec = find(&l, rows[i].name);
        assert_non_null(spec);
        assert_int_equal(spec->type, rows[i].type);
        assert_int_equal(spec->n_dims, rows[i].n_dims);
        assert_memory_equal(spec->dims, rows[i].dims,
                            (size_t)spec->n_dims * sizeof *spec->dims);
    }
    memory_free(l.specs);
}
#define CHECK_TENSORS(preset, rows) \
    check_tensors(preset, rows, sizeof rows / sizeof *rows)

static void candle_tensors_have_their_shapes(void **state)
{
    static const expected rows[] = {
        {"text_emb.weight", DTYPE_Q8_0, 2, {32001, 4096}},
        {"emb.15.weight", DTYPE_Q8_0, 2, {2049, 4096}},
        {"text_linear.weight", DTYPE_Q8_0, 2, {32000, 4096}},
        {"out_norm.alpha", DTYPE_F32, 3, {1, 1, 4096}},
        {"transformer.layers.31.norm2.alpha", DTYPE_F32, 3, {1, 1, 4096}},
        {"transformer.layers.31.self_attn.in_proj_weight", DTYPE_Q8_0, 2,
         {12288, 4096}},
        {"transformer.layers.0.self_attn.out_proj.weight", DTYPE_Q8_0, 2,
         {4096, 4096}},
        {"transformer.layers.0.gating.linear_in.weight", DTYPE_Q8_0, 2,
         {22528, 4096}},
        {"transformer.layers.0.gating.linear_out.weight", DTYPE_Q8_0, 2,
         {4096, 11264}},
        {"depformer.7.linear_in.weight", DTYPE_Q8_0, 2, {1024, 4096}},
        {"depformer.0.emb.weight", DTYPE_Q8_0, 2, {32001, 1024}},
        {"depformer.1.emb.weight", DTYPE_Q8_0, 2, {2049, 1024}},
        {"depformer.7.linear_out.weight", DTYPE_Q8_0, 2, {2048, 1024}},
        {"depformer.7.transformer.layers.5.norm1.alpha", DTYPE_F32, 3,
         {1, 1, 1024}},
        {"depformer.7.transformer.layers.5.self_attn.in_proj_weight",
         DTYPE_Q8_0, 2, {3072, 1024}},
        {"depformer.0.transformer.layers.0.self_attn.out_proj.weight",
         DTYPE_Q8_0, 2, {1024, 1024}},
        {"depformer.0.transformer.layers.0.gating.linear_in.weight",
         DTYPE_Q8_0, 2, {5632, 1024}},
        {"depformer.0.transformer.layers.0.gating.linear_out.weight",
         DTYPE_Q8_0, 2, {1024, 2816}},
    };
    (void)state;
    CHECK_TENSORS("moshi-7b-q8", rows);
}

static void pytorch_tensors_have_their_shapes(void **state)
{
    static const expected moshi[] = {
        {"depformer_in.7.weight", DTYPE_BF16, 2, {1024, 4096}},
        {"depformer_text_emb.weight", DTYPE_BF16, 2, {32001, 1024}},
        {"depformer_emb.6.weight", DTYPE_BF16, 2, {2049, 1024}},
        {"linears.7.weight", DTYPE_BF16, 2, {2048, 1024}},
        {"depformer.layers.5.norm1.alpha", DTYPE_BF16, 3, {1, 1, 1024}},
        {"depformer.layers.5.self_attn.in_proj_weight", DTYPE_BF16, 2,
         {24576, 1024}},
        {"depformer.layers.5.self_attn.out_proj.weight", DTYPE_BF16, 2,
         {8192, 1024}},
        {"depformer.layers.5.gating.7.linear_in.weight", DTYPE_BF16, 2,
         {5632, 1024}},
        {"depformer.layers.5.gating.7.linear_out.weight", DTYPE_BF16, 2,
         {1024, 2816}},
    };
    static const expected zero[] = {
        {"transformer.layers.27.self_attn.in_proj_weight", DTYPE_BF16, 2,
         {4096, 2048}},
        {"depformer_norms.15.weight", DTYPE_BF16, 1, {1024}},
        {"depformer_norms.15.bias", DTYPE_BF16, 1, {1024}},
        {"depformer.layers.5.self_attn.in_proj_weight", DTYPE_BF16, 2,
         {27648, 1024}},
    };
    (void)state;
    CHECK_TENSORS("moshi-7b-pytorch", moshi);
    CHECK_TENSORS("hibiki-zero-3b", zero);
}

static void conditioned_tensors_have_their_shapes(void **state)
{
#define CONDITIONER "condition_provider.conditioners."
    static const expected tts[] = {
        {CONDITIONER "speaker_wavs.output_proj.weight", DTYPE_F32, 2,
         {2048, 512}},
        {CONDITIONER "speaker_wavs.learnt_padding", DTYPE_F32, 3,
         {1, 1, 2048}},
        {CONDITIONER "cfg.embed.weight", DTYPE_F32, 2, {8, 16}},
        {CONDITIONER "control.embed.weight", DTYPE_F32, 2, {2, 2048}},
        {"text_emb.out2.weight", DTYPE_BF16, 2, {2048, 2048}},
        {"depformer_text_emb.weight", DTYPE_BF16, 2, {8001, 128}},
        {"depformer_text_emb.low_rank.weight", DTYPE_BF16, 2, {1024, 128}},
        {"depformer_text_emb.out1.weight", DTYPE_BF16, 2, {1024, 128}},
        {"depformer_emb.30.low_rank.weight", DTYPE_BF16, 2, {1024, 128}},
        {"transformer.layers.15.norm_cross.weight", DTYPE_BF16, 1, {2048}},
        {"transformer.layers.15.norm_cross.bias", DTYPE_BF16, 1, {2048}},
        {"transformer.layers.15.cross_attention.in_proj_weight", DTYPE_BF16,
         2, {6144, 2048}},
        {"transformer.layers.15.cross_attention.out_proj.weight", DTYPE_BF16,
         2, {2048, 2048}},
    };
    static const expected hibiki[] = {
        {CONDITIONER "description.embed.weight", DTYPE_F32, 2, {32, 16}},
        {CONDITIONER "description.output_proj.weight", DTYPE_F32, 2,
         {2048, 16}},
        {CONDITIONER "description.learnt_padding", DTYPE_F32, 3,
         {1, 1, 2048}},
    };
    static const expected stt[] = {
        {"extra_heads.3.weight", DTYPE_Q8_0, 2, {6, 2048}},
        {"text_emb.weight", DTYPE_Q8_0, 2, {8001, 2048}},
    };
    (void)state;
    CHECK_TENSORS("tts-1.6b", tts);
    CHECK_TENSORS("hibiki-1b-q8", hibiki);
    CHECK_TENSORS("stt-1b-q8", stt);
}

static void codec_tensors_have_their_shapes(void **state)
{
#define LAYER "decoder_transformer.transformer.layers.7."
    static const expected rows[] = {
        {"encoder.model.0.conv.conv.weight", DTYPE_F32, 3, {64, 1, 7}},
        {"encoder.model.3.conv.conv.weight", DTYPE_F32, 3, {128, 64, 8}},
        {"encoder.model.4.block.1.conv.conv.weight", DTYPE_F32, 3,
         {64, 128, 3}},
        {"encoder.model.12.conv.conv.weight", DTYPE_F32, 3, {1024, 512, 16}},
        {"encoder.model.14.conv.conv.bias", DTYPE_F32, 1, {512}},
        {"decoder.model.0.conv.conv.weight", DTYPE_F32, 3, {1024, 512, 7}},
        {"decoder.model.2.convtr.convtr.weight", DTYPE_F32, 3,
         {1024, 512, 16}},
        {"decoder.model.11.convtr.convtr.weight", DTYPE_F32, 3,
         {128, 64, 8}},
        {"decoder.model.12.block.3.conv.conv.weight", DTYPE_F32, 3,
         {64, 32, 1}},
        {"decoder.model.14.conv.conv.weight", DTYPE_F32, 3, {1, 64, 3}},
        {"downsample.conv.conv.conv.weight", DTYPE_F32, 3, {512, 512, 4}},
        {"upsample.convtr.convtr.convtr.weight", DTYPE_F32, 3, {512, 1, 4}},
        {LAYER "self_attn.in_proj_weight", DTYPE_F32, 2, {1536, 512}},
        {LAYER "norm1.bias", DTYPE_F32, 1, {512}},
        {LAYER "linear2.weight", DTYPE_F32, 2, {512, 2048}},
        {LAYER "layer_scale_2.scale", DTYPE_F32, 1, {512}},
        {"quantizer.rvq_rest.output_proj.weight", DTYPE_F32, 3,
         {512, 256, 1}},
        {"quantizer.rvq_rest.vq.layers.30._codebook._initialized", DTYPE_F32,
         1, {1}},
        {"quantizer.rvq_first.vq.layers.0._codebook.cluster_usage", DTYPE_F32,
         1, {2048}},
        {"quantizer.rvq_rest.vq.layers.30._codebook.embedding_sum",
         DTYPE_F32, 2, {2048, 256}},
    };
    (void)state;
    CHECK_TENSORS("mimi", rows);
}

/* The size of the file: header as in the GGUF specification, version 2, every
 * tensor at a multiple of 32 bytes. */
static void quantised_file_has_the_expected_size(void **state)
{
    (void)state;
    listing l = list_of("moshi-7b-q8");
    size_t bytes = 4 + 4 + 8 + 8; /* magic, version, two counts */
    for (size_t i = 0; i < l.count; i++)
        bytes += 8 + strlen(l.specs[i].name) + 4 +
                 8 * (size_t)l.specs[i].n_dims + 4 + 8;
    bytes = size_round_up(bytes, 32);
    for (size_t i = 0; i < l.count; i++)
        bytes += size_round_up(tensor_spec_bytes(&l.specs[i]), 32);
    assert_int_equal(
        tensor_writer_file_bytes(CHECKPOINT_GGUF, l.specs, l.count), bytes);
    assert_in_range(bytes, 8169374464, 8169374464 + 65536);
    memory_free(l.specs);
}

/* Published sizes of files in bytes. Another order of the tensors has
 * offsets of other lengths in the header: 600 bytes at most. */
static void safetensors_files_have_the_published_sizes(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
    } rows[] = {
        {"mimi", 384644900},          {"stt-1b", 1978423520},
        {"stt-1b-candle", 1978522200}, {"stt-2.6b", 5234275128},
        {"tts-1.6b", 3683719712},     {"tts-0.75b", 1560040168},
        {"personaplex-7b", 16742874000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        listing l = list_of(rows[i].name);
        size_t bytes = tensor_writer_file_bytes(CHECKPOINT_SAFETENSORS,
                                                l.specs, l.count);
        assert_in_range(bytes, rows[i].bytes - 600, rows[i].bytes + 600);
        memory_free(l.specs);
    }
}

static void pieces_equal_the_whole(void **state)
{
    enum { N = 4096 };
    static float whole[N], pieces[N];
    const synth_law usage = {.mean = 2, .spread = 0.4f};
    const synth_law law = {.spread = 1, .usage = &usage};
    const tensor_spec spec = {.name = "x._codebook.embedding_sum",
                              .type = DTYPE_F32, .n_dims = 2,
                              .dims = {N / 24 + 1, 24}};
    (void)state;
    synth_values_fill(whole, &spec, &law, 7, 0, N);
    for (size_t at = 0, n; at < N; at += n) {
        n = 2 + at % 62;
        if (n > N - at)
            n = N - at;
        n = n > 2 ? n & ~(size_t)1 : n;
        synth_values_fill(pieces + at, &spec, &law, 7, at, n);
    }
    assert_memory_equal(whole, pieces, sizeof whole);
}

static void values_follow_their_law(void **state)
{
    enum { N = 1 << 16 };
    static float x[N];
    const synth_law law = {.mean = 1, .spread = 0.25f};
    const tensor_spec spec = {.name = "a.weight", .type = DTYPE_F32,
                              .n_dims = 1, .dims = {N}};
    double sum = 0, squares = 0, products = 0;
    (void)state;
    synth_values_fill(x, &spec, &law, 1, 0, N);
    for (size_t i = 0; i < N; i++) {
        double d = (double)x[i] - 1;
        assert_true(fabs(d) < 0.25 * 2.46);
        sum += d;
        squares += d * d;
        products += i ? d * ((double)x[i - 1] - 1) : 0;
    }
    assert_true(fabs(sum / N) < 0.005);
    assert_true(fabs(sqrt(squares / N) - 0.25) < 0.003);
    assert_true(fabs(products / squares) < 0.02); /* neighbours differ */
}

/* Every machine, compiler and release draws these. */
static void values_never_change(void **state)
{
    static const float drawn[] = {0x1.f713cep-1f, 0x1.8e76fep-1f,
                                  0x1.bb38b6p-1f, 0x1.92261p-1f,
                                  0x1.35a178p-1f, 0x1.dba634p-1f};
    const synth_law law = {.mean = 1, .spread = 0.25f};
    const tensor_spec spec = {.name = "a.weight", .type = DTYPE_F32,
                              .n_dims = 1, .dims = {64}};
    float x[6];
    (void)state;
    synth_values_fill(x, &spec, &law, 1, 32, 6);
    assert_memory_equal(x, drawn, sizeof x);
}

static void codebook_sums_divide_by_their_usage(void **state)
{
    enum { BINS = 64, WIDTH = 32 };
    static float sums[BINS * WIDTH], usage[BINS], plain[BINS * WIDTH];
    const synth_law usage_law = {.mean = 2, .spread = 0.4f};
    const synth_law sum_law = {.spread = 1, .usage = &usage_law};
    const synth_law plain_law = {.spread = 1};
    const tensor_spec usage_spec = {.name = "q._codebook.cluster_usage",
                                    .n_dims = 1, .dims = {BINS}};
    const tensor_spec sum_spec = {.name = "q._codebook.embedding_sum",
                                  .n_dims = 2, .dims = {BINS, WIDTH}};
    (void)state;
    synth_values_fill(usage, &usage_spec, &usage_law, 3, 0, BINS);
    synth_values_fill(sums, &sum_spec, &sum_law, 3, 0, BINS * WIDTH);
    synth_values_fill(plain, &sum_spec, &plain_law, 3, 0, BINS * WIDTH);
    for (size_t i = 0; i < BINS * WIDTH; i++) {
        assert_in_range((int)(usage[i / WIDTH] * 1000), 1000, 3000);
        assert_true(sums[i] == plain[i] * usage[i / WIDTH]);
    }
}

/* Files: a fresh folder for each test, removed at its end. */
static char folder[] = "/tmp/moshi-synth-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static unsigned char *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

static bool same_files(const char *a, const char *b)
{
    size_t na, nb;
    unsigned char *bytes_a = read_file(a, &na), *bytes_b = read_file(b, &nb);
    bool same = na == nb && memcmp(bytes_a, bytes_b, na) == 0;
    free(bytes_a);
    free(bytes_b);
    return same;
}

static void write_tiny(const char *name, uint64_t seed)
{
    moshi_error err = {0};
    moshi_status status = synth_write(preset_of("tiny"), path_of(name), seed,
                                      NULL, NULL, &err);
    if (status != MOSHI_OK)
        fail_msg("%s", err.message);
}

static void same_seed_gives_the_same_files(void **state)
{
    static const char *const names[] = {"config.json", "model.safetensors",
                                        "mimi.safetensors",
                                        "mimi_config.json"};
    (void)state;
    write_tiny("a", 5);
    write_tiny("b", 5);
    write_tiny("c", 6);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char a[32], b[32], c[32];
        snprintf(a, sizeof a, "a/%s", names[i]);
        snprintf(b, sizeof b, "b/%s", names[i]);
        snprintf(c, sizeof c, "c/%s", names[i]);
        assert_true(same_files(path_of(a), path_of(b)));
        bool is_config = strstr(names[i], ".json") != NULL;
        assert_int_equal(same_files(path_of(a), path_of(c)), is_config);
    }
}

/* Quantisation runs in a kernel that differs between instruction sets. */
static void instruction_set_does_not_matter(void **state)
{
    static const char *const levels[] = {"ref", "avx2", "avx2vnni",
                                         "avx512"};
    static const char *const names[] = {"ref.gguf", "avx2.gguf",
                                        "avx2vnni.gguf", "avx512.gguf"};
    const char *chosen = getenv("MOSHI_CPU");
    char *before = chosen ? strdup(chosen) : NULL;
    synth_list list = {0};
    moshi_error err = {0};
    (void)state;
    synth_lm_add(&list, &synth_tiny_lm, SYNTH_CANDLE, DTYPE_Q8_0);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        synth_meter meter = {0};
        setenv("MOSHI_CPU", levels[i], 1);
        assert_int_equal(synth_file_write(&list, path_of(names[i]),
                                          CHECKPOINT_GGUF, 11, &meter, &err),
                         MOSHI_OK);
        assert_true(same_files(path_of(names[0]), path_of(names[i])));
    }
    if (before)
        setenv("MOSHI_CPU", before, 1);
    else
        unsetenv("MOSHI_CPU");
    free(before);
    synth_list_release(&list);
}

static void check_values(const checkpoint_tensor *t)
{
    const float *x = t->data;
    size_t n = checkpoint_elements(t);
    bool norm = strstr(t->name, ".alpha") ||
                (strstr(t->name, ".norm") && strstr(t->name, ".weight"));
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(isfinite(x[i]));
        assert_true(!norm || (x[i] > 0.8f && x[i] < 1.2f));
        assert_true(!strstr(t->name, "layer_scale") ||
                    (x[i] > 0.09f && x[i] < 0.31f));
        assert_true(!strstr(t->name, "_initialized") || x[i] == 1.0f);
        squares += (double)x[i] * (double)x[i];
    }
    assert_true(squares > 0);
}

/* What was listed is what the file holds, in the same order. */
static void check_file(const char *path, const synth_list *list)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    if (checkpoint_open(&file, path, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(checkpoint_count(file), list->count);
    assert_int_equal(checkpoint_file_bytes(file),
                     tensor_writer_file_bytes(CHECKPOINT_SAFETENSORS,
                                              list->specs, list->count));
    for (size_t i = 0; i < list->count; i++) {
        const tensor_spec *spec = &list->specs[i];
        const checkpoint_tensor *t = checkpoint_at(file, i);
        assert_string_equal(t->name, spec->name);
        assert_int_equal(t->type, DTYPE_F32);
        assert_int_equal(t->n_dims, spec->n_dims);
        assert_memory_equal(t->dims, spec->dims,
                            (size_t)t->n_dims * sizeof *t->dims);
        check_values(t);
    }
    checkpoint_close(&file);
}

static void tiny_files_hold_what_is_listed(void **state)
{
    synth_list lm = {0}, mimi = {0};
    (void)state;
    write_tiny("t", 1);
    synth_lm_add(&lm, &synth_tiny_lm, SYNTH_CANDLE, DTYPE_F32);
    synth_mimi_add(&mimi, &synth_mimi_tiny);
    check_file(path_of("t/model.safetensors"), &lm);
    check_file(path_of("t/mimi.safetensors"), &mimi);
    assert_true(synth_list_bytes(&lm) + synth_list_bytes(&mimi) < 3500000);
    synth_list_release(&lm);
    synth_list_release(&mimi);
}

static int64_t integer_in(const value *document, const char *key)
{
    int64_t n = -1;
    assert_true(value_integer(value_get(document, key), &n));
    return n;
}

static const char *string_in(const value *document, const char *key)
{
    const char *text = NULL;
    assert_true(value_string(value_get(document, key), &text));
    return text;
}

static void tiny_config_names_files_and_sizes(void **state)
{
    value *document = NULL;
    moshi_error err = {0};
    (void)state;
    write_tiny("t", 1);
    assert_int_equal(value_open(&document, path_of("t/config.json"), &err),
                     MOSHI_OK);
    assert_string_equal(string_in(document, "moshi_name"),
                        "model.safetensors");
    assert_string_equal(string_in(document, "mimi_name"), "mimi.safetensors");
    assert_string_equal(string_in(document, "mimi_config_name"),
                        "mimi_config.json");
    assert_string_equal(string_in(document, "model_type"), "moshi");
    assert_null(value_get(document, "tokenizer_name"));
    assert_int_equal(integer_in(document, "dim"), 64);
    assert_int_equal(integer_in(document, "text_card"), 96);
    assert_int_equal(integer_in(document, "card"), 64);
    /* F = 2/3 of the feed-forward size, as PyTorch computes it. */
    assert_int_equal(2 * integer_in(document, "hidden_scale") * 64 / 3, 128);
    assert_int_equal(2 * integer_in(document, "depformer_dim_feedforward") / 3,
                     64);
    const value *delays = value_get(document, "delays");
    assert_int_equal(value_count(delays), 17);
    for (size_t k = 0; k < 17; k++) {
        int64_t delay = -1;
        assert_true(value_integer(value_at(delays, k), &delay));
        assert_int_equal(delay, k == 0 || k == 1 || k == 9 ? 0 : 1);
    }
    value_close(&document);
}

static void tiny_codec_fits_its_config(void **state)
{
    checkpoint *file = NULL;
    value *document = NULL;
    mimi_config c;
    moshi_error err = {0};
    const mimi_config *tiny = &synth_mimi_tiny;
    (void)state;
    write_tiny("t", 1);
    const char *config_path = path_of("t/mimi_config.json");
    assert_int_equal(
        checkpoint_open(&file, path_of("t/mimi.safetensors"), &err), MOSHI_OK);
    assert_int_equal(value_open(&document, config_path, &err), MOSHI_OK);
    if (mimi_config_load(&c, file, document, config_path, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    assert_int_equal(c.sample_rate_hz, tiny->sample_rate_hz);
    assert_int_equal(c.frame_samples, tiny->frame_samples);
    assert_int_equal(c.frame_steps, tiny->frame_steps);
    assert_int_equal(c.n_filters, tiny->n_filters);
    assert_int_equal(c.heads, tiny->heads);
    assert_int_equal(c.context, tiny->context);
    assert_int_equal(c.codebooks, tiny->codebooks);
    assert_int_equal(c.bins, tiny->bins);
    assert_true(c.max_period == tiny->max_period);
    value_close(&document);
    checkpoint_close(&file);
}

typedef struct told {
    uint64_t done, total;
    int calls;
} told;

static void listen(void *user, uint64_t done, uint64_t total)
{
    told *t = user;
    assert_true(done >= t->done && done <= total);
    t->done = done;
    t->total = total;
    t->calls++;
}

static void progress_ends_at_the_total(void **state)
{
    told t = {0};
    moshi_error err = {0};
    (void)state;
    assert_int_equal(synth_write(preset_of("tiny"), path_of("t"), 0, listen,
                                 &t, &err), MOSHI_OK);
    assert_true(t.calls >= 1);
    assert_int_equal(t.done, t.total);
    assert_in_range(t.total, 2000000, 3500000);
}

static void a_file_in_the_way_is_an_error(void **state)
{
    moshi_error err = {0};
    (void)state;
    FILE *file = fopen(path_of("t"), "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(synth_write(preset_of("tiny"), path_of("t"), 0, NULL,
                                 NULL, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, path_of("t")));
    assert_int_equal(synth_write(preset_of("mimi"), path_of("none/mimi"), 0,
                                 NULL, NULL, &err), MOSHI_IO);
}

#define WITH_FOLDER(test) \
    cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_found),
        cmocka_unit_test(totals_are_the_published_ones),
        cmocka_unit_test(stt_26b_quantised_has_the_published_size),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(candle_tensors_have_their_shapes),
        cmocka_unit_test(pytorch_tensors_have_their_shapes),
        cmocka_unit_test(conditioned_tensors_have_their_shapes),
        cmocka_unit_test(codec_tensors_have_their_shapes),
        cmocka_unit_test(quantised_file_has_the_expected_size),
        cmocka_unit_test(safetensors_files_have_the_published_sizes),
        cmocka_unit_test(pieces_equal_the_whole),
        cmocka_unit_test(values_follow_their_law),
        cmocka_unit_test(values_never_change),
        cmocka_unit_test(codebook_sums_divide_by_their_usage),
        WITH_FOLDER(same_seed_gives_the_same_files),
        WITH_FOLDER(instruction_set_does_not_matter),
        WITH_FOLDER(tiny_files_hold_what_is_listed),
        WITH_FOLDER(tiny_config_names_files_and_sizes),
        WITH_FOLDER(tiny_codec_fits_its_config),
        WITH_FOLDER(progress_ends_at_the_total),
        WITH_FOLDER(a_file_in_the_way_is_an_error),
    };
    return cmocka_run_group_tests_name("synth", tests, NULL, NULL);
}
