/* backend.h: what runs a plan: the contract between models and machines.
 *
 * A backend offers stream states and runners. Model code holds these through
 * the table below and never asks which backend it is.
 *
 * Thread-safety: state_open and runner_open may be called from any thread; a
 * state and a runner are each used by one thread at a time. */
#ifndef MOSHI_PLAN_BACKEND_H
#define MOSHI_PLAN_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

#include "plan/hooks.h"
#include "plan/plan.h"

/* All that one stream remembers between the frames of one plan. */
typedef struct plan_state plan_state;

/* A plan_runner (hooks.h) is scratch memory to run one plan for up to
 * lanes_max streams at a time. */

struct backend {
    const char *name; /* "cpu" */
    bool panels; /* LINEAR takes weights in panels (plan/panels.h), too, and
                    is faster with them */
    void (*close)(backend **self);

    moshi_status (*state_open)(backend *self, const plan *p, plan_state **out,
                               moshi_error *err);
    void (*state_close)(plan_state **state);
    /* As just opened: position 0, no past. */
    void (*state_reset)(plan_state *state);
    /* As if `frame` frames had been run, but for what they would have left in
     * the state's tensors: for benchmarks, which fill those themselves, and for
     * a split, whose parts have done so (run_part). */
    void (*state_seek)(plan_state *state, int64_t frame);
    /* Copy `bytes` bytes into a state tensor, from its byte `at` on. */
    void (*state_write)(plan_state *state, tensor_id tensor, size_t at,
                        const void *data, size_t bytes);
    void (*state_read)(const plan_state *state, tensor_id tensor, size_t at,
                       void *data, size_t bytes);

    moshi_status (*runner_open)(backend *self, const plan *p, int lanes_max,
                                plan_runner **out, moshi_error *err);
    void (*runner_close)(plan_runner **runner);

    /* One frame for n ≤ lanes_max streams: lane i runs states[i], which must
     * differ. hook may be NULL. Never fails, but see `failure`; the CPU never
     * allocates here, a GPU only to record what it has not run before. */
    void (*run)(plan_runner *runner, plan_state *const *states, int n,
                const plan_hook *hook);

    /* Whole tensors of one lane: write inputs before a run, read outputs
     * after it, or anything from inside a hook. */
    void (*write)(plan_runner *runner, tensor_id tensor, int lane,
                  const void *data);
    void (*read)(const plan_runner *runner, tensor_id tensor, int lane,
                 void *data);
    int (*lanes)(const plan_runner *runner); /* of the run in progress */

    /* MOSHI_OK, or why nothing that was run of late is worth anything: a
     * device can be lost at any time, and stays so. NULL: that cannot
     * happen. */
    moshi_status (*failure)(const backend *self, moshi_error *err);

    /* Parts of a plan, for a split (plan/split.h). mine: [n_ops], borrowed as
     * long as what is opened is: the operations that will be run here. run_part
     * runs operations first … end - 1, all of them `mine`, and advances no
     * stream; the parts of a frame are run in their order. */
    moshi_status (*part_state_open)(backend *self, const plan *p,
                                    const bool *mine, plan_state **out,
                                    moshi_error *err);
    moshi_status (*part_open)(backend *self, const plan *p, int lanes_max,
                              const bool *mine, plan_runner **out,
                              moshi_error *err);
    void (*run_part)(plan_runner *runner, plan_state *const *states, int n,
                     size_t first, size_t end, const plan_hook *hook);
};

/* failure, of a backend that may have none. Ask after a frame, before what it
 * made is used. */
static inline moshi_status backend_failure(const backend *self,
                                           moshi_error *err)
{
    return self->failure ? self->failure(self, err) : MOSHI_OK;
}

#endif
