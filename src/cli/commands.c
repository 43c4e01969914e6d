/* commands.c: the table of commands. */
#include <string.h>

#include "cli/command.h"
#include "cli/common.h"

extern const command cmd_codec, cmd_gen, cmd_help, cmd_inspect, cmd_synth;
extern const command cmd_analyze, cmd_compare, cmd_diff, cmd_doctor, cmd_trace;
extern const command cmd_bench, cmd_devices, cmd_quantize;
extern const command cmd_chat, cmd_client, cmd_serve;

static const command *const table[] = {
    &cmd_chat,    &cmd_serve,   &cmd_client,  &cmd_gen,   &cmd_codec,
    &cmd_synth,   &cmd_inspect, &cmd_quantize,
    &cmd_analyze, &cmd_doctor,  &cmd_trace,   &cmd_diff,  &cmd_compare,
    &cmd_bench,   &cmd_devices, &cmd_help,
};

const command *const *commands_all(size_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

const command *commands_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

void command_options(const command *c, options *o)
{
    options_init(o);
    options_add(o, c->options);
    if (c->needs & COMMAND_ENDS)
        options_add(o, common_ends_options);
    if (c->needs & COMMAND_TRACES)
        options_add(o, common_trace_options);
    if (c->needs & COMMAND_SAMPLES)
        options_add(o, common_sampling_options);
    if (c->needs & COMMAND_RECORDING)
        options_add(o, common_recording_options);
    if (c->needs & COMMAND_NEEDS_MODEL)
        options_add(o, common_model_options);
    if (c->needs & COMMAND_NEEDS_DEVICE)
        options_add(o, common_device_options);
    if (c->needs & (COMMAND_NEEDS_DEVICE | COMMAND_NEEDS_THREADS))
        options_add(o, common_threads_options);
    if (c->needs & COMMAND_REPORTS)
        options_add(o, common_report_options);
    options_add(o, common_options);
}
