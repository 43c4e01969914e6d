/* blocks.h: where the parts of a GGUF quantised block lie.
 *
 * A block is a run of bytes; offsets are in bytes from its start. Scales `d`
 * and `dmin` are little-endian halves. K-quants are super-blocks of 256
 * elements, cut into sub-blocks of 32 (Q6_K: scales for every 16). Layouts:
 * GGUF specification and the dequantisers of its Python package, against
 * which tests/fixtures/quants was made. All of it is byte data from a file:
 * every bit pattern is legal. */
#ifndef MOSHI_CPU_BLOCKS_H
#define MOSHI_CPU_BLOCKS_H

#include <stdint.h>
#include <string.h>

/* Q8_0: d, 32 signed bytes. value = d q */
#define Q8_0_BYTES  34
#define Q8_0_QUANTS 2

/* Q4_0: d, 16 bytes; byte j holds element j (low nibble) and j + 16 (high).
 * value = d (q - 8) */
#define Q4_0_BYTES  18
#define Q4_0_QUANTS 2

#define SUPER_BLOCK 256 /* elements */
#define SUB_BLOCK   32  /* elements; also the block of Q8_0 and Q4_0 */

/* Q4_K: d, dmin, 12 bytes of packed 6-bit scales and mins, nibbles: 32 bytes
 * hold one sub-block in their low nibbles and the next in their high ones.
 * value = (d scale) q - (dmin min) */
#define Q4_K_BYTES  144
#define Q4_K_DMIN   2
#define Q4_K_SCALES 4
#define Q4_K_QUANTS 16

/* Q5_K: as Q4_K, with a fifth bit: bit s of byte l belongs to element l of
 * sub-block s. */
#define Q5_K_BYTES  176
#define Q5_K_HIGH   16
#define Q5_K_QUANTS 48

/* Q6_K: low nibbles, two high bits, 16 signed scales, d. Each half of 128
 * elements has 64 bytes of nibbles and 32 of high bits: sub-block g (0 … 3)
 * of a half takes nibbles from bytes 32 (g & 1) …, the high ones if g ≥ 2,
 * and bits 2g, 2g + 1 of the high bytes. value = (d scale) (q - 32) */
#define Q6_K_BYTES  210
#define Q6_K_HIGH   128
#define Q6_K_SCALES 192
#define Q6_K_D      208

/* The columns that products with 8-bit activations take. Of Q8_0 and Q4_0: for
 * each block of 32 its signed bytes (±127), its scale as a float (one that a
 * half can hold), and their sum as an int32. */
#define COLUMN_32_D     32
#define COLUMN_32_SUM   36
#define COLUMN_32_BYTES 40

/* Of K-quants: for each super-block
 * 256 signed bytes with one scale, and their sums, which the mins (Q4_K, Q5_K)
 * and the offset of 32 (Q6_K) are multiplied with. Each run of 128 lies in the
 * order in which the weights are unpacked: Q4_K and Q5_K: sub-blocks 0, 2, 1,
 * 3; Q6_K: as they are. value = d q */
#define COLUMN_K_SUMS  256 /* 16 int16: of each 16 bytes (Q6_K), or of each of
                              the 8 sub-blocks in their own order, then 0 */
#define COLUMN_K_D     288 /* float */
#define COLUMN_K_BYTES 320 /* a multiple of a cache line */

/* Bytes of a block of 32 or 256 elements start where element i lies. */
static inline const unsigned char *
block_at(const void *row, size_t i, size_t elements, size_t bytes)
{
    return (const unsigned char *)row + i / elements * bytes;
}

/* Where sub-block s (0 … 7) of a Q4_K or Q5_K lies in such a column. */
static inline size_t column_k_place(size_t s)
{
    return (s & 4) | (s & 1) << 1 | (s & 2) >> 1;
}

static inline float block_float(const unsigned char *at)
{
    float f;
    memcpy(&f, at, sizeof f);
    return f;
}

static inline int32_t block_int(const unsigned char *at)
{
    int32_t i;
    memcpy(&i, at, sizeof i);
    return i;
}

static inline uint16_t block_half(const unsigned char *at)
{
    uint16_t h;
    memcpy(&h, at, sizeof h);
    return h;
}

/* Scale and min of sub-block s (0 … 7) from the 12 packed bytes: the first
 * four lie in the low 6 bits of bytes 0-3 and 4-7; of the other four, the
 * low nibbles share bytes 8-11 and the top bits are the spare ones above. */
static inline void block_scale_min(const unsigned char *packed, size_t s,
                                   int *scale, int *min)
{
    if (s < 4) {
        *scale = packed[s] & 63;
        *min = packed[s + 4] & 63;
    } else {
        *scale = (packed[s + 4] & 15) | (packed[s - 4] >> 6) << 4;
        *min = packed[s + 4] >> 4 | (packed[s] >> 6) << 4;
    }
}

#endif
