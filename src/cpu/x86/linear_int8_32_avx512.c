/* linear_int8_32_avx512.c: Q8_0 and Q4_0 times 8-bit activations with VNNI,
 * which multiplies unsigned by signed bytes: Σ w x = Σ (w + offset) x -
 * offset Σ x. For Q8_0 adding 128 is flipping the top bit.
 *
 * 16 rows of a block are turned so that each has its bytes in a lane of its
 * own: then no sum has to be folded. Several columns share that work; of Q4_0,
 * which has half the bytes to turn, it pays for one column too. One of Q8_0
 * goes as in linear_int8_32_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/x86/linear_int8_32_body.h"

#define TURNED_ROWS 16

/* Where the rows of a tile stand: four pointers and the distance between rows
 * stay in registers, 16 pointers would not. */
typedef struct tile_rows {
    const unsigned char *fourth[4]; /* rows 0, 4, 8, 12 */
    size_t stride;
} tile_rows;

/* The block of row r that is `at` bytes from the row's start. */
INLINE const unsigned char *block_of(const tile_rows *w, int r, size_t at)
{
    return w->fourth[r / 4] + (size_t)(r % 4) * w->stride + at;
}

/* Columns from which turning pays. */
INLINE int turned_from(const dtype type)
{
    return type == DTYPE_Q8_0 ? 2 : 1;
}

INLINE int block_offset(const dtype type)
{
    return type == DTYPE_Q8_0 ? 128 : 8;
}

/* Partial sums of two blocks, eight lanes each; of Q4_0 the upper four of the
 * eight are 16 times theirs, since the high nibbles stay where they are. */
INLINE __m512i pair_lanes(const dtype type, const unsigned char *a,
                          const unsigned char *b, __m512i x)
{
    __m512i q;
    if (type == DTYPE_Q4_0) {
        const __m512i nibbles = _mm512_broadcast_i64x4(
            _mm256_set_m128i(_mm_set1_epi8((char)0xf0), _mm_set1_epi8(15)));
        q = _mm512_broadcast_i32x4(
            _mm_loadu_si128((const __m128i *)(a + Q4_0_QUANTS)));
        q = _mm512_mask_broadcast_i32x4(
            q, 0xff00, _mm_loadu_si128((const __m128i *)(b + Q4_0_QUANTS)));
        q = _mm512_and_si512(q, nibbles);
    } else {
        q = _mm512_inserti64x4(
            _mm512_castsi256_si512(
                _mm256_loadu_si256((const __m256i *)(a + Q8_0_QUANTS))),
            _mm256_loadu_si256((const __m256i *)(b + Q8_0_QUANTS)), 1);
        q = _mm512_xor_si512(q, _mm512_set1_epi8((char)128));
    }
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), q, x);
}

/* [a0+a2, b0+b2, a1+a3, b1+b3] in each quarter. */
INLINE __m512i add_pairs(__m512i a, __m512i b)
{
    return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b),
                            _mm512_unpackhi_epi32(a, b));
}

INLINE __m256i block_sums(const dtype type, const unsigned char *const w[ROWS],
                          const unsigned char *x)
{
    const __m512i both = _mm512_broadcast_i64x4(
        _mm256_loadu_si256((const __m256i *)x));
    __m512i s[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
        s[r] = pair_lanes(type, w[r], w[r + 4], both);
    __m512i ab = add_pairs(s[0], s[1]), cd = add_pairs(s[2], s[3]);
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd),
                                   _mm512_unpackhi_epi64(ab, cd));
    /* Quarters 0 and 2 are of lanes 0 … 3, quarters 1 and 3 of lanes 4 … 7. */
    __m256i low = _mm512_castsi512_si256(
        _mm512_shuffle_i32x4(all, all, 0x08));
    __m256i high = _mm512_castsi512_si256(
        _mm512_shuffle_i32x4(all, all, 0x0d));
    if (type == DTYPE_Q4_0)
        high = _mm256_srai_epi32(high, 4);
    return _mm256_sub_epi32(
        _mm256_add_epi32(low, high),
        _mm256_set1_epi32(block_offset(type) *
                          block_int(x + COLUMN_32_SUM)));
}

