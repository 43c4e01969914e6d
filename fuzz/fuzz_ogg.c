/* fuzz_ogg.c: bytes from a socket -> Ogg pages -> Opus packets -> samples. The
 * first byte says how long the pieces are in which the rest comes. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audio/source_opus.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    source_opus *source = NULL;
    float pcm[1000];
    size_t got, piece;
    if (n == 0 || source_opus_open(&source, NULL) != MOSHI_OK)
        return 0;
    piece = (size_t)bytes[0] * 16 + 1;
    for (size_t at = 1; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;
        uint8_t *block = malloc(part); /* exact: shows overreads */
        memcpy(block, bytes + at, part);
        if (source_opus_push(source, block, part) != MOSHI_OK)
            abort();
        free(block);
        while (source_opus_pull(source, pcm, 1000, &got) == MOSHI_OK) {
            if (got == 0 || got > 1000)
                abort(); /* a result that contradicts the status */
            for (size_t i = 0; i < got; i++)
                if (!isfinite(pcm[i]))
                    abort(); /* what the engine does not take */
        }
    }
    source_opus_close(&source);
    return 0;
}
