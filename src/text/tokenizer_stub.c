/* tokenizer_stub.c: stands in for tokenizer.cpp in a build without
 * SentencePiece. Nothing can be opened, so the rest is never called with an
 * open tokenizer; it answers "nothing". */
#include "text/tokenizer.h"

#include "base/error.h"

moshi_status tokenizer_open(tokenizer **out, const char *path,
                            moshi_error *err)
{
    (void)out;
    error_set(err, MOSHI_LACKING,
              "cannot read the tokenizer '%s': this program was built "
              "without SentencePiece",
              path);
    error_hint(err, "install libsentencepiece-dev and build again with "
                    "-Dsentencepiece=enabled");
    return MOSHI_LACKING;
}

void tokenizer_close(tokenizer **t)
{
    *t = NULL;
}

int tokenizer_size(const tokenizer *t)
{
    (void)t;
    return 0;
}

size_t tokenizer_piece(const tokenizer *t, int32_t previous, int32_t id,
                       char *out, size_t cap)
{
    (void)t, (void)previous, (void)id;
    if (cap > 0)
        out[0] = 0;
    return 0;
}

size_t tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t n,
                        char *out, size_t cap)
{
    (void)t, (void)ids, (void)n;
    if (cap > 0)
        out[0] = 0;
    return 0;
}

size_t tokenizer_encode(const tokenizer *t, const char *text, int32_t *out,
                        size_t cap)
{
    (void)t, (void)text, (void)out, (void)cap;
    return 0;
}
