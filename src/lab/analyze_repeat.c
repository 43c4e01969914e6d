/* analyze_repeat.c: compare sound with itself one and two frames before. */
#include "lab/analyze_repeat.h"

#include <math.h>
#include <stdbool.h>

#define FRAME     1920
#define DISTANCES 2 /* frames: 1 for a doubled frame, 2 for a doubled pair */
#define BLOCK     80
/* The difference may have this share of the power (-35 dB): a codec for
 * transmission may stand in between, another breath of the voice may not. */
#define ALIKE     3e-4
#define QUIET     1e-6 /* mean square, -60 dBFS: rooms repeat themselves */
/* A run of blocks as long as 0.9 frames; the ends do not fall on blocks. */
#define RUN_MIN   (FRAME * 9 / 10 / BLOCK)
/* A tone repeats itself for ever: not a frame that comes twice. */
#define TONE_MIN  (FRAME * 8 / BLOCK)

static bool alike(const float *now, const float *then)
{
    double power = 0, difference = 0;
    for (int i = 0; i < BLOCK; i++) {
        double d = (double)now[i] - (double)then[i];
        power += (double)now[i] * (double)now[i];
        difference += d * d;
    }
    return power > QUIET * BLOCK && difference < ALIKE * power;
}

size_t repeats_find(repeat *out, size_t room, const float *pcm, size_t n)
{
    size_t count = 0;
    for (size_t distance = 1; distance <= DISTANCES; distance++) {
        size_t lag = distance * FRAME, run = 0;
        for (size_t at = lag; at + BLOCK <= n; at += BLOCK) {
            bool same = alike(pcm + at, pcm + at - lag);
            run += same;
            if (same && at + 2 * BLOCK <= n)
                continue;
            size_t end = same ? at + BLOCK : at;
            if (run >= RUN_MIN * distance && run < TONE_MIN && count < room)
                out[count++] = (repeat){end - run * BLOCK,
                                        (run * BLOCK + FRAME / 2) / FRAME};
            run = 0;
        }
    }
    return count;
}
