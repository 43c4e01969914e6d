/* synth_values.h: random values that depend only on the seed, the tensor's
 * name and the position in it. Nothing is kept between calls, so a tensor can
 * be made in pieces of any size, on any machine, with the same result. */
#ifndef MOSHI_LAB_SYNTH_VALUES_H
#define MOSHI_LAB_SYNTH_VALUES_H

#include "lab/synth_list.h"

/* out[i] = element first + i of the tensor, 0 <= i < n; first is even. */
void synth_values_fill(float *out, const tensor_spec *spec,
                       const synth_law *law, uint64_t seed, size_t first,
                       size_t n);

/* n values in the bytes of their type: F32, BF16 or Q8_0 (n % 32 == 0). out
 * has room for 4 n bytes. Returns the bytes written. */
size_t synth_values_encode(void *out, dtype type, const float *values,
                           size_t n);

#endif
