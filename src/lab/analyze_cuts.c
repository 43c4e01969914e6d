/* analyze_cuts.c: surprise of a two-sided linear predictor, and its rank. */
#include "lab/analyze_cuts.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/analyze_predict.h"

#define ORDER  PREDICT_ORDER
#define SPAN   PREDICT_SPAN
#define HOP    PREDICT_HOP
/* Neighbours: from GUARD to GUARD + REACH samples away, on both sides. */
#define GUARD PREDICT_GUARD
#define REACH 480
/* Only sound can show a cut: 20 ms on each side within 35 dB of the loud
 * parts, and above -65 dBFS. */
#define LEVEL_SPAN   480
#define QUIET_DB     35
#define SILENCE_DBFS (-65)
#define LOUD_SHARE   0.95
/* Below a 16-bit file's last bit; keeps digital silence out of divisions. */
#define FLOOR_POWER 1e-10

typedef struct work {
    const float *pcm;
    size_t n;
    double *forward, *backward; /* squared errors, then scratch */
    double *surprise;
    float *score, *sorted;
    bool *active;
} work;

static double at(const work *w, long i)
{
    return predict_at(w->pcm, w->n, i);
}

/* Squared errors of every sample said from the ORDER before it, and from the
 * ORDER after it. */
static void predict(work *w)
{
    double a[ORDER + 1];
    for (size_t hop = 0; hop < w->n; hop += HOP) {
        predict_fit_hop(w->pcm, w->n, hop, a);
        for (size_t t = hop; t < hop + HOP && t < w->n; t++) {
            double f = 0, b = 0;
            for (int k = 0; k <= ORDER; k++) {
                f += a[k] * at(w, (long)t - k);
                b += a[k] * at(w, (long)t + k);
            }
            w->forward[t] = f * f;
            w->backward[t] = b * b;
        }
    }
}

/* How much both sides fail at the border before sample t. */
static void meet(work *w)
{
    for (size_t t = 0; t < w->n; t++) {
        double after = 0, before = 0;
        for (size_t k = 0; k < SPAN; k++) {
            after += t + k < w->n ? w->forward[t + k] : 0;
            before += t > k ? w->backward[t - 1 - k] : 0;
        }
        w->surprise[t] = sqrt(after * before);
    }
}

/* out[t] = the largest of in[t … t + REACH - 1]; `queue` holds n indices. */
static void sliding_max(const double *in, size_t n, double *out, size_t *queue)
{
    size_t head = 0, tail = 0;
    for (size_t end = 0; end < n + REACH - 1; end++) {
        if (end < n) {
            while (tail > head && in[queue[tail - 1]] <= in[end])
                tail--;
            queue[tail++] = end;
        }
        if (end + 1 < REACH)
            continue;
        size_t t = end + 1 - REACH;
        while (head < tail && queue[head] < t)
            head++;
        if (t < n)
            out[t] = in[queue[head]];
    }
}

