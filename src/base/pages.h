/* pages.h: large pages for memory that is read often.
 *
 * With pages of 4 KB a program that reads gigabytes a frame waits for their
 * addresses, too. Nothing here changes what the memory holds, and nothing is an
 * error: where the system has no large pages, or none left, small ones do. */
#ifndef MOSHI_BASE_PAGES_H
#define MOSHI_BASE_PAGES_H

#include <stddef.h>

/* A large page of x86-64, and of Arm where small pages are of 4 KB. */
#define PAGES_LARGE_BYTES ((size_t)2 << 20)

/* Advice that a block is large and read often: memory or a mapped file, n_bytes
 * bytes at any address. Pages that are touched from now on are large ones: each
 * is resident as a whole. Blocks below 4 MB are let be. */
void pages_ask_large(const void *block, size_t n_bytes);

/* Advice that a block of memory is filled here and there, little by little: its
 * pages stay small where the system makes large ones of its own accord, too.
 * Before it is touched. Blocks below 4 MB are let be. */
void pages_ask_small(const void *block, size_t n_bytes);

/* Make large pages of the small ones that a block consists of, and try for at
 * most `most` of them: from byte *at of the block on, which starts at 0 and is
 * moved; at n_bytes nothing is left to be done. One that the system does not
 * make now is passed over. Pages that have not been touched stay untouched where
 * 2 MB of them lie together, so memory grows by less than that at each edge of
 * what was touched. Blocks below 4 MB are let be, and so is every block where
 * small pages are not of 4 KB: a large one is 32 MB or more there. Costs the time
 * to copy the pages (docs/SPEED.md); a thread that reads them meanwhile waits.
 * What was asked for by pages_ask_small does not hold afterwards.
 * Linux 6.1 or later. Returns how many were made, or were large already. */
size_t pages_gather(void *block, size_t n_bytes, size_t *at, size_t most);

#endif
