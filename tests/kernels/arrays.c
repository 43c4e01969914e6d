/* arrays.c: arrays between forbidden pages, and what is put into them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/half.h"
#include "check.h"
#include "cpu/blocks.h"

#define ARRAYS_MAX 1024
#define PATTERN    0xa5

const size_t any_lengths[] = {
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,  12,  13,   14,   15,   16,
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,  28,  29,   30,   31,   32,
    33, 63, 64, 65, 96, 127, 128, 129, 176, 512, 1024, 2048, 2816, 4096, 7040,
};
const size_t any_lengths_count = sizeof any_lengths / sizeof *any_lengths;

static struct region {
    unsigned char *map, *open, *at; /* whole, between the walls, the array */
    size_t map_bytes, open_bytes, bytes;
} regions[ARRAYS_MAX];
static size_t n_regions;

void *array(size_t count, size_t size, place where)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = count * size;
    size_t open_bytes = (bytes + size + page - 1) / page * page + page;
    struct region r = {.map_bytes = open_bytes + 2 * page,
                       .open_bytes = open_bytes,
                       .bytes = bytes};
    r.map = mmap(NULL, r.map_bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r.map == MAP_FAILED || n_regions == ARRAYS_MAX) {
        fprintf(stderr, "checkkernels: no room for arrays\n");
        exit(1);
    }
    r.open = r.map + page;
    mprotect(r.map, page, PROT_NONE);
    mprotect(r.open + open_bytes, page, PROT_NONE);
    memset(r.open, PATTERN, open_bytes);
    size_t gap = where == PLACE_SHIFT ? size : 0;
    r.at = where == PLACE_START ? r.open
                                : r.open + open_bytes - bytes - gap;
    regions[n_regions++] = r;
    return r.at;
}

bool array_untouched(const void *at, size_t n)
{
    const unsigned char *p = at;
    for (size_t i = 0; i < n; i++)
        if (p[i] != PATTERN)
            return false;
    return true;
}

void arrays_clear(void)
{
    for (size_t i = 0; i < n_regions; i++) {
        struct region *r = &regions[i];
        unsigned char *end = r->at + r->bytes;
        if (!array_untouched(r->open, (size_t)(r->at - r->open)) ||
            !array_untouched(end,
                             (size_t)(r->open + r->open_bytes - end)))
            fail("bytes around an array of %zu were written", r->bytes);
        munmap(r->map, r->map_bytes);
    }
    n_regions = 0;
}

float *random_floats(size_t count, float scale, place where)
{
    float *x = array(count, sizeof *x, where);
    for (size_t i = 0; i < count; i++)
        x[i] = scale * random_float();
    return x;
}

/* A finite half, of either sign, at `at`. */
static void put_scale(unsigned char *at)
{
    uint16_t h = half_from_float(0.02f * random_float());
    memcpy(at, &h, sizeof h);
}

static void put_block(dtype type, unsigned char *block, size_t bytes)
{
    float f = random_float();
    uint16_t h;
    switch (type) {
    case DTYPE_F32:
        memcpy(block, &f, sizeof f);
        return;
    case DTYPE_F16:
    case DTYPE_BF16:
        h = type == DTYPE_F16 ? half_from_float(f) : bfloat_from_float(f);
        memcpy(block, &h, sizeof h);
        return;
    default:
        for (size_t i = 0; i < bytes; i++)
            block[i] = (unsigned char)random_bits();
    }
    put_scale(type == DTYPE_Q6_K ? block + Q6_K_D : block);
    if (type == DTYPE_Q4_K || type == DTYPE_Q5_K)
        put_scale(block + Q4_K_DMIN);
}

void *random_weights(dtype type, size_t rows, size_t K, size_t row_bytes,
                     place where)
{
    const dtype_traits *info = dtype_info(type);
    size_t element = type == DTYPE_F32 ? 4 : 2, blocks = K / info->block;
    /* The last row ends with its last block: padding stands between. */
    size_t bytes =
        rows ? (rows - 1) * row_bytes + blocks * info->bytes : 0;
    unsigned char *w = array(bytes / element, element, where);
    for (size_t r = 0; r < rows; r++)
        for (size_t b = 0; b < blocks; b++)
            put_block(type, w + r * row_bytes + b * info->bytes,
                      info->bytes);
    return w;
}
