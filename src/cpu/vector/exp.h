/* exp.h: the exponential, in the words of the vector headers (included at their
 * end). */
#ifndef MOSHI_CPU_VECTOR_EXP_H
#define MOSHI_CPU_VECTOR_EXP_H

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
