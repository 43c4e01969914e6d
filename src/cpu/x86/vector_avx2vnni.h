/* vector_avx2vnni.h: the vocabulary of AVX2 and the products of bytes of VNNI,
 * in 256 bits. These have two encodings: the short one of AVX-VNNI (Intel since
 * Alder Lake, AMD since Zen 5), and that of AVX-512 VL with VNNI, which
 * processors before them have. One and the same source is compiled once for
 * each; kernels.c takes the one that the processor has. */
#ifndef MOSHI_CPU_X86_VECTOR_AVX2VNNI_H
#define MOSHI_CPU_X86_VECTOR_AVX2VNNI_H

#include "cpu/x86/vector_avx2.h"

#undef KERNEL
#if defined(__AVXVNNI__)
#define KERNEL(name)  kernel_##name##_avxvnni
#define DPBUSD(...)   _mm256_dpbusd_avx_epi32(__VA_ARGS__)
#define DPWSSD(...)   _mm256_dpwssd_avx_epi32(__VA_ARGS__)
#elif defined(__AVX512VNNI__) && defined(__AVX512VL__)
#define KERNEL(name)  kernel_##name##_avx512vnni
#define DPBUSD(...)   _mm256_dpbusd_epi32(__VA_ARGS__)
#define DPWSSD(...)   _mm256_dpwssd_epi32(__VA_ARGS__)
#else
#error "needs -mavxvnni, or -mavx512vl -mavx512vnni"
#endif

/* Lane i: sum + Σ of four unsigned bytes of a times signed ones of b. Nothing
 * saturates: at most 4 · 255 · 128 is added. */
INLINE __m256i dot_bytes(__m256i sum, __m256i a, __m256i b)
{
    return DPBUSD(sum, a, b);
}

/* Lane i: sum + Σ of two signed words of a times those of b. */
INLINE __m256i dot_words(__m256i sum, __m256i a, __m256i b)
{
    return DPWSSD(sum, a, b);
}

#endif
