/* synth_memory.c: a header as for a file, then each tensor from one short
 * block of random values, repeated. */
#include "lab/synth_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pages.h"
#include "files/tensor_header.h"
#include "lab/machine.h"
#include "lab/synth_values.h"
#include "quant/encode.h"

/* Elements that are repeated: whole blocks of every type, and no multiple of a
 * power of two above 256, so that the rows of a matrix differ. */
#define PERIOD ((size_t)256 * 513)

/* What must stay free beside the model: its caches, and other programs. */
#define HEADROOM_BYTES ((size_t)256 << 20)

typedef struct filler {
    float values[PERIOD];
    unsigned char encoded[PERIOD * sizeof(float)];
} filler;

static moshi_status map_bytes(synth_memory *m, size_t n_bytes,
                              const char *label, moshi_error *err)
{
    size_t left = machine_memory_left();
    if (left && (n_bytes > left || left - n_bytes < HEADROOM_BYTES)) {
        error_set(err, MOSHI_NO_MEMORY, "%s takes %.1f GB of memory and this "
                  "machine has %.1f GB left", label, (double)n_bytes * 1e-9,
                  (double)left * 1e-9);
        return error_hint(err, "take a smaller model or type");
    }
    void *bytes = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return error_no_memory(err, label);
    /* First touch is six times as fast; reading is not (docs/SPEED.md). */
    pages_ask_large(bytes, n_bytes);
    *m = (synth_memory){bytes, n_bytes};
    return MOSHI_OK;
}

/* n elements whose law ties them to their row: all of them are made. */
static void fill_whole(filler *f, unsigned char *out, const tensor_spec *spec,
                       const synth_law *law)
{
    size_t n = synth_elements(spec);
    const dtype_traits *t = dtype_info(spec->type);
    for (size_t at = 0; at < n; at += PERIOD) {
        size_t part = n - at < PERIOD ? n - at : PERIOD;
        synth_values_fill(f->values, spec, law, 0, at, part);
        quant_encode(spec->type, out + at / t->block * t->bytes, f->values,
                     part);
    }
}

static void fill_repeated(filler *f, unsigned char *out,
                          const tensor_spec *spec, const synth_law *law)
{
    size_t n = synth_elements(spec), total = tensor_spec_bytes(spec);
    const dtype_traits *t = dtype_info(spec->type);
    size_t part = n < PERIOD ? n : PERIOD;
    size_t step = part / t->block * t->bytes;
    synth_values_fill(f->values, spec, law, 0, 0, part);
    quant_encode(spec->type, f->encoded, f->values, part);
    for (size_t at = 0; at < total; at += step)
        memcpy(out + at, f->encoded, total - at < step ? total - at : step);
}

moshi_status synth_memory_map(synth_memory *memory, const synth_list *list,
                              checkpoint_format format, const char *label,
                              moshi_error *err)
{
    size_t n = tensor_writer_file_bytes(format, list->specs, list->count);
    if (!n)
        return error_set(err, MOSHI_ARGUMENT,
                         "%s: no file of this format can hold its tensors",
                         label);
    moshi_status status = map_bytes(memory, n, label, err);
    if (status == MOSHI_OK)
        tensor_header_build(format, list->specs, list->count, memory->bytes);
    return status;
}

moshi_status synth_memory_fill(synth_memory *m, const synth_list *list,
                               checkpoint_format format,
                               synth_progress *progress, void *user,
                               moshi_error *err)
{
    filler *f = memory_calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, "a block of random weights");
    unsigned char *out = m->bytes;
    size_t at = tensor_header_build(format, list->specs, list->count, NULL);
    for (size_t i = 0; i < list->count; i++) {
        size_t stored = 0;
        tensor_stored_bytes(format, &list->specs[i], &stored);
        if (list->laws[i].usage)
            fill_whole(f, out + at, &list->specs[i], &list->laws[i]);
        else
            fill_repeated(f, out + at, &list->specs[i], &list->laws[i]);
        at += stored;
        if (progress)
            progress(user, at, m->n_bytes);
    }
    memory_free(f);
    return MOSHI_OK;
}

void synth_memory_release(synth_memory *memory)
{
    if (memory->bytes)
        munmap(memory->bytes, memory->n_bytes);
    *memory = (synth_memory){0};
}
