/* Goal: every version of GGUF is read, metadata of any kind is walked over,
 * and each fault has its own message. Method: files put together by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "file_bytes.h"

static void every_version(void **state)
{
    (void)state;
    for (uint32_t version = 1; version <= 3; version++) {
        file_bytes b = bytes_good_gguf(version);
        checkpoint *file = NULL;
        moshi_error err = {0};
        if (bytes_open(&file, b.data, b.n, &err) != MOSHI_OK)
            fail_msg("version %u: %s", version, err.message);
        assert_int_equal(checkpoint_kind(file), CHECKPOINT_GGUF);
        assert_int_equal(checkpoint_count(file), 2);
        const checkpoint_tensor *t = checkpoint_find(file, "emb.weight");
        assert_ptr_equal(t, checkpoint_at(file, 1));
        assert_int_equal(t->type, DTYPE_Q8_0);
        assert_int_equal(t->n_dims, 2);
        assert_int_equal(t->dims[0], 2);
        assert_int_equal(t->dims[1], 32);
        assert_int_equal(t->n_bytes, 68);
        const checkpoint_tensor *norm = checkpoint_find(file, "norm.alpha");
        assert_int_equal(norm->dims[0], 1);
        assert_int_equal(norm->dims[2], 3);
        assert_int_equal((const char *)norm->data - (const char *)t->data, 128);
        assert_null(checkpoint_metadata(file, "general.name"));
        bytes_close(&file);
        bytes_release(&b);
    }
}

static void every_type(void **state)
{
    (void)state;
    const struct {
        uint32_t number;
        dtype type;
        size_t bytes; /* of 256 elements */
    } types[] = {
        {0, DTYPE_F32, 1024},  {1, DTYPE_F16, 512},   {30, DTYPE_BF16, 512},
        {8, DTYPE_Q8_0, 272},  {2, DTYPE_Q4_0, 144},  {12, DTYPE_Q4_K, 144},
        {13, DTYPE_Q5_K, 176}, {14, DTYPE_Q6_K, 210}, {24, DTYPE_I8, 256},
        {26, DTYPE_I32, 1024}, {27, DTYPE_I64, 2048},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        file_bytes b = gguf_begin(2, 1, 0);
        gguf_tensor(&b, 2, "a", 1, (uint64_t[]){256}, types[i].number, 0);
        gguf_data(&b, 32, types[i].bytes);
        checkpoint *file = NULL;
        assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
        assert_int_equal(checkpoint_at(file, 0)->type, types[i].type);
        assert_int_equal(checkpoint_at(file, 0)->n_bytes, types[i].bytes);
        bytes_close(&file);
        b.n--;
        bytes_expect(&b, MOSHI_FORMAT, "tensor a: data lies at bytes");
        bytes_release(&b);
    }
}

static void expect_number(uint32_t number, moshi_status status,
                          const char *message)
{
    file_bytes b = gguf_begin(3, 1, 0);
    gguf_tensor(&b, 3, "a", 1, (uint64_t[]){256}, number, 0);
    gguf_data(&b, 32, 4096);
    bytes_expect(&b, status, message);
    bytes_release(&b);
}

static void unknown_types(void **state)
{
    (void)state;
    expect_number(3, MOSHI_UNSUPPORTED, "tensor a: numbers of GGUF type 3 ");
    expect_number(4, MOSHI_UNSUPPORTED, "GGUF type 4 ");
    expect_number(1000, MOSHI_UNSUPPORTED, "GGUF type 1000 ");
    expect_number(UINT32_MAX, MOSHI_UNSUPPORTED, "GGUF type 4294967295 ");
}

static void versions(void **state)
{
    (void)state;
    file_bytes b = gguf_begin(0x03000000, 0, 0);
    bytes_expect(&b, MOSHI_UNSUPPORTED, "big-endian");
    bytes_release(&b);
    const uint32_t unknown[] = {0, 4, 0x04000000, 0x00030000, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        b = gguf_begin(unknown[i], 0, 0);
        bytes_expect(&b, MOSHI_UNSUPPORTED, "is not known (1, 2 and 3 are)");
        bytes_release(&b);
    }
}

