/* pointwise_neon.c: see cpu/vector/pointwise_body.h. */
#include "cpu/arm/vector_neon.h"

#include "cpu/vector/pointwise_body.h"
