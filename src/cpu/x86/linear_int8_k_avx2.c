/* linear_int8_k_avx2.c: K-quants times 8-bit activations in AVX2.
 *
 * A row at a time: each sub-block is unpacked to unsigned bytes; maddubs gives
 * sums of 2 products in 16 bits (at most 2 · 63 · 127), which madd multiplies
 * with the scales and adds to 32 bits. All of this is exact, so the bits are
 * the reference's. Up to 4 columns share the unpacking. */
#include "cpu/x86/vector_avx2.h"

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"
#include "cpu/x86/ahead.h"

#define COLUMNS 4
/* Rows that are read side by side. */
#define ROWS 4

INLINE __m256i load_32(const unsigned char *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

INLINE __m128i load_16(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

INLINE float half_at(const unsigned char *p)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(block_half(p))));
}

INLINE int32_t fold(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v),
                              _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

/* 8 scales and 8 mins as words (block_scale_min). */
INLINE void scales_k(__m128i *scales, __m128i *mins, const unsigned char *w)
{
    uint32_t p[3];
    memcpy(p, w + Q4_K_SCALES, sizeof p);
    *scales = _mm_cvtepu8_epi16(_mm_setr_epi32(
        (int)(p[0] & 0x3f3f3f3f),
        (int)((p[2] & 0x0f0f0f0f) | (p[0] >> 2 & 0x30303030)), 0, 0));
    *mins = _mm_cvtepu8_epi16(_mm_setr_epi32(
        (int)(p[1] & 0x3f3f3f3f),
        (int)((p[2] >> 4 & 0x0f0f0f0f) | (p[1] >> 2 & 0x30303030)), 0, 0));
}

/* Word i of the eight, everywhere. */
INLINE __m256i word_everywhere(__m256i words, const int i)
{
    const int pair = (2 * i + 1) << 8 | 2 * i;
    return _mm256_shuffle_epi8(words, _mm256_set1_epi16((short)pair));
}

/* 32 bytes: sub-block s of a Q4_K or Q5_K. */
INLINE __m256i unpack_k(const dtype type, const unsigned char *w, const int s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i pairs = load_32(
        w + (type == DTYPE_Q4_K ? Q4_K_QUANTS : Q5_K_QUANTS) + s / 2 * 32);
    __m256i q = _mm256_and_si256(
        s % 2 ? _mm256_srli_epi16(pairs, 4) : pairs, nibble);
    if (type == DTYPE_Q4_K)
        return q;
    __m256i high = load_32(w + Q5_K_HIGH);
    high = s < 4 ? _mm256_slli_epi16(high, 4 - s < 0 ? 0 : 4 - s)
                 : _mm256_srli_epi16(high, s < 4 ? 0 : s - 4);
    return _mm256_or_si256(q, _mm256_and_si256(high, _mm256_set1_epi8(16)));
}

/* 32 bytes: sub-block s (0 … 3) of half h of a Q6_K. */
INLINE __m256i unpack_q6_k(const unsigned char *w, const int h, const int s)
{
    __m256i pairs = load_32(w + 64 * h + s % 2 * 32);
    __m256i high = load_32(w + Q6_K_HIGH + 32 * h);
    __m256i q = _mm256_and_si256(
        s < 2 ? pairs : _mm256_srli_epi16(pairs, 4), _mm256_set1_epi8(15));
    high = s < 2 ? _mm256_slli_epi16(high, s == 0 ? 4 : 2)
                 : _mm256_srli_epi16(high, s == 2 ? 0 : 2);
    return _mm256_or_si256(q, _mm256_and_si256(high, _mm256_set1_epi8(48)));
}

/* total[c] += a super-block of a row, for C columns; constants: type, C. */
INLINE void block_k(const dtype type, const int C, float *total,
                    const unsigned char *w, const unsigned char *const *x)
{
    __m128i scales, mins;
    __m256i sum[COLUMNS];
    scales_k(&scales, &mins, w);
    __m256i words = _mm256_broadcastsi128_si256(scales);
    for (int c = 0; c < C; c++)
        sum[c] = _mm256_setzero_si256();
#pragma GCC unroll 8
    for (int s = 0; s < 8; s++) {
        __m256i q = unpack_k(type, w, s), scale = word_everywhere(words, s);
#pragma GCC unroll 4
        for (int c = 0; c < C; c++) {
            __m256i p = _mm256_maddubs_epi16(
                q, load_32(x[c] + column_k_place((size_t)s) * SUB_BLOCK));
            sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(p, scale));
        }
    }
    float d = half_at(w), dmin = half_at(w + Q4_K_DMIN);
    for (int c = 0; c < C; c++) {
        float d_x = block_float(x[c] + COLUMN_K_D);
        __m128i m = _mm_madd_epi16(mins, load_16(x[c] + COLUMN_K_SUMS));
        m = _mm_add_epi32(m, _mm_shuffle_epi32(m, 0x4e));
        m = _mm_add_epi32(m, _mm_shuffle_epi32(m, 0xb1));
        total[c] += (float)fold(sum[c]) * (d * d_x) -
                    (float)_mm_cvtsi128_si32(m) * (dmin * d_x);
    }
}

