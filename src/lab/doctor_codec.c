/* doctor_codec.c: the codec by itself, on a sound like a voice.
 *
 * Whatever the weights are, some things must hold: the same sound gives the
 * same codes whichever lane it is in, whether or not something is decoded in
 * between, and after a reset as at the start; so does decoding. How good the
 * sound is that comes back can only be judged for the published codec. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/echo.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"

#define FRAMES 16
#define LANE   2 /* of three: the sound beside silence */

/* Two runs over the same sound, in memory. */
typedef struct trial {
    const mimi_model *model;
    backend *backend;
    mimi_runner *runner;
    mimi_encoder *encoders[LANE + 1];
    mimi_decoder *decoders[LANE + 1];
    size_t samples, K;
    float *pcm, *silence;           /* FRAMES frames; one frame */
    int32_t *codes, *again;         /* [FRAMES][K] */
    float *sound, *sound_again;     /* decoded */
    int32_t *spare;                 /* rows of the other lanes */
    float *spare_pcm;
} trial;

static void trial_release(trial *t)
{
    for (int i = 0; i <= LANE; i++) {
        mimi_encoder_close(&t->encoders[i]);
        mimi_decoder_close(&t->decoders[i]);
    }
    mimi_runner_close(&t->runner);
    memory_free(t->pcm);
    memory_free(t->silence);
    memory_free(t->codes);
    memory_free(t->again);
    memory_free(t->sound);
    memory_free(t->sound_again);
    memory_free(t->spare);
    memory_free(t->spare_pcm);
}

static bool trial_init(trial *t, const moshi_model *m, moshi_error *err)
{
    *t = (trial){.model = m->mimi, .backend = m->backend};
    t->samples = (size_t)m->mimi->config.frame_samples;
    t->K = (size_t)m->mimi->codebooks;
    size_t all = FRAMES * t->samples, codes = FRAMES * t->K;
    t->pcm = memory_calloc(all, sizeof *t->pcm);
    t->silence = memory_calloc(t->samples, sizeof *t->silence);
    t->codes = memory_calloc(codes, sizeof *t->codes);
    t->again = memory_calloc(codes, sizeof *t->again);
    t->sound = memory_calloc(all, sizeof *t->sound);
    t->sound_again = memory_calloc(all, sizeof *t->sound_again);
    t->spare = memory_calloc(LANE * t->K, sizeof *t->spare);
    t->spare_pcm = memory_calloc(LANE * t->samples, sizeof *t->spare_pcm);
    bool ok = t->pcm && t->silence && t->codes && t->again && t->sound &&
              t->sound_again && t->spare && t->spare_pcm &&
              mimi_runner_open(&t->runner, t->model, t->backend, MIMI_BOTH,
                               LANE + 1, err) == MOSHI_OK;
    for (int i = 0; i <= LANE && ok; i++)
        ok = mimi_encoder_open(&t->encoders[i], t->model, t->backend, err) ==
                 MOSHI_OK &&
             mimi_decoder_open(&t->decoders[i], t->model, t->backend, err) ==
                 MOSHI_OK;
    if (ok)
        test_sound_fill(t->pcm, all, t->model->config.sample_rate_hz);
    return ok;
}

/* Encode or decode frame f in lane 0 alone, or in the last lane beside
 * silence (lanes: 1 or LANE + 1). */
static void encode(trial *t, size_t f, int lanes, int32_t *out)
{
    const float *in[LANE + 1];
    int32_t *rows[LANE + 1];
    for (int i = 0; i < lanes; i++) {
        bool ours = i == lanes - 1;
        in[i] = ours ? t->pcm + f * t->samples : t->silence;
        rows[i] = ours ? out + f * t->K : t->spare + (size_t)i * t->K;
    }
    mimi_encode_frame(t->runner, t->encoders, lanes, in, rows, NULL);
}

static void decode(trial *t, size_t f, int lanes, float *out)
{
    const int32_t *rows[LANE + 1];
    float *pcm[LANE + 1];
    for (int i = 0; i < lanes; i++) {
        bool ours = i == lanes - 1;
        /* The neighbours decode the first frame again and again. */
        rows[i] = t->codes + (ours ? f : 0) * t->K;
        pcm[i] = ours ? out + f * t->samples
                      : t->spare_pcm + (size_t)i * t->samples;
    }
    mimi_decode_frame(t->runner, t->decoders, lanes, rows, (int)t->K, pcm,
                      NULL);
}

static void reset(trial *t)
{
    for (int i = 0; i <= LANE; i++) {
        mimi_encoder_reset(t->encoders[i]);
        mimi_decoder_reset(t->decoders[i]);
    }
}

