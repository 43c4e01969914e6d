/* device.c: choose a backend by name. */
#include "tasks/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cpu/backend.h"
#include "vulkan/backend.h"

#define DEVICES_MAX 1000

/* "vulkan" -> -1, "vulkan:3" -> 3; false for anything else. */
static bool gpu_index(const char *name, int *index)
{
    char *end;
    if (strcmp(name, "vulkan") == 0) {
        *index = -1;
        return true;
    }
    if (strncmp(name, "vulkan:", 7) != 0 || name[7] < '0' || name[7] > '9')
        return false;
    long n = strtol(name + 7, &end, 10);
    *index = (int)n;
    return *end == 0 && n < DEVICES_MAX;
}

moshi_status device_name_check(const char *name, moshi_error *err)
{
    int index;
    if (strcmp(name, "cpu") == 0 || strcmp(name, "auto") == 0 ||
        gpu_index(name, &index))
        return MOSHI_OK;
    error_set(err, MOSHI_LACKING, "there is no device '%s'", name);
    return error_hint(err, "--device takes cpu, vulkan, vulkan:N or auto; moshi "
                           "devices lists what is here");
}

static moshi_status open_cpu(backend **out, int threads, cpu_level level,
                             device_note *note, moshi_error *err)
{
    snprintf(note->name, sizeof note->name, "cpu");
    return cpu_backend_open(out, threads, level, err);
}

static moshi_status open_gpu(backend **out, int index, device_note *note,
                             moshi_error *err)
{
    moshi_status status = vulkan_backend_open(out, index, err);
    if (status == MOSHI_OK)
        snprintf(note->name, sizeof note->name, "vulkan: %s",
                 vulkan_backend_device(*out));
    return status;
}

/* Looking for a GPU takes a driver some 0.1 s: not where there is none. */
static bool may_have_gpu(void)
{
    if (getenv("MOSHI_VULKAN_LIBRARY"))
        return true;
#ifdef __linux__
    static const char *const nodes[] = {"/dev/nvidiactl", "/dev/kfd",
                                        "/dev/dri/renderD128", "/dev/dxg"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (access(nodes[i], F_OK) == 0)
            return true;
    return false;
#else
    return true;
#endif
}

/* Index of the best device that is a real GPU; -1 and why there is none. */
static int find_gpu(char *why, size_t room)
{
    vulkan_device *all = NULL;
    size_t n = 0;
    moshi_error err = {0};
    int best = -1, best_rank = 0;
    if (!may_have_gpu()) {
        snprintf(why, room, "this machine has no GPU");
        return -1;
    }
    if (vulkan_devices(&all, &n, &err) != MOSHI_OK) {
        snprintf(why, room, "%s", err.message);
        return -1;
    }
    snprintf(why, room, "Vulkan finds no GPU that can be used");
    for (size_t i = 0; i < n; i++) {
        int rank = strcmp(all[i].type, "discrete GPU") == 0     ? 3
                   : strcmp(all[i].type, "integrated GPU") == 0 ? 2
                   : strcmp(all[i].type, "virtual GPU") == 0    ? 1
                                                                : 0;
        if (!all[i].lacks[0] && rank > best_rank) {
            best = (int)i;
            best_rank = rank;
        }
    }
    memory_free(all);
    return best;
}

moshi_status device_open(backend **out, const char *name, int threads,
                         cpu_level level, device_note *note, moshi_error *err)
{
    moshi_error no_error; /* a hint needs one (error.h) */
    device_note ignored;
    err = err ? err : &no_error;
    int index;
    if (!note)
        note = &ignored;
    *note = (device_note){{0}, {0}};
    if (!name)
        name = "cpu";
    moshi_status status = device_name_check(name, err);
    if (status != MOSHI_OK)
        return status;
    if (gpu_index(name, &index))
        return open_gpu(out, index, note, err);
    if (strcmp(name, "auto") == 0) {
        moshi_error why = {0};
        index = find_gpu(note->note, sizeof note->note);
        if (index >= 0 && open_gpu(out, index, note, &why) == MOSHI_OK) {
            note->note[0] = 0;
            return MOSHI_OK;
        }
        if (index >= 0)
            snprintf(note->note, sizeof note->note, "%s", why.message);
    }
    return open_cpu(out, threads, level, note, err);
}
