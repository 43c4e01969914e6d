/* linear_int8_k_avx512.c: K-quants times 8-bit activations, with VNNI.
 *
 * A tile is 4 rows × up to 4 columns. For each super-block a row is unpacked
 * to four vectors of unsigned bytes, in the order of the column (cpu/blocks.h).
 * Two of them at a time: dpbusd gives sums of 4 products, which fit 16 bits
 * (at most 4 · 63 · 127); packed to words they are multiplied with the scales
 * and added by dpwssd. The lanes of four rows are then folded together. All of
 * this is exact, so the bits are the reference's. */
#include "cpu/x86/vector_avx512.h"

#include "base/dtype.h"
#include "cpu/blocks.h"
#include "cpu/kernel_list.h"

#define ROWS    4
#define COLUMNS 4

/* What four rows of a super-block share out: scales as words, and for Q4_K and
 * Q5_K the mins as words, a row in each quarter. */
typedef struct header {
    __m512i scales[2]; /* Q6_K: rows 0, 1 and rows 2, 3, 16 words each;
                          else 8 words of each row in a quarter of the first */
    __m512i mins;
    __m128 d, dmin;
} header;

INLINE __m128i load_16(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

INLINE __m256i load_32(const unsigned char *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

INLINE __m512i load_64(const unsigned char *p)
{
    return _mm512_loadu_si512(p);
}

INLINE __m512i broadcast_32(const unsigned char *p)
{
    return _mm512_broadcast_i64x4(load_32(p));
}

/* Four 16-byte heads: d, dmin, 12 bytes of scales and mins (block_scale_min),
 * unpacked in each quarter to 8 bytes of scales, then 8 of mins. */
INLINE void header_k(header *h, const unsigned char *const w[ROWS])
{
    const __m512i right = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 2, 0, 2));
    const __m512i keep = _mm512_broadcast_i32x4(
        _mm_setr_epi32(0x3f3f3f3f, 0x30303030, 0x3f3f3f3f, 0x30303030));
    const __m512i low_right =
        _mm512_broadcast_i32x4(_mm_setr_epi32(0, 0, 0, 4));
    const __m512i low_keep = _mm512_broadcast_i32x4(
        _mm_setr_epi32(0, 0x0f0f0f0f, 0, 0x0f0f0f0f));
    __m512i v = _mm512_castsi128_si512(load_16(w[0]));
    v = _mm512_inserti32x4(v, load_16(w[1]), 1);
    v = _mm512_inserti32x4(v, load_16(w[2]), 2);
    v = _mm512_inserti32x4(v, load_16(w[3]), 3);
    __m512i a = _mm512_shuffle_epi32(v, _MM_PERM_CCBB);
    __m512i b = _mm512_shuffle_epi32(v, _MM_PERM_DDDD);
    a = _mm512_and_si512(_mm512_srlv_epi32(a, right), keep);
    b = _mm512_and_si512(_mm512_srlv_epi32(b, low_right), low_keep);
    __m512i bytes = _mm512_or_si512(a, b);
    h->scales[0] = _mm512_unpacklo_epi8(bytes, _mm512_setzero_si512());
    h->mins = _mm512_unpackhi_epi8(bytes, _mm512_setzero_si512());
    /* The first dword of each quarter: d and dmin. */
    __m128i both = _mm512_castsi512_si128(_mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        v));
    h->d = _mm_cvtph_ps(_mm_cvtepi32_epi16(both));
    h->dmin = _mm_cvtph_ps(_mm_cvtepi32_epi16(_mm_srli_epi32(both, 16)));
}

INLINE void header_q6_k(header *h, const unsigned char *const w[ROWS])
{
    for (int i = 0; i < 2; i++)
        h->scales[i] = _mm512_cvtepi8_epi16(
            _mm256_set_m128i(load_16(w[2 * i + 1] + Q6_K_SCALES),
                             load_16(w[2 * i] + Q6_K_SCALES)));
    h->d = _mm_cvtph_ps(_mm_setr_epi16((short)block_half(w[0] + Q6_K_D),
                                       (short)block_half(w[1] + Q6_K_D),
                                       (short)block_half(w[2] + Q6_K_D),
                                       (short)block_half(w[3] + Q6_K_D),
                                       0, 0, 0, 0));
    h->mins = _mm512_setzero_si512();
    h->dmin = _mm_setzero_ps();
}

