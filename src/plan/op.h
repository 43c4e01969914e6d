/* op.h: the kinds of operation a plan is made of: the whole vocabulary.
 *
 * Every backend has one function for each kind; the enum, the names and the
 * tables all come from the one list below, so a kind that a backend forgets
 * does not compile.
 *
 * Tensors are matrices [rows][width], row-major. A plan is written for one
 * lane (one stream); the executor repeats it for every lane of a run. Inside a
 * lane rows are ordered [branch][step]: branches are the parallel copies of
 * one stream that guidance needs (docs/MODEL.md), steps are the T latent steps
 * of a frame. "Position" is a step's index since the stream was reset:
 * frame * T + step, or a constant where the op says so (depformer slices). */
#ifndef MOSHI_PLAN_OP_H
#define MOSHI_PLAN_OP_H

#include <stdbool.h>
#include <stddef.h>

/* X(KIND): inputs -> output; parameters in the union below.
 *
 * EMBED       table [V,D], tokens I32 [·,n], addend|none -> [rows,D]
 *             addend + sign * table[tokens[row][column]]; token -1 adds
 *             nothing; a tokens tensor of one row serves all rows
 * DEMUX       tokens I32 [rows,n] -> I32 [rows,2]: left = t mod base,
 *             right = t div base - 1; both -1 for t = -1
 * QUANTIZE    x F32 [rows,K] -> Q8_0 [rows,K]
 * LINEAR      w [N,K], x, bias|none -> [rows,N]
 *             y[r] = bias + w * x[r*stride … r*stride+K): with stride < K the
 *             rows overlap, which makes a convolution a product
 * RMS_NORM    x, alpha -> same shape
 * LAYER_NORM  x, weight, bias -> same shape
 * ADD         a, b, scale [1,D]|none -> a + scale ⊙ b
 * SILU_GATE   [rows,2F] -> [rows,F]: silu(first half) ⊙ second half
 * GELU, ELU   pointwise
 * SINUSOID    x -> x + sin(position): cosines then sines
 * ROPE_TABLE  frequencies F32 [1,hd/2] -> [T,hd]: cosines, then sines, of the
 *             angles position * frequency, formed in f32
 * ROPE        qkv, table -> same shape, q and k heads rotated
 * KV_APPEND   qkv, cache F32|F16|Q8_0 -> cache: k|v of each row written at its
 *             position; how they lie in it is the backend's affair
 * ATTENTION   qkv, cache, length I32 [branches,1]|none -> [rows, heads*hd]
 * WINDOW      x [T,C], tail state [P,C] -> [P+T,C]: the last P rows of the past
 *             in front; the tail is then moved on
 * UPSAMPLE    w [C,2S], x [T,C], tail state [1,C] -> [T*S,C] depthwise
 * NEAREST     table [V,D], r [rows,D] -> I32 [rows,n], column: nearest row
 * GUIDE       logits [2,V], settings state -> [1,V]
 * SAMPLE      logits [1,V], forced I32 [1,n], settings -> I32 [1,n], column
 * SOFTMAX     x -> same shape, along rows
 */
#define OP_KINDS(X)                                                          \
    X(EMBED) X(DEMUX) X(QUANTIZE) X(LINEAR) X(RMS_NORM) X(LAYER_NORM) X(ADD) \
    X(SILU_GATE) X(GELU) X(ELU) X(SINUSOID) X(ROPE_TABLE) X(ROPE)            \
    X(KV_APPEND) X(ATTENTION) X(WINDOW) X(UPSAMPLE) X(NEAREST) X(GUIDE)      \
    X(SAMPLE) X(SOFTMAX)

typedef enum op_kind {
#define OP_ENUM(kind) OP_##kind,
    OP_KINDS(OP_ENUM)
#undef OP_ENUM
    OP_KIND_COUNT
} op_kind;

/* "LINEAR"; static. */
const char *op_kind_name(op_kind kind);

typedef int tensor_id;
#define TENSOR_NONE (-1)
#define OP_INPUTS 3

/* Position of step 0 of a frame: the stream's own, or this constant. */
#define OP_POSITION_STREAM (-1)

/* Which keys a query may see (docs/MODEL.md, attention window). */
typedef enum op_window {
    OP_WINDOW_EXACT, /* 0 <= p - p_k < context, whatever the chunking */
    OP_WINDOW_RING,  /* as the official streaming code: a ring of `context`
                        slots, written before it is read */
    OP_WINDOW_SOURCE /* all `length` entries of the cache (cross-attention) */
} op_window;

typedef struct plan_op {
    op_kind kind;
    const char *name; /* module path, as in the checkpoint */
    tensor_id in[OP_INPUTS];
    tensor_id out;
    union {
        struct { int column; float sign; } embed;
        struct { int column, base; } demux;
        struct {
            size_t rows, stride;
            bool int8; /* x is f32 and may be rounded to 8 bits */
        } linear;
        struct { float eps; } norm;
        struct { int position; } sinusoid;
        struct { int heads, kv_heads, head_dim; bool concat; } rope;
        struct {
            int heads, kv_heads, head_dim;
            int steps;    /* T: rows of one branch */
            int capacity; /* slots of one branch's cache */
            int context;  /* steps that a query sees, itself included */
            int position; /* OP_POSITION_STREAM or the constant */
            op_window window;
        } attention;      /* KV_APPEND too */
        struct { bool replicate; } window;
        struct { int stride; } upsample;
        struct { int column; const double *half_norms; } nearest;
        struct { int column; bool text; } sample;
    } p;
} plan_op;

#endif
