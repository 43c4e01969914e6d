/* sampler.c: greedy, temperature and top-k sampling, seeded. */
#include "plan/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static int32_t largest(const float *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return (int32_t)best;
}

/* splitmix64 (Steele, Lea, Flood 2014) at position `index` of the stream of
 * `seed`: counter-based, so a state is two words. In [0, 1). */
static double uniform(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

static void swap(float *a, float *b)
{
    float t = *a;
    *a = *b;
    *b = t;
}

/* The k-th largest of n values (1 ≤ k ≤ n): quickselect, each round leaving
 * [low, more) above the pivot and (less, high] below it. Reorders values. */
static float kth_largest(float *values, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, want = k - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        size_t more = low, less = high, i = low;
        while (i <= less) {
            if (values[i] > pivot) {
                swap(&values[more++], &values[i++]);
            } else if (values[i] < pivot) {
                swap(&values[i], &values[less]);
                if (less-- == 0)
                    break;
            } else {
                i++;
            }
        }
        if (want < more)
            high = more - 1;
        else if (want > less)
            low = less + 1;
        else
            return pivot;
    }
    return values[want];
}

int32_t sampler_draw(sampler_choice *choice, const float *logits, size_t n,
                     float *scratch)
{
    if (!(choice->temperature > 0))
        return largest(logits, n);
    size_t k = choice->top_k > 0 && (size_t)choice->top_k < n
                   ? (size_t)choice->top_k : n;
    float threshold = -INFINITY, top = logits[largest(logits, n)];
    size_t ties = 0; /* how many equal to the threshold may still be taken */
    if (k < n) {
        memcpy(scratch, logits, n * sizeof *scratch);
        threshold = kth_largest(scratch, n, k);
        ties = k;
        for (size_t i = 0; i < n; i++)
            ties -= logits[i] > threshold;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        int taken = logits[i] > threshold;
        if (!taken && logits[i] == threshold && ties > 0) {
            taken = 1;
            ties--;
        }
        scratch[i] = taken ? expf((logits[i] - top) / choice->temperature) : 0;
        sum += scratch[i];
    }
    double at = uniform(choice->seed, choice->draws++) * sum;
    int32_t last = largest(logits, n);
    for (size_t i = 0; i < n; i++) {
        if (!(scratch[i] > 0))
            continue;
        last = (int32_t)i;
        at -= scratch[i];
        if (at < 0)
            break;
    }
    return last;
}

static bool bends(const sampler_bend *b)
{
    return b->context > 0 && b->penalty > 0 && b->penalty != 1;
}

/* Said before, in said[from … i)? Each token is penalised once. */
static bool met(const sampler_bend *b, int32_t from, int32_t i)
{
    int32_t token = b->said[i % SAMPLER_SAID_MAX];
    for (int32_t k = from; k < i; k++)
        if (b->said[k % SAMPLER_SAID_MAX] == token)
            return true;
    return false;
}

static void penalise(const sampler_bend *b, float *logits, size_t n)
{
    int32_t from = b->n_said > b->context ? b->n_said - b->context : 0;
    for (int32_t i = from; i < b->n_said; i++) {
        int32_t token = b->said[i % SAMPLER_SAID_MAX];
        if ((size_t)token >= n || met(b, from, i))
            continue;
        float *logit = &logits[token];
        *logit = *logit >= 0 ? *logit / b->penalty : *logit * b->penalty;
    }
}

int32_t sampler_draw_text(sampler *s, float *logits, size_t n, float *scratch)
{
    const sampler_bend *b = &s->bend;
    if (bends(b))
        penalise(b, logits, n);
    /* e^m times a probability of softmax(l / T) is m T more for its l. The
     * likeliest token is taken as it is, as the official engine does. */
    if (b->pad_mult != 0 && (size_t)b->pad < n)
        logits[b->pad] += b->pad_mult * fmaxf(s->text.temperature, 0);
    return sampler_draw(&s->text, logits, n, scratch);
}

void sampler_said(sampler *s, int32_t token)
{
    sampler_bend *b = &s->bend;
    if (!bends(b) || token < 0 || token == b->pad || token == b->end_pad)
        return;
    b->said[b->n_said % SAMPLER_SAID_MAX] = token;
    b->n_said++;
    /* Long before the count overflows, keep only its place in the ring. */
    if (b->n_said == 1 << 30)
        b->n_said = SAMPLER_SAID_MAX + b->n_said % SAMPLER_SAID_MAX;
}
