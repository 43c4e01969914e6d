/* doctor_kernels.c: this processor's kernels against the textbook ones.
 *
 * The same frames on two backends, with the same codes and tokens given, so
 * that nothing is chosen twice. Rounding differs, by right; a kernel that is
 * wrong on this machine is off by far more, and the first that is has a name. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "lab/doctor_work.h"
#include "lab/lm_trial.h"
#include "lab/op_watch.h"
#include "lab/test_sound.h"
#include "mimi/stream.h"
#include "vulkan/backend.h"

#define STEPS 2

/* Against Q8_0 activations that round otherwise, over all layers. */
#define TOLERANCE 0.1

/* Largest distance so far, and the first operation beyond the tolerance. */
typedef struct distance {
    double error;
    const char *farthest, *first_off;
} distance;

static void take(distance *sum, const op_watch *w)
{
    if (!(w->error <= sum->error)) {
        sum->error = w->error;
        sum->farthest = w->farthest;
    }
    if (w->first_off && !sum->first_off)
        sum->first_off = w->first_off;
}

static moshi_status compare_lm(doctor *d, backend *be, backend *ref,
                               distance *sum)
{
    lm_trial fast = {0}, slow = {0};
    op_watch kept = {0}, against = {0};
    int32_t *user = NULL, tokens[1 + LIMIT_CODEBOOKS],
            same[1 + LIMIT_CODEBOOKS];
    size_t width = (size_t)(d->lm.n_q - d->lm.dep_q);
    const plan *p = d->model->lm->plain.plan;
    moshi_status status = lm_trial_hear(d->model, STEPS, &user, &d->ignored);
    if (status == MOSHI_OK)
        status = lm_trial_init(&fast, d->model, be, &d->ignored);
    if (status == MOSHI_OK)
        status = lm_trial_init(&slow, d->model, ref, &d->ignored);
    if (status == MOSHI_OK)
        status = op_watch_init(&kept, p, ref, OP_WATCH_KEEP, NULL, 0);
    if (status == MOSHI_OK)
        status = op_watch_init(&against, p, be, OP_WATCH_COMPARE, &kept, TOLERANCE);
    for (size_t s = 0; s < STEPS && status == MOSHI_OK; s++) {
        plan_hook hook = op_watch_begin(&kept);
        status = lm_trial_step(&slow, user + s * width, NULL, tokens, &hook);
        hook = op_watch_begin(&against);
        if (status == MOSHI_OK)
            status = lm_trial_step(&fast, user + s * width, tokens, same,
                                   &hook);
        doctor_progress(d, "kernels", (double)(s + 1) / STEPS);
    }
    take(sum, &against);
    op_watch_release(&against);
    op_watch_release(&kept);
    lm_trial_release(&slow);
    lm_trial_release(&fast);
    memory_free(user);
    return status;
}

/* One side of the codec on one backend. */
typedef struct side {
    mimi_runner *runner;
    mimi_encoder *encoder;
    mimi_decoder *decoder;
} side;

static moshi_status side_init(side *s, const mimi_model *m, backend *be,
                              moshi_error *err)
{
    moshi_status status = mimi_runner_open(&s->runner, m, be, MIMI_BOTH, 1,
                                           err);
    if (status == MOSHI_OK)
        status = mimi_encoder_open(&s->encoder, m, be, err);
    if (status == MOSHI_OK)
        status = mimi_decoder_open(&s->decoder, m, be, err);
    return status;
}

static void side_release(side *s)
{
    mimi_decoder_close(&s->decoder);
    mimi_encoder_close(&s->encoder);
    mimi_runner_close(&s->runner);
}

static moshi_status codec_frames(const mimi_model *m, side *slow, side *fast,
                                 op_watch w[4], const float *pcm, float *sound)
{
    int32_t codes[MIMI_CODEBOOKS_MAX], other[MIMI_CODEBOOKS_MAX];
    int32_t *out = codes, *out_fast = other;
    const int32_t *in = codes;
    moshi_status status = MOSHI_OK;
    for (size_t f = 0; f < STEPS && status == MOSHI_OK; f++) {
        const float *frame = pcm + f * (size_t)m->config.frame_samples;
        plan_hook hook = op_watch_begin(&w[0]);
        mimi_encode_frame(slow->runner, &slow->encoder, 1, &frame, &out, &hook);
        hook = op_watch_begin(&w[1]);
        mimi_encode_frame(fast->runner, &fast->encoder, 1, &frame, &out_fast,
                          &hook);
        hook = op_watch_begin(&w[2]);
        status = mimi_decode_frame(slow->runner, &slow->decoder, 1, &in,
                                   m->codebooks, &sound, &hook);
        hook = op_watch_begin(&w[3]);
        if (status == MOSHI_OK)
            status = mimi_decode_frame(fast->runner, &fast->decoder, 1, &in,
                                       m->codebooks, &sound, &hook);
    }
    return status;
}

static moshi_status compare_codec(doctor *d, backend *be, backend *ref,
                                  distance *sum)
{
    const mimi_model *m = d->model->mimi;
    size_t n = STEPS * (size_t)m->config.frame_samples;
    side slow = {0}, fast = {0};
    op_watch w[4] = {{0}};
    float *pcm = memory_calloc(2 * n, sizeof *pcm);
    moshi_status status = pcm ? MOSHI_OK : MOSHI_NO_MEMORY;
    if (status == MOSHI_OK)
        status = side_init(&slow, m, ref, &d->ignored);
    if (status == MOSHI_OK)
        status = side_init(&fast, m, be, &d->ignored);
    for (int i = 0; i < 4 && status == MOSHI_OK; i++)
        status = op_watch_init(&w[i], i < 2 ? m->encoder : m->decoder,
                               i % 2 ? be : ref,
                               i % 2 ? OP_WATCH_COMPARE : OP_WATCH_KEEP,
                               i % 2 ? &w[i - 1] : NULL, TOLERANCE);
    if (status == MOSHI_OK) {
        test_sound_fill(pcm, n, m->config.sample_rate_hz);
        status = codec_frames(m, &slow, &fast, w, pcm, pcm + n);
        take(sum, &w[1]);
        take(sum, &w[3]);
    }
    for (int i = 0; i < 4; i++)
        op_watch_release(&w[i]);
    side_release(&slow);
    side_release(&fast);
    memory_free(pcm);
    return status;
}

