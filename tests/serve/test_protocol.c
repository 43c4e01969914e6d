/* test_protocol.c: the messages of /api/chat, byte by byte.
 *
 * Goal: every message of the official servers and clients is read as what it
 * is, unknown ones are recognised as such, and ours have the published bytes.
 * Method: vectors, and each type cut at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/protocol.h"

/* protocol_read of an exact-size block, so that overreads show. */
static protocol_message read_exact(const void *bytes, size_t n, void **block)
{
    *block = malloc(n ? n : 1);
    if (n)
        memcpy(*block, bytes, n);
    return protocol_read(*block, n);
}

static void handshakes(void **state)
{
    /* Python servers, Rust servers, what the web client would encode. */
    static const unsigned char nine[] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const unsigned char versions[] = {0, 1, 2, 0, 0, 4, 3, 2, 1};
    static const size_t lengths[] = {1, 3, 9};
    unsigned char out[PROTOCOL_HANDSHAKE_BYTES];
    void *block;
    (void)state;
    protocol_write_handshake(out);
    assert_memory_equal(out, nine, sizeof nine);
    for (size_t i = 0; i < 3; i++) {
        protocol_message m = read_exact(nine, lengths[i], &block);
        assert_int_equal(m.type, PROTOCOL_HANDSHAKE);
        assert_int_equal(m.version, 0);
        free(block);
    }
    protocol_message m = read_exact(versions, sizeof versions, &block);
    assert_int_equal(m.version, 0x201);
    assert_int_equal(m.model_version, 0x01020304);
    free(block);
}

static void sound_and_text(void **state)
{
    static const unsigned char audio[] = {1, 'O', 'g', 'g', 'S'};
    static const unsigned char text[] = {2, ' ', 0xc3, 0xa9};
    static const unsigned char colored[] = {7, 10, 'h', 'i'};
    void *block;
    (void)state;
    protocol_message m = read_exact(audio, sizeof audio, &block);
    assert_int_equal(m.type, PROTOCOL_AUDIO);
    assert_int_equal(m.bytes, 4);
    assert_memory_equal(m.payload, "OggS", 4);
    free(block);
    m = read_exact(audio, 1, &block); /* client_gradio sends this */
    assert_int_equal(m.type, PROTOCOL_AUDIO);
    assert_int_equal(m.bytes, 0);
    free(block);
    m = read_exact(text, sizeof text, &block);
    assert_int_equal(m.type, PROTOCOL_TEXT);
    assert_int_equal(m.bytes, 3);
    free(block);
    m = read_exact(colored, sizeof colored, &block);
    assert_int_equal(m.type, PROTOCOL_COLORED_TEXT);
    assert_int_equal(m.color, 10);
    assert_int_equal(m.bytes, 2);
    assert_memory_equal(m.payload, "hi", 2);
    free(block);
    m = read_exact(colored, 1, &block); /* no colour, no text */
    assert_int_equal(m.type, PROTOCOL_COLORED_TEXT);
    assert_int_equal(m.bytes, 0);
    free(block);
}

static void every_type_at_every_length(void **state)
{
    unsigned char bytes[12];
    void *block;
    (void)state;
    for (int type = 0; type < 256; type++)
        for (size_t n = 0; n <= sizeof bytes; n++) {
            memset(bytes, 0xa5, sizeof bytes);
            bytes[0] = (unsigned char)type;
            protocol_message m = read_exact(bytes, n, &block);
            bool known = n > 0 && type <= 10;
            assert_int_equal(m.type,
                             known ? type : PROTOCOL_OTHER);
            if (n > 0)
                assert_true(m.payload + m.bytes ==
                            (unsigned char *)block + n);
            else
                assert_int_equal(m.bytes, 0);
            free(block);
        }
}

static void written(void **state)
{
    unsigned char out[8];
    (void)state;
    assert_int_equal(protocol_write(out, PROTOCOL_TEXT, "abc", 3), 4);
    assert_memory_equal(out, "\2abc", 4);
    assert_int_equal(protocol_write(out, PROTOCOL_PING, NULL, 0), 1);
    assert_memory_equal(out, "\6", 1);
    assert_string_equal(protocol_type_name(PROTOCOL_METADATA), "METADATA");
    assert_string_equal(protocol_type_name(PROTOCOL_OTHER), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes),
        cmocka_unit_test(sound_and_text),
        cmocka_unit_test(every_type_at_every_length),
        cmocka_unit_test(written),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
