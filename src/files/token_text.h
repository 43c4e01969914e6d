/* token_text.h: codes written out as text, one row of numbers a line.
 *
 * Between numbers stand blanks, tabs or commas; '#' begins a comment; lines
 * without a number are passed over. All rows are of one length. This is what
 * numpy.savetxt(fmt="%d") and most print loops make. */
#ifndef MOSHI_FILES_TOKEN_TEXT_H
#define MOSHI_FILES_TOKEN_TEXT_H

#include "files/token_matrix.h"

/* Errors: MOSHI_FORMAT (with the line), MOSHI_NO_MEMORY. */
moshi_status token_text_read(token_matrix *out, const void *bytes,
                             size_t n_bytes, const char *label,
                             moshi_error *err);

#endif
