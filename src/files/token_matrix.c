/* token_matrix.c: numbers as a file has them, and codes made of them. */
#include "files/token_matrix.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

void token_matrix_release(token_matrix *m)
{
    memory_free(m->values);
    *m = (token_matrix){0};
}

moshi_status token_matrix_reserve(token_matrix *out, size_t rows,
                                  size_t columns, const char *label,
                                  moshi_error *err)
{
    size_t n;
    if (rows == 0 || columns == 0)
        return error_set(err, MOSHI_FORMAT, "%s: holds no codes", label);
    if (!size_mul(rows, columns, &n) || n > LIMIT_TOKENS)
        return error_set(err, MOSHI_FORMAT,
                         "%s: %zu rows of %zu codes; at most %zu codes can be "
                         "read", label, rows, columns, LIMIT_TOKENS);
    out->values = memory_calloc(n, sizeof *out->values);
    if (!out->values)
        return error_no_memory(err, "the codes");
    out->rows = rows;
    out->columns = columns;
    return MOSHI_OK;
}

moshi_status token_matrix_set(token_matrix *m, size_t i, int64_t value,
                              const char *label, moshi_error *err)
{
    if (value < INT32_MIN || value > INT32_MAX)
        return error_set(err, MOSHI_FORMAT,
                         "%s: %lld in row %zu, column %zu is no code", label,
                         (long long)value, i / m->columns, i % m->columns);
    m->values[i] = (int32_t)value;
    return MOSHI_OK;
}

static moshi_status out_of_range(int32_t code, size_t k, size_t f, int bins,
                                 const char *label, moshi_error *err)
{
    error_set(err, MOSHI_MISMATCH,
              "%s: code %d in codebook %zu, frame %zu; the codec has codes 0 "
              "to %d", label, code, k, f, bins - 1);
    if (code >= -2 && code < 0)
        return error_hint(err, "negative codes stand where a delayed codebook "
                          "has no token yet: undo the delays first, or leave "
                          "those frames out");
    if (code == bins)
        return error_hint(err, "%d is the language model's initial token: "
                          "undo the delays first, or leave those frames out",
                          code);
    return MOSHI_MISMATCH;
}

moshi_status token_matrix_codes(const token_matrix *m, token_layout layout,
                                int codebooks_max, int bins, const char *label,
                                int32_t **codes, int *K, size_t *T,
                                moshi_error *err)
{
    size_t most = (size_t)codebooks_max;
    bool frames_first = layout == TOKEN_LAYOUT_TK ||
                        (layout == TOKEN_LAYOUT_AUTO && m->rows > most &&
                         m->columns <= most);
    size_t books = frames_first ? m->columns : m->rows;
    size_t frames = frames_first ? m->rows : m->columns;
    if (books > most)
        return error_set(err, MOSHI_MISMATCH,
                         "%s: the codes are [%zu, %zu], but the codec has 1 to "
                         "%d codebooks", label, m->rows, m->columns,
                         codebooks_max);
    int32_t *all = memory_calloc(books * frames, sizeof *all);
    if (!all)
        return error_no_memory(err, "the codes");
    for (size_t k = 0; k < books; k++)
        for (size_t f = 0; f < frames; f++) {
            int32_t code = m->values[frames_first ? f * books + k
                                                  : k * frames + f];
            if (code < 0 || code >= bins) {
                memory_free(all);
                return out_of_range(code, k, f, bins, label, err);
            }
            all[f * books + k] = code;
        }
    *codes = all;
    *K = (int)books;
    *T = frames;
    return MOSHI_OK;
}
