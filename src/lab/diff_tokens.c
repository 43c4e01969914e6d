/* diff_tokens.c: the tokens of two runs, and by how much they were chosen.
 *
 * Where one of the runs was given its tokens, those say nothing of it: what it
 * would have chosen itself is compared, the likeliest of its logits. */
#include "lab/diff_parts.h"

#include <math.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Row of margins that belongs to a row of a token table; -1: none. */
static int margin_row(trace_table table, size_t row)
{
    return table == TRACE_AUDIO_TOKENS  ? (int)row + 1
           : table == TRACE_TEXT_TOKENS ? 0
           : table == TRACE_LIKELIEST   ? (int)row
                                        : -1;
}

static float margin_at(const trace_file *t, int row, size_t column)
{
    const checkpoint_tensor *m = t->tables[TRACE_MARGINS];
    if (row < 0 || !m || (size_t)row >= trace_table_rows(m) ||
        column >= trace_table_columns(m))
        return NAN;
    return trace_cell_float(m, (size_t)row, column);
}

static void note_token(diff *d, trace_table table, size_t row, size_t column,
                       int64_t a, int64_t b)
{
    diff_tokens *t = &d->tokens;
    t->compared++;
    if (a == b || (t->different++ > 0 && t->first.frame <= (int64_t)column))
        return;
    int m = margin_row(table, row);
    t->first = (diff_token){.table = table,
                            .row = row,
                            .frame = (int64_t)column,
                            .a = a,
                            .b = b,
                            .margin_a = margin_at(&d->a, m, column),
                            .margin_b = margin_at(&d->b, m, column)};
}

static void compare_table(diff *d, trace_table table)
{
    const checkpoint_tensor *a = d->a.tables[table], *b = d->b.tables[table];
    if (!a || !b)
        return;
    size_t rows = smaller(trace_table_rows(a), trace_table_rows(b));
    size_t columns = smaller(trace_table_columns(a), trace_table_columns(b));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            note_token(d, table, r, c, trace_cell(a, r, c),
                       trace_cell(b, r, c));
}

static bool identical_table(const diff *d, trace_table table)
{
    const checkpoint_tensor *a = d->a.tables[table], *b = d->b.tables[table];
    return (!a && !b) ||
           (a && b && a->n_dims == b->n_dims && a->n_bytes == b->n_bytes &&
            a->dims[0] == b->dims[0] && memcmp(a->data, b->data,
                                               a->n_bytes) == 0);
}

static void find_margin_min(diff *d, const trace_file *t)
{
    const checkpoint_tensor *m = t->tables[TRACE_MARGINS];
    if (!m)
        return;
    for (size_t r = 0; r < trace_table_rows(m); r++)
        for (size_t c = 0; c < trace_table_columns(m); c++)
            /* fmin passes over a NaN */
            d->tokens.margin_min = fmin(d->tokens.margin_min,
                                        trace_cell_float(m, r, c));
}

static bool was_forced(const trace_file *t)
{
    return strcmp(trace_file_note(t, "produced"), "forced") == 0;
}

void diff_compare_tokens(diff *d)
{
    diff_tokens *t = &d->tokens;
    t->forced = was_forced(&d->a) || was_forced(&d->b);
    t->margin_min = NAN;
    /* In the order in which a frame makes them. */
    compare_table(d, TRACE_CODES_IN);
    if (t->forced) {
        compare_table(d, TRACE_LIKELIEST);
    } else {
        compare_table(d, TRACE_TEXT_TOKENS);
        compare_table(d, TRACE_AUDIO_TOKENS);
    }
    t->identical = true;
    for (int i = 0; i < TRACE_TABLE_COUNT; i++)
        t->identical = t->identical && identical_table(d, (trace_table)i);
    find_margin_min(d, &d->a);
    find_margin_min(d, &d->b);
}
