/* ogg_pages_stub.c: stands in for ogg_pages.c in a build without libogg. */
#include "audio/ogg_pages.h"
#include "base/error.h"

static moshi_status lacking(moshi_error *err)
{
    error_set(err, MOSHI_LACKING, "this program was built without libogg, "
              "which sound over a network needs");
    error_hint(err, "install libogg-dev and libopus-dev and build again");
    return MOSHI_LACKING;
}

moshi_status ogg_reader_open(ogg_reader **out, moshi_error *err)
{
    (void)out;
    return lacking(err);
}

void ogg_reader_close(ogg_reader **reader)
{
    (void)reader;
}

moshi_status ogg_reader_push(ogg_reader *reader, const void *bytes, size_t n)
{
    (void)reader, (void)bytes, (void)n;
    return MOSHI_LACKING;
}

moshi_status ogg_reader_pull(ogg_reader *reader, const unsigned char **data,
                             size_t *n, bool *begins)
{
    (void)reader, (void)data, (void)n, (void)begins;
    return MOSHI_LACKING;
}

ogg_reader_counts ogg_reader_count(const ogg_reader *reader)
{
    (void)reader;
    return (ogg_reader_counts){0};
}

moshi_status ogg_writer_open(ogg_writer **out, int32_t serial,
                             moshi_error *err)
{
    (void)out, (void)serial;
    return lacking(err);
}

void ogg_writer_close(ogg_writer **writer)
{
    (void)writer;
}

moshi_status ogg_writer_page(ogg_writer *writer, const void *packet, size_t n,
                             int64_t granule, const unsigned char **page,
                             size_t *bytes)
{
    (void)writer, (void)packet, (void)n, (void)granule, (void)page;
    (void)bytes;
    return MOSHI_LACKING;
}
