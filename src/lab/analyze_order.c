/* analyze_order.c: try orders of frames by how smooth their joints are. */
#include "lab/analyze_order.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "lab/analyze_predict.h"

#define FRAME GRID_FRAME
#define EDGE  480 /* samples at each end that stand for the frame: 20 ms */
/* Roughness is a logarithm; a joint is never better than good, and beyond bad
 * all are the same. */
#define GOOD  (-1.0)
#define BAD   2.5
/* The right order makes nearly all joints good (measured: means of -0.9 to
 * -1, where wrong ones reach 0 at best); it takes this many to tell. */
#define RIGHT      (-0.7)
#define MARGIN     0.3
#define JOINTS_MIN 4
/* A cut at fewer boundaries than this is not a fault of every frame. */
#define MOST 0.6
/* How far away a frame's true neighbour is looked for, and as a control. */
#define NEARBY    7
#define NEIGHBOUR 0.2 /* surplus of frames that find one */
#define ACTIVE_DB 35
#define QUIET     3e-7 /* mean square, -65 dBFS */
#define START     36   /* 1.5 ms after the boundary, where a codec wakes up */

/* One end of a frame, read towards it: x[EDGE - 1] is the outermost sample. */
typedef struct edge {
    double x[EDGE], a[PREDICT_ORDER + 1];
    double level; /* the largest surprise inside */
    double power;
} edge;

typedef struct frames {
    edge *head, *tail; /* owned; of each frame */
    size_t count;
    double least; /* power of an edge that can show something */
} frames;

static double error_at(const double *a, const double *x, long t)
{
    double sum = 0;
    for (long k = 0; k <= PREDICT_ORDER; k++)
        sum += a[k] * x[t - k];
    return sum * sum;
}

