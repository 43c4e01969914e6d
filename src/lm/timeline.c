/* timeline.c: the delayed grid as two short rings of rows. */
#include "lm/timeline.h"

#include <string.h>

static size_t row(int64_t index)
{
    return (size_t)(index % TIMELINE_ROWS);
}

void timeline_init(timeline *t, int own, int user, const int *delays,
                   int32_t text_start, int32_t audio_start)
{
    memset(t, 0, sizeof *t);
    t->own = own;
    t->user = user;
    t->text_start = text_start;
    t->audio_start = audio_start;
    for (int c = 0; c < own; c++) {
        t->own_delay[c] = delays[1 + c];
        if (t->own_delay[c] > t->delay_max)
            t->delay_max = t->own_delay[c];
    }
    for (int c = 0; c < user; c++)
        t->user_delay[c] = delays[1 + own + c];
}

void timeline_reset(timeline *t)
{
    t->step = 0;
}

void timeline_hear(timeline *t, const int32_t *user_codes)
{
    memcpy(t->user_row[row(t->step)], user_codes,
           (size_t)t->user * sizeof *user_codes);
}

void timeline_inputs(const timeline *t, int32_t *tokens)
{
    int64_t s = t->step;
    tokens[0] = s == 0 ? t->text_start : t->text;
    for (int c = 0; c < t->own; c++)
        /* Frame s-1-d was produced by step s-1, whatever d. */
        tokens[1 + c] = s <= t->own_delay[c] ? t->audio_start
                                             : t->own_row[row(s - 1)][c];
    for (int c = 0; c < t->user; c++) {
        int d = t->user_delay[c];
        tokens[1 + t->own + c] = s <= d ? t->audio_start
                                        : t->user_row[row(s - 1 - d)][c];
    }
}

void timeline_advance(timeline *t, const int32_t *tokens)
{
    t->text = tokens[0];
    memcpy(t->own_row[row(t->step)], tokens + 1,
           (size_t)t->own * sizeof *tokens);
    t->step++;
}

bool timeline_frame(const timeline *t, int32_t *own_codes)
{
    int64_t frame = t->step - 1 - t->delay_max;
    if (frame < 0 || t->own == 0)
        return false;
    for (int c = 0; c < t->own; c++)
        own_codes[c] = t->own_row[row(frame + t->own_delay[c])][c];
    return true;
}
