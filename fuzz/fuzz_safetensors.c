/* fuzz_safetensors.c: bytes -> checkpoint, for the safetensors reader. The
 * length before the header is made to fit in half of the inputs (those of even
 * size): few that the fuzzer invents would get past it. */
#include "fuzz_checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 8 || n % 2) {
        use_checkpoint(bytes, n);
        return 0;
    }
    /* The header ends behind the last closing brace. */
    size_t end = n;
    while (end > 8 && bytes[end - 1] != '}')
        end--;
    uint8_t *fitted = malloc(n);
    memcpy(fitted, bytes, n);
    for (int i = 0; i < 8; i++)
        fitted[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    use_checkpoint(fitted, n);
    free(fitted);
    return 0;
}
