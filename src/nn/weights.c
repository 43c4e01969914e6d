/* weights.c: find tensors, compare their shapes, widen the small ones. */
#include "nn/weights.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/pages.h"

struct weights_store {
    void **blocks;
    size_t count, room;
    size_t bytes;
    weights_work *work; /* owned */
    struct used {
        const checkpoint_tensor *tensor;
        weights_use use;
    } *used; /* owned: the last request stands last */
    size_t n_used, used_room;
};

weights_store *weights_store_open(void)
{
    weights_store *store = memory_calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->work = weights_work_open();
    if (!store->work)
        weights_store_close(&store);
    return store;
}

void weights_store_close(weights_store **store)
{
    if (!*store)
        return;
    for (size_t i = 0; i < (*store)->count; i++)
        memory_aligned_free((*store)->blocks[i]);
    memory_free((*store)->blocks);
    memory_free((*store)->used);
    weights_work_close(&(*store)->work);
    memory_free(*store);
    *store = NULL;
}

void *weights_store_block(weights_store *store, size_t bytes)
{
    if (!memory_grow((void **)&store->blocks, &store->room, store->count + 1,
                     sizeof *store->blocks))
        return NULL;
    void *block = memory_aligned_calloc(bytes);
    if (!block)
        return NULL;
    pages_ask_large(block, bytes);
    store->blocks[store->count++] = block;
    store->bytes += bytes;
    return block;
}

size_t weights_store_bytes(const weights_store *store)
{
    return store->bytes;
}

weights_use weights_store_use(const weights_store *store,
                              const checkpoint_tensor *tensor)
{
    for (size_t i = store->n_used; i-- > 0;)
        if (store->used[i].tensor == tensor)
            return store->used[i].use;
    return WEIGHTS_UNUSED;
}

static void add_use(weights *w, const checkpoint_tensor *t, weights_use use)
{
    weights_store *s = w->store;
    if (memory_grow((void **)&s->used, &s->used_room, s->n_used + 1,
                    sizeof *s->used))
        s->used[s->n_used++] = (struct used){t, use};
    else if (w->status == MOSHI_OK)
        w->status = error_no_memory(w->err, "the weights of the model");
}

void weights_note_use(weights *w, weights_use use)
{
    if (w->status == MOSHI_OK && w->store->n_used > 0)
        w->store->used[w->store->n_used - 1].use = use;
}

void weights_store_finish(weights_store *store)
{
    weights_work_finish(store->work);
}

size_t weights_store_unmade(const weights_store *store)
{
    return weights_work_bytes(store->work);
}

nn_matrix nn_matrix_rows(nn_matrix m, size_t first, size_t count)
{
    size_t row_bytes = 0;
    dtype_row_bytes(m.type, m.width, &row_bytes);
    if (m.data)
        m.data = (const char *)m.data + first * row_bytes;
    m.rows = count;
    return m;
}

