// quantize.glsl: floats to blocks of Q8_0, 32 elements and their scale, with
// the same bytes as src/cpu/ref/quantize.c.

// The largest of `most` and four magnitudes.
float most_of(float most, vec4 v)
{
    for (int j = 0; j < 4; j++)
        if (abs(v[j]) > most) // NaN counts as nothing
            most = abs(v[j]);
    return most;
}

// The scale of a block with that largest magnitude, and its inverse.
vec2 scale_of(float most)
{
    float d = divide(most, 127.0);
    return vec2(d, d > 0.0 ? divide(1.0, d) : 0.0);
}

uint quants_of(vec4 v, float inverse)
{
    uint word = 0u;
    for (int j = 0; j < 4; j++) {
        float q = v[j] * inverse;
        if (isnan(q))
            q = 0.0;
        q = clamp(q, -127.0, 127.0);
        float whole = trunc(q); // halves away from zero; q - whole is exact
        if (abs(q - whole) >= 0.5)
            whole += sign(q);
        word |= (uint(int(whole)) & 255u) << 8 * j;
    }
    return word;
}

// Four floats of operand 0.
vec4 quad_at(uint x)
{
    return vec4(F(o0[x]), F(o0[x + 1u]), F(o0[x + 2u]), F(o0[x + 3u]));
}

// A whole block of operand 0: eight words of quants to operand 3, and the scale
// as a half.
uint quantize_block(uint x, uint y)
{
    float most = 0.0;
    for (uint w = 0u; w < 8u; w++)
        most = most_of(most, quad_at(x + w * 4u));
    vec2 d = scale_of(most);
    for (uint w = 0u; w < 8u; w++)
        o3[y + w] = quants_of(quad_at(x + w * 4u), d.y);
    return half_from(d.x);
}
