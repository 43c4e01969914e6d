/* protocol.c: read and write one message. */
#include "serve/protocol.h"

#include <string.h>

static uint32_t little_endian(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

protocol_message protocol_read(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    protocol_message m = {.type = PROTOCOL_OTHER};
    if (n == 0)
        return m;
    if (at[0] <= PROTOCOL_RATING)
        m.type = (protocol_type)at[0];
    m.payload = at + 1;
    m.bytes = n - 1;
    if (m.type == PROTOCOL_HANDSHAKE && m.bytes >= 8) {
        m.version = little_endian(m.payload);
        m.model_version = little_endian(m.payload + 4);
    }
    if (m.type == PROTOCOL_COLORED_TEXT && m.bytes > 0) {
        m.color = m.payload[0];
        m.payload++;
        m.bytes--;
    }
    return m;
}

const char *protocol_type_name(protocol_type type)
{
    switch (type) {
#define PROTOCOL_NAME(name, value, who) \
    case PROTOCOL_##name:               \
        return #name;
        PROTOCOL_TYPES(PROTOCOL_NAME)
#undef PROTOCOL_NAME
    case PROTOCOL_OTHER:
        break;
    }
    return "?";
}

void protocol_write_handshake(unsigned char out[PROTOCOL_HANDSHAKE_BYTES])
{
    memset(out, 0, PROTOCOL_HANDSHAKE_BYTES);
}

size_t protocol_write(unsigned char *out, protocol_type type,
                      const void *payload, size_t n)
{
    out[0] = (unsigned char)type;
    if (n > 0)
        memcpy(out + 1, payload, n);
    return 1 + n;
}
