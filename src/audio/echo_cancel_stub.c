/* echo_cancel_stub.c: stands in for echo_cancel.c in a build without
 * speexdsp. */
#include "audio/echo_cancel.h"
#include "base/error.h"

moshi_status echo_cancel_open(echo_cancel **out, int rate_hz,
                              moshi_error *err)
{
    (void)out, (void)rate_hz;
    error_set(err, MOSHI_LACKING, "this program was built without speexdsp, "
              "which cancels echoes");
    error_hint(err, "use headphones and --no-echo-cancel, or install "
                    "libspeexdsp-dev and build again");
    return MOSHI_LACKING;
}

void echo_cancel_close(echo_cancel **e)
{
    (void)e;
}

void echo_cancel_run(echo_cancel *e, float *recorded, const float *played,
                     size_t n)
{
    (void)e, (void)recorded, (void)played, (void)n;
}
