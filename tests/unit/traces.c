/* traces.c: the bytes of a trace. */
#include "traces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trace_begin(trace_maker *m, const char *notes)
{
    memset(m, 0, sizeof *m);
    m->n_header = (size_t)snprintf(m->header, sizeof m->header,
                                   "{\"__metadata__\":%s",
                                   notes ? notes : "{}");
}

void trace_add(trace_maker *m, const char *name, const char *type,
               const char *shape, const void *data, size_t n_bytes)
{
    m->n_header += (size_t)snprintf(
        m->header + m->n_header, sizeof m->header - m->n_header,
        ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
        name, type, shape, m->n_data, m->n_data + n_bytes);
    if (data)
        memcpy(m->data + m->n_data, data, n_bytes);
    m->n_data += n_bytes;
}

unsigned char *trace_bytes(const trace_maker *m, size_t *n)
{
    size_t length = m->n_header + 1;
    *n = 8 + length + m->n_data;
    unsigned char *bytes = malloc(*n);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, m->header, m->n_header);
    bytes[8 + m->n_header] = '}';
    memcpy(bytes + 8 + length, m->data, m->n_data);
    return bytes;
}
