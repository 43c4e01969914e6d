/* tokenizer.h: token ids <-> text, by SentencePiece.
 *
 * Ids 0 and 3 (end of padding, padding) and the start token are never text;
 * the caller filters what its model calls special. One C++ file stands behind
 * this header; built without SentencePiece, opening answers MOSHI_LACKING.
 *
 * Thread-safety: an open tokenizer may be used from any number of threads. */
#ifndef MOSHI_TEXT_TOKENIZER_H
#define MOSHI_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct tokenizer tokenizer;

/* Errors: MOSHI_IO, MOSHI_FORMAT (not a SentencePiece model), MOSHI_LACKING. */
moshi_status tokenizer_open(tokenizer **out, const char *path,
                            moshi_error *err);
void tokenizer_close(tokenizer **t);

int tokenizer_size(const tokenizer *t); /* number of pieces */

/* The UTF-8 text that `id` adds after `previous` (or at the start of a text
 * when previous < 0), as decode([previous, id]) minus decode([previous])
 * (docs/MODEL.md, text). `previous` should be the last id that was text: after
 * a control id a text begins anew, without the space before its first word.
 * Byte-fallback pieces may split a character: bytes are passed on as they come.
 * Writes at most cap bytes, the terminating 0 among them, when cap > 0;
 * returns the full length without it. Unknown and control ids give 0. */
size_t tokenizer_piece(const tokenizer *t, int32_t previous, int32_t id,
                       char *out, size_t cap);

/* The whole text of n ids; those that are unknown or control are left out.
 * Same buffer convention. */
size_t tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t n,
                        char *out, size_t cap);

/* Ids of a UTF-8 text; writes at most cap, returns the full count. Bytes that
 * are not UTF-8 count as U+FFFD. */
size_t tokenizer_encode(const tokenizer *t, const char *text, int32_t *out,
                        size_t cap);

#endif
