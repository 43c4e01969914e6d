/* file_bytes.h: make model files by hand, right and wrong ones.
 *
 * Bytes are built in memory and opened from a block of their exact size, so
 * that a sanitizer sees a read past the end; or saved in a folder that is
 * removed at the end of the program. */
#ifndef TESTS_FILE_BYTES_H
#define TESTS_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "files/checkpoint.h"

typedef struct file_bytes {
    unsigned char *data;
    size_t n, capacity;
} file_bytes;

void bytes_put(file_bytes *b, const void *data, size_t n);
void bytes_put_text(file_bytes *b, const char *text);
void bytes_put_zeros(file_bytes *b, size_t n);
/* n little-endian bytes. */
void bytes_put_number(file_bytes *b, uint64_t number, int n);
void bytes_release(file_bytes *b);

/* A safetensors file: this header, its length before it, zeros after it. */
file_bytes bytes_safetensors(const char *header, size_t data_bytes);

/* The parts of a GGUF file, in the widths of `version`. */
file_bytes gguf_begin(uint32_t version, uint64_t tensors, uint64_t metadata);
void gguf_count(file_bytes *b, uint32_t version, uint64_t count);
void gguf_string(file_bytes *b, uint32_t version, const char *text);
/* Key and type; the value follows. */
void gguf_key(file_bytes *b, uint32_t version, const char *key, uint32_t type);
/* dims innermost first, as in the file. */
void gguf_tensor(file_bytes *b, uint32_t version, const char *name,
                 uint32_t n_dims, const uint64_t *dims, uint32_t type,
                 uint64_t offset);
/* Padding to the alignment, then zeros. */
void gguf_data(file_bytes *b, size_t alignment, size_t data_bytes);

/* Small, good files that use all of their format: two tensors, metadata. */
file_bytes bytes_good_safetensors(void);
file_bytes bytes_good_gguf(uint32_t version);

/* checkpoint_open_memory on a copy of exactly n bytes. The copy is freed by
 * bytes_close, or at once when opening fails. The label is "x". */
moshi_status bytes_open(checkpoint **out, const void *data, size_t n,
                        moshi_error *err);
void bytes_close(checkpoint **file);

/* Opening must fail with this status, and the message must hold this text. */
void bytes_expect(const file_bytes *b, moshi_status status, const char *text);

/* A path in the folder of this program; static, overwritten by the eighth call
 * after this one. */
const char *test_path(const char *name);
void bytes_save(const file_bytes *b, const char *path);
file_bytes bytes_load(const char *path);
/* Remove the folder and what is in it. */
int test_folder_remove(void **state);

#endif
