/* pointwise.c: reference: functions of single elements. */
#include <math.h>

#include "cpu/kernel_list.h"

KERNEL_ADD(kernel_add_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + (scale ? scale[i] * b[i] : b[i]);
}

KERNEL_POINTWISE(kernel_elu_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] > 0 ? x[i] : expf(x[i]) - 1;
}

KERNEL_POINTWISE(kernel_gelu_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] / 2 * (1 + erff(x[i] * (float)M_SQRT1_2));
}

KERNEL_SILU_GATE(kernel_silu_gate_ref)
{
    for (size_t i = 0; i < n; i++)
        y[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}
