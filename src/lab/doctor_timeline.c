/* doctor_timeline.c: known tokens onto the delayed grid and off it again.
 *
 * Frame f, codebook c is the number f * codebooks + c, so that every token
 * says where it belongs. What a step reads and what comes out complete is
 * compared with the rule (docs/MODEL.md, delays), written out once more. */
#include <stdio.h>

#include "lab/doctor_work.h"

#define STEPS (3 * LIMIT_DELAY)

/* The token of frame `frame` in stream c of `n`, or the initial one. */
static int32_t token_at(int64_t frame, int c, int n, int32_t start)
{
    return frame < 0 ? start : (int32_t)(frame * n + c);
}

/* Where the first mismatch is, in words; false: none. */
static bool walk(const lm_config *c, char *text, size_t room)
{
    timeline t;
    int own = c->dep_q, n = c->n_q;
    const int *delay = c->delays + 1;
    int32_t in[1 + LIMIT_CODEBOOKS], out[1 + LIMIT_CODEBOOKS],
        user[LIMIT_CODEBOOKS], frame[LIMIT_CODEBOOKS];
    const int32_t text_start = -7, start = -9;
    timeline_init(&t, own, n - own, c->delays, text_start, start);
    for (int64_t s = 0; s < STEPS; s++) {
        for (int k = own; k < n; k++)
            user[k - own] = token_at(s, k, n, start);
        timeline_hear(&t, user);
        timeline_inputs(&t, in);
        if (in[0] != (s ? (int32_t)s : text_start)) {
            snprintf(text, room, "step %d reads the text token %d", (int)s,
                     in[0]);
            return true;
        }
        for (int k = 0; k < n; k++)
            if (in[1 + k] != token_at(s - 1 - delay[k], k, n, start)) {
                snprintf(text, room, "step %d reads %d of codebook %d, delay "
                         "%d", (int)s, in[1 + k], k, delay[k]);
                return true;
            }
        out[0] = (int32_t)s + 1;
        for (int k = 0; k < own; k++)
            out[1 + k] = token_at(s - delay[k], k, n, start);
        timeline_advance(&t, out);
        int64_t complete = s - t.delay_max;
        if (timeline_frame(&t, frame) != (complete >= 0 && own > 0)) {
            snprintf(text, room, "after step %d a frame is %s", (int)s,
                     complete >= 0 ? "missing" : "complete too early");
            return true;
        }
        for (int k = 0; k < own && complete >= 0; k++)
            if (frame[k] != token_at(complete, k, n, start)) {
                snprintf(text, room, "after step %d codebook %d of frame %d "
                         "is %d", (int)s, k, (int)complete, frame[k]);
                return true;
            }
    }
    return false;
}

void doctor_timeline_check(doctor *d)
{
    char text[160] = "";
    doctor_finding f = {"timeline: round trip", LAB_TIMELINE, DOCTOR_OK,
                        "every token where the rule of delays puts it",
                        "report this as a bug, with this page"};
    if (!d->has_lm) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "the delays are not known");
    } else if (walk(&d->lm, text, sizeof text)) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s", text);
    } else {
        doctor_add(d, f, "%d steps, %d own and %d heard codebooks", STEPS,
                   d->lm.dep_q, d->lm.n_q - d->lm.dep_q);
    }
}
