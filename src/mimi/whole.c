/* whole.c: run the plan of several frames over a recording. */
#include "mimi/whole.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* What one recording needs; all owned. */
typedef struct whole {
    plan_runner *runner;
    plan_state *state;
    float *pcm;     /* of one piece: the last is filled up with silence */
    int32_t *codes; /* likewise */
} whole;

static void release(whole *w, backend *be)
{
    be->runner_close(&w->runner);
    be->state_close(&w->state);
    memory_free(w->pcm);
    memory_free(w->codes);
}

static moshi_status prepare(whole *w, const mimi_model *m, backend *be,
                            moshi_error *err)
{
    size_t frames = (size_t)m->whole_frames;
    w->pcm = memory_calloc(frames * (size_t)m->config.frame_samples,
                           sizeof *w->pcm);
    w->codes = memory_calloc(frames * (size_t)m->codebooks, sizeof *w->codes);
    if (!w->pcm || !w->codes)
        return error_no_memory(err, "the frames of a recording");
    moshi_status status = be->runner_open(be, m->whole, 1, &w->runner, err);
    return status == MOSHI_OK ? be->state_open(be, m->whole, &w->state, err)
                              : status;
}

moshi_status mimi_whole_encode(const mimi_model *m, backend *be,
                               const float *pcm, size_t n_frames,
                               int32_t *codes, mimi_whole_progress *progress,
                               void *user, moshi_error *err)
{
    whole w = {0};
    size_t samples = (size_t)m->config.frame_samples;
    size_t K = (size_t)m->codebooks, piece = (size_t)m->whole_frames;
    assert(m->whole);
    moshi_status status = prepare(&w, m, be, err);
    if (status == MOSHI_OK)
        mimi_model_finish(m);
    for (size_t f = 0; f < n_frames && status == MOSHI_OK; f += piece) {
        size_t n = n_frames - f < piece ? n_frames - f : piece;
        memset(w.pcm + n * samples, 0, (piece - n) * samples * sizeof *w.pcm);
        memcpy(w.pcm, pcm + f * samples, n * samples * sizeof *pcm);
        be->write(w.runner, m->whole_pcm_in, 0, w.pcm);
        be->run(w.runner, &w.state, 1, NULL);
        be->read(w.runner, m->whole_codes_out, 0, w.codes);
        memcpy(codes + f * K, w.codes, n * K * sizeof *codes);
        status = backend_failure(be, err);
        if (progress)
            progress(user, f + n);
    }
    release(&w, be);
    return status;
}
