/* sniff.c: recognise common files by their first bytes. */
#include "files/sniff.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define CONVERTED "take the model's .safetensors or .gguf file, or convert it"
#define PAGE                                                                  \
    "the address of a page was downloaded: use the download link of the file"

typedef struct signature {
    const char *start;
    size_t n_bytes;
    bool text; /* blanks may come first, and letters have either case */
    sniff_kind kind;
} signature;

#define BYTES(literal) literal, sizeof literal - 1

static const signature signatures[] = {
    {BYTES("version https://git-lfs"), true,
     {"a git-lfs pointer", "only the pointer to the file was fetched: install "
                           "git-lfs and run 'git lfs pull'"}},
    {BYTES("<!doctype"), true, {"an HTML page", PAGE}},
    {BYTES("<html"), true, {"an HTML page", PAGE}},
    {BYTES("<head"), true, {"an HTML page", PAGE}},
    {BYTES("<?xml"), true, {"an XML document", PAGE}},
    {BYTES("PK\x03\x04"), false,
     {"a zip archive (as PyTorch's .bin and .pt files are)", CONVERTED}},
    {BYTES("\x80\x02"), false, {"a Python pickle", CONVERTED}},
    {BYTES("\x80\x04"), false, {"a Python pickle", CONVERTED}},
    {BYTES("\x93NUMPY"), false, {"a NumPy array", CONVERTED}},
    {BYTES("lmgg"), false, {"a GGML file, older than GGUF", CONVERTED}},
    {BYTES("tjgg"), false, {"a GGML file, older than GGUF", CONVERTED}},
    {BYTES("\x89HDF\r\n"), false, {"an HDF5 file", CONVERTED}},
    {BYTES("\x1f\x8b"), false,
     {"compressed with gzip", "unpack it first: gunzip"}},
    {BYTES("RIFF"), false,
     {"a sound file", "a model file was expected here"}},
    {BYTES("\x7f""ELF"), false,
     {"a program", "a model file was expected here"}},
};

static bool starts_with(const signature *s, const char *at, size_t left)
{
    if (s->text)
        while (left > 0 && strchr(" \t\r\n", *at) && *at)
            at++, left--;
    if (left < s->n_bytes)
        return false;
    return s->text ? strncasecmp(at, s->start, s->n_bytes) == 0
                   : memcmp(at, s->start, s->n_bytes) == 0;
}

const sniff_kind *sniff(const void *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (starts_with(&signatures[i], bytes, n_bytes))
            return &signatures[i].kind;
    return NULL;
}
