/* source_load.c: a whole audio file, resampled, in one array. */
#include <math.h>

#include "audio/resample.h"
#include "audio/source_file.h"
#include "base/error.h"
#include "base/memory.h"

#define CHUNK 4096

typedef struct samples {
    float *data;
    size_t n, room;
} samples;

/* Samples near the largest float are numbers, but not what a filter makes of
 * them. */
static bool all_finite(const float *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(pcm[i]))
            return false;
    return true;
}

/* Push a chunk through the resampler and append what comes out. */
static moshi_status append(samples *all, resample *r, const float *in,
                           size_t n, int finish, moshi_error *err)
{
    size_t taken = 0;
    for (;;) {
        size_t used, got;
        if (!memory_grow((void **)&all->data, &all->room, all->n + CHUNK,
                         sizeof *all->data))
            return error_no_memory(err, "the samples of an audio file");
        moshi_status status = resample_push(r, in + taken, n - taken, finish,
                                            all->data + all->n, CHUNK, &used,
                                            &got, err);
        if (status != MOSHI_OK)
            return status;
        if (!all_finite(all->data + all->n, got))
            return error_set(err, MOSHI_FORMAT,
                             "samples are too large to be resampled");
        taken += used;
        all->n += got;
        if (taken == n && got == 0)
            return MOSHI_OK;
    }
}

static moshi_status load(samples *all, source_file *source, resample *r,
                         const char *path, moshi_error *err)
{
    float chunk[CHUNK];
    for (;;) {
        size_t got;
        moshi_status status = source_file_read(source, chunk, CHUNK, &got,
                                               err);
        if (status != MOSHI_OK)
            return status;
        status = append(all, r, chunk, got, got == 0, err);
        if (status != MOSHI_OK)
            error_context(err, "'%s'", path);
        if (status != MOSHI_OK || got == 0)
            return status;
    }
}

moshi_status source_file_load(const char *path, int rate_hz, float **out,
                              size_t *n, moshi_error *err)
{
    source_file *source = NULL;
    resample *r = NULL;
    samples all = {0};
    moshi_status status = source_file_open(&source, path, err);
    if (status != MOSHI_OK)
        return status;
    status = resample_open(&r, source_file_rate_hz(source), rate_hz, err);
    if (status != MOSHI_OK)
        error_context(err, "'%s'", path);
    else
        status = load(&all, source, r, path, err);
    if (status == MOSHI_OK) {
        *out = all.data;
        *n = all.n;
    } else {
        memory_free(all.data);
    }
    resample_close(&r);
    source_file_close(&source);
    return status;
}
