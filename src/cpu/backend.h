/* backend.h: the CPU backend: runs plans with the kernels of this machine. */
#ifndef MOSHI_CPU_BACKEND_H
#define MOSHI_CPU_BACKEND_H

#include "base/cpu_flags.h"
#include "plan/backend.h"

/* threads: 0 for one per usable core. level: CPU_LEVEL_COUNT for the best
 * that the machine and MOSHI_CPU allow. Close with (*out)->close(out), after
 * everything that was opened from it. */
moshi_status cpu_backend_open(backend **out, int threads, cpu_level level,
                              moshi_error *err);

/* For reports; of another backend 0 and CPU_LEVEL_COUNT. */
int cpu_backend_threads(const backend *self);
cpu_level cpu_backend_level(const backend *self);

#endif
