/* bandwidth.c: sum a large block, piece by piece. */
#include "lab/bandwidth.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define BLOCK_BYTES ((size_t)80 << 20)
#define PIECE_BYTES ((size_t)1 << 20)
#define PIECES (BLOCK_BYTES / PIECE_BYTES)
#define REPEATS 3
#define LINE 8 /* words that are summed side by side */

typedef struct job {
    uint64_t *block;
    uint64_t sums[PIECES];
} job;

static void write_piece(void *context, size_t task, int worker)
{
    job *j = context;
    (void)worker;
    memset((char *)j->block + task * PIECE_BYTES, (int)task + 1, PIECE_BYTES);
}

static void read_piece(void *context, size_t task, int worker)
{
    job *j = context;
    size_t words = PIECE_BYTES / sizeof *j->block;
    const uint64_t *at = j->block + task * words;
    uint64_t sums[LINE] = {0}, sum = 0;
    (void)worker;
    for (size_t i = 0; i < words; i += LINE)
        for (size_t k = 0; k < LINE; k++)
            sums[k] += at[i + k];
    for (size_t k = 0; k < LINE; k++)
        sum += sums[k];
    j->sums[task] += sum; /* so that the reading is not left out */
}

double bandwidth_measure(pool *threads)
{
    job *j = memory_calloc(1, sizeof *j);
    double best = 0;
    if (j)
        j->block = memory_aligned_calloc(BLOCK_BYTES);
    if (j && j->block) {
        pool_run(threads, PIECES, write_piece, j);
        for (int i = 0; i < REPEATS; i++) {
            double start = clock_seconds();
            pool_run(threads, PIECES, read_piece, j);
            double took = clock_seconds() - start;
            if (took > 0 && (double)BLOCK_BYTES / took > best)
                best = (double)BLOCK_BYTES / took;
        }
        memory_aligned_free(j->block);
    }
    memory_free(j);
    return best;
}