void weights_fail(weights *w, moshi_status status, const char *format, ...)
{
    if (w->status != MOSHI_OK)
        return;
    char text[sizeof w->err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    w->status = error_set(w->err, status, "%s: %s", checkpoint_path(w->file),
                          text);
}

bool weights_find(const weights *w, const char *name, weights_place *out)
{
    if (w->resolve)
        return w->resolve(w->user, w->file, name, out);
    *out = (weights_place){.tensor = checkpoint_find(w->file, name)};
    return out->tensor != NULL;
}

bool weights_has(const weights *w, const char *name)
{
    weights_place place;
    return weights_find(w, name, &place);
}

/* The rows of a place as a matrix; complains about whatever does not fit. */
static bool place_matrix(weights *w, const char *name,
                         const weights_place *place, size_t rows, size_t width,
                         nn_matrix *out)
{
    const checkpoint_tensor *t = place->tensor;
    char shape[160];
    size_t all_rows = t->n_dims > 0 ? t->dims[0] : 1;
    size_t count = place->count ? place->count : all_rows;
    size_t row_bytes;
    checkpoint_shape_text(t, shape, sizeof shape);
    if (count != rows || place->first + count > all_rows ||
        checkpoint_elements(t) != all_rows * width) {
        weights_fail(w, MOSHI_MISMATCH,
                     "tensor %s is %s, expected [%zu, %zu]%s%s%s", t->name,
                     shape, place->count ? all_rows : rows, width,
                     place->count ? " (for " : "", place->count ? name : "",
                     place->count ? ")" : "");
        return false;
    }
    /* The last axis of the file is what is stored in blocks. */
    size_t last = t->n_dims > 0 ? t->dims[t->n_dims - 1] : 1;
    if (!dtype_row_bytes(t->type, width, &row_bytes) ||
        (dtype_info(t->type)->block > 1 && last != width)) {
        weights_fail(w, MOSHI_MISMATCH,
                     "tensor %s is %s in %s: its rows of %zu are not whole "
                     "blocks of %zu", t->name, shape, dtype_info(t->type)->name,
                     width, dtype_info(t->type)->block);
        return false;
    }
    *out = (nn_matrix){.type = t->type,
                       .rows = rows,
                       .width = width,
                       .data = (const char *)t->data +
                               place->first * row_bytes};
    return true;
}

static bool find_or_fail(weights *w, const char *name, weights_place *place)
{
    if (w->status != MOSHI_OK)
        return false;
    if (weights_find(w, name, place))
        return true;
    weights_fail(w, MOSHI_MISMATCH, "tensor %s is missing", name);
    return false;
}

nn_matrix weights_matrix(weights *w, const char *name, size_t rows,
                         size_t width)
{
    nn_matrix m = {.type = DTYPE_F32, .rows = rows, .width = width};
    weights_place place;
    if (!find_or_fail(w, name, &place))
        return m;
    if (!dtype_is_weight(place.tensor->type)) {
        weights_fail(w, MOSHI_UNSUPPORTED,
                     "tensor %s has type %s, which cannot be a weight", name,
                     dtype_info(place.tensor->type)->name);
        return m;
    }
    if (place_matrix(w, name, &place, rows, width, &m))
        add_use(w, place.tensor, WEIGHTS_IN_PLACE);
    return m;
}

void *weights_own_bytes(weights *w, size_t bytes)
{
    if (w->status != MOSHI_OK)
        return NULL;
    void *block = weights_store_block(w->store, bytes);
    if (!block)
        w->status = error_no_memory(w->err, "the weights of the model");
    return block;
}

float *weights_own(weights *w, size_t n)
{
    size_t bytes;
    /* What overflows is refused as too much. */
    return weights_own_bytes(w, size_mul(n, sizeof(float), &bytes)
                                    ? bytes : (size_t)-1);
}

void weights_later(weights *w, weights_job *job, const void *user, size_t size,
                   size_t bytes)
{
    if (w->status != MOSHI_OK)
        return;
    if (!weights_work_add(w->store->work, job, user, size, bytes))
        w->status = error_no_memory(w->err, "the weights of the model");
    else if (!w->later)
        weights_store_finish(w->store);
}

void weights_widen(float *y, const void *data, dtype type, size_t n)
{
    uint16_t h;
    if (type == DTYPE_F32) {
        memcpy(y, data, n * sizeof *y);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(&h, (const char *)data + 2 * i, sizeof h);
        y[i] = type == DTYPE_F16 ? half_to_float(h) : bfloat_to_float(h);
    }
}

bool weights_source(weights *w, const char *name, size_t n, const void **data,
                    dtype *type)
{
    weights_place place;
    nn_matrix m;
    char shape[160];
    if (!find_or_fail(w, name, &place))
        return false;
    const checkpoint_tensor *t = place.tensor;
    if (checkpoint_elements(t) != n && !place.count) {
        weights_fail(w, MOSHI_MISMATCH, "tensor %s is %s, expected %zu values",
                     t->name, checkpoint_shape_text(t, shape, sizeof shape), n);
        return false;
    }
    m.data = t->data;
    if (place.count && n % place.count != 0)
        weights_fail(w, MOSHI_MISMATCH,
                     "%zu values asked of the %zu rows that tensor %s has "
                     "for %s", n, place.count, t->name, name);
    else if (place.count)
        place_matrix(w, name, &place, place.count, n / place.count, &m);
    if (w->status != MOSHI_OK)
        return false;
    *data = m.data;
    *type = t->type;
    if (t->type == DTYPE_F32 || t->type == DTYPE_F16 || t->type == DTYPE_BF16) {
        add_use(w, t, WEIGHTS_COPIED);
        return w->status == MOSHI_OK;
    }
    weights_fail(w, MOSHI_UNSUPPORTED,
                 "tensor %s has type %s; F32, F16 or BF16 is needed here",
                 t->name, dtype_info(t->type)->name);
    return false;
}

bool weights_read(weights *w, const char *name, size_t n, float *out)
{
    const void *data;
    dtype type;
    if (!weights_source(w, name, n, &data, &type))
        return false;
    weights_widen(out, data, type, n);
    return true;
}

const float *weights_floats(weights *w, const char *name, size_t n)
{
    float *block = weights_own(w, n);
    return block && weights_read(w, name, n, block) ? block : NULL;
}

const float *weights_floats_optional(weights *w, const char *name, size_t n)
{
    return weights_has(w, name) ? weights_floats(w, name, n) : NULL;
}
