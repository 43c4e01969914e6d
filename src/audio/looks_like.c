/* looks_like.c: guess the type of a file from its first bytes. */
#include "audio/looks_like.h"

#include <stdbool.h>
#include <string.h>

typedef struct signature {
    size_t at;
    const char *bytes;
    size_t n;
    const char *phrase;
} signature;

#define SIGNATURE(at, bytes, phrase) {at, bytes, sizeof bytes - 1, phrase}

#define WAV_PHRASE "a WAV file with a damaged header or an unknown coding"

/* Audio first: a file that is named here and could not be opened is damaged
 * or of a kind that libsndfile does not decode. Numbers are the formats' own
 * magic numbers. */
static const signature signatures[] = {
    SIGNATURE(0, "RIFF", WAV_PHRASE),
    SIGNATURE(0, "RF64", WAV_PHRASE),
    SIGNATURE(0, "fLaC", "a FLAC file with a damaged header"),
    SIGNATURE(0, "OggS", "an Ogg file that is damaged or holds neither "
                         "Vorbis, Opus nor FLAC"),
    SIGNATURE(0, "ID3", "an MP3 file that is damaged"),
    SIGNATURE(0, "\xff\xfb", "an MP3 file that is damaged"),
    SIGNATURE(0, "\xff\xf3", "an MP3 file that is damaged"),
    SIGNATURE(0, "\xff\xf2", "an MP3 file that is damaged"),
    SIGNATURE(4, "ftyp", "an MP4 or M4A file"),
    SIGNATURE(0, "\x1a\x45\xdf\xa3", "a WebM or Matroska file"),
    SIGNATURE(0, "FLV\x01", "a Flash video"),
    SIGNATURE(0, "\x30\x26\xb2\x75", "a Windows Media file"),
    SIGNATURE(0, "#!AMR", "an AMR file"),
    SIGNATURE(0, "\xff\xf1", "an AAC file"),
    SIGNATURE(0, "\xff\xf9", "an AAC file"),
    SIGNATURE(0, "\x89PNG", "a PNG picture"),
    SIGNATURE(0, "\xff\xd8\xff", "a JPEG picture"),
    SIGNATURE(0, "%PDF", "a PDF document"),
    SIGNATURE(0, "PK\x03\x04", "a zip archive"),
    SIGNATURE(0, "\x1f\x8b", "a gzip archive"),
    SIGNATURE(0, "GGUF", "a GGUF model"),
    SIGNATURE(8, "{\"", "a safetensors model"),
    SIGNATURE(0, "version https://git-lfs", "a Git LFS pointer: the file "
                                            "itself was not downloaded"),
    SIGNATURE(0, "<!DOCTYPE", "a web page"),
    SIGNATURE(0, "<!doctype", "a web page"),
    SIGNATURE(0, "<html", "a web page"),
};

static bool all_zero(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head[i] != 0)
            return false;
    return true;
}

/* No control characters but white space; UTF-8 may stand in it. */
static bool is_text(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((head[i] < 32 && !strchr("\t\n\r\f", head[i])) || head[i] == 127)
            return false;
    return true;
}

const char *looks_like(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];
        if (n >= s->at + s->n && memcmp(head + s->at, s->bytes, s->n) == 0)
            return s->phrase;
    }
    if (n == 0)
        return NULL;
    if (all_zero(head, n))
        return "nothing but zero bytes";
    if (is_text(head, n))
        return "text";
    return NULL;
}
