/* machine.h: what the system says of memory. */
#ifndef MOSHI_LAB_MACHINE_H
#define MOSHI_LAB_MACHINE_H

#include <stddef.h>

/* Bytes that can still be used without driving others out, nor beyond what the
 * process may have (ulimit -v) or its container (cgroups of both versions); 0:
 * not known. */
size_t machine_memory_left(void);

/* What the control groups that the file `groups` lists (/proc/self/cgroup) leave
 * of their memory, by the files below the folder `root` (/sys/fs/cgroup); what
 * they hold of files counts as free. SIZE_MAX: there is no limit. */
size_t machine_group_left(const char *groups, const char *root);

/* Memory of this process that is resident now: all of it, and the part that
 * belongs to no file. 0: not known. */
typedef struct machine_resident {
    size_t bytes, own_bytes;
} machine_resident;
machine_resident machine_memory_resident(void);

#endif