static moshi_status compare_neighbours(work *w, moshi_error *err)
{
    size_t *queue = memory_calloc(w->n, sizeof *queue);
    double *largest = w->forward; /* no longer needed */
    if (!queue)
        return error_no_memory(err, "the search for cuts");
    sliding_max(w->surprise, w->n, largest, queue);
    memory_free(queue);
    for (size_t t = 0; t < w->n; t++) {
        size_t left = t > GUARD + REACH ? t - GUARD - REACH : 0;
        size_t right = t + GUARD < w->n ? t + GUARD : w->n - 1;
        w->score[t] = (float)(w->surprise[t] /
                              (fmax(largest[left], largest[right]) +
                               FLOOR_POWER));
    }
    return MOSHI_OK;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Mean squares of LEVEL_SPAN samples from each place on. */
static void find_active(work *w, size_t *count)
{
    double *power = w->backward, sum = 0;
    size_t blocks = w->n / LEVEL_SPAN;
    *count = 0;
    if (blocks < 2)
        return;
    for (size_t i = 0; i < blocks; i++) {
        double block = 0;
        for (size_t k = 0; k < LEVEL_SPAN; k++)
            block += at(w, (long)(i * LEVEL_SPAN + k)) *
                     at(w, (long)(i * LEVEL_SPAN + k));
        w->sorted[i] = (float)(block / LEVEL_SPAN);
    }
    qsort(w->sorted, blocks, sizeof *w->sorted, by_size);
    double loud = (double)w->sorted[(size_t)(LOUD_SHARE *
                                             (double)(blocks - 1))];
    double least = fmax(loud * pow(10, -QUIET_DB / 10.0),
                        pow(10, SILENCE_DBFS / 10.0));
    for (size_t t = w->n; t-- > 0;) {
        double in = at(w, (long)t), out = at(w, (long)(t + LEVEL_SPAN));
        sum += in * in - out * out;
        power[t] = sum / LEVEL_SPAN;
    }
    for (size_t t = LEVEL_SPAN; t + LEVEL_SPAN <= w->n; t++) {
        w->active[t] = power[t] > least && power[t - LEVEL_SPAN] > least;
        *count += w->active[t];
    }
}

/* Candidates: active, above the floor, the largest within GUARD samples. */
static moshi_status collect(cut_list *out, const work *w, moshi_error *err)
{
    for (size_t t = 0; t < w->n; t++) {
        double size = log((double)w->score[t] + 1e-9);
        size_t low = t > GUARD ? t - GUARD : 0, high = t + GUARD + 1;
        bool largest = w->active[t] && size > CUT_FLOOR;
        for (size_t i = low; largest && i < high && i < w->n; i++)
            largest = !w->active[i] || w->score[i] <= w->score[t];
        if (!largest)
            continue;
        if (!memory_grow((void **)&out->cuts, &out->room, out->count + 1,
                         sizeof *out->cuts))
            return error_no_memory(err, "the list of cuts");
        out->cuts[out->count++] = (cut){t, (float)size};
    }
    return MOSHI_OK;
}

static moshi_status mark_active(cut_list *out, const work *w, size_t active,
                                moshi_error *err)
{
    size_t blocks = (w->n + CUT_BLOCK - 1) / CUT_BLOCK;
    out->active_samples = active;
    out->blocks = blocks;
    out->active = memory_calloc(blocks, sizeof *out->active);
    if (!out->active)
        return error_no_memory(err, "the search for cuts");
    for (size_t i = 0; i < blocks; i++) {
        size_t middle = i * CUT_BLOCK + CUT_BLOCK / 2;
        out->active[i] = w->active[middle < w->n ? middle : w->n - 1];
    }
    return MOSHI_OK;
}

moshi_status cuts_find(cut_list *out, const float *pcm, size_t n, moshi_error *err)
{
    work w = {.pcm = pcm, .n = n};
    size_t active = 0;
    moshi_status status = MOSHI_OK;
    if (n < 2 * LEVEL_SPAN)
        return MOSHI_OK;
    w.forward = memory_calloc(n, sizeof *w.forward);
    w.backward = memory_calloc(n, sizeof *w.backward);
    w.surprise = memory_calloc(n, sizeof *w.surprise);
    w.score = memory_calloc(n, sizeof *w.score);
    w.sorted = memory_calloc(n, sizeof *w.sorted);
    w.active = memory_calloc(n, sizeof *w.active);
    if (!w.forward || !w.backward || !w.surprise || !w.score || !w.sorted ||
        !w.active) {
        status = error_no_memory(err, "the search for cuts");
    } else {
        predict(&w);
        meet(&w);
        status = compare_neighbours(&w, err);
    }
    if (status == MOSHI_OK) {
        find_active(&w, &active);
        status = mark_active(out, &w, active, err);
    }
    if (status == MOSHI_OK)
        status = collect(out, &w, err);
    memory_free(w.forward);
    memory_free(w.backward);
    memory_free(w.surprise);
    memory_free(w.score);
    memory_free(w.sorted);
    memory_free(w.active);
    return status;
}

void cut_list_release(cut_list *list)
{
    memory_free(list->cuts);
    memory_free(list->active);
    *list = (cut_list){0};
}
