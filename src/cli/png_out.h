/* png_out.h: a picture with a palette as the text of a data: address.
 *
 * The pixels are stored, not squeezed: that needs no library, and a report of
 * some hundred kilobytes is no burden. */
#ifndef MOSHI_CLI_PNG_OUT_H
#define MOSHI_CLI_PNG_OUT_H

#include <stddef.h>
#include <stdint.h>

/* "data:image/png;base64,…" of pixel[height][width] with 256 colours of red,
 * green, blue. Free with memory_free; NULL: out of memory. */
char *png_out_address(const uint8_t *pixel, size_t width, size_t height,
                      const uint8_t palette[256][3]);

#endif
