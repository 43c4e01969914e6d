/* runner.h: a plan on the device, and one frame of it (plan/backend.h). */
#ifndef MOSHI_VULKAN_RUNNER_H
#define MOSHI_VULKAN_RUNNER_H

#include "vulkan/run.h"

/* mine: of plan->n_ops, borrowed while the runner is open; NULL: all. */
moshi_status vk_runner_open(vk_backend *be, const plan *p, int lanes_max,
                            const bool *mine, plan_runner **out,
                            moshi_error *err);
void vk_runner_close(plan_runner **handle);
void vk_runner_run(plan_runner *r, plan_state *const *states, int n,
                   const plan_hook *hook);
/* One range of r->ranges; advances no stream. */
void vk_runner_run_range(plan_runner *r, plan_state *const *states, int n,
                         size_t range, const plan_hook *hook);
/* The ranges within operations first … end - 1; likewise. */
void vk_runner_run_part(plan_runner *r, plan_state *const *states, int n,
                        size_t first, size_t end, const plan_hook *hook);
void vk_runner_write(plan_runner *r, tensor_id tensor, int lane,
                     const void *data);
void vk_runner_read(const plan_runner *r, tensor_id tensor, int lane,
                    void *data);
int vk_runner_lanes(const plan_runner *r);

#endif
