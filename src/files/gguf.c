/* gguf.c: read the header of a GGUF file, versions 1, 2 and 3.
 *
 *     "GGUF" | u32 version | tensor count | metadata count
 *     metadata: key, u32 type, value
 *     tensors:  name, u32 n_dims, dims innermost first, u32 type, u64 offset
 *     padding to `general.alignment` (32 if it is not given) | data
 *
 * Counts, lengths and dims are u32 in version 1 and u64 since. Every read is
 * checked against the end of the file by the cursor. All other metadata is
 * walked over: candle writes none, and nothing here needs it. */
#include <string.h>

#include "base/memory.h"
#include "files/checkpoint_build.h"

#define DEFAULT_ALIGNMENT 32
#define ALIGNMENT_MIN 8
#define ALIGNMENT_MAX 65536

typedef enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPE_COUNT
} gguf_type;

/* Bytes of a value; 0 for those that carry their own length. */
static const size_t type_bytes[GGUF_TYPE_COUNT] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,  [GGUF_U16] = 2,  [GGUF_I16] = 2,
    [GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4,  [GGUF_BOOL] = 1,
    [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

/* Reads past the end set `short_by_end` and answer 0, so a run of reads is
 * checked once at its end. */
typedef struct cursor {
    const unsigned char *bytes;
    size_t at, end;
    bool old; /* version 1: u32 counts */
    bool past_end;
} cursor;

static size_t bytes_left(const cursor *c)
{
    return c->end - c->at;
}

static const unsigned char *take(cursor *c, uint64_t n)
{
    const unsigned char *here = c->bytes + c->at;
    if (c->past_end || n > bytes_left(c)) {
        c->past_end = true;
        return NULL;
    }
    c->at += (size_t)n;
    return here;
}

/* A little-endian number of n bytes. */
static uint64_t take_number(cursor *c, int n)
{
    const unsigned char *p = take(c, (uint64_t)n);
    uint64_t v = 0;
    for (int i = n - 1; p && i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static uint32_t take_u32(cursor *c)
{
    return (uint32_t)take_number(c, 4);
}

/* A count, a length or a dimension. */
static uint64_t take_count(cursor *c)
{
    return take_number(c, c->old ? 4 : 8);
}

static const char *take_string(cursor *c, size_t *n_bytes)
{
    uint64_t n = take_count(c);
    const char *text = (const char *)take(c, n);
    *n_bytes = text ? (size_t)n : 0;
    return text;
}

static moshi_status header_cut_short(const checkpoint *file, moshi_error *err)
{
    checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                     "the file ends at %zu, inside the GGUF header",
                     file->n_bytes);
    error_hint(err, CHECKPOINT_TRUNCATED);
    return MOSHI_FORMAT;
}

/* index: of the thing among its like, from 0. */
static moshi_status cut_short(const checkpoint *file, const char *what,
                              uint64_t index, moshi_error *err)
{
    checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                     "the file ends at %zu, inside %s number %llu",
                     file->n_bytes, what, (unsigned long long)index + 1);
    error_hint(err, CHECKPOINT_TRUNCATED);
    return MOSHI_FORMAT;
}

/* Walk over a value; false if its type is not known or arrays nest too deep.
 * Elements take at least one byte, so the file's end bounds the work. */
static bool skip_value(cursor *c, uint32_t type, int depth)
{
    size_t unused, bytes;
    if (type == GGUF_STRING) {
        take_string(c, &unused);
        return true;
    }
    if (type != GGUF_ARRAY) {
        if (type >= GGUF_TYPE_COUNT)
            return false;
        take(c, type_bytes[type]);
        return true;
    }
    uint32_t item = take_u32(c);
    uint64_t count = take_count(c);
    if (depth == LIMIT_ARRAY_DEPTH || item >= GGUF_TYPE_COUNT)
        return false;
    if (type_bytes[item]) {
        if (count > SIZE_MAX || !size_mul((size_t)count, type_bytes[item],
                                          &bytes))
            c->past_end = true;
        else
            take(c, bytes);
        return true;
    }
    for (uint64_t i = 0; i < count && !c->past_end; i++)
        if (!skip_value(c, item, depth + 1))
            return false;
    return true;
}

static moshi_status check_alignment(const checkpoint *file, uint32_t type,
                                    uint64_t alignment, moshi_error *err)
{
    if (type != GGUF_U32)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "general.alignment is of metadata type %u; it "
                                "must be a u32",
                                type);
    if (alignment < ALIGNMENT_MIN || alignment > ALIGNMENT_MAX ||
        (alignment & (alignment - 1)) != 0)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "general.alignment is %llu; it must be a power "
                                "of two from %d to %d",
                                (unsigned long long)alignment, ALIGNMENT_MIN,
                                ALIGNMENT_MAX);
    return MOSHI_OK;
}

