/* fail_each.c: the loop behind the tests of failing allocations. */
#include "fail_each.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/types.h>

#include <cmocka.h>

#include "alloc_fault.h"

/* Every n up to 200, then about 2 % further each time: an opening makes some
 * thousand allocations, most of them alike. */
static size_t after(size_t n)
{
    return n < 200 ? n + 1 : n + n / 50;
}

void fail_from(const char *what, attempt *try, void *context, bool lasting)
{
    bool hit = true;
    for (size_t n = 1; hit; n = after(n)) {
        moshi_error err = {0};
        size_t live = alloc_fault_live();
        if (lasting)
            alloc_fault_arm_from(n);
        else
            alloc_fault_arm(n);
        moshi_status status = try(context, &err);
        hit = alloc_fault_disarm();
        if (alloc_fault_live() != live)
            fail_msg("%s, allocation %zu failed: %zd blocks leak", what, n,
                     (ssize_t)(alloc_fault_live() - live));
        if (status != (hit ? MOSHI_NO_MEMORY : MOSHI_OK))
            fail_msg("%s, allocation %zu failed: %s \"%s\"", what, n,
                     moshi_status_name(status), err.message);
        assert_int_equal(err.status, status);
    }
}

void fail_each(const char *what, attempt *try, void *context)
{
    fail_from(what, try, context, false);
    fail_from(what, try, context, true);
}