static void empty_file(void **state)
{
    (void)state;
    for (uint32_t version = 1; version <= 3; version++) {
        file_bytes b = gguf_begin(version, 0, 0);
        checkpoint *file = NULL;
        assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
        assert_int_equal(checkpoint_count(file), 0);
        assert_null(checkpoint_find(file, "a"));
        bytes_close(&file);
        bytes_release(&b);
    }
}

static void counts(void **state)
{
    (void)state;
    const uint64_t many[] = {LIMIT_TENSORS + 1, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        file_bytes b = gguf_begin(2, many[i], 0);
        bytes_expect(&b, MOSHI_FORMAT, "the header counts");
        bytes_release(&b);
        b = gguf_begin(2, 0, many[i] + LIMIT_METADATA * (i == 0));
        bytes_expect(&b, MOSHI_FORMAT, "metadata entries");
        bytes_release(&b);
    }
    file_bytes b = gguf_begin(2, LIMIT_TENSORS, 0);
    bytes_expect(&b, MOSHI_FORMAT, "inside the description of tensor number 1");
    bytes_release(&b);
    b = gguf_begin(2, 0, LIMIT_METADATA);
    bytes_expect(&b, MOSHI_FORMAT, "inside metadata entry number 1");
    bytes_release(&b);
}