static moshi_status read_metadata(const checkpoint *file, cursor *c,
                                  uint64_t count, size_t *alignment,
                                  moshi_error *err)
{
    static const char key[] = "general.alignment";
    if (count > LIMIT_METADATA)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "the header counts %llu metadata entries; at "
                                "most %zu are possible",
                                (unsigned long long)count, LIMIT_METADATA);
    for (uint64_t i = 0; i < count; i++) {
        size_t n;
        const char *name = take_string(c, &n);
        uint32_t type = take_u32(c);
        size_t start = c->at;
        if (!c->past_end && !skip_value(c, type, 0) && !c->past_end)
            return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                    "metadata entry %llu (type %u) has a type "
                                    "that is not known, or nests deeper than "
                                    "%d arrays",
                                    (unsigned long long)i + 1, type,
                                    LIMIT_ARRAY_DEPTH);
        if (c->past_end)
            return cut_short(file, "metadata entry", i, err);
        if (n != sizeof key - 1 || memcmp(name, key, n) != 0)
            continue;
        cursor number = {.bytes = c->bytes, .at = start, .end = c->at};
        uint64_t found = type == GGUF_U32 ? take_u32(&number) : 0;
        moshi_status status = check_alignment(file, type, found, err);
        if (status != MOSHI_OK)
            return status;
        *alignment = (size_t)found;
    }
    return MOSHI_OK;
}

static moshi_status check_offset(const checkpoint *file, uint64_t offset,
                                 size_t alignment, moshi_error *err)
{
    const char *name = file->tensors[file->count - 1].name;
    if (offset > SIZE_MAX || offset % alignment != 0)
        return checkpoint_fault(file, name, MOSHI_FORMAT, err,
                                "its data begins at %llu, which is not a "
                                "multiple of the alignment %zu",
                                (unsigned long long)offset, alignment);
    return MOSHI_OK;
}

/* The description of tensor `index`; dims are turned around. */
static moshi_status read_tensor(checkpoint *file, cursor *c, uint64_t index,
                                size_t alignment, moshi_error *err)
{
    checkpoint_entry entry = {.end = CHECKPOINT_END_BY_SIZE};
    entry.name = take_string(c, &entry.name_bytes);
    uint32_t n_dims = take_u32(c);
    if (!c->past_end && n_dims > LIMIT_DIMS)
        return checkpoint_fault(file, NULL, MOSHI_FORMAT, err,
                                "tensor number %llu has %u dimensions; at most "
                                "%d are possible",
                                (unsigned long long)index + 1, n_dims,
                                LIMIT_DIMS);
    if (c->past_end)
        return cut_short(file, "the description of tensor", index, err);
    entry.n_dims = (int)n_dims;
    for (int i = entry.n_dims - 1; i >= 0; i--) {
        uint64_t n = take_count(c);
        entry.dims[i] = n > SIZE_MAX ? SIZE_MAX : (size_t)n;
    }
    uint32_t type = take_u32(c);
    uint64_t offset = take_number(c, 8);
    if (c->past_end)
        return cut_short(file, "the description of tensor", index, err);
    bool known = dtype_from_ggml(type, &entry.type);
    entry.begin = (size_t)offset;
    moshi_status status = checkpoint_add(file, &entry, err);
    if (status != MOSHI_OK)
        return status;
    if (!known)
        return checkpoint_fault(file, file->tensors[file->count - 1].name,
                                MOSHI_UNSUPPORTED, err,
                                "numbers of GGUF type %u cannot be used", type);
    return check_offset(file, offset, alignment, err);
}

static moshi_status read_version(const checkpoint *file, cursor *c,
                                 moshi_error *err)
{
    take(c, 4); /* "GGUF": how we came here */
    uint32_t version = take_u32(c);
    if (c->past_end)
        return header_cut_short(file, err);
    if (version >= 1 && version <= 3) {
        c->old = version == 1;
        return MOSHI_OK;
    }
    uint32_t swapped = version >> 24 | (version >> 8 & 0xff00);
    if ((version & 0xffff) == 0 && swapped >= 1 && swapped <= 3)
        return checkpoint_fault(file, NULL, MOSHI_UNSUPPORTED, err,
                                "this GGUF file is big-endian; only "
                                "little-endian files can be read");
    return checkpoint_fault(file, NULL, MOSHI_UNSUPPORTED, err,
                            "GGUF version %u is not known (1, 2 and 3 are)",
                            version);
}

moshi_status gguf_read(checkpoint *file, moshi_error *err)
{
    cursor c = {.bytes = file->bytes, .end = file->n_bytes};
    moshi_status status = read_version(file, &c, err);
    if (status != MOSHI_OK)
        return status;
    uint64_t tensors = take_count(&c), entries = take_count(&c);
    size_t alignment = DEFAULT_ALIGNMENT;
    if (c.past_end)
        return header_cut_short(file, err);
    status = checkpoint_reserve(
        file, tensors > SIZE_MAX ? SIZE_MAX : (size_t)tensors, err);
    if (status == MOSHI_OK)
        status = read_metadata(file, &c, entries, &alignment, err);
    for (uint64_t i = 0; i < tensors && status == MOSHI_OK; i++)
        status = read_tensor(file, &c, i, alignment, err);
    if (status == MOSHI_OK)
        status = checkpoint_finish(file, size_round_up(c.at, alignment), err);
    return status;
}