/* In each quarter of t[0] … t[3] stand four dwords; t[j] becomes the dwords j
 * of the four. */
INLINE void turn_quarters(__m512i t[4])
{
    __m512i ab_low = _mm512_unpacklo_epi32(t[0], t[1]);
    __m512i ab_high = _mm512_unpackhi_epi32(t[0], t[1]);
    __m512i cd_low = _mm512_unpacklo_epi32(t[2], t[3]);
    __m512i cd_high = _mm512_unpackhi_epi32(t[2], t[3]);
    t[0] = _mm512_unpacklo_epi64(ab_low, cd_low);
    t[1] = _mm512_unpackhi_epi64(ab_low, cd_low);
    t[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
    t[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
}

/* q[j], lane r: bytes 4 j … 4 j + 3 of the block of row r, plus the offset. */
INLINE void turn_q8_0(__m512i q[8], const tile_rows *w, size_t at)
{
    __m512i t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        int r = i < 4 ? i : i + 4;
        const unsigned char *a = block_of(w, r, at) + Q8_0_QUANTS;
        const unsigned char *b = block_of(w, r + 4, at) + Q8_0_QUANTS;
        t[i] = _mm512_inserti64x4(
            _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)a)),
            _mm256_loadu_si256((const __m256i *)b), 1);
        t[i] = _mm512_xor_si512(t[i], _mm512_set1_epi8((char)128));
    }
    turn_quarters(t);
    turn_quarters(t + 4);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        q[j] = _mm512_shuffle_i64x2(t[j], t[j + 4], 0x88);
        q[j + 4] = _mm512_shuffle_i64x2(t[j], t[j + 4], 0xdd);
    }
}

INLINE __m128i nibbles_of(const tile_rows *w, int r, size_t at)
{
    const unsigned char *quants = block_of(w, r, at) + Q4_0_QUANTS;
    return _mm_loadu_si128((const __m128i *)quants);
}

/* The same of Q4_0, whose 16 bytes are turned before they are taken apart; the
 * high nibbles stay where they are: q[4] … q[7] are 16 times theirs. */
INLINE void turn_q4_0(__m512i q[8], const tile_rows *w, size_t at)
{
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        __m512i t = _mm512_castsi128_si512(nibbles_of(w, i, at));
        t = _mm512_mask_broadcast_i32x4(t, 0x00f0, nibbles_of(w, i + 4, at));
        t = _mm512_mask_broadcast_i32x4(t, 0x0f00, nibbles_of(w, i + 8, at));
        q[i] = _mm512_mask_broadcast_i32x4(t, 0xf000,
                                           nibbles_of(w, i + 12, at));
    }
    turn_quarters(q);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        q[j + 4] = _mm512_andnot_si512(low, q[j]);
        q[j] = _mm512_and_si512(low, q[j]);
    }
}

INLINE void turn(const dtype type, __m512i q[8], const tile_rows *w, size_t at)
{
    if (type == DTYPE_Q4_0)
        turn_q4_0(q, w, at);
    else
        turn_q8_0(q, w, at);
}

/* Block b of 16 rows: turned, and their scales. */
INLINE __m512 turned_block(const dtype type, __m512i q[8], const tile_rows *w,
                           size_t b)
{
    size_t at = b * block_bytes(type);
    const unsigned char *d[TURNED_ROWS];
    for (int r = 0; r < TURNED_ROWS; r++)
        d[r] = block_of(w, r, at);
    turn(type, q, w, at);
    return _mm512_insertf32x8(_mm512_castps256_ps512(scales_of(d)),
                              scales_of(d + 8), 1);
}

/* Lane r: Σ w x of row r's block, x: a column's block. Two chains of sums: one
 * alone would wait for its own results. */
INLINE __m512i turned_sums(const dtype type, const __m512i q[8],
                           const unsigned char *x)
{
    __m512i low = _mm512_set1_epi32(-block_offset(type) *
                                    block_int(x + COLUMN_32_SUM));
    __m512i high = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        low = _mm512_dpbusd_epi32(
            low, q[j], _mm512_set1_epi32(block_int(x + 4 * j)));
        high = _mm512_dpbusd_epi32(
            high, q[j + 4], _mm512_set1_epi32(block_int(x + 4 * j + 16)));
    }
    if (type == DTYPE_Q4_0)
        high = _mm512_srai_epi32(high, 4);
    return _mm512_add_epi32(low, high);
}

