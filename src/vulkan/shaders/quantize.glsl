// quantize.glsl: 32 floats of operand 0 to a block of Q8_0, with the same bytes
// as src/cpu/ref/quantize.c: eight words of quants in operand 3, and the scale.

uint quantize_block(uint x, uint y)
{
    float most = 0.0;
    for (uint j = 0u; j < 32u; j++) {
        float v = abs(F(o0[x + j]));
        if (v > most) // NaN counts as nothing
            most = v;
    }
    float d = divide(most, 127.0), inverse = d > 0.0 ? divide(1.0, d) : 0.0;
    for (uint w = 0u; w < 8u; w++) {
        uint word = 0u;
        for (uint j = 0u; j < 4u; j++) {
            float v = F(o0[x + w * 4u + j]) * inverse;
            if (isnan(v))
                v = 0.0;
            v = clamp(v, -127.0, 127.0);
            float t = trunc(v); // halves away from zero; v - t is exact
            if (abs(v - t) >= 0.5)
                t += sign(v);
            word |= (uint(int(t)) & 255u) << 8u * j;
        }
        o3[y + w] = word;
    }
    return half_from(d);
}