static void report(doctor *d, const char *name, const distance *sum)
{
    char expected[96];
    snprintf(expected, sizeof expected, "the reference kernels, within %g of "
             "the size of each output", TOLERANCE);
    doctor_finding f = {name, LAB_DEVICE, DOCTOR_OK, expected,
                        "set MOSHI_CPU=ref (slow, and right), and report this "
                        "as a bug, with this page"};
    if (sum->first_off) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "first off is %s; farthest %s, by %.2g",
                   sum->first_off, sum->farthest, sum->error);
    } else {
        doctor_add(d, f, "at most %.2g apart%s%s", sum->error,
                   sum->farthest ? ", in " : "",
                   sum->farthest ? sum->farthest : "");
    }
}

/* --- GPUs --- */

/* Each against this processor's own kernels, which were compared above. */
static void compare_gpu(doctor *d, const vulkan_device *g, int index)
{
    char name[64], expected[160];
    distance lm = {0}, codec = {0};
    backend *gpu = NULL, *cpu = NULL;
    snprintf(name, sizeof name, "device: GPU %d", index);
    snprintf(expected, sizeof expected, "what the CPU computes, within %g of "
             "the size of each output", TOLERANCE);
    doctor_finding f = {name, LAB_DEVICE, DOCTOR_OK, expected,
                        "use --device cpu, update the driver of the GPU, and "
                        "report this as a bug, with this page"};
    moshi_status status = cpu_backend_open(&cpu, d->params->model.threads,
                                           CPU_LEVEL_COUNT, &d->ignored);
    if (status == MOSHI_OK)
        status = vulkan_backend_open(&gpu, index, &d->ignored);
    if (status == MOSHI_OK)
        status = compare_codec(d, gpu, cpu, &codec);
    if (status == MOSHI_OK)
        status = compare_lm(d, gpu, cpu, &lm);
    if (status == MOSHI_OK)
        status = backend_failure(gpu, &d->ignored);
    const distance *worse = codec.error > lm.error ? &codec : &lm;
    const char *off = codec.first_off ? codec.first_off : lm.first_off;
    if (status != MOSHI_OK) {
        f.status = DOCTOR_WARNING;
        doctor_add(d, f, "%s: %s", g->name, d->ignored.message);
    } else if (off) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s: first off is %s; farthest %s, by %.2g", g->name,
                   off, worse->farthest, worse->error);
    } else {
        doctor_add(d, f, "%s: at most %.2g apart, in %s", g->name,
                   worse->error, worse->farthest ? worse->farthest : "nothing");
    }
    if (gpu)
        gpu->close(&gpu);
    if (cpu)
        cpu->close(&cpu);
}

/* A software device is a GPU to nobody but who asks for it. */
static bool is_examined(const doctor *d, const vulkan_device *g)
{
    const char *device = d->params->model.device;
    return !g->lacks[0] && (strcmp(g->type, "software") != 0 ||
                            (device && strncmp(device, "vulkan", 6) == 0));
}

static void compare_gpus(doctor *d)
{
    doctor_finding none = {"device: GPU", LAB_DEVICE, DOCTOR_SKIPPED, "", ""};
    vulkan_device *all = NULL;
    size_t n = 0, examined = 0;
    moshi_status status = vulkan_devices(&all, &n, &d->ignored);
    for (size_t i = 0; i < n; i++)
        if (is_examined(d, &all[i])) {
            compare_gpu(d, &all[i], (int)i);
            examined++;
        }
    if (status != MOSHI_OK)
        doctor_add(d, none, "%s", d->ignored.message);
    else if (examined == 0)
        doctor_add(d, none, "Vulkan finds no GPU here");
    memory_free(all);
}

void doctor_kernels_check(doctor *d)
{
    backend *ref = NULL;
    distance lm = {0}, codec = {0};
    doctor_finding skipped = {"device: kernels", LAB_DEVICE, DOCTOR_SKIPPED,
                              "", ""};
    if (!d->model) {
        doctor_add(d, skipped, "the model cannot be opened");
        return;
    }
    if (vulkan_backend_is(d->model->backend)) {
        doctor_add(d, skipped, "the model runs on a GPU, which is compared "
                   "with the CPU");
    } else if (cpu_backend_level(d->model->backend) == CPU_REF) {
        doctor_add(d, skipped, "only the reference kernels are in use");
    } else {
        moshi_status status = cpu_backend_open(
            &ref, d->params->model.threads, CPU_REF, &d->ignored);
        if (status == MOSHI_OK)
            status = compare_codec(d, d->model->backend, ref, &codec);
        if (status == MOSHI_OK)
            status = compare_lm(d, d->model->backend, ref, &lm);
        if (status == MOSHI_OK) {
            report(d, "device: codec kernels", &codec);
            report(d, "device: model kernels", &lm);
        } else {
            d->report->failed = true;
        }
        if (ref)
            ref->close(&ref);
    }
    compare_gpus(d);
}
