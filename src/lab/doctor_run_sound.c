/* doctor_run_sound.c: is the sound of a run what its codes sound like? */
#include "audio/source_file.h"
#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/sound_match.h"
#include "lab/trace_tokens.h"

static void report(doctor *d, const sound_match *m)
{
    doctor_finding f = {"run: the sound", LAB_TIMELINE, DOCTOR_OK,
                        "each frame is what the decoder makes of its codes",
                        "look at what stands between decoder and file"};
    bool most = (double)m->right > SOUND_MATCH_RIGHT * (double)m->loud;
    if (m->loud < SOUND_MATCH_LEAST) {
        f.status = DOCTOR_SKIPPED;
        doctor_add(d, f, "%zu frames can be heard: too few", m->loud);
        return;
    }
    if (!most && m->unlike > m->loud / 2) {
        f.about = LAB_CODEC;
        f.advice = "decode the codes with 'moshi codec decode': if that sounds "
                   "right, the decoder that made the sound is at fault";
    }
    if (!most)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "of %zu frames that can be heard %zu are right, %zu are "
               "played backwards, %zu stand elsewhere, %zu are not of these "
               "codes; %zu frames, %zu decoded", m->loud, m->right,
               m->backwards, m->moved, m->unlike, m->frames, m->decoded);
}

void doctor_run_sound(doctor *d, const trace_tokens *codes)
{
    sound_match match = {0};
    moshi_error err = {0};
    const mimi_model *m = d->model->mimi;
    doctor_finding f = {"run: the sound", LAB_FILE, DOCTOR_WARNING,
                        "a recording, and codes of this codec", ""};
    float *pcm = NULL;
    size_t n = 0;
    moshi_status status = trace_tokens_check_codes(codes, m->codebooks,
                                                   m->config.bins, &err);
    if (status == MOSHI_OK)
        status = source_file_load(d->params->sound, m->config.sample_rate_hz,
                                  &pcm, &n, &err);
    if (status != MOSHI_OK) {
        doctor_add_error(d, f, &err);
    } else if (sound_match_run(&match, m, d->model->backend, codes->decoded,
                               codes->own, codes->steps, pcm, n,
                               &d->ignored) == MOSHI_OK) {
        report(d, &match);
    } else {
        d->report->failed = true;
    }
    sound_match_release(&match);
    memory_free(pcm);
}
