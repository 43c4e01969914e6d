/* ogg_pages.h: Ogg: a stream of bytes <-> packets, by libogg.
 *
 * The reader takes bytes in any pieces and never fails: a page whose checksum
 * is wrong and whatever lies between pages is skipped and counted, a page
 * with another serial number begins a new stream. What waits in it is bounded
 * by what is pushed before it is pulled empty, and a packet by
 * OGG_PACKET_BYTES_MAX.
 *
 * The writer puts each packet on a page of its own.
 *
 * One file stands behind this header; built without libogg, opening answers
 * MOSHI_LACKING. Thread-safety: one thread at a time. */
#ifndef MOSHI_AUDIO_OGG_PAGES_H
#define MOSHI_AUDIO_OGG_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moshi/error.h>

/* A second of Opus at its highest rate is 64 KB; longer packets are dropped. */
#define OGG_PACKET_BYTES_MAX ((size_t)1 << 16)

typedef struct ogg_reader ogg_reader;

typedef struct ogg_reader_counts {
    uint64_t pages;   /* whole ones */
    uint64_t skipped; /* times that bytes which are no page were passed over */
    uint64_t lost;    /* packets: a page was missing, or they were too long */
} ogg_reader_counts;

moshi_status ogg_reader_open(ogg_reader **out, moshi_error *err);
void ogg_reader_close(ogg_reader **reader);

/* MOSHI_NO_MEMORY or MOSHI_OK. */
moshi_status ogg_reader_push(ogg_reader *reader, const void *bytes, size_t n);

/* The next packet: *data is borrowed until the next call. MOSHI_AGAIN when
 * more bytes are needed; *begins is true for the first packet of a stream. */
moshi_status ogg_reader_pull(ogg_reader *reader, const unsigned char **data,
                             size_t *n, bool *begins);
ogg_reader_counts ogg_reader_count(const ogg_reader *reader);

typedef struct ogg_writer ogg_writer;

moshi_status ogg_writer_open(ogg_writer **out, int32_t serial,
                             moshi_error *err);
void ogg_writer_close(ogg_writer **writer);

/* One packet as one page; granule: samples at 48 kHz up to its end. *page and
 * *bytes are borrowed until the next call. MOSHI_NO_MEMORY, or MOSHI_ARGUMENT
 * for a packet that a page cannot hold (65,025 bytes). */
moshi_status ogg_writer_page(ogg_writer *writer, const void *packet, size_t n,
                             int64_t granule, const unsigned char **page,
                             size_t *bytes);

#endif