static void alignments(void **state)
{
    (void)state;
    const struct {
        uint32_t type;
        uint64_t alignment;
        const char *message; /* NULL: a good one */
    } cases[] = {
        {4, 8, NULL},
        {4, 65536, NULL},
        {4, 0, "general.alignment is 0; it must be a power"},
        {4, 4, "general.alignment is 4;"},
        {4, 48, "general.alignment is 48;"},
        {4, 131072, "general.alignment is 131072;"},
        {4, UINT32_MAX, "general.alignment is 4294967295;"},
        {10, 32, "general.alignment is of metadata type 10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b = gguf_begin(3, 1, 1);
        gguf_key(&b, 3, "general.alignment", cases[i].type);
        bytes_put_number(&b, cases[i].alignment, cases[i].type == 10 ? 8 : 4);
        gguf_tensor(&b, 3, "a", 1, (uint64_t[]){4}, 24, 0);
        if (cases[i].message) {
            bytes_expect(&b, MOSHI_FORMAT, cases[i].message);
        } else {
            gguf_data(&b, (size_t)cases[i].alignment, 4);
            memset(b.data + b.n - 4, 'd', 4);
            checkpoint *file = NULL;
            assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
            assert_memory_equal(checkpoint_at(file, 0)->data, "dddd", 4);
            bytes_close(&file);
        }
        bytes_release(&b);
    }
}

/* Arrays in arrays, `depth` of them. */
static file_bytes nested(int depth, uint64_t innermost)
{
    file_bytes b = gguf_begin(3, 0, 1);
    gguf_key(&b, 3, "deep", 9);
    for (int i = 0; i < depth; i++) {
        bytes_put_number(&b, i + 1 < depth ? 9 : 0, 4);
        gguf_count(&b, 3, i + 1 < depth ? 1 : innermost);
    }
    bytes_put_zeros(&b, 3);
    return b;
}

static void metadata_faults(void **state)
{
    (void)state;
    file_bytes b = nested(LIMIT_ARRAY_DEPTH, 3);
    checkpoint *file = NULL;
    assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
    bytes_close(&file);
    bytes_release(&b);
    b = nested(LIMIT_ARRAY_DEPTH + 1, 3);
    bytes_expect(&b, MOSHI_FORMAT, "metadata entry 1 (type 9) has a type");
    bytes_release(&b);
    const uint64_t many[] = {4, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < 3; i++) {
        b = nested(2, many[i]);
        bytes_expect(&b, MOSHI_FORMAT, "inside metadata entry number 1");
        bytes_release(&b);
    }
    b = gguf_begin(3, 0, 1);
    gguf_key(&b, 3, "new", 13);
    bytes_put_zeros(&b, 64);
    bytes_expect(&b, MOSHI_FORMAT, "metadata entry 1 (type 13) has a type");
    bytes_release(&b);
    b = gguf_begin(3, 0, 1);
    gguf_key(&b, 3, "numbers", 9); /* the product of 8 and this wraps */
    bytes_put_number(&b, 12, 4);
    gguf_count(&b, 3, ((uint64_t)1 << 61) + 1);
    bytes_put_zeros(&b, 64);
    bytes_expect(&b, MOSHI_FORMAT, "inside metadata entry number 1");
    bytes_release(&b);
    b = gguf_begin(3, 0, 1);
    bytes_put_number(&b, UINT64_MAX, 8); /* length of the key */
    bytes_put_zeros(&b, 64);
    bytes_expect(&b, MOSHI_FORMAT, "inside metadata entry number 1");
    bytes_release(&b);
}

typedef struct fault {
    const char *name;
    uint32_t n_dims;
    uint64_t dims[2];
    uint32_t type;
    uint64_t offset;
    const char *message;
} fault;

/* The first tensor of two; the second is b, 8 bytes at 0, and the data section
 * begins at 96 and has 32 bytes. */
static const fault faults[] = {
    {"", 1, {8}, 24, 0, "tensor number 1 has a name"},
    {"\xff", 1, {8}, 24, 0, "tensor number 1 has a name"},
    {"\x1b[31m", 1, {8}, 24, 0, "tensor number 1 has a name"},
    {"a", 2, {33, 1}, 8, 0,
     "tensor a: [1, 33]: rows of Q8_0 must be a multiple of 32"},
    {"a", 1, {255}, 12, 0, "rows of Q4_K must be a multiple of 256"},
    {"a", 0, {0}, 8, 0, "rows of Q8_0 must be a multiple of 32"},
    {"a", 2, {(uint64_t)1 << 62, 4}, 24, 0, "is larger than any memory"},
    {"a", 2, {UINT64_MAX, UINT64_MAX}, 0, 0, "is larger than any memory"},
    {"a", 1, {8}, 24, 4, "tensor a: its data begins at 4, which is not a"},
    {"a", 1, {8}, 24, 64, "tensor a: data lies at bytes 160..168 but the file "
                          "ends at 128"},
    {"a", 1, {8}, 24, UINT64_MAX - 31, "beyond any file"},
    {"a", 1, {0}, 24, 64, "tensor a: data lies at bytes 160..160"},
    {"b", 1, {8}, 24, 32, "tensor b: the file holds two tensors of this name"},
    {"a", 1, {32}, 24, 0, "its data overlaps that of tensor"},
};

static void every_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const fault *f = &faults[i];
        file_bytes b = gguf_begin(2, 2, 0);
        gguf_tensor(&b, 2, f->name, f->n_dims, f->dims, f->type, f->offset);
        gguf_tensor(&b, 2, "b", 1, (uint64_t[]){8}, 24, 0);
        gguf_data(&b, 32, 32);
        bytes_expect(&b, MOSHI_FORMAT, f->message);
        bytes_release(&b);
    }
}

static void too_many_dims(void **state)
{
    (void)state;
    const uint64_t dims[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    file_bytes b = gguf_begin(2, 1, 0);
    gguf_tensor(&b, 2, "a", 9, dims, 24, 0);
    gguf_data(&b, 32, 1);
    bytes_expect(&b, MOSHI_FORMAT, "tensor number 1 has 9 dimensions");
    bytes_release(&b);
    b = gguf_begin(2, 1, 0);
    gguf_tensor(&b, 2, "a", 8, dims, 24, 0);
    gguf_data(&b, 32, 1);
    checkpoint *file = NULL;
    assert_int_equal(bytes_open(&file, b.data, b.n, NULL), MOSHI_OK);
    assert_int_equal(checkpoint_at(file, 0)->n_dims, 8);
    bytes_close(&file);
    bytes_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version),   cmocka_unit_test(every_type),
        cmocka_unit_test(unknown_types),   cmocka_unit_test(versions),
        cmocka_unit_test(empty_file),      cmocka_unit_test(counts),
        cmocka_unit_test(alignments),      cmocka_unit_test(metadata_faults),
        cmocka_unit_test(every_fault),     cmocka_unit_test(too_many_dims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
