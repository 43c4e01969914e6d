/* The check of tokenizer models. Goal: a table of normalisation that would
 * lead the library out of its memory is refused, a sound one is not. Method:
 * build small tables whose every unit is known and break them one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/model_check.h"

#define UNITS      256
#define STRINGS    "x\0yz"
#define N_STRINGS  5 /* the last zero too */
#define MAP_BYTES  (4 + 4 * UNITS + N_STRINGS)

typedef struct model {
    unsigned char bytes[MAP_BYTES + 32];
    size_t n, map_at; /* where the table begins */
} model;

static void put_32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static void put_length(model *m, size_t n)
{
    m->bytes[m->n++] = (unsigned char)(n | 128);
    m->bytes[m->n++] = (unsigned char)(n >> 7);
}

/* One piece "a" and a table: the root leads on "a" (97) to a unit that has a
 * leaf, whose value is the string at 2. field 3: normaliser, 5: the reverse. */
static model sound_model(unsigned field)
{
    model m = {.bytes = "\x0a\x03\x0a\x01\x61", .n = 5};
    m.bytes[m.n++] = (unsigned char)(field << 3 | 2);
    put_length(&m, MAP_BYTES + 3);
    m.bytes[m.n++] = 2 << 3 | 2;
    put_length(&m, MAP_BYTES);
    m.map_at = m.n;
    put_32(m.bytes + m.n, 4 * UNITS);
    unsigned char *units = m.bytes + m.n + 4;
    put_32(units + 4 * (0 ^ 97), 97 | 1u << 8 | (97 ^ 5) << 10);
    put_32(units + 4 * 5, 1u << 31 | 2);
    memcpy(units + 4 * UNITS, STRINGS, N_STRINGS);
    m.n += MAP_BYTES;
    return m;
}

static void assert_refused(const model *m)
{
    const char *why = model_check(m->bytes, m->n);
    assert_non_null(why);
    assert_non_null(strstr(why, "normalisation"));
}

static void sound_tables_pass(void **state)
{
    (void)state;
    model m = sound_model(3), reverse = sound_model(5);
    assert_null(model_check(m.bytes, m.n));
    assert_null(model_check(reverse.bytes, reverse.n));
}

static void wrong_sizes_are_refused(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 3, 4, 1020, 1023, 1025,
                                     1024 + N_STRINGS, 2048, UINT32_MAX};
    for (unsigned field = 3; field <= 5; field += 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            model m = sound_model(field);
            put_32(m.bytes + m.map_at, sizes[i]);
            assert_refused(&m);
        }
}

static void units_that_lead_out_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t unit;
        uint32_t value;
    } broken[] = {
        {0, 1u << 10 << 8},            /* children from 256 on */
        {0, 1u << 9 | 1u << 10},       /* the same, in the other scale */
        {0, 0xffffffff},               /* the root is never a leaf */
        {200, 0x7fffffff},             /* far away */
        {5, 1u << 31 | N_STRINGS},     /* a replacement after the last */
        {5, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        model m = sound_model(3);
        put_32(m.bytes + m.map_at + 4 + 4 * broken[i].unit, broken[i].value);
        assert_refused(&m);
    }
}

static void strings_must_end(void **state)
{
    (void)state;
    model m = sound_model(3);
    m.bytes[m.n - 1] = 'x';
    assert_refused(&m);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    model m = sound_model(3);
    for (size_t n = 0; n < m.n; n++)
        if (n != 5) /* the piece alone is a whole message */
            assert_non_null(model_check(m.bytes, n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_tables_pass),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(units_that_lead_out_are_refused),
        cmocka_unit_test(strings_must_end),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
