// common.glsl: what every shader sees: four operands, the steps of the lanes,
// the numbers of the operation; and arithmetic that does not depend on how
// well a driver does it.
//
// Operands 0, 1, 2 are the inputs of an operation, 3 is its output. All are
// arrays of 32-bit words; a shader that reads more or less at once declares
// what it reads a second time, at the same binding. An operand begins at word
// at[i] and its next lane stride[i] words further; a tensor of the streams' own
// memory (bit i of `slots`) is found by the slot of the lane's stream.

layout(set = 0, binding = 0) buffer Operand0 { uint o0[]; };
layout(set = 0, binding = 1) readonly buffer Operand1 { uint o1[]; };
layout(set = 0, binding = 2) buffer Operand2 { uint o2[]; };
layout(set = 0, binding = 3) buffer Operand3 { uint o3[]; };
// Word 2 l: slot of lane l; word 2 l + 1: its position (op.h) as a signed
// number.
layout(set = 0, binding = 4) readonly buffer Steps { uint steps[]; };

layout(push_constant) uniform Numbers {
    uint at[4];
    uint stride[4];
    uint slots;
    uint p[23]; // of the operation; each shader names its own
};

uint base(uint operand, uint lane)
{
    uint i = (slots >> operand & 1u) != 0u ? steps[2u * lane] : lane;
    return at[operand] + stride[operand] * i;
}

int position_of(uint lane) { return int(steps[2u * lane + 1u]); }

#define F(word) uintBitsToFloat(word)
#define W(value) floatBitsToUint(value)

// A driver may form fma(a, b, c) with two roundings; no formula here needs
// more than that.

// 2^n p for -150 <= n <= 128.
float scale_(float p, int n)
{
    int half_ = n / 2;
    return p * uintBitsToFloat(uint(half_ + 127) << 23) *
           uintBitsToFloat(uint(n - half_ + 127) << 23);
}

// e^x, as src/cpu/x86/vector_math.h: x = n ln 2 + r, a polynomial for e^r.
// The first part of ln 2 has 15 bits, so that n times it is exact.
float exp_(float x)
{
    x = clamp(x, -104.0, 89.0);
    float n = roundEven(x * 1.44269504);
    float r = fma(n, -0.693145751953125, x);
    r = fma(n, -1.42860682030941723e-6, r);
    float q = 1.0 / 5040.0;
    q = fma(q, r, 1.0 / 720.0);
    q = fma(q, r, 1.0 / 120.0);
    q = fma(q, r, 1.0 / 24.0);
    q = fma(q, r, 1.0 / 6.0);
    q = fma(q, r, 0.5);
    q = fma(q, r, 1.0);
    q = fma(q, r, 1.0);
    return scale_(q, int(n));
}

// a + b = hi + lo exactly (Knuth); a * b likewise (Dekker, Veltkamp's
// splitting): only additions and multiplications, which Vulkan rounds rightly.
vec2 two_sum(float a, float b)
{
    precise float s = a + b;
    precise float t = s - a;
    precise float u = s - t;
    precise float v = b - t;
    precise float w = a - u;
    precise float e = w + v;
    return vec2(s, e);
}

vec2 split(float a)
{
    precise float c = 4097.0 * a;
    precise float d = c - a;
    precise float hi = c - d;
    precise float lo = a - hi;
    return vec2(hi, lo);
}

vec2 two_product(float a, float b)
{
    vec2 x = split(a), y = split(b);
    precise float m = a * b;
    precise float e = x.x * y.x - m;
    precise float f = e + x.x * y.y;
    precise float g = f + x.y * y.x;
    precise float h = g + x.y * y.y;
    return vec2(m, h);
}

// (hi, lo) + (hi, lo), some 45 bits.
vec2 double_add(vec2 a, vec2 b)
{
    vec2 s = two_sum(a.x, b.x);
    precise float t = a.y + b.y;
    precise float e = s.y + t;
    return two_sum(s.x, e);
}

vec2 double_product(vec2 a, vec2 b)
{
    vec2 m = two_product(a.x, b.x);
    precise float c = a.x * b.y;
    precise float d = a.y * b.x;
    precise float t = c + d;
    precise float e = m.y + t;
    return two_sum(m.x, e);
}

// a / b rounded to nearest where the driver's division may be 2.5 ulp off.
float divide(float a, float b)
{
    float q = a / b;
    vec2 m = two_product(q, b);
    precise float d = a - m.x;
    precise float r = d - m.y;
    precise float fixed_ = q + r / b;
    // The split overflows near the end of the range; there q must do.
    bool safe = abs(q) < 1e30 && abs(b) < 1e30 && abs(a) < 1e30 &&
                abs(a) > 1e-30;
    return safe ? fixed_ : q;
}

// float -> IEEE half, to nearest even; as base/half.c.
uint half_from(float f)
{
    uint u = floatBitsToUint(f), sign_ = u >> 16 & 0x8000u;
    uint a = u & 0x7fffffffu;
    if (a > 0x7f800000u)
        return sign_ | 0x7e00u | (a >> 13 & 0x3ffu);
    if (a >= 0x477ff000u)
        return sign_ | 0x7c00u;
    if (a < 0x38800000u) {
        uint n = uint(roundEven(uintBitsToFloat(a) * 16777216.0));
        return sign_ | n;
    }
    uint round_ = 0xfffu + (a >> 13 & 1u);
    return sign_ | ((a + round_ - 0x38000000u) >> 13);
}

// A half in the low 16 bits.
float half_to(uint h) { return unpackHalf2x16(h).x; }
