/* model_prefault.c: which bytes the frames of a model will read, and in what
 * order, for the thread that brings them into memory. */
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "tasks/model.h"

static void make_codec(const void *mimi)
{
    mimi_model_finish(mimi);
}

/* A weight may stand in several plans: the codebooks do. */
static void add_weight(model_loading *l, const plan_tensor *t)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->parts[i].data == t->data && l->parts[i].bytes == t->bytes)
            return;
    l->parts[l->count++] = (prefault_part){t->data, t->bytes, NULL};
    l->bytes += t->bytes;
}

/* The weights of a plan as its operations come to them: all but the tables of
 * tokens, of which a frame reads one row, or only those. */
static void add_plan(model_loading *l, const plan *p, bool tables)
{
    for (size_t i = 0; i < p->n_ops; i++)
        for (int k = 0; k < OP_INPUTS; k++) {
            tensor_id id = p->ops[i].in[k];
            bool table = p->ops[i].kind == OP_EMBED && k == 0;
            if (id != TENSOR_NONE && p->tensors[id].space == PLAN_WEIGHT &&
                table == tables)
                add_weight(l, &p->tensors[id]);
        }
}

moshi_status model_loading_list(model_loading *out, const moshi_model *m,
                                moshi_error *err)
{
    const plan *plans[] = {m->mimi->encoder, m->lm->plain.plan,
                           m->mimi->decoder};
    enum { PLANS = sizeof plans / sizeof *plans };
    size_t most = 1;
    for (int i = 0; i < PLANS; i++)
        most += plans[i]->n_tensors;
    model_loading l = {.parts = memory_calloc(most, sizeof *l.parts)};
    if (!l.parts)
        return error_no_memory(err, "loading in the background");
    /* The codec's own weights first, which whoever opens a stream waits for;
     * then what a frame reads, in its order. */
    l.bytes = mimi_model_unmade(m->mimi);
    l.parts[l.count++] = (prefault_part){m->mimi, l.bytes, make_codec};
    for (int tables = 0; tables < 2; tables++)
        for (int i = 0; i < PLANS; i++)
            add_plan(&l, plans[i], tables);
    *out = l;
    return MOSHI_OK;
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
    model_loading l;
    moshi_status status = model_loading_list(&l, m, err);
    if (status != MOSHI_OK)
        return status;
    if (fits(l.bytes))
        status = prefault_open(&m->loading, l.parts, l.count, params->loading,
                               params->loading_user, &ignored);
    memory_free(l.parts);
    if (status == MOSHI_NO_MEMORY)
        return error_no_memory(err, "loading in the background");
    return MOSHI_OK; /* without a thread frames read what they need */
}

void moshi_model_wait(moshi_model *model)
{
    prefault_wait(model->loading);
}
