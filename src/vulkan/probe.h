/* probe.h: does the driver start without taking the process with it?
 *
 * Drivers are code of others that is loaded into this process; one that
 * crashes when it is started would end a program that could go on with the
 * CPU. So a child process tries first. MOSHI_VULKAN_PROBE=0 leaves that out
 * (debuggers). */
#ifndef MOSHI_VULKAN_PROBE_H
#define MOSHI_VULKAN_PROBE_H

#include <stdbool.h>

#include <moshi/error.h>

/* List the devices; with `open` also open device `index` (-1: the best) and
 * send it some work. MOSHI_LACKING if that crashed or did not end; MOSHI_OK
 * otherwise, failures that are reported as such included: whoever asks meets
 * them again. */
moshi_status vk_probe(bool open, int index, moshi_error *err);

#endif
