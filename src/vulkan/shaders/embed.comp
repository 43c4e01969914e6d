#version 450
// EMBED: addend + sign * table[token]; a weight type is defined. Rows along y,
// lanes along z.
#extension GL_GOOGLE_include_directive : require
layout(local_size_x = 64) in;
#include "common.glsl"
#include "weights.glsl"

#define WIDTH p[0]
#define ROW_WORDS p[1]
#define VOCABULARY p[2]
#define TOKENS p[3] // columns of the tokens tensor
#define COLUMN p[4]
#define ONE_ROW p[5] // of tokens serves all rows
#define ADDS p[6]
#define SIGN uintBitsToFloat(p[7])

void main()
{
    uint lane = gl_WorkGroupID.z, r = gl_WorkGroupID.y;
    uint tokens = base(1u, lane) + (ONE_ROW != 0u ? 0u : r * TOKENS);
    int token = int(o1[tokens + COLUMN]);
    uint addend = base(2u, lane) + r * WIDTH, y = base(3u, lane) + r * WIDTH;
    uint u = gl_GlobalInvocationID.x;
    if (u >= units(WIDTH))
        return;
    Raw raw = raw_of(at[0] + min(uint(max(token, 0)), VOCABULARY - 1u) *
                                 ROW_WORDS, WIDTH, u);
    for (uint k = 0u; k < QUADS; k++) {
        vec4 w = quad_of(raw, k);
        for (uint j = 0u; j < 4u; j++) {
            uint i = 4u * place(u, k) + j;
            if (i >= WIDTH)
                break;
            float v = token >= 0 ? w[j] : 0.0;
            if (ADDS != 0u) {
                float a = F(o2[addend + i]);
                v = token >= 0 ? a + SIGN * v : a;
            }
            o3[y + i] = W(v);
        }
    }
}
