/* traces.h: write small traces by hand, right and wrong ones. */
#ifndef TESTS_TRACES_H
#define TESTS_TRACES_H

#include <stdint.h>

#include "lab/trace_file.h"

/* A trace in the making: add, then open. */
typedef struct trace_maker {
    char header[1 << 16];
    unsigned char data[1 << 16];
    size_t n_header, n_data;
} trace_maker;

/* notes: the metadata as JSON, or NULL. */
void trace_begin(trace_maker *m, const char *notes);
/* shape as "[2, 3]"; data may be NULL for zeros. */
void trace_add(trace_maker *m, const char *name, const char *type,
               const char *shape, const void *data, size_t n_bytes);
/* The bytes of the file, of exact size (free); *n of them. */
unsigned char *trace_bytes(const trace_maker *m, size_t *n);

#endif
