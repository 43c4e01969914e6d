/* bench_loop.h: the frames that a benchmark runs: as many conversations side by
 * side as there are lanes, each hearing another place of the test sound.
 *
 * Internal to the benchmark. */
#ifndef MOSHI_LAB_BENCH_LOOP_H
#define MOSHI_LAB_BENCH_LOOP_H

#include "lab/bench_clock.h"
#include "lm/stream.h"
#include "mimi/stream.h"

/* Seconds of one frame. */
typedef struct bench_times {
    double seconds[BENCH_PART_COUNT];
} bench_times;

typedef struct bench_loop {
    const moshi_model *model; /* borrowed */
    int lanes;
    bool listens, speaks; /* does the model have these parts at all? */
    mimi_runner *codec;
    mimi_encoder *encoders[LIMIT_LANES];
    mimi_decoder *decoders[LIMIT_LANES];
    lm_runner *runner;
    lm_stream *streams[LIMIT_LANES];
    bench_clock encode, lm, decode;
    float *sound;          /* owned: SOUND_FRAMES frames */
    float *spoken;         /* owned: a frame for each lane */
    int32_t *heard, *said; /* owned: LIMIT_CODEBOOKS for each lane */
    int32_t *tokens;       /* owned: 1 + LIMIT_CODEBOOKS for each lane */
    int frame;             /* number of the next */
} bench_loop;

/* Is there memory for the filled caches of so many lanes, beside `reserved`
 * bytes that nobody has touched yet? And can they be filled? Errors:
 * MOSHI_NO_MEMORY, MOSHI_UNSUPPORTED. */
moshi_status bench_loop_fits(const moshi_model *model, int lanes,
                             uint64_t reserved, moshi_error *err);

/* cached: steps that the language model's streams, and the codec's, are to
 * have behind them; their caches are then filled with small numbers. */
moshi_status bench_loop_open(bench_loop *l, const moshi_model *model,
                             int lanes, int64_t cached, moshi_error *err);
void bench_loop_close(bench_loop *l);

/* Run a frame of every lane. */
void bench_loop_frame(bench_loop *l, bench_times *out);

/* Keys and values of one stream after `frames` frames. */
uint64_t bench_loop_cache_bytes(const bench_loop *l, int64_t frames);

/* Bytes of all that one stream can remember. */
uint64_t bench_loop_state_bytes(const bench_loop *l);

#endif
