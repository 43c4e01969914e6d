/* weights.c: list what a plan needs, make room, upload. */
#include "vulkan/weights.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/layout.h"

/* Weights share buffers of this size; a larger one has its own. */
#define CHUNK_BYTES ((VkDeviceSize)64 << 20)
#define ALIGNMENT 256 /* the most that a device may ask of an offset */

struct vk_weight_set {
    vk_weight_set *next;
    int users;
    vk_weight *weights; /* owned */
    size_t n, room;
    vk_buffer *chunks;  /* owned */
    size_t n_chunks;
};

/* --- looking up --- */

static bool same(const vk_weight *w, const vk_weight *key)
{
    return w->data == key->data && w->extra == key->extra &&
           w->type == key->type && w->rows == key->rows &&
           w->width == key->width && w->panels == key->panels;
}

static const vk_weight *find_in(const vk_weight_set *set, const vk_weight *key)
{
    for (size_t i = 0; i < set->n; i++)
        if (same(&set->weights[i], key))
            return &set->weights[i];
    return NULL;
}

static const vk_weight *find(const vk_weight_use *use, const vk_weight *key)
{
    const vk_weight *w = NULL;
    for (size_t i = 0; i < use->n && !w; i++)
        w = find_in(use->sets[i], key);
    return w;
}

static vk_weight key_of(const plan_tensor *t)
{
    return (vk_weight){.data = t->data, .type = t->type, .rows = t->rows,
                       .width = t->width, .panels = t->panels};
}

static vk_weight extra_key(vk_extra extra, const void *key, size_t n)
{
    return (vk_weight){.data = key, .type = DTYPE_F32, .rows = 1, .width = n,
                       .extra = extra};
}

const vk_weight *vk_weights_find(const vk_weight_use *use,
                                 const plan_tensor *t)
{
    vk_weight key = key_of(t);
    return find(use, &key);
}

const vk_weight *vk_weights_extra(const vk_weight_use *use, vk_extra extra,
                                  const void *key, size_t n)
{
    vk_weight k = extra_key(extra, key, n);
    return find(use, &k);
}

static VkDeviceSize device_bytes(const vk_weight *w)
{
    return (VkDeviceSize)vk_layout_row_bytes(w->type, w->width) * w->rows;
}

/* --- listing --- */

/* In use by this runner, perhaps through a set of another? */
static bool hold(vk_weights *all, vk_weight_use *use, const vk_weight *key)
{
    if (find(use, key))
        return true;
    for (vk_weight_set *s = all->first; s; s = s->next)
        if (find_in(s, key) &&
            memory_grow((void **)&use->sets, &use->room, use->n + 1,
                        sizeof(vk_weight_set *))) {
            use->sets[use->n++] = s;
            s->users++;
            return true;
        }
    return false;
}

static bool want(vk_weights *all, vk_weight_use *use, vk_weight_set *set,
                 vk_weight key)
{
    if (find_in(set, &key) || hold(all, use, &key))
        return true;
    if (!memory_grow((void **)&set->weights, &set->room, set->n + 1,
                     sizeof *set->weights))
        return false;
    set->weights[set->n++] = key;
    return true;
}

static bool list_op(vk_weights *all, vk_weight_use *use, vk_weight_set *set,
                    const plan *p, const plan_op *op)
{
    bool ok = true;
    for (int i = 0; i < OP_INPUTS && ok; i++)
        if (op->in[i] != TENSOR_NONE &&
            p->tensors[op->in[i]].space == PLAN_WEIGHT)
            ok = want(all, use, set, key_of(&p->tensors[op->in[i]]));
    if (ok && op->kind == OP_NEAREST)
        ok = want(all, use, set,
                  extra_key(VK_EXTRA_HALF_NORMS, op->p.nearest.half_norms,
                            2 * p->tensors[op->in[0]].rows));
    if (ok && op->kind == OP_SINUSOID)
        ok = want(all, use, set,
                  extra_key(VK_EXTRA_PERIODS, NULL,
                            p->tensors[op->out].width / 2));
    return ok;
}

/* --- uploading --- */

/* Give each weight its place: chunk sizes into `sizes`, number of chunks. */
static size_t place(vk_weight_set *set, VkDeviceSize *sizes)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        vk_weight *w = &set->weights[i];
        w->bytes = device_bytes(w);
        VkDeviceSize need = (w->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (n == 0 || sizes[n - 1] + need > CHUNK_BYTES)
            sizes[n++] = 0;
        w->at = sizes[n - 1];
        w->buffer = set->chunks + (n - 1); /* sizes and chunks run together */
        sizes[n - 1] += need;
    }
    return n;
}

static void make_extra(const vk_weight *w, float *out)
{
    if (w->extra == VK_EXTRA_PERIODS) {
        for (size_t i = 0; i < w->width; i++)
            out[i] = powf(10000.0f, (float)i / (float)(w->width - 1));
        return;
    }
    const double *norms = w->data;
    for (size_t i = 0; i < w->width / 2; i++) {
        out[2 * i] = (float)norms[i];
        out[2 * i + 1] = (float)(norms[i] - (double)out[2 * i]);
    }
}

