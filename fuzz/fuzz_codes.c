/* fuzz_codes.c: bytes -> recorded codes, by all three readers; then as the
 * codes of a codec, in both layouts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "files/token_file.h"

static void use_codes(const token_matrix *m, token_layout layout)
{
    int32_t *codes = NULL;
    int K = 0;
    size_t T = 0;
    moshi_error err = {0};
    moshi_status status = token_matrix_codes(m, layout, 32, 2048, "input",
                                             &codes, &K, &T, &err);
    if ((status == MOSHI_OK) != (codes != NULL) || err.status != status)
        abort(); /* a result that contradicts the status */
    for (size_t i = 0; i < (size_t)K * T; i++)
        if (codes[i] < 0 || codes[i] >= 2048)
            abort(); /* a code that the codec does not have */
    memory_free(codes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    token_matrix m = {0};
    moshi_error err = {0};
    void *block = malloc(n); /* exact: shows overreads */
    if (n)
        memcpy(block, bytes, n);
    moshi_status status = token_bytes_open(&m, block, n, "input", NULL, &err);
    if ((status == MOSHI_OK) != (m.values != NULL) || err.status != status)
        abort(); /* a result that contradicts the status */
    if (status == MOSHI_OK)
        for (int layout = 0; layout <= TOKEN_LAYOUT_TK; layout++)
            use_codes(&m, (token_layout)layout);
    token_matrix_release(&m);
    free(block);
    return 0;
}
