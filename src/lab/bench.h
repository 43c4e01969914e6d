/* bench.h: how long each part of a frame takes, and what bounds it.
 *
 * The machine is measured first: how fast it reads memory with each number of
 * threads, and what it multiplies. Then a model's frames are run, with a pass
 * over a block of memory between them, by as many threads: the quotient of the
 * two rates does not depend on what the machine does at that moment. */
#ifndef MOSHI_LAB_BENCH_H
#define MOSHI_LAB_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lab/bandwidth.h"
#include "lab/peaks.h"
#include "lab/synth.h"
#include "lab/synth_memory.h"
#include "tasks/model.h"

/* --- the machine --- */

#define BENCH_READS_MAX 16

typedef struct bench_machine {
    int n_reads;
    int threads[BENCH_READS_MAX];          /* 1, 2, …, all usable cores */
    double bytes_per_s[BENCH_READS_MAX];   /* read with that many */
    peaks one, all;                        /* of one thread, of all cores */
} bench_machine;

/* The numbers of threads that are measured, ascending: 1 to 8 one by one, then
 * doubling, all cores in any case, and `threads` if there are fewer cores.
 * Returns how many. */
int bench_thread_counts(int counts[BENCH_READS_MAX], int cores, int threads);

/* `threads`: measured too, if it is more than there are cores. */
moshi_status bench_machine_measure(bench_machine *out, bandwidth *memory,
                                   int threads, moshi_error *err);

/* --- the model --- */

/* lm is NULL where only a codec was named. */
typedef struct bench_model {
    moshi_model *model;            /* owned */
    synth_memory lm_bytes, mimi_bytes; /* owned; empty for files */
    double open_ms;  /* until it was open; of files */
    double load_ms;  /* until all weights were in memory, after that */
} bench_model;

/* The files that params name; with neither `model` nor `lm` the codec alone.
 * filled: the most lanes that a run will have whose caches are filled; whether
 * they fit is told before weights are read or made (MOSHI_NO_MEMORY; 0: none
 * will be). */
moshi_status bench_model_open(bench_model *out,
                              const moshi_model_params *params, int filled,
                              moshi_error *err);

/* Random weights in memory, as synth_parts_make names them. */
moshi_status bench_model_synthetic(bench_model *out, const char *preset,
                                   const moshi_model_params *params,
                                   int filled, synth_progress *progress,
                                   void *user, moshi_error *err);
void bench_model_close(bench_model *m);

/* --- a run --- */

/* X(NAME, name): the parts of a frame. `sampling` is within the two before it,
 * `lm` both of them. */
#define BENCH_PARTS(X)         \
    X(ENCODE, "mimi_encode")   \
    X(TEMPORAL, "temporal")    \
    X(DEPFORMER, "depformer")  \
    X(SAMPLING, "sampling")    \
    X(LM, "lm")                \
    X(DECODE, "mimi_decode")   \
    X(FRAME, "frame")

typedef enum bench_part_name {
#define BENCH_PART_ENUM(name, text) BENCH_##name,
    BENCH_PARTS(BENCH_PART_ENUM)
#undef BENCH_PART_ENUM
    BENCH_PART_COUNT
} bench_part_name;

typedef struct bench_part {
    const char *name;
    bool ran; /* else the model has no such part */
    double ms_p50, ms_p95, ms_p99;
    uint64_t bytes; /* weights, and the valid keys and values, of all lanes */
    double bytes_per_s;       /* at the median */
    double of_read_bandwidth; /* fraction of what the machine reads beside it:
                                 the median of that of each frame */
} bench_part;

/* What one kind of operation, or one layer, took of a frame. */
typedef struct bench_row {
    char plan[32], name[64];
    size_t ops;
    double ms; /* mean */
    uint64_t bytes;
} bench_row;

typedef struct bench_rows {
    bench_row *list; /* owned */
    size_t count, capacity;
} bench_rows;

typedef struct bench_params {
    int lanes;
    int frames;       /* 0: as many as ten seconds allow, 20 to 200 */
    int64_t cached;   /* steps that the streams have behind them */
    bool profile;
    bandwidth *memory; /* that is read between the frames, or NULL */
    void (*progress)(void *user, double fraction);
    void *user;
} bench_params;

typedef struct bench_run {
    int lanes, threads, frames;
    int64_t cached;
    double first_ms;         /* the first frame after opening */
    double frame_ms;         /* length of a frame: 80 */
    double read_bytes_per_s; /* median of the passes between the frames; 0: none
                                were made */
    bench_part parts[BENCH_PART_COUNT];
    double real_time_factor; /* length of a frame over its median time */
    double streams_per_s;    /* frames of any lane in a second */
    double real_time_lanes;  /* lanes that would be in time, at the 99th
                                percentile, if time followed lanes */
    uint64_t state_bytes;    /* of one stream, if all of it were touched */
    size_t resident, resident_own; /* bytes, at the end of the run */
    uint64_t made_bytes;     /* of these, a model made in memory */
    uint64_t cache_bytes;    /* and keys and values of the steps so far */
    uint64_t lm_cache_read;  /* of these, what a frame reads of the language
                                model's, all lanes; in the bytes of its part */
    bench_part attention;    /* of the language model, with cached steps */
    char cache_type[8];      /* "f16"; "": the model has none */
    bench_rows by_kind, by_layer;  /* with `profile` */
} bench_run;

/* Errors: MOSHI_NO_MEMORY (also where filled caches would not fit),
 * MOSHI_UNSUPPORTED (a backend that cannot start later). */
moshi_status bench_run_make(bench_run *out, const bench_model *m,
                            const bench_params *params, moshi_error *err);
void bench_run_release(bench_run *r);

/* --- the verdict --- */

/* Is the 99th percentile of the frames shorter than what a frame lasts? */
bool bench_run_in_time(const bench_run *r);

/* Another model, or the same in another type, and its frame here. */
typedef struct bench_choice {
    char name[64];
    double bytes, ms;
} bench_choice;

#define BENCH_CHOICES_MAX 3

typedef struct bench_advice {
    bool real_time;              /* bench_run_in_time */
    double needed_bytes_per_s;   /* that the machine would have to read */
    bench_choice smaller;        /* the smallest type of the same model; bytes
                                    0: it has that already */
    bench_choice fits[BENCH_CHOICES_MAX]; /* would be in time; largest first */
    int n_fits;
} bench_advice;

/* `run`: one lane. */
bench_advice bench_advise(const bench_model *m, const bench_run *run);

#endif
