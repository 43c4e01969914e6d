/* half.h: scalar conversion between float32 and the 16-bit floats. */
#ifndef MOSHI_BASE_HALF_H
#define MOSHI_BASE_HALF_H

#include <stdint.h>

/* IEEE half: exact, subnormals and infinities included. */
float half_to_float(uint16_t h);
/* Round to nearest even; overflow to infinity, NaN stays NaN. */
uint16_t half_from_float(float f);

/* bfloat16: the upper half of a float32. */
float bfloat_to_float(uint16_t b);
/* Round to nearest even; NaN stays NaN. */
uint16_t bfloat_from_float(float f);

#endif
