// angles.glsl: sine and cosine of any angle from 0 to 2^23, to the last bits.
//
// Vulkan promises them only near 0, and positions grow for days. The angle is
// brought into a quarter turn exactly (Payne and Hanek 1983): 24 bits of it
// times 96 bits of 2 / pi, in integers.

vec2 cos_sin(float angle)
{
    uint quadrant = 0u;
    float f = angle; // -pi/4 ... pi/4
    if (angle >= 0.785398163) {
        uint bits = floatBitsToUint(angle);
        int e = min(int(bits >> 23) - 127, 23);
        uint m = (bits & 0x7fffffu) | 0x800000u;
        uint h0, l0, h1, l1, h2, l2, carry;
        umulExtended(m, 0xa2f9836eu, h0, l0);
        umulExtended(m, 0x4e441529u, h1, l1);
        umulExtended(m, 0xfc2757d1u, h2, l2);
        uint p1 = uaddCarry(h2, l1, carry);
        uint c1 = carry;
        uint p2 = uaddCarry(h1, l0, carry);
        uint p3 = h0 + carry;
        p2 = uaddCarry(p2, c1, carry);
        p3 += carry;
        // The binary point of the 128 bits is at 119 - e; two bits above it
        // say the quadrant.
        uint k = uint(7 + e); // 6 ... 30
        uint top = p3 << k | p2 >> (32u - k);
        uint next = p2 << k | p1 >> (32u - k);
        uint fraction = top << 2 | next >> 30;
        quadrant = (top >> 30) + (fraction >> 31);
        f = float(int(fraction)) * (1.57079632679489662 / 4294967296.0);
    }
    float s = f * f;
    float sine = fma(fma(fma(fma(2.75573192e-6, s, -1.98412698e-4), s,
                             8.33333333e-3), s, -1.66666667e-1), s * f, f);
    float cosine = fma(fma(fma(fma(fma(-2.75573192e-7, s, 2.48015873e-5), s,
                                   -1.38888889e-3), s, 4.16666667e-2), s,
                           -0.5), s, 1.0);
    vec2 v = (quadrant & 1u) != 0u ? vec2(-sine, cosine) : vec2(cosine, sine);
    return (quadrant & 2u) != 0u ? -v : v;
}
