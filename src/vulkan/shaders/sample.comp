#version 450
// SAMPLE: logits -> token, as src/plan/sampler.c: greedy, or by temperature
// among the k largest, with the same random numbers. One work group a lane;
// each thread has a run of neighbouring logits, so that whatever is counted or
// summed in the order of the vocabulary is so here.
#extension GL_GOOGLE_include_directive : require
#define GROUP 256u
layout(local_size_x = 256) in;
#include "common.glsl"

#define V p[0]
#define TOKENS p[1] // unused columns lie between lanes; the row is one
#define COLUMN p[2]
#define TEXT p[3]
// Words of the settings (sampler.h), from the start of the state tensor.
#define CHOICE p[4] // temperature, top_k, seed (2), draws (2)
#define BEND p[5]   // pad_mult, penalty, context, pad, end_pad, n_said, said
#define SAID_MAX 256
#define ZERO (-1)
#define FREE (-2)

shared float value_of[GROUP];
shared uint index_of[GROUP];
shared uint histogram[256];
shared uint prefix, left;
shared vec2 sum_of[GROUP];
shared int chosen;

uint logits, settings;

float logit(uint i) { return F(o0[logits + i]); }

// Unsigned integers in the order of the floats; both zeros are one.
uint order_of(float f)
{
    uint u = f == 0.0 ? 0u : floatBitsToUint(f);
    return (u & 0x80000000u) != 0u ? ~u : u | 0x80000000u;
}

bool bends()
{
    float penalty = F(o2[settings + BEND + 1u]);
    return int(o2[settings + BEND + 2u]) > 0 && penalty > 0.0 &&
           penalty != 1.0;
}

int said(int i)
{
    return int(o2[settings + BEND + 6u + uint(i % SAID_MAX)]);
}

// Each token said lately is penalised once: at its first place.
void penalise()
{
    int n = int(o2[settings + BEND + 5u]);
    int context = int(o2[settings + BEND + 2u]);
    int from = n > context ? n - context : 0;
    int i = from + int(gl_LocalInvocationID.x);
    if (i >= n)
        return;
    int token = said(i);
    if (token < 0 || uint(token) >= V)
        return;
    for (int k = from; k < i; k++)
        if (said(k) == token)
            return;
    float penalty = F(o2[settings + BEND + 1u]), l = logit(uint(token));
    o0[logits + uint(token)] = W(l >= 0.0 ? divide(l, penalty) : l * penalty);
}

void bend_text()
{
    if (bends())
        penalise();
    memoryBarrierBuffer();
    barrier();
    float mult = F(o2[settings + BEND]);
    uint pad = o2[settings + BEND + 3u];
    if (gl_LocalInvocationID.x == 0u && mult != 0.0 && pad < V) {
        float temperature = F(o2[settings + CHOICE]);
        o0[logits + pad] = W(logit(pad) + mult * max(temperature, 0.0));
    }
    memoryBarrierBuffer();
    barrier();
}

// The largest logit, lowest index on ties: into value_of[0], index_of[0].
void find_largest(uint first, uint end)
{
    uint t = gl_LocalInvocationID.x;
    float most = -3.4e38;
    uint best = min(first, V - 1u);
    for (uint i = first; i < end; i++)
        if (logit(i) > most) {
            most = logit(i);
            best = i;
        }
    value_of[t] = most;
    index_of[t] = best;
    barrier();
    for (uint n = GROUP / 2u; n > 0u; n >>= 1) {
        if (t < n && value_of[t + n] > value_of[t]) {
            value_of[t] = value_of[t + n];
            index_of[t] = index_of[t + n];
        }
        barrier();
    }
}

// The k-th largest in the order of order_of, into `prefix`, and how many equal
// to it may be taken, into `left`: byte by byte from the top (radix select).
void find_threshold(uint k, uint first, uint end)
{
    uint t = gl_LocalInvocationID.x;
    if (t == 0u) {
        prefix = 0u;
        left = k;
    }
    for (int shift = 24; shift >= 0; shift -= 8) {
        histogram[t] = 0u;
        barrier();
        uint above = shift == 24 ? 0u : prefix >> uint(shift + 8);
        for (uint i = first; i < end; i++) {
            uint key = order_of(logit(i));
            if (shift == 24 || key >> uint(shift + 8) == above)
                atomicAdd(histogram[key >> uint(shift) & 255u], 1u);
        }
        barrier();
        if (t == 0u) {
            uint b = 255u;
            while (b > 0u && histogram[b] < left) {
                left -= histogram[b];
                b--;
            }
            prefix |= b << uint(shift);
        }
        barrier();
    }
}

// splitmix64 in pairs of words (low, high).
uvec2 add64(uvec2 a, uvec2 b)
{
    uint carry;
    uint low = uaddCarry(a.x, b.x, carry);
    return uvec2(low, a.y + b.y + carry);
}

uvec2 mul64(uvec2 a, uvec2 b)
{
    uint high, low;
    umulExtended(a.x, b.x, high, low);
    return uvec2(low, high + a.x * b.y + a.y * b.x);
}

uvec2 shift_xor(uvec2 a, uint n) // a ^ (a >> n), 0 < n < 32
{
    return a ^ uvec2(a.x >> n | a.y << (32u - n), a.y >> n);
}

