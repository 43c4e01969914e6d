/* arrange.c: gather elements of a file into rows or panels. */
#include "nn/arrange.h"

#include <string.h>

#include "base/half.h"
#include "base/memory.h"
#include "plan/panels.h"

#define TILE 32u /* columns gathered at a time: a Q8_0 block */

typedef struct arrange_work {
    arrangement from;
    nn_matrix to;
    void *data; /* to.data, writable */
} arrange_work;

static inline float element(const arrangement *a, ptrdiff_t i)
{
    uint16_t h;
    float f;
    if (a->type == DTYPE_F32) {
        memcpy(&f, (const char *)a->data + i * (ptrdiff_t)sizeof f, sizeof f);
        return f;
    }
    memcpy(&h, (const char *)a->data + i * (ptrdiff_t)sizeof h, sizeof h);
    return a->type == DTYPE_F16 ? half_to_float(h) : bfloat_to_float(h);
}

static ptrdiff_t row_offset(const arrangement *a, size_t r)
{
    return a->first + (ptrdiff_t)(r % a->period * a->row_step +
                                  r / a->period * a->period_step);
}

static ptrdiff_t column_offset(const arrangement *a, size_t c)
{
    return (ptrdiff_t)(c / a->run) * a->run_step +
           (ptrdiff_t)(c % a->run * a->column_step);
}

/* Columns c0 … c0 + n - 1 of a panel, as float [n][PANEL_ROWS]. */
static void gather(const arrangement *a, size_t row0, size_t rows, size_t c0,
                   size_t n, float (*out)[PANEL_ROWS])
{
    ptrdiff_t offset[PANEL_ROWS] = {0};
    for (size_t r = 0; r < rows; r++)
        offset[r] = row_offset(a, row0 + r);
    for (size_t c = 0; c < n; c++) {
        ptrdiff_t at = column_offset(a, c0 + c);
        /* The plain case apart: no test for each element. */
        if (rows == PANEL_ROWS && a->type == DTYPE_F32) {
            const char *data = (const char *)a->data +
                               at * (ptrdiff_t)sizeof(float);
            for (size_t r = 0; r < PANEL_ROWS; r++)
                memcpy(&out[c][r], data + offset[r] * (ptrdiff_t)sizeof(float),
                       sizeof(float));
        } else {
            for (size_t r = 0; r < PANEL_ROWS; r++)
                out[c][r] = r < rows ? element(a, at + offset[r]) : 0;
        }
    }
}

/* Panels whose rows lie side by side in the file (a transposed convolution's
 * for the same outputs) follow one another, a stretch of columns at a time:
 * the lines that one of them reads are still in the cache for the next. */
#define STRETCH 256u

static void arrange_panels(const arrange_work *j)
{
    const arrangement *a = &j->from;
    size_t all = panels_of(j->to.rows), bytes = panel_bytes(j->to.type,
                                                            j->to.width);
    size_t groups = j->to.rows / a->period, group = all;
    /* Whole panels in a period: then panel p of each period goes together. */
    if (groups > 1 && a->period % PANEL_ROWS == 0)
        group = a->period / PANEL_ROWS;
    for (size_t p0 = 0; p0 < group; p0++)
        for (size_t s0 = 0; s0 < j->to.width; s0 += STRETCH)
            for (size_t p = p0; p < all; p += group)
                for (size_t c = s0; c < j->to.width && c < s0 + STRETCH;
                     c += TILE) {
                    float tile[TILE][PANEL_ROWS];
                    size_t row = p * PANEL_ROWS, rows = j->to.rows - row;
                    size_t n = j->to.width - c;
                    rows = rows < PANEL_ROWS ? rows : PANEL_ROWS;
                    n = n < TILE ? n : TILE;
                    gather(a, row, rows, c, n, tile);
                    panel_put((char *)j->data + p * bytes, j->to.type, c, n,
                              tile);
                }
}

/* A tile's columns are whole blocks of every type. */
static void arrange_rows(const arrange_work *j)
{
    char *to = j->data;
    for (size_t r = 0; r < j->to.rows; r++) {
        ptrdiff_t at = row_offset(&j->from, r);
        for (size_t c0 = 0; c0 < j->to.width; c0 += TILE) {
            float tile[TILE];
            size_t n = j->to.width - c0, bytes;
            n = n < TILE ? n : TILE;
            for (size_t c = 0; c < n; c++)
                tile[c] = element(&j->from,
                                  at + column_offset(&j->from, c0 + c));
            panel_round_row(to, j->to.type, n, tile);
            dtype_row_bytes(j->to.type, n, &bytes);
            to += bytes;
        }
    }
}

static void arrange(void *user)
{
    const arrange_work *j = user;
    if (j->to.panels)
        arrange_panels(j);
    else
        arrange_rows(j);
}

/* Smaller matrices weigh nothing, and are those that the sound passes first
 * and last: they stay in float32. */
#define LARGE_ELEMENTS 65536u

static bool is_rounded(const weights *w, size_t rows, size_t width)
{
    return w->kept != DTYPE_F32 && rows >= PANEL_ROWS &&
           rows * width >= LARGE_ELEMENTS && panels_possible(w->kept, width);
}

nn_matrix weights_matrix_kept(weights *w, const char *name, size_t rows,
                              size_t width)
{
    /* In place first: that compares the shape. */
    nn_matrix m = weights_matrix(w, name, rows, width);
    arrangement from = {.period = rows, .row_step = width, .run = width,
                        .column_step = 1};
    if (!is_rounded(w, rows, width) ||
        !weights_source(w, name, rows * width, &from.data, &from.type))
        return m;
    return weights_arrange(w, &from, rows, width);
}

nn_matrix weights_arrange(weights *w, const arrangement *a, size_t rows,
                          size_t width)
{
    dtype type = is_rounded(w, rows, width) ? w->kept : DTYPE_F32;
    arrange_work j = {.from = *a,
                      .to = {.type = type, .rows = rows, .width = width}};
    size_t bytes;
    j.to.panels = w->panels && rows >= PANEL_ROWS;
    dtype_row_bytes(type, width, &bytes);
    bytes = j.to.panels ? panels_of(rows) * panel_bytes(type, width)
                        : rows * bytes;
    j.to.data = j.data = weights_own_bytes(w, bytes);
    if (!j.data)
        return j.to;
    weights_note_use(w, j.to.panels ? WEIGHTS_PANELS : WEIGHTS_ROWS);
    weights_later(w, arrange, &j, sizeof j, bytes);
    return j.to;
}
