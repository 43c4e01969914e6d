/* panels_neon.c: weights in panels times columns in NEON. A panel is four
 * registers wide: 1 panel × 6 columns are 24 sums, 4 weights, and x. */
#include "cpu/arm/vector_neon.h"

#define WIDE_PANELS    1
#define WIDE_COLUMNS   6
#define MIDDLE_COLUMNS 4
#define FEW_PANELS     2
#include "cpu/vector/panels_body.h"
