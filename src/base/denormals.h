/* denormals.h: treat subnormal floats as zero while a frame runs.
 *
 * After long silence the codec's states decay into subnormals, which slow a
 * CPU ten- to a hundredfold. Worker threads of a pool flush always; the thread
 * that calls a run flushes for its length. */
#ifndef MOSHI_BASE_DENORMALS_H
#define MOSHI_BASE_DENORMALS_H

#if defined(__SSE2__)
#include <xmmintrin.h>

/* Flush-to-zero and denormals-are-zero bits of MXCSR. */
#define DENORMALS_BITS 0x8040u

/* Returns what denormals_restore needs. */
static inline unsigned denormals_flush(void)
{
    unsigned old = _mm_getcsr();
    _mm_setcsr(old | DENORMALS_BITS);
    return old;
}

static inline void denormals_restore(unsigned old)
{
    _mm_setcsr(old);
}
#elif defined(__aarch64__)
/* Flush-to-zero bit of FPCR; it covers what is read, too. */
#define DENORMALS_BITS (1ul << 24)

static inline unsigned denormals_flush(void)
{
    unsigned long old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" : : "r"(old | DENORMALS_BITS));
    return (unsigned)old;
}

static inline void denormals_restore(unsigned old)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((unsigned long)old));
}
#else
static inline unsigned denormals_flush(void)
{
    return 0;
}

static inline void denormals_restore(unsigned old)
{
    (void)old;
}
#endif

#endif
