/* presets.c: the names of synth's presets, held against what was typed. */
#include "cli/presets.h"

#include "cli/options.h"
#include "lab/synth.h"

const char *presets_nearest(const char *typed)
{
    const char *names[64];
    size_t n = synth_presets_count();
    if (n > sizeof names / sizeof *names)
        n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++)
        names[i] = synth_presets_at(i)->name;
    return options_nearest(typed, names, n);
}
