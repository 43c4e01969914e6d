/* synth_file.c: write a list of random tensors as one file, block by block. */
#include "lab/synth_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "lab/synth_values.h"

/* Elements made at a time: whole quantisation blocks, and small enough that
 * values and their encoding stay in the second-level cache. */
#define BLOCK 32768

/* Bytes between two calls of the progress function. */
#define TELL_BYTES ((uint64_t)4 << 20)

typedef struct buffers {
    float values[BLOCK];
    float encoded[BLOCK]; /* no type takes more than F32 */
} buffers;

static void advance(synth_meter *meter, size_t n_bytes)
{
    meter->done += n_bytes;
    if (!meter->call)
        return;
    if (meter->done - meter->told < TELL_BYTES && meter->done < meter->total)
        return;
    meter->told = meter->done;
    meter->call(meter->user, meter->done, meter->total);
}

static moshi_status write_tensor(tensor_writer *writer,
                                 const tensor_spec *spec, const synth_law *law,
                                 uint64_t seed, buffers *b, synth_meter *meter,
                                 moshi_error *err)
{
    moshi_status status = MOSHI_OK;
    size_t total = synth_elements(spec);
    for (size_t at = 0; at < total && status == MOSHI_OK; at += BLOCK) {
        size_t n = total - at < BLOCK ? total - at : BLOCK;
        synth_values_fill(b->values, spec, law, seed, at, n);
        size_t bytes = synth_values_encode(b->encoded, spec->type, b->values,
                                           n);
        status = tensor_writer_push(writer, b->encoded, bytes, err);
        advance(meter, bytes);
    }
    return status;
}

moshi_status synth_file_write(const synth_list *list, const char *path,
                              checkpoint_format format, uint64_t seed,
                              synth_meter *meter, moshi_error *err)
{
    tensor_writer *writer = NULL;
    buffers *b = memory_calloc(1, sizeof *b);
    if (!b)
        return error_no_memory(err, "a block of random weights");
    moshi_status status = tensor_writer_open(&writer, path, format,
                                             list->specs, list->count, err);
    for (size_t i = 0; i < list->count && status == MOSHI_OK; i++)
        status = write_tensor(writer, &list->specs[i], &list->laws[i], seed, b,
                              meter, err);
    if (status == MOSHI_OK)
        status = tensor_writer_finish(writer, err);
    tensor_writer_close(&writer);
    memory_free(b);
    return status;
}
