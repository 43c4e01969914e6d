/* linear_int8_k_body.h: K-quants times 8-bit activations in 256 bits; included
 * by linear_int8_k_<isa>.c, which defines dot_pair.
 *
 * A tile is 4 rows × up to 4 columns. Row by row, two sub-blocks of a
 * super-block at a time are unpacked to unsigned bytes, multiplied with the
 * column's signed ones and, summed in words, with their scales. The lanes of
 * four rows are then folded together, and each of four lanes goes on in floats
 * as the reference does. The sums of integers are exact, so the bits are the
 * reference's. */
#ifndef MOSHI_CPU_X86_LINEAR_INT8_K_BODY_H
#define MOSHI_CPU_X86_LINEAR_INT8_K_BODY_H

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

#define ROWS    4
#define COLUMNS 4

INLINE __m128i load_16(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

INLINE __m256i load_32(const unsigned char *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

/* sum += what the sub-blocks s and s + 1 of q[0] and q[1] give with x[0] and
 * x[1], each times its scale. words: eight scales in each half, for Q4_K and
 * Q5_K those of the sub-blocks, for Q6_K those of the 16 elements each of half
 * a super-block, whose sub-blocks s counts. */
INLINE __m256i dot_pair(const dtype type, __m256i sum, const __m256i q[2],
                        const __m256i x[2], __m256i words, const int s);

/* What four rows of a super-block share out. */
typedef struct header {
    __m256i scales[ROWS]; /* Q6_K: 16 words of each row; else 8 words of row
                             2 i in the lower half of i, of 2 i + 1 above */
    __m256i mins[2];      /* as those */
    __m128 d, dmin;
} header;

/* Four 16-byte heads: d, dmin, 12 bytes of scales and mins (block_scale_min),
 * unpacked in each half to 8 bytes of scales, then 8 of mins. */
INLINE void header_k(header *h, const unsigned char *const w[ROWS])
{
    const __m256i right = _mm256_setr_epi32(0, 2, 0, 2, 0, 2, 0, 2);
    const __m256i keep = _mm256_broadcastsi128_si256(
        _mm_setr_epi32(0x3f3f3f3f, 0x30303030, 0x3f3f3f3f, 0x30303030));
    const __m256i low_right = _mm256_setr_epi32(0, 0, 0, 4, 0, 0, 0, 4);
    const __m256i low_keep = _mm256_broadcastsi128_si256(
        _mm_setr_epi32(0, 0x0f0f0f0f, 0, 0x0f0f0f0f));
    __m256i v[2];
    for (int i = 0; i < 2; i++) {
        v[i] = _mm256_inserti128_si256(
            _mm256_castsi128_si256(load_16(w[2 * i])), load_16(w[2 * i + 1]),
            1);
        __m256i a = _mm256_shuffle_epi32(v[i], 0xa5); /* 1 1 2 2 */
        __m256i b = _mm256_shuffle_epi32(v[i], 0xff);
        a = _mm256_and_si256(_mm256_srlv_epi32(a, right), keep);
        b = _mm256_and_si256(_mm256_srlv_epi32(b, low_right), low_keep);
        __m256i bytes = _mm256_or_si256(a, b);
        h->scales[i] = _mm256_unpacklo_epi8(bytes, _mm256_setzero_si256());
        h->mins[i] = _mm256_unpackhi_epi8(bytes, _mm256_setzero_si256());
    }
    /* The first dword of each half, of rows 0, 2 and 1, 3: d and dmin. */
    __m256i two = _mm256_unpacklo_epi32(v[0], v[1]);
    __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(two),
                                      _mm256_extracti128_si256(two, 1));
    __m256 halves = _mm256_cvtph_ps(_mm_packus_epi32(
        _mm_and_si128(both, _mm_set1_epi32(0xffff)),
        _mm_srli_epi32(both, 16)));
    h->d = _mm256_castps256_ps128(halves);
    h->dmin = _mm256_extractf128_ps(halves, 1);
}

INLINE void header_q6_k(header *h, const unsigned char *const w[ROWS])
{
    for (int r = 0; r < ROWS; r++)
        h->scales[r] = _mm256_cvtepi8_epi16(load_16(w[r] + Q6_K_SCALES));
    h->d = _mm_cvtph_ps(_mm_setr_epi16((short)block_half(w[0] + Q6_K_D),
                                       (short)block_half(w[1] + Q6_K_D),
                                       (short)block_half(w[2] + Q6_K_D),
                                       (short)block_half(w[3] + Q6_K_D),
                                       0, 0, 0, 0));
}

/* A half of v in both. */
INLINE __m256i half_everywhere(__m256i v, const int half)
{
    /* clang wants the constant before it unrolls the loop. */
    return half ? _mm256_permute4x64_epi64(v, 0xee)
                : _mm256_permute4x64_epi64(v, 0x44);
}

/* Sub-blocks s and s + 1 (s even) of a Q4_K or Q5_K. */
INLINE void unpack_k(const dtype type, __m256i q[2], const unsigned char *w,
                     const int s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i bit = _mm256_set1_epi8(16);
    __m256i pairs = load_32(
        w + (type == DTYPE_Q4_K ? Q4_K_QUANTS : Q5_K_QUANTS) + s / 2 * 32);
    q[0] = _mm256_and_si256(pairs, nibble);
    q[1] = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), nibble);
    if (type == DTYPE_Q4_K)
        return;
    /* Bit s belongs at bit 4. */
    __m256i high = load_32(w + Q5_K_HIGH);
    __m256i first = s < 4 ? _mm256_slli_epi16(high, s < 4 ? 4 - s : 0)
                          : _mm256_srli_epi16(high, s < 4 ? 0 : s - 4);
    __m256i second = s < 4 ? _mm256_slli_epi16(high, s < 4 ? 3 - s : 0)
                           : _mm256_srli_epi16(high, s < 4 ? 0 : s - 3);
    q[0] = _mm256_or_si256(q[0], _mm256_and_si256(first, bit));
    q[1] = _mm256_or_si256(q[1], _mm256_and_si256(second, bit));
}

