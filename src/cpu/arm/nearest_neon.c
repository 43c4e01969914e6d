/* nearest_neon.c: see cpu/vector/nearest_body.h. */
#include "cpu/arm/vector_neon.h"

#include "cpu/vector/nearest_body.h"
