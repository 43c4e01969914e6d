/* panels_avx2.c: weights in panels times columns in AVX2. A panel is two
 * registers wide: 1 panel × 6 columns are 12 of the 16 registers. */
#include "cpu/x86/vector_avx2.h"

#define WIDE_PANELS    1
#define WIDE_COLUMNS   6
#define MIDDLE_COLUMNS 4
#define FEW_PANELS     2
#include "cpu/vector/panels_body.h"
