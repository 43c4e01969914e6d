/* machine.h: what the system says of memory. */
#ifndef MOSHI_LAB_MACHINE_H
#define MOSHI_LAB_MACHINE_H

#include <stddef.h>

/* Bytes that can still be used without driving others out, nor beyond what the
 * process may have (ulimit -v); 0: not known. */
size_t machine_memory_left(void);

/* Memory of this process that is resident now: all of it, and the part that
 * belongs to no file. 0: not known. */
typedef struct machine_resident {
    size_t bytes, own_bytes;
} machine_resident;
machine_resident machine_memory_resident(void);

#endif
