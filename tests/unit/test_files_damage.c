/* Goal: no damage to a file crashes a reader. Method: a small file of each
 * format is cut at every length, and each bit of its header flipped; the copy
 * has its exact size, so a sanitizer sees any read outside. What opens all the
 * same is read through to the last byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "file_bytes.h"

/* Sum up every byte that an open file promises. */
static unsigned read_all(const checkpoint *file)
{
    unsigned sum = 0;
    for (size_t i = 0; i < checkpoint_count(file); i++) {
        const checkpoint_tensor *t = checkpoint_at(file, i);
        const unsigned char *data = t->data;
        size_t bytes;
        for (size_t k = 0; k < t->n_bytes; k++)
            sum += data[k];
        assert_ptr_equal(checkpoint_find(file, t->name), t);
        if (checkpoint_elements(t) != 0) {
            assert_true(dtype_row_bytes(t->type, checkpoint_elements(t),
                                        &bytes));
            assert_int_equal(bytes, t->n_bytes);
        }
    }
    return sum;
}

/* Open what may be damaged; true if it opened. */
static bool survive(const file_bytes *b, size_t n)
{
    checkpoint *file = NULL;
    moshi_error err = {0};
    moshi_status status = bytes_open(&file, b->data, n, &err);
    if (status == MOSHI_OK) {
        assert_int_equal(read_all(file), read_all(file));
        bytes_close(&file);
        return true;
    }
    assert_true(status == MOSHI_FORMAT || status == MOSHI_UNSUPPORTED);
    assert_int_equal(err.status, status);
    assert_true(err.message[0] != 0);
    return false;
}

static file_bytes sample(uint32_t version)
{
    return version ? bytes_good_gguf(version) : bytes_good_safetensors();
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = sample(version);
        for (size_t n = 0; n < b.n; n++)
            assert_false(survive(&b, n));
        assert_true(survive(&b, b.n));
        bytes_release(&b);
    }
}

static void every_bit(void **state)
{
    (void)state;
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = sample(version);
        for (size_t i = 0; i < b.n; i++)
            for (int bit = 0; bit < 8; bit++) {
                b.data[i] ^= (unsigned char)(1 << bit);
                survive(&b, b.n);
                b.data[i] ^= (unsigned char)(1 << bit);
            }
        bytes_release(&b);
    }
}

static void every_byte_extreme(void **state)
{
    (void)state;
    const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '"', '9'};
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = sample(version);
        for (size_t i = 0; i < b.n; i++)
            for (size_t k = 0; k < sizeof values; k++) {
                unsigned char old = b.data[i];
                b.data[i] = values[k];
                survive(&b, b.n);
                b.data[i] = old;
            }
        bytes_release(&b);
    }
}

/* A run of 1 to 8 bytes becomes 0xff: lengths and counts of every width. */
static void every_number_huge(void **state)
{
    (void)state;
    for (uint32_t version = 0; version <= 3; version++) {
        file_bytes b = sample(version);
        for (size_t run = 2; run <= 8; run *= 2)
            for (size_t i = 0; i + run <= b.n; i++) {
                unsigned char old[8];
                memcpy(old, b.data + i, run);
                memset(b.data + i, 0xff, run);
                survive(&b, b.n);
                memcpy(b.data + i, old, run);
            }
        bytes_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere), cmocka_unit_test(every_bit),
        cmocka_unit_test(every_byte_extreme),
        cmocka_unit_test(every_number_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
