/* quantizer.c: codebooks from their sums, nearest entries, and back. */
#include "mimi/quantizer.h"

#include <stdio.h>

#include "base/error.h"

/* Entries hardly used in training are divided by this instead. */
#define USAGE_MIN 1e-5f
#define NAME_ROOM 128

/* The first of the names that older checkpoints give the same tensor. */
static void aliased(weights *w, const char *prefix, const char *const names[3],
                    char out[NAME_ROOM])
{
    for (int i = 0; i < 3; i++) {
        snprintf(out, NAME_ROOM, "%s.%s", prefix, names[i]);
        if (weights_has(w, out))
            return;
    }
    snprintf(out, NAME_ROOM, "%s.%s", prefix, names[0]);
}

/* rows[j] = sum[j] / max(usage[j], USAGE_MIN), and half their squared norms */
typedef struct book_work {
    const void *sum; /* of the file */
    dtype type;
    const float *usage;
    size_t bins, dim;
    float *rows;
    double *norms;
} book_work;

static void make_book(void *user)
{
    const book_work *b = user;
    for (size_t j = 0; j < b->bins; j++) {
        float used = b->usage[j] > USAGE_MIN ? b->usage[j] : USAGE_MIN;
        float *row = b->rows + j * b->dim;
        double norm = 0;
        weights_widen(row, (const char *)b->sum +
                               j * b->dim * dtype_info(b->type)->bytes,
                      b->type, b->dim);
        for (size_t i = 0; i < b->dim; i++) {
            row[i] /= used;
            norm += 0.5 * (double)row[i] * row[i];
        }
        b->norms[j] = norm;
    }
}

static void load_book(weights *w, const mimi_config *c, int index,
                      quantizer *q)
{
    static const char *const sums[3] = {"embedding_sum", "embed_avg",
                                        "embed_sum"};
    static const char *const uses[3] = {"cluster_usage", "cluster_size",
                                        "cluster_usage"};
    char prefix[NAME_ROOM / 2], name[NAME_ROOM];
    size_t bins = (size_t)c->bins, dim = (size_t)c->codebook_dim;
    book_work b = {.bins = bins, .dim = dim};
    if (index == 0)
        snprintf(prefix, sizeof prefix,
                 "quantizer.rvq_first.vq.layers.0._codebook");
    else
        snprintf(prefix, sizeof prefix,
                 "quantizer.rvq_rest.vq.layers.%d._codebook", index - 1);
    aliased(w, prefix, sums, name);
    if (!weights_source(w, name, bins * dim, &b.sum, &b.type))
        return;
    weights_note_use(w, WEIGHTS_DIVIDED);
    aliased(w, prefix, uses, name);
    b.usage = weights_floats(w, name, bins);
    b.rows = weights_own(w, bins * dim);
    b.norms = weights_own_bytes(w, bins * sizeof *b.norms);
    if (w->status != MOSHI_OK)
        return;
    weights_later(w, make_book, &b, sizeof b, bins * dim * sizeof(float));
    q->book[index] = (nn_matrix){DTYPE_F32, bins, dim, b.rows, false};
    q->half_norms[index] = b.norms;
}

void quantizer_load(weights *w, const mimi_config *c, int n, quantizer *q)
{
    size_t D = (size_t)c->dimension, d = (size_t)c->codebook_dim;
    q->in_first = weights_matrix(w, "quantizer.rvq_first.input_proj.weight", d,
                                 D);
    q->out_first = weights_matrix(w, "quantizer.rvq_first.output_proj.weight",
                                  D, d);
    if (n > 1) {
        q->in_rest = weights_matrix(w, "quantizer.rvq_rest.input_proj.weight",
                                    d, D);
        q->out_rest = weights_matrix(w, "quantizer.rvq_rest.output_proj.weight",
                                     D, d);
    }
    for (int i = 0; i < n; i++)
        load_book(w, c, i, q);
}

/* The code of one level; returns what it leaves of r (for the next level, if
 * there is one). */
static tensor_id quantize_level(nn *n, const quantizer *q, int index,
                                bool last, tensor_id r, tensor_id codes)
{
    const char *name = builder_name(n->b, "quantizer.codebook.%d", index);
    const nn_matrix *book = &q->book[index];
    plan_op *op;
    tensor_id table = builder_weight(n->b, builder_name(n->b, "%s.weight",
                                                        name),
                                     book->type, book->rows, book->width,
                                     book->data);
    op = builder_append(n->b, OP_NEAREST, name);
    op->in[0] = table;
    op->in[1] = r;
    op->out = codes;
    op->p.nearest.column = index;
    op->p.nearest.half_norms = q->half_norms[index];
    if (last)
        return r;
    return nn_embed(n, builder_name(n->b, "%s.residual", name), *book, codes,
                    index, builder_tensor(n->b, r)->rows, r, -1.0f);
}

tensor_id quantizer_encode(nn *n, const quantizer *q, int codebooks,
                           tensor_id latent)
{
    size_t frames = builder_tensor(n->b, latent)->rows;
    tensor_id codes = builder_frame(n->b, "codes", DTYPE_I32, frames,
                                    (size_t)codebooks);
    builder_pin(n->b, codes);
    tensor_id r = nn_linear(n, "quantizer.rvq_first.input_proj", q->in_first,
                            NULL, latent);
    builder_channels_first(n->b, r);
    quantize_level(n, q, 0, true, r, codes);
    if (codebooks > 1) {
        r = nn_linear(n, "quantizer.rvq_rest.input_proj", q->in_rest, NULL,
                      latent);
        builder_channels_first(n->b, r);
    }
    for (int i = 1; i < codebooks; i++)
        r = quantize_level(n, q, i, i == codebooks - 1, r, codes);
    return codes;
}

tensor_id quantizer_decode(nn *n, const quantizer *q, int codebooks,
                           tensor_id codes)
{
    tensor_id first = nn_embed(n, "quantizer.rvq_first.decode", q->book[0],
                               codes, 0, 1, TENSOR_NONE, 1.0f);
    const char *last = "quantizer.decode";
    first = nn_linear(n, codebooks > 1 ? "quantizer.rvq_first.output_proj"
                                       : last,
                      q->out_first, NULL, first);
    builder_channels_first(n->b, first);
    if (codebooks == 1)
        return first;
    /* Sum in the codebook space, in order, then one projection for all. */
    tensor_id rest = TENSOR_NONE;
    for (int i = 1; i < codebooks; i++) {
        const char *name = builder_name(n->b, "quantizer.rvq_rest.decode.%d",
                                        i);
        rest = nn_embed(n, name, q->book[i], codes, i, 1, rest, 1.0f);
    }
    rest = nn_linear(n, "quantizer.rvq_rest.output_proj", q->out_rest, NULL,
                     rest);
    tensor_id sum = nn_add(n, last, first, rest, NULL);
    builder_channels_first(n->b, sum);
    return sum;
}
