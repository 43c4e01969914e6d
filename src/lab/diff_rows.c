/* diff_rows.c: the frames that two traces share, one after the other. */
#include "lab/diff_parts.h"

void diff_rows_init(diff_rows *r, const trace_file *a, const trace_file *b)
{
    *r = (diff_rows){.a = a, .b = b};
}

bool diff_rows_next(diff_rows *r)
{
    if (r->started)
        r->row_a++, r->row_b++;
    r->started = true;
    while (r->row_a < r->a->frames && r->row_b < r->b->frames) {
        int64_t fa = trace_file_frame(r->a, r->row_a);
        int64_t fb = trace_file_frame(r->b, r->row_b);
        r->frame = fa;
        if (fa == fb)
            return true;
        if (fa < fb)
            r->row_a++;
        else
            r->row_b++;
    }
    return false;
}