// A number of [0, 1) as two floats.
vec2 uniform_(uvec2 seed, uvec2 index)
{
    uvec2 z = add64(seed, mul64(add64(index, uvec2(1u, 0u)),
                                uvec2(0x7f4a7c15u, 0x9e3779b9u)));
    z = mul64(shift_xor(z, 30u), uvec2(0x1ce4e5b9u, 0xbf58476du));
    z = mul64(shift_xor(z, 27u), uvec2(0x133111ebu, 0x94d049bbu));
    z = shift_xor(z, 31u);
    // The upper 53 bits: 24 and 29.
    uint high = z.y >> 8;
    uint low = (z.y & 255u) << 21 | z.x >> 11;
    return two_sum(float(high) / 16777216.0,
                   float(low) / 16777216.0 / 536870912.0);
}

// Is logit i among the taken? ties: how many equal ones may yet be.
bool taken(uint i, uint threshold, inout uint ties)
{
    uint key = order_of(logit(i));
    if (key > threshold)
        return true;
    if (key != threshold || ties == 0u)
        return false;
    ties--;
    return true;
}

float probability(uint i, float top, float temperature)
{
    return exp_((logit(i) - top) / temperature);
}

void draw(uint first, uint end, float temperature)
{
    uint t = gl_LocalInvocationID.x;
    int top_k = int(o2[settings + CHOICE + 1u]);
    uint k = top_k > 0 && uint(top_k) < V ? uint(top_k) : V;
    float top = value_of[0];
    uint likeliest = index_of[0];
    barrier();
    find_threshold(k, first, end);
    uint threshold = prefix, ties = left;
    barrier();
    // How many equal to the threshold lie before this thread's run?
    uint equal = 0u;
    for (uint i = first; i < end; i++)
        equal += uint(order_of(logit(i)) == threshold);
    index_of[t] = equal;
    barrier();
    uint before = 0u;
    for (uint j = 0u; j < t; j++)
        before += index_of[j];
    uint mine = before < ties ? ties - before : 0u;
    vec2 sum = vec2(0.0);
    uint room = mine;
    for (uint i = first; i < end; i++)
        if (taken(i, threshold, room))
            sum = double_add(sum, vec2(probability(i, top, temperature), 0.0));
    sum_of[t] = sum;
    barrier();
    // All threads look for the run where the sum passes the drawn number.
    vec2 all = vec2(0.0);
    for (uint j = 0u; j < GROUP; j++)
        all = double_add(all, sum_of[j]);
    uvec2 draws = uvec2(o2[settings + CHOICE + 4u],
                        o2[settings + CHOICE + 5u]);
    uvec2 seed = uvec2(o2[settings + CHOICE + 2u],
                       o2[settings + CHOICE + 3u]);
    vec2 at_ = double_product(uniform_(seed, draws), all);
    uint run = GROUP; // the last with anything in it, if none passes
    for (uint j = 0u; j < GROUP; j++) {
        if (!(sum_of[j].x > 0.0))
            continue;
        run = j;
        vec2 rest = double_add(at_, -sum_of[j]);
        if (rest.x < 0.0)
            break;
        at_ = rest;
    }
    if (t == 0u)
        chosen = int(likeliest);
    barrier();
    if (t == run) {
        uint room2 = mine;
        for (uint i = first; i < end; i++) {
            if (!taken(i, threshold, room2))
                continue;
            float e = probability(i, top, temperature);
            if (!(e > 0.0))
                continue;
            chosen = int(i);
            at_ = double_add(at_, vec2(-e, 0.0));
            if (at_.x < 0.0)
                break;
        }
    }
    if (t == 0u) {
        draws = add64(draws, uvec2(1u, 0u));
        o2[settings + CHOICE + 4u] = draws.x;
        o2[settings + CHOICE + 5u] = draws.y;
    }
    barrier();
}

void remember(int token)
{
    if (!bends() || token < 0 || uint(token) == o2[settings + BEND + 3u] ||
        uint(token) == o2[settings + BEND + 4u])
        return;
    int n = int(o2[settings + BEND + 5u]);
    o2[settings + BEND + 6u + uint(n % SAID_MAX)] = uint(token);
    n++;
    if (n == 1 << 30)
        n = SAID_MAX + n % SAID_MAX;
    o2[settings + BEND + 5u] = uint(n);
}

void main()
{
    uint lane = gl_WorkGroupID.x, t = gl_LocalInvocationID.x;
    logits = base(0u, lane);
    settings = base(2u, lane);
    int token = int(o1[base(1u, lane) + COLUMN]);
    if (token == FREE) { // the same for all threads
        uint run = (V + GROUP - 1u) / GROUP;
        uint first = min(t * run, V), end = min(first + run, V);
        if (TEXT != 0u)
            bend_text();
        float temperature = F(o2[settings + CHOICE]);
        find_largest(first, end);
        token = int(index_of[0]);
        if (temperature > 0.0) {
            draw(first, end, temperature);
            token = chosen;
        }
    }
    if (t == 0u) {
        o3[base(3u, lane) + COLUMN] = uint(token);
        if (TEXT != 0u)
            remember(token);
    }
}