/* Sub-blocks s and s + 1 (s 0 or 2) of half h of a Q6_K. */
INLINE void unpack_q6_k(__m256i q[2], const unsigned char *w, const int h,
                        const int s)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i bits = _mm256_set1_epi8(48);
    __m256i high = load_32(w + Q6_K_HIGH + 32 * h);
    __m256i place[2] = {
        s == 0 ? _mm256_slli_epi16(high, 4) : high,
        s == 0 ? _mm256_slli_epi16(high, 2) : _mm256_srli_epi16(high, 2)};
    for (int i = 0; i < 2; i++) {
        __m256i pairs = load_32(w + 64 * h + 32 * i);
        __m256i low = s == 0 ? pairs : _mm256_srli_epi16(pairs, 4);
        q[i] = _mm256_or_si256(_mm256_and_si256(low, nibble),
                               _mm256_and_si256(place[i], bits));
    }
}

/* The sums of the lanes of four vectors. */
INLINE __m128i fold4(const __m256i a[ROWS])
{
    __m256i ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a[0], a[1]),
                                  _mm256_unpackhi_epi32(a[0], a[1]));
    __m256i cd = _mm256_add_epi32(_mm256_unpacklo_epi32(a[2], a[3]),
                                  _mm256_unpackhi_epi32(a[2], a[3]));
    __m256i all = _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd),
                                   _mm256_unpackhi_epi64(ab, cd));
    return _mm_add_epi32(_mm256_castsi256_si128(all),
                         _mm256_extracti128_si256(all, 1));
}

/* Σ min_s Σ x of four rows. */
INLINE __m128i mins_dot(const header *h, const unsigned char *x)
{
    __m256i sums = _mm256_broadcastsi128_si256(load_16(x + COLUMN_K_SUMS));
    __m256i a = _mm256_madd_epi16(h->mins[0], sums); /* rows 0, 1 */
    __m256i b = _mm256_madd_epi16(h->mins[1], sums); /* rows 2, 3 */
    __m256i s = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b),
                                 _mm256_unpackhi_epi32(a, b));
    s = _mm256_add_epi32(s, _mm256_shuffle_epi32(s, 0x4e));
    return _mm_unpacklo_epi32(_mm256_castsi256_si128(s),
                              _mm256_extracti128_si256(s, 1));
}

