/* analyze_stride.h: artefacts that keep step with the inside of the codec.
 *
 * The decoder makes a frame of 1,920 samples by steps of 960, 120, 20 and 4
 * (docs/MODEL.md, the strides of SEANet): a state that is lost between them, or
 * pieces that overlap wrongly, leave a mark at one place of each. The mark is
 * looked for in what a linear predictor cannot foresee (analyze_predict.h), and
 * at the frames' boundaries in the flux of the spectrum as well. */
#ifndef MOSHI_LAB_ANALYZE_STRIDE_H
#define MOSHI_LAB_ANALYZE_STRIDE_H

#include <stddef.h>

#include <moshi/error.h>

#include "lab/analyze_fold.h"

#define STRIDES 4
extern const size_t stride_samples[STRIDES]; /* 4, 20, 120, 960 */

typedef struct stride_meter {
    fold surprise[STRIDES]; /* by sample; of 960 by 8 samples */
    fold flux;              /* of a frame, by hops of FLUX_HOP samples */
    double *error, *level;  /* owned: of one segment */
    size_t room;
} stride_meter;

/* n samples at 24 kHz; every call but the last a whole number of frames, so
 * that all keep to one grid. Errors: MOSHI_NO_MEMORY. */
moshi_status stride_push(stride_meter *m, const float *pcm, size_t n,
                         moshi_error *err);

/* How far one place of each step stands out, beyond chance: 0.5 is half as much
 * again as elsewhere; below 0 is chance. NAN: too little sound. */
typedef struct stride_measures {
    double surprise[STRIDES];
    double flux;
} stride_measures;

stride_measures stride_read(const stride_meter *m);
void stride_release(stride_meter *m);

#endif
