/* smaps.h: what the system says of this process's mappings (Linux's
 * /proc/self/smaps). */
#ifndef TESTS_UNIT_SMAPS_H
#define TESTS_UNIT_SMAPS_H

#include <stdbool.h>

/* The mapping of an address: a field's kilobytes ("Rss:", "AnonHugePages:").
 * -1: the system does not say. A mapping may have been merged with neighbours. */
long smaps_kilobytes(const void *at, const char *field);

/* 1: the mapping of this address has the flag; 0: it has not; -1: the system
 * does not say. */
int smaps_flag(const void *at, const char *flag);

/* Large pages can be had by advice, and advice reaches the system. */
bool smaps_large_pages_exist(void);

#endif
