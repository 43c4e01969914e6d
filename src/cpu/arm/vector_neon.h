/* vector_neon.h: the vocabulary of the vector bodies (src/cpu/vector) in NEON:
 * 4 floats, or 2 doubles. The names are explained in x86/vector_avx2.h. */
#ifndef MOSHI_CPU_ARM_VECTOR_NEON_H
#define MOSHI_CPU_ARM_VECTOR_NEON_H

#if !defined(__aarch64__) && !defined(__arm64__)
#error "needs a 64-bit Arm"
#endif

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define LANES        4
#define KERNEL(name) kernel_##name##_neon

typedef float32x4_t vec;
typedef size_t vec_mask; /* how many of the first lanes */
typedef float64x2_t vecd;

INLINE vec vec_zero(void) { return vdupq_n_f32(0); }
INLINE vec vec_set1(float f) { return vdupq_n_f32(f); }
INLINE vec vec_load(const float *p) { return vld1q_f32(p); }
INLINE void vec_store(float *p, vec v) { vst1q_f32(p, v); }
INLINE vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
INLINE vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
INLINE vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
INLINE vec vec_div(vec a, vec b) { return vdivq_f32(a, b); }
INLINE vec vec_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
INLINE vec vec_fnma(vec a, vec b, vec c) { return vfmsq_f32(c, a, b); }

/* By comparison: what a NaN meets must be as on the other processors. */
INLINE vec vec_min(vec a, vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
INLINE vec vec_max(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE vec vec_abs(vec v) { return vabsq_f32(v); }
INLINE vec vec_round(vec v) { return vrndnq_f32(v); }

INLINE vec vec_if_positive(vec x, vec a, vec b)
{
    return vbslq_f32(vcgtzq_f32(x), a, b);
}

INLINE vec_mask vec_first(size_t n) { return n; }

INLINE vec vec_select(vec_mask m, vec v, vec other)
{
    const uint32_t lanes[LANES] = {0, 1, 2, 3};
    uint32x4_t first = vcltq_u32(vld1q_u32(lanes), vdupq_n_u32((uint32_t)m));
    return vbslq_f32(first, v, other);
}

INLINE vec vec_keep(vec v, vec_mask m)
{
    return vec_select(m, v, vec_zero());
}

/* At any address: a file may have its floats at an odd one. */
INLINE vec vec_load_f32(const void *p)
{
    return vreinterpretq_f32_u8(vld1q_u8(p));
}

/* There are no masked loads: by way of the stack. From any address. */
INLINE vec vec_load_first(const void *p, vec_mask m)
{
    float f[LANES] = {0};
    memcpy(f, p, m * sizeof *f);
    return vec_load(f);
}

INLINE void vec_store_first(float *p, vec v, vec_mask m)
{
    float f[LANES];
    vec_store(f, v);
    memcpy(p, f, m * sizeof *f);
}

INLINE vec vec_from_f16(uint16x4_t h)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(h));
}

INLINE vec vec_from_bf16(uint16x4_t h)
{
    return vreinterpretq_f32_u32(vshll_n_u16(h, 16));
}

INLINE uint16x4_t halves_load(const void *p, size_t n)
{
    uint16_t h[LANES] = {0};
    memcpy(h, p, n * sizeof *h);
    return vld1_u16(h);
}

INLINE vec vec_load_f16(const void *p)
{
    return vec_from_f16(halves_load(p, LANES));
}

INLINE vec vec_load_bf16(const void *p)
{
    return vec_from_bf16(halves_load(p, LANES));
}

INLINE vec vec_load_f16_first(const void *p, size_t n)
{
    return vec_from_f16(halves_load(p, n));
}

INLINE vec vec_load_bf16_first(const void *p, size_t n)
{
    return vec_from_bf16(halves_load(p, n));
}

INLINE vec vec_load_bytes(const void *p)
{
    int32_t four;
    memcpy(&four, p, sizeof four);
    int16x8_t wide = vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}

/* 16 signed bytes as floats. */
INLINE void vec_from_bytes(vec v[4], int8x16_t bytes)
{
    int16x8_t low = vmovl_s8(vget_low_s8(bytes));
    int16x8_t high = vmovl_s8(vget_high_s8(bytes));
    v[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
    v[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
    v[2] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
    v[3] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
}

/* v 2^n for integral n from -150 to 128, in two steps so that neither power
 * leaves the range of exponents. */
INLINE vec vec_scale(vec v, vec n)
{
    const int32x4_t bias = vdupq_n_s32(127);
    int32x4_t whole = vcvtnq_s32_f32(n);
    int32x4_t half = vshrq_n_s32(whole, 1);
    int32x4_t rest = vsubq_s32(whole, half);
    half = vshlq_n_s32(vaddq_s32(half, bias), 23);
    rest = vshlq_n_s32(vaddq_s32(rest, bias), 23);
    v = vmulq_f32(v, vreinterpretq_f32_s32(half));
    return vmulq_f32(v, vreinterpretq_f32_s32(rest));
}

/* (s0 + s2) + (s1 + s3), in that order wherever lanes are summed. */
INLINE float vec_sum(vec v)
{
    float32x2_t s = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}

INLINE float vec_most(vec v) { return vmaxvq_f32(v); }

INLINE vecd vecd_zero(void) { return vdupq_n_f64(0); }
INLINE vecd vecd_set1(double d) { return vdupq_n_f64(d); }
INLINE vecd vecd_add(vecd a, vecd b) { return vaddq_f64(a, b); }
INLINE vecd vecd_sub(vecd a, vecd b) { return vsubq_f64(a, b); }
INLINE vecd vecd_fma(vecd a, vecd b, vecd c) { return vfmaq_f64(c, a, b); }
INLINE vecd vecd_load(const float *p) { return vcvt_f64_f32(vld1_f32(p)); }
INLINE vecd vecd_load_first(const float *p, size_t n)
{
    float f[2] = {0};
    memcpy(f, p, n * sizeof *f);
    return vecd_load(f);
}
INLINE vecd vecd_keep(vecd v, size_t n)
{
    return n == 2 ? v : vsetq_lane_f64(n ? vgetq_lane_f64(v, 0) : 0,
                                       vdupq_n_f64(0), 0);
}
INLINE double vecd_sum(vecd v)
{
    return vgetq_lane_f64(v, 0) + vgetq_lane_f64(v, 1);
}

#include "cpu/vector/exp.h"

#endif
