/* state.c: stream states: one block of memory, and the pages it lies in. */
#include "cpu/state.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/pages.h"

void cpu_state_close(plan_state **handle)
{
    if (!*handle)
        return;
    memory_aligned_free((*handle)->bytes);
    memory_free(*handle);
    *handle = NULL;
}

moshi_status cpu_state_open(backend *self, const plan *p, plan_state **out,
                            moshi_error *err)
{
    (void)self;
    plan_state *s = memory_calloc(1, sizeof *s);
    if (s) {
        s->plan = p;
        s->bytes = memory_aligned_calloc(p->state_bytes);
    }
    if (!s || !s->bytes) {
        cpu_state_close(&s);
        return error_no_memory(err, "the state of a stream");
    }
    /* A step writes to every head's slots: in large pages the first one would
     * make all of it resident. */
    pages_ask_small(s->bytes, p->state_bytes);
    *out = s;
    return MOSHI_OK;
}

void cpu_state_reset(plan_state *s)
{
    s->frame = 0;
    for (size_t i = 0; i < s->plan->n_tensors; i++) {
        const plan_tensor *t = &s->plan->tensors[i];
        if (t->space == PLAN_STATE && !t->keep)
            memset(s->bytes + t->offset, 0, t->bytes);
    }
}

/* A jump is no frame that somebody waits for; a step of one is (split.c). */
void cpu_state_seek(plan_state *s, int64_t frame)
{
    size_t most = frame == s->frame + 1 ? 1 : SIZE_MAX;
    s->frame = frame;
    cpu_state_gather(s, most);
}

void cpu_state_write(plan_state *s, tensor_id tensor, size_t at,
                     const void *data, size_t bytes)
{
    const plan_tensor *t = &s->plan->tensors[tensor];
    assert(t->space == PLAN_STATE && at + bytes <= t->bytes);
    memcpy(s->bytes + t->offset + at, data, bytes);
}

void cpu_state_read(const plan_state *s, tensor_id tensor, size_t at,
                    void *data, size_t bytes)
{
    const plan_tensor *t = &s->plan->tensors[tensor];
    assert(t->space == PLAN_STATE && at + bytes <= t->bytes);
    memcpy(data, s->bytes + t->offset + at, bytes);
}

bool cpu_state_gather(plan_state *s, size_t most)
{
    if (s->gathered == s->plan->state_bytes ||
        (uint64_t)s->frame * s->plan->steps < s->plan->attention_keys_max)
        return false;
    pages_gather(s->bytes, s->plan->state_bytes, &s->gathered, most);
    return true;
}
