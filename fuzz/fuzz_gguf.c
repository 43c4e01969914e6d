/* fuzz_gguf.c: bytes -> checkpoint, for the GGUF reader: the input is what
 * follows the four bytes "GGUF", so that every input reaches it. */
#include "fuzz_checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint8_t *file = malloc(n + 4);
    memcpy(file, "GGUF", 4);
    if (n)
        memcpy(file + 4, bytes, n);
    use_checkpoint(file, n + 4);
    free(file);
    return 0;
}