/* sum[c] = the outputs of 16 rows, for C columns. While a block is multiplied
 * the next one is turned: one is work for the multipliers, the other for the
 * shuffles. */
INLINE void turned_dot(const dtype type, const int C, __m512 *sum,
                       const tile_rows *row, const void *const *x,
                       size_t n_blocks, const char *fetch)
{
    __m512i q[8], next[8];
    __m512 d_w, d_next;
#pragma GCC unroll 8
    for (int c = 0; c < C; c++)
        sum[c] = _mm512_setzero_ps();
    if (n_blocks == 0)
        return;
    d_next = turned_block(type, next, row, 0);
    for (size_t b = 0; b < n_blocks; b++) {
        d_w = d_next;
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++)
            q[j] = next[j];
        if (fetch)
            ahead_fetch(fetch + TURNED_ROWS * b * block_bytes(type),
                        TURNED_ROWS * block_bytes(type));
        if (b + 1 < n_blocks)
            d_next = turned_block(type, next, row, b + 1);
#pragma GCC unroll 8
        for (int c = 0; c < C; c++) {
            const unsigned char *at =
                (const unsigned char *)x[c] + b * COLUMN_32_BYTES;
            __m512 p = _mm512_mul_ps(
                _mm512_cvtepi32_ps(turned_sums(type, q, at)), d_w);
            p = _mm512_mul_ps(p, _mm512_set1_ps(block_float(at +
                                                            COLUMN_32_D)));
            sum[c] = _mm512_add_ps(sum[c], p);
        }
    }
}

/* 16 rows from r on, C columns from c on. */
INLINE void turned_tile(const dtype type, const int C, const linear_job *j,
                        const tile_rows *row, size_t r, int c,
                        const char *fetch)
{
    __m512 sum[8];
    turned_dot(type, C, sum, row, j->x + c, j->blocks, fetch);
#pragma GCC unroll 8
    for (int i = 0; i < C; i++) {
        if (j->bias)
            sum[i] = _mm512_add_ps(sum[i], _mm512_loadu_ps(j->bias + r));
        _mm512_storeu_ps(j->y[c + i] + r, sum[i]);
    }
}

INLINE void turned_strip(const dtype type, const linear_job *j, int columns,
                         size_t r)
{
    const unsigned char *first = j->w + r * j->row_bytes;
    const tile_rows tile = {{first, first + 4 * j->row_bytes,
                             first + 8 * j->row_bytes,
                             first + 12 * j->row_bytes},
                            j->row_bytes};
    const char *fetch = ahead_of(first, TURNED_ROWS * j->row_bytes);
    int c = 0;
    for (; c + 8 <= columns; c += 8, fetch = NULL)
        turned_tile(type, 8, j, &tile, r, c, fetch);
    for (; c + 4 <= columns; c += 4, fetch = NULL)
        turned_tile(type, 4, j, &tile, r, c, fetch);
    for (; c + 2 <= columns; c += 2, fetch = NULL)
        turned_tile(type, 2, j, &tile, r, c, fetch);
    for (; c < columns; c++, fetch = NULL)
        turned_tile(type, 1, j, &tile, r, c, fetch);
}

INLINE void linear(const dtype type, const linear_job *j, int columns,
                   size_t row0, size_t row1)
{
    size_t r = row0;
    if (columns >= turned_from(type))
        for (; r + TURNED_ROWS <= row1; r += TURNED_ROWS)
            turned_strip(type, j, columns, r);
    for (; r < row1; r += ROWS)
        strip(type, j, columns, r, row1);
}

#define LINEAR(type, name)                                              \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                           \
    {                                                                   \
        const linear_job j = {y, x, w, row_bytes, K / SUB_BLOCK, bias}; \
        linear(DTYPE_##type, &j, columns, row0, row1);                  \
    }
LINEAR(Q8_0, q8_0)
LINEAR(Q4_0, q4_0)
