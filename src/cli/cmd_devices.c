/* cmd_devices.c: moshi devices: what --device, --input and --output can name. */
#include <inttypes.h>
#include <stdio.h>

#include "audio/sound_card.h"
#include "base/cpu_flags.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/report.h"
#include "vulkan/backend.h"

/* Everything there is; what is missing has a reason. */
typedef struct found {
    vulkan_device *gpus;  /* owned */
    size_t n_gpus;
    moshi_error no_gpus;
    sound_device *sounds; /* owned */
    size_t n_sounds;
    moshi_error no_sounds;
} found;

static void find(found *f)
{
    *f = (found){.gpus = NULL};
    vulkan_devices(&f->gpus, &f->n_gpus, &f->no_gpus);
    sound_card_list(&f->sounds, &f->n_sounds, &f->no_sounds);
}

static void release(found *f)
{
    memory_free(f->gpus);
    memory_free(f->sounds);
}

static void print(const found *f)
{
    printf("cpu       %s, %d threads\n", cpu_level_name(cpu_level_chosen()),
           threads_usable_cores());
    for (size_t i = 0; i < f->n_gpus; i++) {
        const vulkan_device *g = &f->gpus[i];
        printf("vulkan:%-2zu %s (%s, %.1f GB, %.1f GB free)\n", i, g->name,
               g->type, (double)g->memory_bytes * 1e-9,
               (double)g->free_bytes * 1e-9);
        printf("          Vulkan %d.%d%s%s; %s\n", g->version_major,
               g->version_minor, g->driver[0] ? ", " : "", g->driver,
               g->features);
        if (g->lacks[0])
            printf("          cannot be used: it lacks %s\n", g->lacks);
    }
    for (size_t i = 0; i < f->n_sounds; i++)
        printf("sound %-3d %s (%s, %d in%s, %d out%s, %.0f Hz)\n",
               f->sounds[i].number, f->sounds[i].name, f->sounds[i].system,
               f->sounds[i].inputs,
               f->sounds[i].default_input ? ", default" : "",
               f->sounds[i].outputs,
               f->sounds[i].default_output ? ", default" : "",
               f->sounds[i].rate_hz);
}

static void print_json(const found *f)
{
    json_out j;
    json_out_init(&j, stdout);
    json_out_object(&j, NULL);
    json_out_object(&j, "cpu");
    json_out_text(&j, "isa", cpu_level_name(cpu_level_chosen()));
    json_out_integer(&j, "threads", threads_usable_cores());
    json_out_end(&j);
    json_out_array(&j, "vulkan");
    for (size_t i = 0; i < f->n_gpus; i++) {
        const vulkan_device *g = &f->gpus[i];
        json_out_object(&j, NULL);
        json_out_text(&j, "name", g->name);
        json_out_text(&j, "type", g->type);
        json_out_text(&j, "driver", g->driver);
        json_out_text(&j, "features", g->features);
        json_out_integer(&j, "memory_bytes", (int64_t)g->memory_bytes);
        json_out_integer(&j, "free_bytes", (int64_t)g->free_bytes);
        json_out_text(&j, "lacks", g->lacks);
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_array(&j, "sound");
    for (size_t i = 0; i < f->n_sounds; i++) {
        json_out_object(&j, NULL);
        json_out_integer(&j, "number", f->sounds[i].number);
        json_out_text(&j, "name", f->sounds[i].name);
        json_out_integer(&j, "inputs", f->sounds[i].inputs);
        json_out_integer(&j, "outputs", f->sounds[i].outputs);
        json_out_end(&j);
    }
    json_out_end(&j);
    json_out_end(&j);
}

static exit_status run(const options *o)
{
    found f;
    bool quiet = options_flag(o, "quiet");
    find(&f);
    if (options_flag(o, "json"))
        print_json(&f);
    else
        print(&f);
    if (f.n_gpus == 0)
        report_note(quiet, "no GPU: %s", f.no_gpus.message);
    if (f.n_sounds == 0)
        report_note(quiet, "no sound device%s%s",
                    f.no_sounds.message[0] ? ": " : "", f.no_sounds.message);
    release(&f);
    return EXIT_STATUS_DONE;
}

static const char *const usage[] = {"", NULL};

static const char *const examples[] = {
    "moshi devices",
    "moshi gen --device vulkan:0 question.wav answer.wav",
    NULL,
};

const command cmd_devices = {
    .name = "devices",
    .summary = "list what --device can name, and the sound devices",
    .group = COMMAND_GROUP_PARTS,
    .needs = COMMAND_REPORTS,
    .usage = usage,
    .about =
        "Lists the CPU with the instruction set in use, the GPUs that Vulkan "
        "finds with their memory and what they can do, and the sound devices. "
        "A device of type 'software' is no GPU: it computes on the CPU, slowly, "
        "and is there for tests; auto never takes it.",
    .examples = examples,
    .run = run,
};
