/* clock.h: monotonic time. */
#ifndef MOSHI_BASE_CLOCK_H
#define MOSHI_BASE_CLOCK_H

/* Seconds since an arbitrary start; never goes back. */
double clock_seconds(void);

#endif
