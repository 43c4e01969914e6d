/* unpack.h: the numbers of quantised blocks as signed bytes, 16 at a time.
 * The block formats are described in cpu/blocks.h. */
#ifndef MOSHI_CPU_ARM_UNPACK_H
#define MOSHI_CPU_ARM_UNPACK_H

#include "base/dtype.h"
#include "cpu/blocks.h"

INLINE int8x16_t bytes_load(const unsigned char *p)
{
    return vreinterpretq_s8_u8(vld1q_u8(p));
}

INLINE float half_at(const unsigned char *p)
{
    return vgetq_lane_f32(vec_from_f16(vdup_n_u16(block_half(p))), 0);
}

/* The high (`high`) or low nibbles of 16 bytes. */
INLINE uint8x16_t nibbles(uint8x16_t pairs, bool high)
{
    return high ? vshrq_n_u8(pairs, 4) : vandq_u8(pairs, vdupq_n_u8(15));
}

/* Bits `shift` … of 16 bytes, masked, moved up to bit 4. */
INLINE uint8x16_t high_bits(uint8x16_t bytes, size_t shift, uint8_t mask)
{
    int8x16_t right = vdupq_n_s8((int8_t)-(int)shift);
    bytes = vandq_u8(vshlq_u8(bytes, right), vdupq_n_u8(mask));
    return vshlq_n_u8(bytes, 4);
}

/* q[0], q[1] = the 32 quants of sub-block s of the block at b, offsets taken
 * off but for the mins of Q4_K and Q5_K. */
INLINE void unpack_32(const dtype type, int8x16_t q[2], const unsigned char *b,
                      size_t s)
{
    for (size_t i = 0; i < 2; i++) {
        uint8x16_t v;
        switch (type) {
        case DTYPE_Q8_0:
            q[i] = bytes_load(b + Q8_0_QUANTS + 16 * i);
            continue;
        case DTYPE_Q4_0:
            v = nibbles(vld1q_u8(b + Q4_0_QUANTS), i == 1);
            q[i] = vsubq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(8));
            continue;
        case DTYPE_Q4_K:
            v = nibbles(vld1q_u8(b + Q4_K_QUANTS + s / 2 * 32 + 16 * i),
                        s % 2);
            break;
        case DTYPE_Q5_K:
            v = nibbles(vld1q_u8(b + Q5_K_QUANTS + s / 2 * 32 + 16 * i),
                        s % 2);
            v = vorrq_u8(v, high_bits(vld1q_u8(b + Q5_K_HIGH + 16 * i), s,
                                      1));
            break;
        default: /* Q6_K */
            v = nibbles(vld1q_u8(b + s / 4 * 64 + s % 2 * 32 + 16 * i),
                        s % 4 >= 2);
            v = vorrq_u8(v, high_bits(vld1q_u8(b + Q6_K_HIGH + s / 4 * 32 +
                                               16 * i), s % 4 * 2, 3));
            q[i] = vsubq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(32));
            continue;
        }
        q[i] = vreinterpretq_s8_u8(v);
    }
}

#endif
