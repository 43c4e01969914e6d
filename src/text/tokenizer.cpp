// tokenizer.cpp: the one place that knows SentencePiece.
//
// Behind a C interface: no exception leaves this file, and the library is
// told not to write to standard error. Text is what SentencePiece's own
// decoder gives, but for two things: a byte-fallback piece is passed on as
// its byte, and pieces that are not text (unknown, control, out of range)
// give nothing.
extern "C" {
#include "text/tokenizer.h"
#include "base/error.h"
#include "base/file_map.h"
#include "text/model_check.h"
}

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <sentencepiece_processor.h>

#if defined(__ELF__)
// Not in the public header of every version, hence weak: absent is fine.
namespace sentencepiece {
namespace logging {
__attribute__((weak)) void SetMinLogLevel(int level);
}
}
#endif

struct tokenizer {
    sentencepiece::SentencePieceProcessor pieces;
    bool strips_first_space; // the decoder drops a text's first space
};

namespace {

// LOG_FATAL's number: only a failed assertion of the library speaks.
constexpr int kLogFatal = 3;

// Once for the process, since the level is a variable of the library's own.
void silence_library()
{
#if defined(__ELF__)
    static const bool once = [] {
        if (sentencepiece::logging::SetMinLogLevel)
            sentencepiece::logging::SetMinLogLevel(kLogFatal);
        return true;
    }();
    (void)once;
#endif
}

bool is_text(const tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->pieces.GetPieceSize() &&
           !t->pieces.IsUnknown(id) && !t->pieces.IsControl(id);
}

std::string decode(const tokenizer *t, const std::vector<int> &ids)
{
    std::string text;
    if (!t->pieces.Decode(ids, &text).ok())
        text.clear();
    return text;
}

// A byte-fallback piece is named "<0x41>".
bool byte_of(const tokenizer *t, int32_t id, char *out)
{
    unsigned value;
    if (!t->pieces.IsByte(id) ||
        std::sscanf(t->pieces.IdToPiece(id).c_str(), "<0x%2X>", &value) != 1)
        return false;
    *out = static_cast<char>(value);
    return true;
}

// What SentencePiece writes for a space: U+2581.
const char kSpace[] = "\xe2\x96\x81";
constexpr size_t kSpaceBytes = sizeof kSpace - 1;

// Pieces show whether this model's decoder drops the space that stands for
// the beginning of a text: all do that were trained with a dummy prefix.
bool finds_first_space_stripped(const tokenizer *t)
{
    for (int id = 0; id < t->pieces.GetPieceSize(); id++) {
        const std::string &piece = t->pieces.IdToPiece(id);
        if (is_text(t, id) && piece.size() > kSpaceBytes &&
            piece.compare(0, kSpaceBytes, kSpace) == 0)
            return decode(t, {id})[0] != ' ';
    }
    return true;
}

size_t copy_out(const std::string &text, char *out, size_t cap)
{
    if (cap > 0) {
        size_t n = text.size() < cap ? text.size() : cap - 1;
        std::memcpy(out, text.data(), n);
        out[n] = 0;
    }
    return text.size();
}

size_t nothing(char *out, size_t cap)
{
    if (cap > 0)
        out[0] = 0;
    return 0;
}

moshi_status load(tokenizer *t, const file_map &file, const char *path,
                  moshi_error *err)
{
    const char *reason = model_check(file.data, file.bytes);
    if (!reason) {
        auto status = t->pieces.LoadFromSerializedProto(absl::string_view(
            reinterpret_cast<const char *>(file.data), file.bytes));
        if (status.ok()) {
            t->strips_first_space = finds_first_space_stripped(t);
            return MOSHI_OK;
        }
        reason = "its parts do not fit together";
    }
    error_set(err, MOSHI_FORMAT, "'%s' is not a SentencePiece model: %s", path,
              reason);
    error_hint(err, "the tokenizer of a model is the file tokenizer_*.model "
                    "that comes with its weights");
    return MOSHI_FORMAT;
}

}  // namespace

extern "C" moshi_status tokenizer_open(tokenizer **out, const char *path,
                                       moshi_error *err)
{
    file_map file = {nullptr, 0};
    moshi_status status = file_map_open(&file, path, err);
    if (status != MOSHI_OK)
        return status;
    tokenizer *t = nullptr;
    try {
        silence_library();
        t = new tokenizer;
        status = load(t, file, path, err);
    } catch (const std::bad_alloc &) {
        status = error_no_memory(err, "the tokenizer");
    } catch (const std::exception &e) {
        status = error_set(err, MOSHI_FORMAT,
                           "'%s' is not a SentencePiece model: %s", path,
                           e.what());
    }
    file_map_close(&file);
    if (status == MOSHI_OK)
        *out = t;
    else
        delete t;
    return status;
}

extern "C" void tokenizer_close(tokenizer **t)
{
    delete *t;
    *t = nullptr;
}

extern "C" int tokenizer_size(const tokenizer *t)
{
    return t->pieces.GetPieceSize();
}

// Does this piece leave something before the next one? A control piece does
// not; an unknown one does (the decoder writes a mark for it).
static bool stands(const tokenizer *t, int32_t id)
{
    return id >= 0 && id < t->pieces.GetPieceSize() &&
           !t->pieces.IsControl(id);
}

// The decoder's own rule, without its strings: this runs once for each word
// that is spoken, inside the frame, where nothing may be allocated.
extern "C" size_t tokenizer_piece(const tokenizer *t, int32_t previous,
                                  int32_t id, char *out, size_t cap)
try {
    char byte;
    if (!is_text(t, id))
        return nothing(out, cap);
    bool is_byte = byte_of(t, id, &byte);
    const char *at = is_byte ? &byte : t->pieces.IdToPiece(id).data();
    const char *end = at + (is_byte ? 1 : t->pieces.IdToPiece(id).size());
    size_t n = 0;
    auto is_space = [&] {
        return !is_byte && static_cast<size_t>(end - at) >= kSpaceBytes &&
               std::memcmp(at, kSpace, kSpaceBytes) == 0;
    };
    if (t->strips_first_space && !stands(t, previous) && is_space())
        at += kSpaceBytes;
    while (at < end) {
        char c = is_space() ? ' ' : *at;
        at += is_space() ? kSpaceBytes : 1;
        if (n + 1 < cap)
            out[n] = c;
        n++;
    }
    if (cap > 0)
        out[n < cap ? n : cap - 1] = 0;
    return n;
} catch (const std::exception &) {
    return nothing(out, cap);
}

extern "C" size_t tokenizer_decode(const tokenizer *t, const int32_t *ids,
                                   size_t n, char *out, size_t cap)
try {
    std::vector<int> kept;
    for (size_t i = 0; i < n; i++)
        if (is_text(t, ids[i]))
            kept.push_back(ids[i]);
    return copy_out(decode(t, kept), out, cap);
} catch (const std::exception &) {
    return nothing(out, cap);
}

extern "C" size_t tokenizer_encode(const tokenizer *t, const char *text,
                                   int32_t *out, size_t cap)
try {
    std::vector<int> ids;
    if (!t->pieces.Encode(text, &ids).ok())
        return 0;
    for (size_t i = 0; i < ids.size() && i < cap; i++)
        out[i] = ids[i];
    return ids.size();
} catch (const std::exception &) {
    return 0;
}
