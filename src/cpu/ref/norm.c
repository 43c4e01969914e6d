/* norm.c: reference: normalisation of one vector. Means are summed in
 * double, so that only the last float operations round. */
#include <math.h>

#include "cpu/kernel_list.h"

KERNEL_RMS_NORM(kernel_rms_norm_ref)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    float factor = (float)(1 / sqrt(sum / (double)n + (double)eps));
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * factor * alpha[i];
}

KERNEL_LAYER_NORM(kernel_layer_norm_ref)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    float factor = (float)(1 / sqrt(squares / (double)n + (double)eps));
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - (float)mean) * factor * weight[i] + bias[i];
}
