/* test_resident.c: the memory that a conversation takes beside its files.
 *
 * Goal: a 7B model takes at most 300 MB beyond the mapping of its files and the
 * keys and values of its steps, in Q8_0 and in bf16, and what it takes is what
 * its plans say. Method: files of that size that are nothing but a header, in
 * memory that is never written: the system shows one page of zeros wherever it
 * is read and counts nothing. What the process has beyond (RssAnon) is the
 * model's own: rearranged weights, scratch, states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/pages.h"
#include "files/tensor_header.h"
#include "lab/machine.h"
#include "lab/synth.h"
#include "lab/synth_list.h"
#include "nn/weights.h"
#include "tasks/speech_to_speech.h"

#define FRAMES 4
#define MB ((size_t)1 << 20)
#define BEYOND_BYTES (300 * MB)
/* Plans and their names, headers that were read, stacks, the allocator's own
 * and what the libraries keep. */
#define UNPLANNED_BYTES (16 * MB)

typedef struct blank_file {
    void *bytes;
    size_t n_bytes;
} blank_file;

static checkpoint *blank_open(blank_file *f, checkpoint_format format,
                              const synth_list *list)
{
    checkpoint *out = NULL;
    moshi_error err = {0};
    size_t header = tensor_header_build(format, list->specs, list->count,
                                        NULL);
    f->n_bytes = tensor_writer_file_bytes(format, list->specs, list->count);
    f->bytes = mmap(NULL, f->n_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(header > 0 && f->bytes != MAP_FAILED);
    tensor_header_build(format, list->specs, list->count, f->bytes);
    /* Behind the header: the zeros come in large pages, too. */
    size_t from = size_round_up(header, 2 * MB);
    if (f->n_bytes > from)
        pages_ask_large((char *)f->bytes + from, f->n_bytes - from);
    if (checkpoint_open_memory(&out, f->bytes, f->n_bytes, "zeros", &err) !=
        MOSHI_OK)
        fail_msg("%s", err.message);
    return out;
}

static void check(moshi_status status, const moshi_error *err)
{
    if (status != MOSHI_OK)
        fail_msg("%s", err->message);
}

static moshi_model *model_of_zeros(const char *preset, blank_file files[2])
{
    moshi_error err = {0};
    synth_parts parts = {0};
    moshi_model *m = memory_calloc(1, sizeof *m);
    assert_non_null(m);
    check(synth_parts_make(&parts, preset, &err), &err);
    m->defaults = (model_defaults){-1, -1, -1, -1};
    check(device_open(&m->backend, "cpu", 2, CPU_LEVEL_COUNT, &m->device, &err),
          &err);
    lm_model_params lm = {.acoustic_delay = -1, .cache = DTYPE_F16};
    checkpoint *file = blank_open(&files[0], parts.format, parts.lm);
    check(lm_model_from_checkpoint(&m->lm, &file, NULL, &lm, &err), &err);
    mimi_model_params mimi = {.codebooks = 8, .panels = m->backend->panels};
    file = blank_open(&files[1], CHECKPOINT_SAFETENSORS, parts.mimi);
    check(mimi_model_from_checkpoint(&m->mimi, &file, NULL, &mimi, &err), &err);
    synth_parts_release(&parts);
    return m;
}

/* What the plans and the weights' stores have asked for; without the keys and
 * values of the language model, whose few steps here are 2 MB. */
static size_t planned_bytes(const moshi_model *m)
{
    const plan *lm = m->lm->plain.plan;
    return weights_store_bytes(m->lm->store) +
           weights_store_bytes(m->mimi->store) + lm->frame_bytes +
           m->mimi->encoder->frame_bytes + m->mimi->encoder->state_bytes +
           m->mimi->decoder->frame_bytes + m->mimi->decoder->state_bytes;
}

static void stays_small(const char *preset)
{
    blank_file files[2];
    moshi_error err = {0};
    speech_to_speech *s = NULL;
    moshi_stream_params params = {.seed = 1};
    frame_result result = {0};
    float *pcm = calloc(2 * 1920, sizeof *pcm);
    assert_non_null(pcm);
    size_t before = machine_memory_resident().own_bytes;
    moshi_model *m = model_of_zeros(preset, files);
    check(speech_to_speech_open(&s, m, &params, &err), &err);
    result.pcm = pcm + 1920;
    for (int f = 0; f < FRAMES; f++)
        speech_to_speech_frame(s, pcm, &result);
    size_t own = machine_memory_resident().own_bytes - before;
    size_t planned = planned_bytes(m);
    print_message("%s: %zu MB, planned %zu MB\n", preset, own / MB,
                  planned / MB);
    assert_true(files[0].n_bytes > 7000 * MB);
    assert_true(own > weights_store_bytes(m->mimi->store) / 2); /* it counts */
    assert_true(own < BEYOND_BYTES);
    assert_true(own < planned + UNPLANNED_BYTES);
    speech_to_speech_close(&s);
    moshi_model_close(&m);
    for (int i = 0; i < 2; i++)
        munmap(files[i].bytes, files[i].n_bytes);
    free(pcm);
}

static void q8_stays_small(void **state)
{
    (void)state;
    stays_small("moshi-7b-q8");
}

static void bf16_stays_small(void **state)
{
    (void)state;
    stays_small("moshi-7b");
}

int main(void)
{
    if (getenv("MOSHI_SANITIZED") || getenv("MOSHI_EMULATED") ||
        machine_memory_resident().own_bytes == 0) {
        print_message("skipped: resident memory is not to be had here, or the "
                      "sanitizers or an emulator have theirs\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(q8_stays_small),
        cmocka_unit_test(bf16_stays_small),
    };
    return cmocka_run_group_tests_name("resident", tests, NULL, NULL);
}
