/* norm_neon.c: see cpu/vector/norm_body.h. */
#include "cpu/arm/vector_neon.h"

#include "cpu/vector/norm_body.h"
