/* synth_list.c: collect the tensors of a random checkpoint. */
#include "lab/synth_list.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

synth_law synth_law_weight(float gain, size_t fan_in)
{
    return (synth_law){.spread = gain / sqrtf((float)fan_in)};
}

void synth_list_add(synth_list *list, dtype type, synth_shape shape,
                    synth_law law, const char *format, ...)
{
    size_t need = list->count + 1;
    if (list->failed ||
        !memory_grow((void **)&list->specs, &list->specs_capacity, need,
                     sizeof *list->specs) ||
        !memory_grow((void **)&list->laws, &list->laws_capacity, need,
                     sizeof *list->laws)) {
        list->failed = true;
        return;
    }
    tensor_spec spec = {.type = type, .n_dims = shape.n_dims};
    for (int i = 0; i < shape.n_dims; i++)
        spec.dims[i] = shape.dims[i];
    va_list args;
    va_start(args, format);
    vsnprintf(spec.name, sizeof spec.name, format, args);
    va_end(args);
    list->specs[list->count] = spec;
    list->laws[list->count] = law;
    list->count = need;
}

void synth_list_release(synth_list *list)
{
    memory_free(list->specs);
    memory_free(list->laws);
    memset(list, 0, sizeof *list);
}

uint64_t synth_list_bytes(const synth_list *list)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += tensor_spec_bytes(&list->specs[i]);
    return bytes;
}

size_t synth_elements(const tensor_spec *spec)
{
    size_t n = 1;
    for (int i = 0; i < spec->n_dims; i++)
        n *= spec->dims[i];
    return n;
}
