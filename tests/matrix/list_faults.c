/* list_faults.c: the table of faults, a line each, fields between tabs. */
#include <stdio.h>

#include "faults.h"

int main(void)
{
    for (fault f = FAULT_NONE + 1; f < FAULT_COUNT; f++) {
        const fault_row *r = fault_at(f);
        printf("%s\t%s\t%s\t%s\t%s\n", r->name, r->about, r->where, r->op,
               r->defect);
    }
    return 0;
}
