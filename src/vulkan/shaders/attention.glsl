// attention.glsl: which keys a query sees, and where the sums of their chunks
// lie between the two shaders of ATTENTION.

#define WIDTH p[0] // of a row of operand 0
#define HEADS p[1]
#define CHUNKS p[2] // of keys, at most
#define STEPS p[4]
#define CONTEXT int(p[6])
#define CONSTANT int(p[7])
#define WINDOW p[8] // op_window
#define SCALE uintBitsToFloat(p[9])
#define HAS_LENGTH p[10]
#define RING 1u
#define SOURCE 2u

#define CHUNK 128 // keys: ops_attention.c

// The position of the oldest key that row r sees, and how many follow it; none
// where there is no source.
ivec2 visible(uint lane, uint r)
{
    int first = CONSTANT < 0 ? position_of(lane) : CONSTANT;
    int newest = first + int(r % STEPS), oldest = newest - CONTEXT + 1;
    if (WINDOW == RING) {
        oldest = first + int(STEPS) - CONTEXT;
    } else if (WINDOW == SOURCE) {
        oldest = 0;
        newest = HAS_LENGTH != 0u ? int(o2[base(2u, lane) + r / STEPS]) - 1
                                  : -1;
    }
    oldest = max(oldest, 0);
    return ivec2(oldest, max(newest - oldest + 1, 0));
}

// Of a chunk: the largest score, the sum of e^(score - largest), the values
// summed with these weights.
uint partial_at(uint r, uint head, uint chunk, uint head_dim)
{
    return ((r * HEADS + head) * CHUNKS + chunk) * (head_dim + 2u);
}
