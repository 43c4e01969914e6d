/* state.h: what the CPU backend keeps of one stream. Internal to src/cpu.
 *
 * All state tensors of the plan lie in one block. Its memory is mapped, not
 * touched: a cache of 3,000 steps costs what its steps have filled. */
#ifndef MOSHI_CPU_STATE_H
#define MOSHI_CPU_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/backend.h"

struct plan_state {
    const plan *plan;
    int64_t frame;   /* frames run since the last reset */
    char *bytes;     /* owned: plan->state_bytes */
    size_t gathered; /* bytes of them that cpu_state_gather is done with */
};

/* What the backend's table says of each (plan/backend.h). */
moshi_status cpu_state_open(backend *self, const plan *p, plan_state **out,
                            moshi_error *err);
void cpu_state_close(plan_state **state);
void cpu_state_reset(plan_state *s);
void cpu_state_seek(plan_state *s, int64_t frame);
void cpu_state_write(plan_state *s, tensor_id tensor, size_t at,
                     const void *data, size_t bytes);
void cpu_state_read(const plan_state *s, tensor_id tensor, size_t at,
                    void *data, size_t bytes);

/* Once every slot of every cache has been written, make large pages of the
 * small ones, at most `most` now: attention then reads them as fast as weights,
 * and they take no more memory than before. Earlier they would: the slots of a
 * head lie together, so each page has some that are still to come. False:
 * nothing was to be done. */
bool cpu_state_gather(plan_state *s, size_t most);

#endif
