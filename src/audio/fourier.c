/* fourier.c: real spectra by kissfft. */
#include "audio/fourier.h"

#include <assert.h>

#include <kiss_fftr.h>

#include "base/error.h"
#include "base/memory.h"

struct fourier {
    int n;
    kiss_fftr_cfg plan; /* in memory of ours */
    kiss_fft_cpx *out; /* [n/2 + 1] */
};

moshi_status fourier_open(fourier **out, int n, moshi_error *err)
{
    assert(n >= 2 && n % 2 == 0 && n <= FOURIER_SAMPLES_MAX);
    fourier *f = memory_calloc(1, sizeof *f);
    if (!f)
        return error_no_memory(err, "a spectrum");
    size_t bytes = 0;
    f->n = n;
    kiss_fftr_alloc(n, 0, NULL, &bytes); /* only says how many */
    void *room = memory_calloc(bytes, 1);
    f->plan = room ? kiss_fftr_alloc(n, 0, room, &bytes) : NULL;
    f->out = memory_calloc((size_t)n / 2 + 1, sizeof *f->out);
    if (!f->plan || !f->out) {
        fourier_close(&f);
        return error_no_memory(err, "a spectrum");
    }
    *out = f;
    return MOSHI_OK;
}

void fourier_close(fourier **handle)
{
    fourier *f = *handle;
    if (!f)
        return;
    memory_free(f->plan);
    memory_free(f->out);
    memory_free(f);
    *handle = NULL;
}

void fourier_power(fourier *f, const float *in, float *power)
{
    kiss_fftr(f->plan, in, f->out);
    for (int i = 0; i <= f->n / 2; i++)
        power[i] = f->out[i].r * f->out[i].r + f->out[i].i * f->out[i].i;
}
