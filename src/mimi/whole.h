/* whole.h: encode a recording that is all there, several frames at a time.
 *
 * More steps at once read the weights less often and give all cores something
 * to do; the codes are those of encoding frame by frame, to the bit, since no
 * kernel's output depends on its neighbours and nothing looks ahead. */
#ifndef MOSHI_MIMI_WHOLE_H
#define MOSHI_MIMI_WHOLE_H

#include "mimi/model.h"
#include "plan/backend.h"

/* Called after each piece: frames that are done. */
typedef void mimi_whole_progress(void *user, size_t done);

/* pcm: n_frames * frame_samples samples; codes: n_frames rows of
 * model->codebooks. The model was opened with whole_frames > 0. Errors:
 * MOSHI_NO_MEMORY; what the backend's run has. */
moshi_status mimi_whole_encode(const mimi_model *model, backend *be,
                               const float *pcm, size_t n_frames,
                               int32_t *codes, mimi_whole_progress *progress,
                               void *user, moshi_error *err);

#endif
