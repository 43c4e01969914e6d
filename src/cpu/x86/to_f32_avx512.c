/* to_f32_avx512.c: dequantise a row, in AVX-512; see to_f32_body.h. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/x86/to_f32_body.h"