/* Half h (0, 1) of a super-block as 2 × 64 bytes. */
INLINE void unpack(const dtype type, __m512i q[2], const unsigned char *w,
                   const int half)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i pairs = load_64(w + 64 * half +
                                  (type == DTYPE_Q4_K   ? Q4_K_QUANTS
                                   : type == DTYPE_Q5_K ? Q5_K_QUANTS
                                                        : 0));
    q[0] = _mm512_and_si512(pairs, nibble);
    q[1] = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), nibble);
    if (type == DTYPE_Q4_K)
        return;
    /* The high bits of 32 bytes are turned to where they belong: bits 4 or 4
     * and 5, by another count for each half of the vector. 0xf8: a | b & c. */
    __m512i high = broadcast_32(w + (type == DTYPE_Q5_K
                                         ? Q5_K_HIGH
                                         : Q6_K_HIGH + 32 * half));
    const int first = type == DTYPE_Q5_K ? 4 - 4 * half : 4;
    const int step = 2;
    for (int i = 0; i < 2; i++) {
        /* bits to the left, modulo 32 */
        int low = type == DTYPE_Q5_K ? first - i : first - 4 * i;
        __m512i left = _mm512_inserti64x4(
            _mm512_set1_epi32(low & 31),
            _mm256_set1_epi32((low - step) & 31), 1);
        const __m512i mask =
            _mm512_set1_epi8(type == DTYPE_Q5_K ? 0x10 : 0x30);
        q[i] = _mm512_ternarylogic_epi32(
            q[i], _mm512_rolv_epi32(high, left), mask, 0xf8);
    }
}

/* Where the words of row r's scales for one half lie in h->scales: for each
 * quarter of a vector, four times that of q[0] and four times that of q[1]. */
INLINE __m512i scale_words(const dtype type, const header *h, const int r,
                           const int half)
{
    int s[8]; /* for quarter i: 2 i, 2 i + 1 */
    for (int i = 0; i < 4; i++)
        if (type == DTYPE_Q6_K) {
            s[2 * i] = r % 2 * 16 + 8 * half + i;
            s[2 * i + 1] = r % 2 * 16 + 8 * half + 4 + i;
        } else {
            s[2 * i] = 8 * r + 4 * half + i / 2 * 2;
            s[2 * i + 1] = s[2 * i] + 1;
        }
    const int one = 0x10001;
    __m512i index = _mm512_setr_epi32(
        s[0] * one, s[0] * one, s[1] * one, s[1] * one, s[2] * one,
        s[2] * one, s[3] * one, s[3] * one, s[4] * one, s[4] * one,
        s[5] * one, s[5] * one, s[6] * one, s[6] * one, s[7] * one,
        s[7] * one);
    return _mm512_permutexvar_epi16(
        index, h->scales[type == DTYPE_Q6_K ? r / 2 : 0]);
}

/* The sums of the lanes of four vectors. */
INLINE __m128i fold4(const __m512i a[ROWS])
{
    __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a[0], a[1]),
                                  _mm512_unpackhi_epi32(a[0], a[1]));
    __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(a[2], a[3]),
                                  _mm512_unpackhi_epi32(a[2], a[3]));
    __m512i all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd),
                                   _mm512_unpackhi_epi64(ab, cd));
    __m256i two = _mm256_add_epi32(_mm512_castsi512_si256(all),
                                   _mm512_extracti64x4_epi64(all, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(two),
                         _mm256_extracti128_si256(two, 1));
}

/* Σ min_s Σ x of four rows. */
INLINE __m128i mins_dot(const header *h, const unsigned char *x)
{
    __m512i sums = _mm512_broadcast_i32x4(load_16(x + COLUMN_K_SUMS));
    __m512i p = _mm512_madd_epi16(h->mins, sums);
    p = _mm512_add_epi32(p, _mm512_shuffle_epi32(p, _MM_PERM_BADC));
    p = _mm512_add_epi32(p, _mm512_shuffle_epi32(p, _MM_PERM_CDAB));
    return _mm512_castsi512_si128(_mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        p));
}

/* Q6_K: -32 Σ scale Σ x, in 8 lanes of each row: where its sum begins. */
INLINE void begin_q6_k(__m512i sum[ROWS], const header *h,
                       const unsigned char *x)
{
    __m512i sums = broadcast_32(x + COLUMN_K_SUMS);
    for (int i = 0; i < 2; i++) {
        __m512i p = _mm512_madd_epi16(h->scales[i], sums);
        p = _mm512_sub_epi32(_mm512_setzero_si512(),
                             _mm512_slli_epi32(p, 5));
        sum[2 * i] = _mm512_zextsi256_si512(_mm512_castsi512_si256(p));
        sum[2 * i + 1] =
            _mm512_zextsi256_si512(_mm512_extracti64x4_epi64(p, 1));
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
    __m512i sum[COLUMNS][ROWS];
    if (type == DTYPE_Q6_K)
        header_q6_k(&h, w);
    else
        header_k(&h, w);
#pragma GCC unroll 4
    for (int c = 0; c < C; c++)
        if (type == DTYPE_Q6_K)
            begin_q6_k(sum[c], &h, x[c]);
        else
#pragma GCC unroll 4
            for (int r = 0; r < ROWS; r++)
                sum[c][r] = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) {
            __m512i q[2];
            unpack(type, q, w[r], half);
            __m512i scale = scale_words(type, &h, r, half);
#pragma GCC unroll 4
            for (int c = 0; c < C; c++) {
                const unsigned char *at = x[c] + 128 * half;
                const __m512i none = _mm512_setzero_si512();
                __m512i a = _mm512_dpbusd_epi32(none, q[0], load_64(at));
                __m512i b = _mm512_dpbusd_epi32(none, q[1], load_64(at + 64));
                sum[c][r] = _mm512_dpwssd_epi32(
                    sum[c][r], _mm512_packs_epi32(a, b), scale);
            }
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
