/* output_file.h: a file that appears only when it is complete.
 *
 * Data goes to a temporary file in the same folder; commit writes what is still
 * held, closes it and renames it over the target. Closing without commit, or after
 * a commit that failed, removes it, and so does the end of the process where
 * Linux and the file system know files without a name (O_TMPFILE); elsewhere a
 * killed process leaves "TARGET.PID-N". Special
 * files (/dev/stdout, /dev/null, pipes) and "-", which is standard output,
 * are written directly. */
#ifndef MOSHI_BASE_OUTPUT_FILE_H
#define MOSHI_BASE_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

typedef struct output_file output_file;

/* Would what is written to `path` replace the file `other` (NULL: no)? Both may
 * be names of one file. */
bool output_file_replaces(const char *path, const char *other);

/* Errors (MOSHI_IO): folder missing or not writable, the file protected. */
moshi_status output_file_open(output_file **out, const char *path,
                              moshi_error *err);
/* So many bytes are going to be written: an error now (MOSHI_IO) if the disk
 * has no room for them, or the process may not write so large a file. */
moshi_status output_file_expect(const output_file *file, uint64_t n_bytes,
                                moshi_error *err);
/* From now on what is written goes to the system in pieces of `bytes` bytes,
 * each where a multiple of that begins: a large file that comes in a few large
 * pieces is in the system's cache in large pages, which are quicker to map
 * (docs/SPEED.md, large pages of a file). Once, before the first write; an error
 * may be said by a later write, or by commit. Errors: MOSHI_NO_MEMORY. */
moshi_status output_file_gather(output_file *file, size_t bytes,
                                moshi_error *err);
/* Errors (MOSHI_IO): disk full and other write errors, with the path. */
moshi_status output_file_write(output_file *file, const void *data,
                               size_t n_bytes, moshi_error *err);
/* The same at a place of its own, in a file that can seek and does not gather;
 * what lies between is zero. Resize sets the length, cutting or adding zeros. */
moshi_status output_file_write_at(output_file *file, size_t at,
                                  const void *data, size_t n_bytes,
                                  moshi_error *err);
moshi_status output_file_resize(output_file *file, size_t n_bytes,
                                moshi_error *err);
/* The descriptor, for libraries that write themselves; its path for messages
 * is the target's. Borrowed. */
int output_file_descriptor(const output_file *file);
/* Nothing can be written afterwards; close is still to be called. Errors
 * (MOSHI_IO): as of a write, and a target that cannot be replaced. */
moshi_status output_file_commit(output_file *file, moshi_error *err);
void output_file_close(output_file **file);

#endif