static moshi_status upload_extra(vk_context *ctx, vk_transfer *t,
                                 const vk_weight *w, moshi_error *err)
{
    float *data = memory_calloc(w->width, sizeof *data);
    if (!data)
        return error_no_memory(err, "weights");
    make_extra(w, data);
    vk_write(ctx, t, w->buffer, w->at, data, w->width * sizeof *data);
    memory_free(data);
    return MOSHI_OK;
}

/* Whole rows at a time through the upload buffer. A row is never larger than
 * that: LIMIT_WIDTH. */
static void upload(vk_context *ctx, vk_transfer *t, const vk_weight *w)
{
    size_t to = vk_layout_row_bytes(w->type, w->width), from;
    dtype_row_bytes(w->type, w->width, &from);
    size_t most = VK_TRANSFER_BYTES / to;
    for (size_t row = 0; row < w->rows; row += most) {
        size_t n = w->rows - row < most ? w->rows - row : most;
        for (size_t i = 0; i < n; i++)
            vk_layout_row(w->type, w->width,
                          (const char *)w->data + (row + i) * from,
                          (char *)t->upload.mapped + i * to);
        vk_copy(ctx, t, &t->upload, 0, w->buffer, w->at + row * to, n * to);
    }
}

/* A weight in panels is turned back into rows first: a model that was opened
 * for the CPU (doctor compares both on it). */
static moshi_status upload_panels(vk_context *ctx, vk_transfer *t,
                                  const vk_weight *w, moshi_error *err)
{
    size_t bytes;
    dtype_row_bytes(w->type, w->width, &bytes);
    char *rows = memory_calloc(w->rows, bytes);
    if (!rows)
        return error_no_memory(err, "weights");
    for (size_t i = 0; i < w->rows; i++)
        vk_layout_from_panels(w->type, w->width, w->data, i, rows + i * bytes);
    vk_weight plain = *w;
    plain.data = rows;
    upload(ctx, t, &plain);
    memory_free(rows);
    return MOSHI_OK;
}

static moshi_status fill_set(vk_context *ctx, vk_transfer *t,
                             vk_weight_set *set, moshi_error *err)
{
    VkDeviceSize *sizes = memory_calloc(set->n + 1, sizeof *sizes);
    set->chunks = memory_calloc(set->n + 1, sizeof *set->chunks);
    moshi_status status = sizes && set->chunks
                              ? MOSHI_OK : error_no_memory(err, "weights");
    if (status == MOSHI_OK)
        set->n_chunks = place(set, sizes);
    for (size_t i = 0; i < set->n_chunks && status == MOSHI_OK; i++)
        status = vk_buffer_open(ctx, &set->chunks[i], VK_MEMORY_DEVICE,
                                sizes[i], "the weights", err);
    for (size_t i = 0; i < set->n && status == MOSHI_OK; i++) {
        const vk_weight *w = &set->weights[i];
        if (w->bytes > ctx->info.buffer_bytes_max)
            status = error_set(err, MOSHI_LACKING, "the GPU '%s' cannot see a "
                               "weight of %.1f MB at once, only %.1f MB",
                               ctx->info.name, (double)w->bytes * 1e-6,
                               (double)ctx->info.buffer_bytes_max * 1e-6);
        else if (w->extra != VK_EXTRA_NONE)
            status = upload_extra(ctx, t, w, err);
        else if (w->panels)
            status = upload_panels(ctx, t, w, err);
        else
            upload(ctx, t, w);
    }
    if (status == MOSHI_OK && ctx->failure != VK_SUCCESS)
        status = vk_failure(ctx, ctx->failure, ctx->failed_at, err);
    memory_free(sizes);
    return status;
}

static void set_close(vk_context *ctx, vk_weight_set *set)
{
    for (size_t i = 0; set->chunks && i < set->n_chunks; i++)
        vk_buffer_close(ctx, &set->chunks[i]);
    memory_free(set->chunks);
    memory_free(set->weights);
    memory_free(set);
}

moshi_status vk_weights_use(vk_context *ctx, vk_weights *all, vk_transfer *t,
                            const plan *p, const bool *mine,
                            vk_weight_use *use, moshi_error *err)
{
    vk_weight_set *set = memory_calloc(1, sizeof *set);
    bool ok = set != NULL;
    for (size_t i = 0; i < p->n_ops && ok; i++)
        if (!mine || mine[i])
            ok = list_op(all, use, set, p, &p->ops[i]);
    ok = ok && memory_grow((void **)&use->sets, &use->room, use->n + 1,
                           sizeof(vk_weight_set *));
    moshi_status status = ok ? MOSHI_OK : error_no_memory(err, "weights");
    if (status == MOSHI_OK)
        status = fill_set(ctx, t, set, err);
    if (status != MOSHI_OK) {
        if (set)
            set_close(ctx, set);
        vk_weights_drop(ctx, all, use);
        return status;
    }
    set->users = 1;
    set->next = all->first;
    all->first = set;
    use->sets[use->n++] = set;
    return MOSHI_OK;
}

void vk_weights_drop(vk_context *ctx, vk_weights *all, vk_weight_use *use)
{
    for (size_t i = 0; i < use->n; i++) {
        vk_weight_set *set = use->sets[i];
        if (--set->users > 0)
            continue;
        vk_weight_set **at = &all->first;
        while (*at != set)
            at = &(*at)->next;
        *at = set->next;
        set_close(ctx, set);
    }
    memory_free(use->sets);
    *use = (vk_weight_use){0};
}
