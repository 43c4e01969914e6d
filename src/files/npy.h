/* npy.h: arrays as NumPy saves them (np.save), integers only.
 *
 *   "\x93NUMPY" | version | header length | {'descr', 'fortran_order',
 *   'shape'} as a Python dictionary | data
 *
 * Format: numpy.lib.format, versions 1 to 3. */
#ifndef MOSHI_FILES_NPY_H
#define MOSHI_FILES_NPY_H

#include <stdbool.h>

#include "files/token_matrix.h"

/* By the first six bytes. */
bool npy_recognise(const void *bytes, size_t n_bytes);

/* [rows, columns], or [1, rows, columns]. Errors: MOSHI_FORMAT (damaged,
 * truncated), MOSHI_MISMATCH (other axes), MOSHI_UNSUPPORTED (Fortran order,
 * big-endian, not an integer type), MOSHI_NO_MEMORY. */
moshi_status npy_read(token_matrix *out, const void *bytes, size_t n_bytes,
                      const char *label, moshi_error *err);

#endif
