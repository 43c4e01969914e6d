/* sink_file.h: mono 24 kHz samples into a WAV file.
 *
 * 16-bit PCM as the official engine writes it: clamp to [-1, 1], times 32767,
 * truncated toward zero, a NaN is 0; or 32-bit float, unclamped. The file
 * appears only when finish succeeds (base/output_file). "-" is standard
 * output; in a pipe the sizes in the header stay at 0xffffffff, which readers
 * of streams take as "until the end". Last stage of the way of the data. */
#ifndef MOSHI_AUDIO_SINK_FILE_H
#define MOSHI_AUDIO_SINK_FILE_H

#include <stddef.h>

#include <moshi/error.h>

typedef struct sink_file sink_file;

typedef enum sink_format { SINK_PCM16, SINK_FLOAT32 } sink_format;

/* Errors: MOSHI_IO (cannot be written, disk full), MOSHI_ARGUMENT (rate). */
moshi_status sink_file_open(sink_file **out, const char *path, int rate_hz,
                            sink_format format, moshi_error *err);
/* Errors: MOSHI_IO, MOSHI_UNSUPPORTED (more than a WAV file's 4 GiB). */
moshi_status sink_file_write(sink_file *sink, const float *mono, size_t n,
                             moshi_error *err);
/* Complete the file. Nothing may be written after it. */
moshi_status sink_file_finish(sink_file *sink, moshi_error *err);
/* Without finish: the file is dropped. */
void sink_file_close(sink_file **sink);

#endif
