/* to_f32_avx2.c: dequantise a row, in AVX2; see to_f32_body.h. */
#include "cpu/x86/vector_avx2.h"

#include "cpu/x86/to_f32_body.h"
