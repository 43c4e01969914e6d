/* ogg_pages.c: the one file that touches libogg. */
#include "audio/ogg_pages.h"

#include <string.h>

#include <ogg/ogg.h>

#include "base/error.h"
#include "base/memory.h"

#define PAGE_BODY_MAX (255 * 255)
/* A page of Opus with its head; room that need not grow while sound flows. */
#define PAGE_BYTES ((size_t)1 << 13)

struct ogg_reader {
    ogg_sync_state bytes;
    ogg_stream_state packets;
    bool streaming; /* a first page has been seen */
    bool begins;    /* and none of its packets handed out yet */
    ogg_reader_counts counts;
};

moshi_status ogg_reader_open(ogg_reader **out, moshi_error *err)
{
    ogg_reader *r = memory_calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, "an Ogg reader");
    ogg_sync_init(&r->bytes);
    if (ogg_stream_init(&r->packets, 0) != 0) {
        ogg_sync_clear(&r->bytes);
        memory_free(r);
        return error_no_memory(err, "an Ogg reader");
    }
    *out = r;
    return MOSHI_OK;
}

void ogg_reader_close(ogg_reader **handle)
{
    if (!*handle)
        return;
    ogg_stream_clear(&(*handle)->packets);
    ogg_sync_clear(&(*handle)->bytes);
    memory_free(*handle);
    *handle = NULL;
}

moshi_status ogg_reader_push(ogg_reader *r, const void *bytes, size_t n)
{
    if (n == 0)
        return MOSHI_OK;
    char *room = n < (size_t)1 << 30 ? ogg_sync_buffer(&r->bytes, (long)n)
                                     : NULL;
    if (!room)
        return MOSHI_NO_MEMORY;
    memcpy(room, bytes, n);
    ogg_sync_wrote(&r->bytes, (long)n);
    return MOSHI_OK;
}

/* A packet that goes on from page to page grows inside libogg without an end;
 * here it ends. */
static void drop_long_packet(ogg_reader *r)
{
    if (r->packets.body_fill - r->packets.body_returned <=
        (long)OGG_PACKET_BYTES_MAX)
        return;
    r->counts.lost++;
    ogg_stream_reset(&r->packets);
}

static void take_page(ogg_reader *r, ogg_page *page)
{
    int serial = ogg_page_serialno(page);
    r->counts.pages++;
    if (!r->streaming || r->packets.serialno != serial ||
        ogg_page_bos(page)) {
        ogg_stream_reset_serialno(&r->packets, serial);
        r->streaming = true;
        r->begins = true;
    }
    /* A page of another version of Ogg is refused, and is no page of ours. */
    if (ogg_stream_pagein(&r->packets, page) != 0)
        r->counts.skipped++;
}

/* MOSHI_OK when a page went in, MOSHI_AGAIN when the bytes hold none. */
static moshi_status next_page(ogg_reader *r)
{
    ogg_page page;
    for (;;) {
        int found = ogg_sync_pageout(&r->bytes, &page);
        if (found == 0)
            return MOSHI_AGAIN;
        if (found > 0) {
            take_page(r, &page);
            return MOSHI_OK;
        }
        r->counts.skipped++;
    }
}

moshi_status ogg_reader_pull(ogg_reader *r, const unsigned char **data,
                             size_t *n, bool *begins)
{
    for (;;) {
        ogg_packet packet;
        int found = ogg_stream_packetout(&r->packets, &packet);
        if (found > 0) {
            *data = packet.packet;
            *n = (size_t)packet.bytes;
            *begins = r->begins;
            r->begins = false;
            return MOSHI_OK;
        }
        if (found < 0) {
            r->counts.lost++;
            continue;
        }
        drop_long_packet(r);
        if (next_page(r) != MOSHI_OK)
            return MOSHI_AGAIN;
    }
}

ogg_reader_counts ogg_reader_count(const ogg_reader *r)
{
    return r->counts;
}

struct ogg_writer {
    ogg_stream_state packets;
    int64_t count;
    unsigned char *page; /* owned: header and body side by side */
    size_t room;
};

moshi_status ogg_writer_open(ogg_writer **out, int32_t serial,
                             moshi_error *err)
{
    ogg_writer *w = memory_calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, "an Ogg writer");
    if (!memory_grow((void **)&w->page, &w->room, PAGE_BYTES, 1) ||
        ogg_stream_init(&w->packets, serial) != 0) {
        memory_free(w->page);
        memory_free(w);
        return error_no_memory(err, "an Ogg writer");
    }
    *out = w;
    return MOSHI_OK;
}

void ogg_writer_close(ogg_writer **handle)
{
    if (!*handle)
        return;
    ogg_stream_clear(&(*handle)->packets);
    memory_free((*handle)->page);
    memory_free(*handle);
    *handle = NULL;
}

moshi_status ogg_writer_page(ogg_writer *w, const void *packet, size_t n,
                             int64_t granule, const unsigned char **page,
                             size_t *bytes)
{
    ogg_page made;
    /* A body of exactly 65,025 bytes would need a 256th lacing value. */
    if (n >= PAGE_BODY_MAX)
        return MOSHI_ARGUMENT;
    ogg_packet p = {.packet = (unsigned char *)packet,
                    .bytes = (long)n,
                    .b_o_s = w->count == 0,
                    .granulepos = granule,
                    .packetno = w->count};
    if (ogg_stream_packetin(&w->packets, &p) != 0 ||
        ogg_stream_flush(&w->packets, &made) == 0)
        return MOSHI_NO_MEMORY;
    size_t head = (size_t)made.header_len, body = (size_t)made.body_len;
    if (!memory_grow((void **)&w->page, &w->room, head + body, 1))
        return MOSHI_NO_MEMORY;
    memcpy(w->page, made.header, head);
    memcpy(w->page + head, made.body, body);
    w->count++;
    *page = w->page;
    *bytes = head + body;
    return MOSHI_OK;
}
