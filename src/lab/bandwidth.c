/* bandwidth.c: sum a large block, piece by piece.
 *
 * A piece is read as four streams side by side: the prefetcher of a core
 * follows several streams, and one alone leaves 5 to 10 % of the bandwidth
 * (docs/SPEED.md, the ruler). */
#include "lab/bandwidth.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/cpu_flags.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/pages.h"

#define PIECE_BYTES ((size_t)1 << 20)
#define MEASURE_PIECES 80 /* what doctor may take (docs/DIAGNOSIS.md) */
#define STREAMS 4
#define STREAM_BYTES (PIECE_BYTES / STREAMS)
#define AHEAD 1024 /* bytes that are prefetched ahead of a stream */
#define REPEATS 5

typedef uint64_t line __attribute__((vector_size(64)));

struct bandwidth {
    char *raw;   /* owned: a mapping */
    char *block; /* in it, aligned to huge pages */
    size_t pieces;
    uint64_t sums[]; /* one a piece */
};

static size_t bytes_of(const bandwidth *b)
{
    return b->pieces * PIECE_BYTES;
}

/* One piece, 64 bytes of each stream a turn. The same lines for every
 * instruction set; inlined into functions that are allowed wider loads. */
static inline __attribute__((always_inline)) uint64_t
read_streams(const char *piece)
{
    line sum[STREAMS] = {{0}};
    for (size_t at = 0; at < STREAM_BYTES; at += sizeof(line)) {
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 4
#endif
        for (size_t s = 0; s < STREAMS; s++) {
            const char *from = piece + s * STREAM_BYTES + at;
            __builtin_prefetch(from + AHEAD, 0, 3);
            sum[s] += *(const line *)from;
        }
    }
    line all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    return all[0] + all[1] + all[2] + all[3] + all[4] + all[5] + all[6] +
           all[7];
}

static uint64_t read_any(const char *piece)
{
    return read_streams(piece);
}

#if defined(__x86_64__)
static __attribute__((target("avx2"))) uint64_t read_avx2(const char *piece)
{
    return read_streams(piece);
}

static __attribute__((target("avx512f"))) uint64_t
read_avx512(const char *piece)
{
    return read_streams(piece);
}
#endif

static void write_piece(void *context, size_t task, int worker)
{
    bandwidth *b = context;
    (void)worker;
    memset(b->block + task * PIECE_BYTES, (int)task + 1, PIECE_BYTES);
}

static void read_piece(void *context, size_t task, int worker)
{
    bandwidth *b = context;
    const char *piece = b->block + task * PIECE_BYTES;
    (void)worker;
    /* The sum is kept, so that the reading is not left out. */
#if defined(__x86_64__)
    cpu_level level = cpu_level_best();
    b->sums[task] += level >= CPU_AVX512 ? read_avx512(piece)
                     : level >= CPU_AVX2 ? read_avx2(piece)
                                         : read_any(piece);
#else
    b->sums[task] += read_any(piece);
#endif
}

moshi_status bandwidth_open(bandwidth **out, pool *threads, size_t megabytes,
                            moshi_error *err)
{
    const size_t huge = PAGES_LARGE_BYTES;
    bandwidth *b = memory_calloc(1, sizeof *b + megabytes * sizeof b->sums[0]);
    if (!b)
        return error_no_memory(err, "a block to be read");
    b->pieces = megabytes;
    void *raw = mmap(NULL, bytes_of(b) + huge, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) {
        memory_free(b);
        return error_no_memory(err, "a block to be read");
    }
    b->raw = raw;
    b->block = (char *)(((uintptr_t)raw + huge - 1) & ~(uintptr_t)(huge - 1));
    pages_ask_large(b->block, bytes_of(b));
    pool_run(threads, b->pieces, write_piece, b);
    *out = b;
    return MOSHI_OK;
}

void bandwidth_close(bandwidth **handle)
{
    if (!*handle)
        return;
    munmap((*handle)->raw, bytes_of(*handle) + PAGES_LARGE_BYTES);
    memory_free(*handle);
    *handle = NULL;
}

size_t bandwidth_bytes(const bandwidth *b)
{
    return bytes_of(b);
}

double bandwidth_read(bandwidth *b, pool *threads)
{
    double start = clock_seconds();
    pool_run(threads, b->pieces, read_piece, b);
    double took = clock_seconds() - start;
    return took > 0 ? (double)bytes_of(b) / took : 0;
}

double bandwidth_measure(pool *threads)
{
    bandwidth *b = NULL;
    double best = 0;
    if (bandwidth_open(&b, threads, MEASURE_PIECES, NULL) != MOSHI_OK)
        return 0;
    for (int i = 0; i < REPEATS; i++) {
        double rate = bandwidth_read(b, threads);
        best = rate > best ? rate : best;
    }
    bandwidth_close(&b);
    return best;
}