INLINE void block_q6_k(const int C, float *total, const unsigned char *w,
                       const unsigned char *const *x)
{
    __m256i scales = _mm256_cvtepi8_epi16(load_16(w + Q6_K_SCALES));
    __m256i sum[COLUMNS];
    for (int c = 0; c < C; c++) {
        __m256i p = _mm256_madd_epi16(scales, load_32(x[c] + COLUMN_K_SUMS));
        sum[c] = _mm256_sub_epi32(_mm256_setzero_si256(),
                                  _mm256_slli_epi32(p, 5));
    }
#pragma GCC unroll 2
    for (int h = 0; h < 2; h++) {
        /* clang wants the constant before it unrolls the loop. */
        __m256i words = h ? _mm256_permute2x128_si256(scales, scales, 0x11)
                          : _mm256_permute2x128_si256(scales, scales, 0x00);
#pragma GCC unroll 4
        for (int s = 0; s < 4; s++) {
            __m256i q = unpack_q6_k(w, h, s);
            /* One scale for each 16 bytes. */
            __m256i scale =
                _mm256_blend_epi32(word_everywhere(words, 2 * s),
                                   word_everywhere(words, 2 * s + 1), 0xf0);
#pragma GCC unroll 4
            for (int c = 0; c < C; c++) {
                __m256i p = _mm256_maddubs_epi16(
                    q, load_32(x[c] + (size_t)(4 * h + s) * SUB_BLOCK));
                sum[c] =
                    _mm256_add_epi32(sum[c], _mm256_madd_epi16(p, scale));
            }
        }
    }
    float d = half_at(w + Q6_K_D);
    for (int c = 0; c < C; c++)
        total[c] += (float)fold(sum[c]) *
                    (d * block_float(x[c] + COLUMN_K_D));
}

INLINE size_t bytes_of(const dtype type)
{
    return type == DTYPE_Q4_K   ? Q4_K_BYTES
           : type == DTYPE_Q5_K ? Q5_K_BYTES
                                : Q6_K_BYTES;
}

typedef struct tile {
    const unsigned char *w; /* row 0 of the tile */
    size_t rows, row_bytes, blocks, block_bytes;
    const char *fetch; /* ahead.h; NULL: not */
} tile;

/* sum[r][c] = row r of the tile times column c. */
INLINE void rows_dot(const dtype type, const int C, float sum[ROWS][COLUMNS],
                     tile *t, const void *const *column)
{
    memset(sum, 0, ROWS * sizeof *sum);
    for (size_t b = 0; b < t->blocks; b++) {
        const unsigned char *x[COLUMNS];
        for (int c = 0; c < C; c++)
            x[c] = (const unsigned char *)column[c] + b * COLUMN_K_BYTES;
        if (t->fetch)
            ahead_fetch(t->fetch + ROWS * b * bytes_of(type),
                        ROWS * bytes_of(type));
        for (size_t r = 0; r < t->rows; r++) {
            const unsigned char *w =
                t->w + r * t->row_bytes + b * t->block_bytes;
            if (type == DTYPE_Q6_K)
                block_q6_k(C, sum[r], w, x);
            else
                block_k(type, C, sum[r], w, x);
        }
    }
}

INLINE void linear(const dtype type, float *const *y, const void *const *x,
                   int columns, const unsigned char *w, size_t row_bytes,
                   size_t K, const float *bias, size_t row0, size_t row1)
{
    const size_t bytes = bytes_of(type);
    for (size_t r = row0; r < row1; r += ROWS) {
        tile t = {w + r * row_bytes, row1 - r < ROWS ? row1 - r : ROWS,
                  row_bytes, K / SUPER_BLOCK, bytes,
                  ahead_of(w + r * row_bytes, ROWS * row_bytes)};
        float sum[ROWS][COLUMNS];
        for (int c = 0; c < columns;) {
            int n = columns - c >= COLUMNS ? COLUMNS : 1;
            if (n == COLUMNS)
                rows_dot(type, COLUMNS, sum, &t, x + c);
            else
                rows_dot(type, 1, sum, &t, x + c);
            for (int j = 0; j < n; j++, c++)
                for (size_t i = 0; i < t.rows; i++)
                    y[c][r + i] = bias ? sum[i][j] + bias[r + i] : sum[i][j];
            t.fetch = NULL;
        }
    }
}

#define LINEAR(type, name)                                            \
    KERNEL_LINEAR(KERNEL(linear_int8_##name))                         \
    {                                                                 \
        linear(DTYPE_##type, y, x, columns, w, row_bytes, K, bias,    \
               row0, row1);                                           \
    }
LINEAR(Q4_K, q4_k)
LINEAR(Q5_K, q5_k)
LINEAR(Q6_K, q6_k)
