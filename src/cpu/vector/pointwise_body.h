/* pointwise_body.h: functions of single elements, in the words of a vector
 * header. y may be the same array as an input. */
#ifndef MOSHI_CPU_VECTOR_POINTWISE_BODY_H
#define MOSHI_CPU_VECTOR_POINTWISE_BODY_H

#include "cpu/kernel_list.h"

/* The same operations as the reference, so the same bits: not fused. */
KERNEL_ADD(KERNEL(add))
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec term = vec_load(b + i);
        if (scale)
            term = vec_mul(vec_load(scale + i), term);
        vec_store(y + i, vec_add(vec_load(a + i), term));
    }
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec term = vec_load_first(b + i, m);
        if (scale)
            term = vec_mul(vec_load_first(scale + i, m), term);
        vec_store_first(y + i, vec_add(vec_load_first(a + i, m), term), m);
    }
}

typedef vec vec_function(vec x);

INLINE void map(vec_function *f, float *y, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(y + i, f(vec_load(x + i)));
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec_store_first(y + i, f(vec_load_first(x + i, m)), m);
    }
}

INLINE vec elu(vec x)
{
    return vec_if_positive(x, x, vec_sub(vec_exp(x), vec_set1(1)));
}

/* With u = |x|, e = 1 - erf(u / √2) is exp(-u P(u)), where P is a polynomial
 * of degree 9: a weighted minimax fit (iterated least squares) to
 * -ln(erfc(u / √2)) / u over 0 ≤ u ≤ 6. The error in erf is below 1e-8 from
 * the fit, 1e-7 in all; beyond 6 the polynomial goes on growing and e
 * vanishes. Then 1 + erf(x / √2) is e for x < 0 and 2 - e above. */
INLINE vec gelu(vec x)
{
    static const float P[10] = {
        0x1.988454p-1f,  0x1.45f2fep-2f,  0x1.29a9bep-5f,  -0x1.394d4ap-8f,
        -0x1.6f3382p-15f, 0x1.d714fcp-13f, -0x1.12e738p-14f, 0x1.61cf84p-17f,
        -0x1.029b36p-20f, 0x1.4f0098p-25f,
    };
    /* Beyond 32 the polynomial would overflow; NaN passes the minimum. */
    vec u = vec_min(vec_set1(32), vec_abs(x)), p = vec_set1(P[9]);
#pragma GCC unroll 9
    for (int i = 8; i >= 0; i--)
        p = vec_fma(p, u, vec_set1(P[i]));
    vec e = vec_exp(vec_fnma(p, u, vec_zero()));
    vec sum = vec_if_positive(x, vec_sub(vec_set1(2), e), e);
    return vec_mul(vec_mul(x, vec_set1(0.5f)), sum);
}

KERNEL_POINTWISE(KERNEL(elu))
{
    map(elu, y, x, n);
}

KERNEL_POINTWISE(KERNEL(gelu))
{
    map(gelu, y, x, n);
}

INLINE vec silu_gate(vec gate, vec up)
{
    vec e = vec_exp(vec_sub(vec_zero(), gate));
    return vec_mul(vec_div(gate, vec_add(vec_set1(1), e)), up);
}

KERNEL_SILU_GATE(KERNEL(silu_gate))
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(y + i, silu_gate(vec_load(gate + i), vec_load(up + i)));
    if (i < n) {
        vec_mask m = vec_first(n - i);
        vec v = silu_gate(vec_load_first(gate + i, m),
                          vec_load_first(up + i, m));
        vec_store_first(y + i, v, m);
    }
}

#endif
