/* run_codes.c: look for each codebook of what was decoded. */
#include "lab/run_codes.h"

#define DELAYS_TRIED 8

/* A codebook that changes less often stands still. */
#define CHANGES_LEAST 8

static int32_t produced(const trace_tokens *run, size_t step, int book)
{
    return run->tokens[step * (1 + (size_t)run->own) + 1 + (size_t)book];
}

static int32_t decoded(const trace_tokens *codes, size_t frame, int book)
{
    return codes->decoded[frame * (size_t)codes->own + (size_t)book];
}

/* Of the frames that change when `moving`, else of all. */
static double share_of(const trace_tokens *run, const trace_tokens *codes,
                       int k, run_source at, bool moving, size_t *n)
{
    size_t fit = 0;
    *n = 0;
    for (size_t f = 1; f < codes->steps; f++) {
        size_t s = f + (size_t)at.delay;
        if (s >= run->steps)
            break;
        if (moving && decoded(codes, f, k) == decoded(codes, f - 1, k))
            continue;
        ++*n;
        fit += decoded(codes, f, k) == produced(run, s, at.book);
    }
    return *n ? (double)fit / (double)*n : 0;
}

static double share(const trace_tokens *run, const trace_tokens *codes, int k,
                    int book, int delay)
{
    size_t n;
    run_source at = {.book = book, .delay = delay};
    double moving = share_of(run, codes, k, at, true, &n);
    return n >= CHANGES_LEAST ? moving
                              : share_of(run, codes, k, at, false, &n);
}

run_source run_codes_source(const trace_tokens *run, const trace_tokens *codes,
                            int k, int delay)
{
    run_source best = {k, delay, share(run, codes, k, k, delay)};
    for (int book = 0; book < run->own; book++)
        for (int d = 0; d <= DELAYS_TRIED; d++) {
            double s = share(run, codes, k, book, d);
            if (s > best.share)
                best = (run_source){book, d, s};
        }
    return best;
}

double run_codes_transposed(const trace_tokens *run, const trace_tokens *codes,
                            const int *delays)
{
    size_t fit[2] = {0, 0}, n = 0;
    size_t K = (size_t)codes->own, T = codes->steps;
    for (size_t f = 0; f < T; f++)
        for (size_t k = 0; k < K; k++) {
            /* Number i of a table [K][T] taken for one of [T][K], or the other
             * way round. */
            size_t i = k * T + f, j = f * K + k;
            size_t from[2][2] = {{i % K, i / K}, {j / T, j % T}};
            n++;
            for (int way = 0; way < 2; way++) {
                size_t book = from[way][0];
                size_t s = from[way][1] + (size_t)delays[book];
                fit[way] += s < run->steps &&
                            decoded(codes, f, (int)k) ==
                                produced(run, s, (int)book);
            }
        }
    size_t most = fit[0] > fit[1] ? fit[0] : fit[1];
    return n ? (double)most / (double)n : 0;
}
