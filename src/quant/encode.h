/* encode.h: float32 numbers into the element types that weights may have.
 *
 * Plain types are rounded, Q8_0 as the official quantiser does
 * (docs/FORMATS.md, block types). The others look for the scales of a block
 * that leave the smallest squared error. The same numbers give the same bytes
 * on every machine, whatever its instruction set. */
#ifndef MOSHI_QUANT_ENCODE_H
#define MOSHI_QUANT_ENCODE_H

#include <stddef.h>

#include "base/dtype.h"

/* n numbers, whole blocks of `type`, a weight type; `out` has room for them.
 * They ought to be finite: others give bytes that mean nothing. */
void quant_encode(dtype type, void *out, const float *x, size_t n);

/* n elements of a weight type as float32. */
void quant_decode(dtype type, float *out, const void *blocks, size_t n);

/* The type that a tensor gets when `wanted` is asked for. As the official
 * quantiser does, only matrices are quantised, and all else is F32, rows that
 * are not whole blocks of 32 included. Rows that are no multiple of 256 take
 * Q4_0 for Q4_K, and Q8_0 for Q5_K and Q6_K. */
dtype quant_type_for(dtype wanted, int n_dims, const size_t *dims);

/* Bits that one weight takes. */
double quant_bits(dtype type);

#endif
