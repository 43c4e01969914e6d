/* panels_avx512.c: weights in panels times columns in AVX-512. A panel is one
 * register wide: 2 panels × 12 columns are 24 sums, 2 weights, and x. */
#include "cpu/x86/vector_avx512.h"

#define WIDE_PANELS    2
#define WIDE_COLUMNS   12
#define MIDDLE_COLUMNS 8
#define FEW_PANELS     4
#include "cpu/vector/panels_body.h"
