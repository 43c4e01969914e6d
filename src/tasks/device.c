/* device.c: choose a backend by name. */
#include "tasks/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cpu/backend.h"
#include "plan/split.h"
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

/* --- layers --- */

/* "transformer.layers.12.…" -> 12; -1 for what is in no layer of the temporal
 * transformer. */
static int layer_of(const plan_op *op)
{
    static const char prefix[] = "transformer.layers.";
    char *end;
    if (strncmp(op->name, prefix, sizeof prefix - 1) != 0)
        return -1;
    long n = strtol(op->name + sizeof prefix - 1, &end, 10);
    return (*end == '.' || *end == 0) && n >= 0 && n < LIMIT_LAYERS ? (int)n
                                                                    : -1;
}

static bool stays_on_cpu(const plan *p, const plan_op *op, int gpu_layers)
{
    (void)p;
    return layer_of(op) >= gpu_layers;
}

/* What each layer needs on a device, and all the rest together. A tensor is
 * counted where it is met first. */
typedef struct needs {
    uint64_t layer[LIMIT_LAYERS], rest;
    int layers;
} needs;

static moshi_status measure(needs *out, const plan *const *plans, size_t n,
                            moshi_error *err)
{
    *out = (needs){.layers = 0};
    for (size_t k = 0; k < n; k++) {
        const plan *p = plans[k];
        bool *seen = memory_calloc(p->n_tensors + 1, sizeof *seen);
        if (!seen)
            return error_no_memory(err, "the plan of a device");
        out->rest += p->frame_bytes;
        for (size_t i = 0; i < p->n_ops; i++) {
            int layer = layer_of(&p->ops[i]);
            uint64_t *sum = layer >= 0 ? &out->layer[layer] : &out->rest;
            if (layer >= out->layers)
                out->layers = layer + 1;
            for (int j = 0; j < OP_INPUTS; j++) {
                tensor_id t = p->ops[i].in[j];
                if (t == TENSOR_NONE || seen[t] ||
                    p->tensors[t].space == PLAN_FRAME)
                    continue;
                seen[t] = true;
                *sum += vulkan_tensor_bytes(&p->tensors[t]);
            }
        }
        memory_free(seen);
    }
    return MOSHI_OK;
}

/* Drivers and transfers need some too. */
#define SPARE_BYTES ((uint64_t)64 << 20)

static int layers_that_fit(const needs *need, uint64_t room)
{
    uint64_t sum = need->rest + SPARE_BYTES;
    int layers = 0;
    room = room / 10 * 9;
    if (sum > room)
        return -1;
    while (layers < need->layers && sum + need->layer[layers] <= room)
        sum += need->layer[layers++];
    return layers;
}

static void say_split(device_note *note, int layers, int all)
{
    size_t at = strlen(note->name);
    snprintf(note->name + at, sizeof note->name - at, "; %d of %d layers there, "
             "%d on the CPU", layers, all, all - layers);
}

moshi_status device_place(backend **be, const char *name,
                          const plan *const *plans, size_t n, int gpu_layers,
                          int threads, cpu_level level, device_note *note,
                          moshi_error *err)
{
    needs need;
    backend *cpu = NULL, *gpu = *be;
    if (!vulkan_backend_is(gpu))
        return MOSHI_OK;
    uint64_t room = vulkan_backend_free_bytes(gpu);
    moshi_status status = measure(&need, plans, n, err);
    if (status != MOSHI_OK)
        return status;
    int layers = gpu_layers == DEVICE_LAYERS_AUTO ? layers_that_fit(&need, room)
                 : gpu_layers == DEVICE_LAYERS_NONE ? 0 : gpu_layers;
    bool give_up = layers < 0 && name && strcmp(name, "auto") == 0;
    if (layers >= need.layers || (layers < 0 && !give_up))
        return MOSHI_OK; /* all, or let the allocation say what is short */
    status = cpu_backend_open(&cpu, threads, level, err);
    if (status != MOSHI_OK)
        return status;
    if (give_up) {
        snprintf(note->note, sizeof note->note, "%s has %.1f MB free, and the "
                 "model needs %.1f MB there even without its layers",
                 note->name, (double)room * 1e-6, (double)need.rest * 1e-6);
        snprintf(note->name, sizeof note->name, "cpu");
        gpu->close(be);
        *be = cpu;
        return MOSHI_OK;
    }
    say_split(note, layers, need.layers);
    *be = NULL;
    return split_backend_open(be, gpu, cpu, stays_on_cpu, layers, err);
}
