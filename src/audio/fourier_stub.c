/* fourier_stub.c: stands in for fourier.c in a build without kissfft. */
#include "audio/fourier.h"

#include "base/error.h"

moshi_status fourier_open(fourier **out, int n, moshi_error *err)
{
    (void)out, (void)n;
    error_set(err, MOSHI_LACKING,
              "no spectra: this program was built without kissfft");
    error_hint(err, "install libkissfft-dev and build again");
    return MOSHI_LACKING;
}

/* There is never one that is open. */
void fourier_close(fourier **f)
{
    (void)f;
}

void fourier_power(fourier *f, const float *in, float *power)
{
    (void)f, (void)in, (void)power;
}
