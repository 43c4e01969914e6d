/* peaks.c: twelve independent chains of one instruction each, long enough to
 * hide its latency, none of them touching memory. */
#include "lab/peaks.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu_flags.h"

#define CHAINS  12
#define ROUNDS  200000L
#define REPEATS 3

/* Runs ROUNDS times CHAINS instructions; answers a number that comes of them. */
typedef float peak_loop(void);

/* Twelve variables and no array, which a compiler would keep in memory. The
 * empty assembly stands for a reader of each result. */
#define EACH(X) X(c0) X(c1) X(c2) X(c3) X(c4) X(c5) X(c6) X(c7) X(c8) X(c9) \
    X(ca) X(cb)
#define RUN_CHAINS(type, start, STEP)                                       \
    type c0 = start, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0,  \
         c7 = c0, c8 = c0, c9 = c0, ca = c0, cb = c0;                       \
    for (long r = 0; r < ROUNDS; r++) {                                     \
        EACH(STEP)                                                          \
        __asm__ __volatile__("" : KEEP(c0), KEEP(c1), KEEP(c2), KEEP(c3),   \
                             KEEP(c4), KEEP(c5), KEEP(c6), KEEP(c7),        \
                             KEEP(c8), KEEP(c9), KEEP(ca), KEEP(cb));       \
    }

#if defined(__x86_64__)
#include <immintrin.h>
#define KEEP(v) "+v"(v)
#define FMA_512(c)  c = _mm512_fmadd_ps(c, a, b);
#define FMA_256(c)  c = _mm256_fmadd_ps(c, a, b);
#define DOT_512(c)  c = _mm512_dpbusd_epi32(c, a, a);
#define DOT_VEX(c)  c = _mm256_dpbusd_avx_epi32(c, a, a);
#define BF16_512(c) c = _mm512_dpbf16_ps(c, b, b);
#define DOT_256(c)                                              \
    c = _mm256_add_epi32(c, _mm256_madd_epi16(                  \
                                _mm256_maddubs_epi16(a, c), one));

static __attribute__((target("avx512f"))) float fp32_avx512(void)
{
    __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
    RUN_CHAINS(__m512, a, FMA_512)
    return _mm512_cvtss_f32(c0);
}

static __attribute__((target("avx2,fma"))) float fp32_avx2(void)
{
    __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
    RUN_CHAINS(__m256, a, FMA_256)
    return _mm256_cvtss_f32(c0);
}

static __attribute__((target("avx512f,avx512vnni"))) float int8_avx512(void)
{
    __m512i a = _mm512_set1_epi8(3);
    RUN_CHAINS(__m512i, a, DOT_512)
    return (float)_mm_cvtsi128_si32(_mm512_castsi512_si128(c0));
}

/* Without VNNI: two instructions multiply and add in pairs, a third sums. */
static __attribute__((target("avx2"))) float int8_avx2(void)
{
    __m256i a = _mm256_set1_epi8(3), one = _mm256_set1_epi16(1);
    RUN_CHAINS(__m256i, a, DOT_256)
    return (float)_mm_cvtsi128_si32(_mm256_castsi256_si128(c0));
}

#if !defined(MOSHI_WITHOUT_AVX2VNNI)
static __attribute__((target("avx2,avxvnni"))) float int8_avx_vnni(void)
{
    __m256i a = _mm256_set1_epi8(3);
    RUN_CHAINS(__m256i, a, DOT_VEX)
    return (float)_mm_cvtsi128_si32(_mm256_castsi256_si128(c0));
}
#endif

static __attribute__((target("avx512f,avx512bf16"))) float bf16_avx512(void)
{
    __m512 a = _mm512_set1_ps(1e-3f);
    __m512bh b;
    memcpy(&b, &a, sizeof b);
    RUN_CHAINS(__m512, a, BF16_512)
    return _mm512_cvtss_f32(c0);
}

/* The loops of this processor, and operations in one instruction. */
typedef struct loops {
    peak_loop *fp32, *int8, *bf16;
    double fp32_ops, int8_ops, bf16_ops;
} loops;

static loops loops_here(void)
{
    loops l = {0};
    if (cpu_level_best() >= CPU_AVX2)
        l = (loops){fp32_avx2, int8_avx2, NULL, 16, 64, 0};
#if !defined(MOSHI_WITHOUT_AVX2VNNI)
    if (cpu_has_avx_vnni())
        l.int8 = int8_avx_vnni;
#endif
    if (cpu_level_best() >= CPU_AVX512) {
        l = (loops){fp32_avx512, int8_avx512, NULL, 32, 128, 0};
        if (__builtin_cpu_supports("avx512bf16")) {
            l.bf16 = bf16_avx512;
            l.bf16_ops = 64;
        }
    }
    return l;
}
#else
#define KEEP(v) "+w"(v)
#define FMA_128(c) c = c * a + b;
typedef float vec4 __attribute__((vector_size(16)));

static float fp32_any(void)
{
    vec4 a = 0.999f - (vec4){0}, b = 1e-3f - (vec4){0};
    RUN_CHAINS(vec4, a, FMA_128)
    return c0[0];
}

typedef struct loops {
    peak_loop *fp32, *int8, *bf16;
    double fp32_ops, int8_ops, bf16_ops;
} loops;

static loops loops_here(void)
{
    return (loops){fp32_any, NULL, NULL, 8, 0, 0};
}
#endif

typedef struct job {
    peak_loop *loop;
    float sums[256];
} job;

static void run_loop(void *context, size_t task, int worker)
{
    job *j = context;
    j->sums[worker & 255] += j->loop();
    (void)task;
}

/* One task a thread; they meet at the end. */
static double measure(pool *threads, peak_loop *loop, double ops)
{
    job j = {.loop = loop};
    double best = 0, all = ops * CHAINS * ROUNDS * pool_threads(threads);
    if (!loop)
        return 0;
    for (int i = 0; i < REPEATS; i++) {
        double start = clock_seconds();
        pool_run(threads, (size_t)pool_threads(threads), run_loop, &j);
        double took = clock_seconds() - start;
        if (took > 0 && all / took > best)
            best = all / took;
    }
    return best;
}

peaks peaks_measure(pool *threads)
{
    loops l = loops_here();
    return (peaks){measure(threads, l.fp32, l.fp32_ops),
                   measure(threads, l.int8, l.int8_ops),
                   measure(threads, l.bf16, l.bf16_ops)};
}