static void compare(doctor *d, trial *t, const char *name, const char *expected)
{
    doctor_finding f = {name, LAB_CODEC, DOCTOR_OK, expected,
                        "report this as a bug, with this page"};
    size_t codes = FRAMES * t->K, samples = FRAMES * t->samples;
    size_t differ = 0, unlike = 0;
    for (size_t i = 0; i < codes; i++)
        differ += t->codes[i] != t->again[i];
    for (size_t i = 0; i < samples; i++)
        unlike += memcmp(&t->sound[i], &t->sound_again[i],
                         sizeof *t->sound) != 0;
    if (differ || unlike)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "%zu of %zu codes and %zu of %zu samples differ", differ,
               codes, unlike, samples);
}

static void check_repeats(doctor *d, trial *t)
{
    /* All at once: each side alone, in the first lane. */
    for (size_t f = 0; f < FRAMES; f++)
        encode(t, f, 1, t->codes);
    for (size_t f = 0; f < FRAMES; f++)
        decode(t, f, 1, t->sound);
    reset(t);
    for (size_t f = 0; f < FRAMES; f++)
        encode(t, f, 1, t->again);
    for (size_t f = 0; f < FRAMES; f++)
        decode(t, f, 1, t->sound_again);
    compare(d, t, "codec: reset", "after a reset the same bits as at first");
    reset(t);
    for (size_t f = 0; f < FRAMES; f++) {
        encode(t, f, 1, t->again);
        decode(t, f, 1, t->sound_again);
    }
    compare(d, t, "codec: streaming equals whole", "encoding and decoding in "
            "turns gives the bits of each by itself");
    reset(t);
    for (size_t f = 0; f < FRAMES; f++) {
        encode(t, f, LANE + 1, t->again);
        decode(t, f, LANE + 1, t->sound_again);
    }
    compare(d, t, "codec: lanes", "a neighbour in the same run changes no bit");
}

/* --- the sound itself --- */

static double level_dbfs(const float *pcm, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)pcm[i] * pcm[i];
    return 10 * log10(sum / (double)n + 1e-12);
}

static void check_levels(doctor *d, trial *t)
{
    size_t n = FRAMES * t->samples, bad = 0, same = 0;
    doctor_finding f = {"codec: round trip", LAB_CODEC, DOCTOR_OK,
                        "a finite sound that is neither silence nor far above "
                        "full scale, from codes that change",
                        "use the codec of the model's own repository"};
    for (size_t i = 0; i < n; i++)
        bad += !isfinite(t->sound[i]);
    for (size_t i = 1; i < FRAMES; i++)
        same += memcmp(t->codes + i * t->K, t->codes, t->K *
                       sizeof *t->codes) == 0;
    double in = level_dbfs(t->pcm, n), out = bad ? NAN
                                                 : level_dbfs(t->sound, n);
    if (bad || out < -80 || out > 20 || same == FRAMES - 1)
        f.status = DOCTOR_FAULT;
    doctor_add(d, f, "%.1f dBFS in, %.1f dBFS out, %zu samples not finite, "
               "%zu of %d frames have the codes of the first", in, out, bad,
               same, FRAMES - 1);
}

/* Only for the published codec is it known that codes come back. */
static void check_echo(doctor *d, trial *t)
{
    echo_mimi *echo = NULL;
    echo_score score;
    float frames[FRAMES];
    int K = (int)t->K;
    const int32_t *codes = t->codes;
    bool published = t->model->config.from &&
                     strcmp(t->model->config.from, "preset") == 0;
    doctor_finding f = {"codec: token echo", LAB_CODEC, DOCTOR_OK,
                        published ? "several times chance, for a trained codec"
                                  : "",
                        "a codec that does not return its own codes is not "
                        "trained, or damaged: compare its hash"};
    if (echo_mimi_open(&echo, t->model, t->backend, &d->ignored) != MOSHI_OK) {
        d->report->failed = true;
        return;
    }
    echo_codec codec = echo_mimi_codec(echo);
    if (codec.run(codec.user, &codes, 1, K, FRAMES, &t->again,
                  &d->ignored) ==
        MOSHI_OK) {
        echo_compare(t->codes, t->again, K, FRAMES, &score, frames);
        if (published && score.book[0] < 2 * score.chance[0] + 0.05)
            f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%.0f %% of the semantic codes and %.0f %% of all, "
                   "weighted, come back (by chance %.0f %% and %.0f %%)%s",
                   100 * score.book[0], 100 * score.share,
                   100 * score.chance[0], 100 * score.by_chance,
                   published ? "" : "; not judged: it is not the published "
                                    "codec");
    }
    echo_mimi_close(&echo);
}

void doctor_codec_check(doctor *d)
{
    trial t;
    doctor_finding skipped = {"codec: self-test", LAB_CODEC, DOCTOR_SKIPPED,
                              "", ""};
    if (!d->model) {
        doctor_add(d, skipped, "the model cannot be opened");
        return;
    }
    doctor_progress(d, "codec", 0);
    if (trial_init(&t, d->model, &d->ignored)) {
        check_repeats(d, &t);
        check_levels(d, &t);
        check_echo(d, &t);
    } else {
        d->report->failed = true;
    }
    trial_release(&t);
}