static void edge_fill(edge *e)
{
    double sum = 0;
    predict_fit(e->x, EDGE, e->a);
    for (long t = PREDICT_ORDER; t < EDGE; t++) {
        sum += error_at(e->a, e->x, t);
        if (t >= PREDICT_ORDER + PREDICT_SPAN)
            sum -= error_at(e->a, e->x, t - PREDICT_SPAN);
        e->level = fmax(e->level, sum);
    }
    for (int i = 0; i < EDGE; i++)
        e->power += e->x[i] * e->x[i] / EDGE;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static moshi_status frames_open(frames *f, const float *pcm, size_t n,
                                moshi_error *err)
{
    f->count = n / FRAME;
    f->head = memory_calloc(f->count, sizeof *f->head);
    f->tail = memory_calloc(f->count, sizeof *f->tail);
    double *power = memory_calloc(f->count, sizeof *power);
    bool enough = f->head && f->tail && power;
    for (size_t k = 0; enough && k < f->count; k++) {
        const float *x = pcm + k * FRAME;
        for (size_t i = 0; i < EDGE; i++) {
            f->head[k].x[EDGE - 1 - i] = (double)x[i];
            f->tail[k].x[i] = (double)x[FRAME - EDGE + i];
        }
        edge_fill(&f->head[k]);
        edge_fill(&f->tail[k]);
        power[k] = f->tail[k].power;
    }
    if (enough && f->count > 0) {
        qsort(power, f->count, sizeof *power, by_size);
        f->least = fmax(QUIET, power[f->count * 95 / 100] *
                                   pow(10, -ACTIVE_DB / 10.0));
    }
    memory_free(power);
    return enough ? MOSHI_OK : error_no_memory(err, "the order of frames");
}

static void frames_close(frames *f)
{
    memory_free(f->head);
    memory_free(f->tail);
}

/* The surprise where edge b is read on after edge a. */
static double surprise(const edge *a, const edge *b)
{
    double joint[PREDICT_ORDER + PREDICT_SPAN], sum = 0;
    for (int i = 0; i < PREDICT_ORDER; i++)
        joint[i] = a->x[EDGE - PREDICT_ORDER + i];
    for (int i = 0; i < PREDICT_SPAN; i++)
        joint[PREDICT_ORDER + i] = b->x[EDGE - 1 - i];
    for (long t = PREDICT_ORDER; t < PREDICT_ORDER + PREDICT_SPAN; t++)
        sum += error_at(a->a, joint, t);
    return sum;
}

/* NAN where one of the two is silent. */
static double roughness(const frames *f, const edge *a, const edge *b)
{
    if (a->power < f->least || b->power < f->least)
        return NAN;
    double both = sqrt(surprise(a, b) * surprise(b, a));
    double r = log((both + 1e-12) / (fmax(a->level, b->level) + 1e-12));
    return fmin(fmax(r, GOOD), BAD);
}

typedef struct mean {
    double sum;
    size_t count;
} mean;

static void mean_add(mean *m, double v)
{
    if (isnan(v))
        return;
    m->sum += v;
    m->count++;
}

static double mean_of(const mean *m)
{
    return m->count >= JOINTS_MIN ? m->sum / (double)m->count : INFINITY;
}

/* Exchanged in pairs that begin with frame `first`. */
static double swapped(const frames *f, size_t first)
{
    mean m = {0};
    for (size_t k = first; k + 1 < f->count; k += 2) {
        mean_add(&m, roughness(f, &f->tail[k + 1], &f->head[k]));
        if (k + 3 < f->count)
            mean_add(&m, roughness(f, &f->tail[k], &f->head[k + 3]));
    }
    return mean_of(&m);
}

/* Share of frames with a better follower among those `from` … `to` away. */
static double find_followers(const frames *f, long from, long to)
{
    size_t found = 0, asked = 0;
    for (long k = 0; k + 1 < (long)f->count; k++) {
        double now = roughness(f, &f->tail[k], &f->head[k + 1]), best = BAD;
        if (isnan(now))
            continue;
        for (long j = k + from; j <= k + to; j++)
            if (j >= 0 && j < (long)f->count && j != k && j != k + 1)
                best = fmin(best, roughness(f, &f->tail[k], &f->head[j]));
        asked++;
        found += best < fmin(0, now - 1);
    }
    return asked >= JOINTS_MIN ? (double)found / (double)asked : 0;
}

/* Is it much quieter just after the boundaries than just before them? */
static bool starts_empty(const frames *f)
{
    double before = 0, after = 0;
    for (size_t k = 0; k + 1 < f->count; k++)
        for (int i = 1; i <= START; i++) {
            double a = f->tail[k].x[EDGE - i], b = f->head[k + 1].x[EDGE - i];
            before += a * a;
            after += b * b;
        }
    return after < before / 10;
}

static order_name choose(const frames *f)
{
    mean as_is = {0}, reversed = {0};
    for (size_t k = 0; k + 1 < f->count; k++) {
        mean_add(&as_is, roughness(f, &f->tail[k], &f->head[k + 1]));
        mean_add(&reversed, roughness(f, &f->tail[k + 1], &f->head[k]));
    }
    double best = fmin(RIGHT, mean_of(&as_is) - MARGIN);
    order_name name = ORDER_UNKNOWN;
    const struct { order_name name; double mean; } other[] = {
        {ORDER_REVERSED, mean_of(&reversed)},
        {ORDER_SWAPPED, fmin(swapped(f, 0), swapped(f, 1))},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (other[i].mean < best) {
            best = other[i].mean;
            name = other[i].name;
        }
    if (name == ORDER_UNKNOWN && starts_empty(f))
        return ORDER_EMPTY_START;
    if (name == ORDER_UNKNOWN &&
        find_followers(f, -NEARBY, NEARBY) -
                fmax(find_followers(f, NEARBY + 1, 3 * NEARBY + 1),
                     find_followers(f, -3 * NEARBY - 1, -NEARBY - 1)) >
            NEIGHBOUR)
        return ORDER_SHUFFLED;
    return name;
}

const char *order_text(order_name name)
{
    static const char *const texts[] = {
#define ORDER_TEXT(id, text) [ORDER_##id] = text,
        ORDER_NAMES(ORDER_TEXT)
#undef ORDER_TEXT
    };
    return texts[name];
}

moshi_status order_find(order_name *out, const grid *g, const float *pcm,
                        size_t n, moshi_error *err)
{
    bool few = g->period > 1 || (double)g->cut < MOST * (double)g->active;
    order_name name = ORDER_UNKNOWN;
    moshi_status status = MOSHI_OK;
    /* A cut is placed to a sample or so, but a joint must be exact. */
    static const size_t shifts[] = {0, 1, GRID_FRAME - 1};
    for (size_t i = 0; g->period <= 2 && name == ORDER_UNKNOWN &&
                       i < sizeof shifts / sizeof *shifts; i++) {
        size_t offset = (g->offset + shifts[i]) % GRID_FRAME;
        frames f = {0};
        if (n < offset + FRAME)
            continue;
        status = frames_open(&f, pcm + offset, n - offset, err);
        if (status == MOSHI_OK)
            name = choose(&f);
        frames_close(&f);
        if (status != MOSHI_OK)
            return status;
    }
    *out = name == ORDER_UNKNOWN && few ? ORDER_LEFT_OUT : name;
    return MOSHI_OK;
}
