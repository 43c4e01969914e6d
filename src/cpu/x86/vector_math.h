/* vector_math.h: sums and the exponential, in the words of the vector
 * headers (included at their end). */
#ifndef MOSHI_CPU_X86_VECTOR_MATH_H
#define MOSHI_CPU_X86_VECTOR_MATH_H

/* Sum of the lanes. The order is that of vec_sum4, so an output has the same
 * bits whether it was summed alone or with three others. */
INLINE float vec_sum(vec v)
{
    __m128 s = vec_fold(v);
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/* The sums of four vectors: each lane i of the result is
 * (s0 + s2) + (s1 + s3) of the folded lanes of vector i. */
INLINE __m128 vec_sum4(vec a, vec b, vec c, vec d)
{
    __m128 s0 = vec_fold(a), s1 = vec_fold(b), s2 = vec_fold(c),
           s3 = vec_fold(d);
    _MM_TRANSPOSE4_PS(s0, s1, s2, s3);
    return _mm_add_ps(_mm_add_ps(s0, s2), _mm_add_ps(s1, s3));
}

/* e^x: x = n ln 2 + r with |r| ≤ ln 2 / 2, and the Taylor series of e^r up to
 * r^7 / 7! (what is left out is below 6e-9). Error at most 2 ulp; 0 below
 * -104, infinity above 89, NaN stays NaN, subnormal results are rounded. */
INLINE vec vec_exp(vec x)
{
    /* ln 2 as a float and what that float lacks. */
    const vec ln2 = vec_set1(0x1.62e43p-1f);
    const vec ln2_rest = vec_set1(-0x1.05c61p-29f);
    x = vec_max(vec_set1(-104), vec_min(vec_set1(89), x));
    vec n = vec_round(vec_mul(x, vec_set1(0x1.715476p0f)));
    vec r = vec_fnma(n, ln2_rest, vec_fnma(n, ln2, x));
    vec p = vec_set1(1.0f / 5040);
    p = vec_fma(p, r, vec_set1(1.0f / 720));
    p = vec_fma(p, r, vec_set1(1.0f / 120));
    p = vec_fma(p, r, vec_set1(1.0f / 24));
    p = vec_fma(p, r, vec_set1(1.0f / 6));
    p = vec_fma(p, r, vec_set1(0.5f));
    p = vec_fma(p, r, vec_set1(1));
    p = vec_fma(p, r, vec_set1(1));
    return vec_scale(p, n);
}

#endif
