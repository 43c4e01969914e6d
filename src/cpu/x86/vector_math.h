/* vector_math.h: sums across the lanes of the x86 vectors (included at the end
 * of their headers). */
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

#include "cpu/vector/exp.h"

#endif