/* Q6_K: -32 Σ scale Σ x, where the sum of row r begins. */
INLINE __m256i begin_q6_k(const header *h, const int r,
                          const unsigned char *x)
{
    __m256i p = _mm256_madd_epi16(h->scales[r], load_32(x + COLUMN_K_SUMS));
    return _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(p, 5));
}

/* sum[c] += row r of a super-block of Q4_K or Q5_K at w, for C columns. */
INLINE void row_k(const dtype type, const int C, __m256i *sum,
                  const header *h, const int r, const unsigned char *w,
                  const unsigned char *const *x)
{
    __m256i words = half_everywhere(h->scales[r / 2], r % 2);
#pragma GCC unroll 4
    for (int s = 0; s < 8; s += 2) {
        size_t first = column_k_place((size_t)s) * SUB_BLOCK;
        size_t second = column_k_place((size_t)s + 1) * SUB_BLOCK;
        __m256i q[2];
        unpack_k(type, q, w, s);
#pragma GCC unroll 4
        for (int c = 0; c < C; c++) {
            const __m256i at[2] = {load_32(x[c] + first),
                                   load_32(x[c] + second)};
            sum[c] = dot_pair(type, sum[c], q, at, words, s);
        }
    }
}

/* The same of Q6_K. */
INLINE void row_q6_k(const int C, __m256i *sum, const header *h, const int r,
                     const unsigned char *w, const unsigned char *const *x)
{
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
        __m256i words = half_everywhere(h->scales[r], half);
#pragma GCC unroll 2
        for (int s = 0; s < 4; s += 2) {
            __m256i q[2];
            unpack_q6_k(q, w, half, s);
#pragma GCC unroll 4
            for (int c = 0; c < C; c++) {
                const unsigned char *from = x[c] + (4 * half + s) * SUB_BLOCK;
                const __m256i at[2] = {load_32(from),
                                       load_32(from + SUB_BLOCK)};
                sum[c] = dot_pair(DTYPE_Q6_K, sum[c], q, at, words, s);
            }
        }
    }
}

INLINE __m128 column_d(const unsigned char *x)
{
    return _mm_broadcast_ss((const float *)(x + COLUMN_K_D));
}

/* total[c] += a super-block of four rows, for C columns; type and C are
 * constants. */
INLINE void super_block(const dtype type, const int C, __m128 *total,
                        const unsigned char *const w[ROWS],
                        const unsigned char *const *x)
{
    header h;
    __m256i sum[COLUMNS][ROWS], row[COLUMNS];
    if (type == DTYPE_Q6_K)
        header_q6_k(&h, w);
    else
        header_k(&h, w);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 4
        for (int c = 0; c < C; c++)
            row[c] = type == DTYPE_Q6_K ? begin_q6_k(&h, r, x[c])
                                        : _mm256_setzero_si256();
        if (type == DTYPE_Q6_K)
            row_q6_k(C, row, &h, r, w[r], x);
        else
            row_k(type, C, row, &h, r, w[r], x);
#pragma GCC unroll 4
        for (int c = 0; c < C; c++)
            sum[c][r] = row[c];
    }
#pragma GCC unroll 4
    for (int c = 0; c < C; c++) {
        __m128 d_x = column_d(x[c]);
        __m128 p = _mm_mul_ps(_mm_cvtepi32_ps(fold4(sum[c])),
                              _mm_mul_ps(h.d, d_x));
        if (type != DTYPE_Q6_K)
            p = _mm_sub_ps(p, _mm_mul_ps(_mm_cvtepi32_ps(mins_dot(&h, x[c])),
                                         _mm_mul_ps(h.dmin, d_x)));
        total[c] = _mm_add_ps(total[c], p);
    }
}

#include "cpu/x86/linear_int8_k_tiles.h"

#endif
