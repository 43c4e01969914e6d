/* model_prefault.c: which bytes the frames of a model will read, for the
 * thread that brings them into memory. */
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "tasks/model.h"

typedef struct part_list {
    prefault_part *parts; /* NULL: only count */
    size_t count, bytes;
} part_list;

/* A weight may stand in several plans; walking over it again costs little. */
static void add_plan(part_list *l, const plan *p)
{
    for (size_t i = 0; i < p->n_tensors; i++) {
        const plan_tensor *t = &p->tensors[i];
        if (t->space != PLAN_WEIGHT)
            continue;
        if (l->parts)
            l->parts[l->count] = (prefault_part){t->data, t->bytes, NULL};
        l->count++;
        l->bytes += t->bytes;
    }
}

static void make_codec(const void *mimi)
{
    mimi_model_finish(mimi);
}

/* The codec's own weights first, which whoever opens a stream waits for; then
 * the language model's, which are most. */
static void add_all(part_list *l, const moshi_model *m)
{
    size_t unmade = mimi_model_unmade(m->mimi);
    if (l->parts)
        l->parts[l->count] = (prefault_part){m->mimi, unmade, make_codec};
    l->count++;
    l->bytes += unmade;
    add_plan(l, m->lm->plain.plan);
    add_plan(l, m->mimi->encoder);
    add_plan(l, m->mimi->decoder);
}

/* More than the machine has would drive itself out again. */
static bool fits(size_t bytes)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 || bytes / (size_t)page < (size_t)pages;
}

moshi_status model_prefault(moshi_model *m, const moshi_model_params *params,
                            moshi_error *err)
{
    moshi_error ignored;
    part_list l = {0};
    add_all(&l, m);
    if (!fits(l.bytes))
        return MOSHI_OK;
    l.parts = memory_calloc(l.count, sizeof *l.parts);
    if (!l.parts)
        return error_no_memory(err, "loading in the background");
    l.count = l.bytes = 0;
    add_all(&l, m);
    moshi_status status = prefault_open(&m->loading, l.parts, l.count,
                                        params->loading, params->loading_user,
                                        &ignored);
    memory_free(l.parts);
    if (status == MOSHI_NO_MEMORY)
        return error_no_memory(err, "loading in the background");
    return MOSHI_OK; /* without a thread frames read what they need */
}

void moshi_model_wait(moshi_model *model)
{
    prefault_wait(model->loading);
}
