/* analyze_work.h: what the parts of analyze share while they collect. */
#ifndef MOSHI_LAB_ANALYZE_WORK_H
#define MOSHI_LAB_ANALYZE_WORK_H

#include "audio/speech_level.h"
#include "base/error.h"
#include "lab/analyze.h"
#include "lab/analyze_direction.h"
#include "lab/analyze_grid.h"
#include "lab/analyze_level.h"
#include "lab/analyze_order.h"
#include "lab/analyze_repeat.h"
#include "lab/analyze_speech.h"
#include "lab/analyze_stride.h"

/* Ten seconds, a whole number of frames, so that every segment has the same
 * grid; the last takes up to as much again. */
#define ANALYZE_SEGMENT (125 * (size_t)ANALYZE_FRAME)

typedef struct analyze_work {
    const analyze_params *params;
    analyze_report *report;
    level_meter level;
    speech_meter speech;
    direction direction;
    stride_meter strides;
    size_t samples;    /* at 24 kHz, of the segments so far */
    size_t segments;
    size_t active_samples;
    grid grid;         /* of the segment with the strongest evidence */
    size_t grid_start; /* its first sample */
    order_name order;  /* what was done to its frames */
    size_t repeats;    /* frames */
    speech_level best; /* of the segment that is most like speech */
    bool is_of_codes;  /* it is what the recorded codes sound like */
} analyze_work;

/* A segment of n samples; judge it and add to what is known. */
moshi_status analyze_segment(analyze_work *w, const float *pcm, size_t n,
                             moshi_error *err);

/* From what was collected: measures, findings, score, verdict. */
void analyze_conclude(analyze_work *w);

/* Add a finding about measure m, unless there are too many. */
void analyze_add(analyze_report *r, lab_class about, int penalty,
                 analyze_measure m, const char *format, ...) ERROR_PRINTF(5, 6);

/* Remember a place, unless there are too many. */
void analyze_flag_add(analyze_report *r, size_t sample, size_t samples);

#endif
