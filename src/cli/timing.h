/* timing.h: how long the parts of each frame took, and what that means. */
#ifndef MOSHI_CLI_TIMING_H
#define MOSHI_CLI_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/json_out.h"

/* X(NAME, name): the parts of a frame, in the order of the way. */
#define TIMING_PARTS(X)            \
    X(ENCODE, "mimi_encode")       \
    X(TEMPORAL, "temporal")        \
    X(DEPFORMER, "depformer")      \
    X(LM, "lm")                    \
    X(DECODE, "mimi_decode")       \
    X(FRAME, "frame")

typedef enum timing_part {
#define TIMING_ENUM(name, text) TIMING_##name,
    TIMING_PARTS(TIMING_ENUM)
#undef TIMING_ENUM
    TIMING_COUNT
} timing_part;

/* One time for each frame. */
typedef struct timing_series {
    double *seconds; /* owned */
    size_t count, room;
} timing_series;

/* False when out of memory. */
bool timing_series_add(timing_series *s, double seconds);
/* q: 0 … 1; 0 without frames. Sorts the series. */
double timing_series_quantile(timing_series *s, double q);
void timing_series_release(timing_series *s);

typedef struct timing {
    timing_series parts[TIMING_COUNT];
    uint64_t bytes[TIMING_COUNT];  /* weights read in a frame; 0: not known */
} timing;

void timing_init(timing *t);
void timing_release(timing *t);

/* Record a frame; false when out of memory. */
bool timing_add(timing *t, const double seconds[TIMING_COUNT]);

/* As timing_series_quantile, of a part. */
double timing_quantile(timing *t, timing_part part, double q);

/* A table for people; the "parts" array of --json. */
void timing_print(timing *t, FILE *out);
void timing_json(timing *t, json_out *j);

/* Largest resident memory of this process so far, in bytes; 0 if unknown. */
uint64_t timing_peak_memory(void);

#endif
