/* protocol.h: the messages of /api/chat: bytes <-> meaning, nothing else.
 *
 * A message is its type, one byte, and a payload (docs/SERVING.md); one
 * WebSocket message holds one of them. No function here allocates or fails:
 * what is not understood is PROTOCOL_OTHER, which receivers pass over. */
#ifndef MOSHI_SERVE_PROTOCOL_H
#define MOSHI_SERVE_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

/* X(NAME, value, who sends it) */
#define PROTOCOL_TYPES(X)                                         \
    X(HANDSHAKE, 0, "server, once, when the conversation begins") \
    X(AUDIO, 1, "both: bytes of an Ogg/Opus stream")              \
    X(TEXT, 2, "server: UTF-8 to append")                         \
    X(CONTROL, 3, "client: one byte; ignored")                    \
    X(METADATA, 4, "server, once: a JSON object")                 \
    X(ERROR, 5, "server: UTF-8; the connection ends")             \
    X(PING, 6, "server, when it has nothing else to say")         \
    X(COLORED_TEXT, 7, "MoshiVis: a colour byte, then text")      \
    X(IMAGE, 8, "MoshiVis client")                                \
    X(CODES, 9, "Mimi rooms")                                     \
    X(RATING, 10, "MoshiVis client")

typedef enum protocol_type {
#define PROTOCOL_ENUM(name, value, who) PROTOCOL_##name = value,
    PROTOCOL_TYPES(PROTOCOL_ENUM)
#undef PROTOCOL_ENUM
    PROTOCOL_OTHER = 256, /* an unknown type, or a message without a byte */
} protocol_type;

/* What a control message asks for. */
typedef enum protocol_control {
    PROTOCOL_START,
    PROTOCOL_END_TURN,
    PROTOCOL_PAUSE,
    PROTOCOL_RESTART
} protocol_control;

typedef struct protocol_message {
    protocol_type type;
    const unsigned char *payload; /* borrowed from the bytes */
    size_t bytes;
    int color;             /* of COLORED_TEXT, whose payload begins after it */
    uint32_t version, model_version; /* of HANDSHAKE; 0 when it says none */
} protocol_message;

protocol_message protocol_read(const void *bytes, size_t n);

/* A message's name, for logs: "AUDIO", or "?". */
const char *protocol_type_name(protocol_type type);

#define PROTOCOL_HANDSHAKE_BYTES 9

/* Type, protocol version 0, model version 0, both little-endian. */
void protocol_write_handshake(unsigned char out[PROTOCOL_HANDSHAKE_BYTES]);

/* Type and payload; out has room for 1 + n bytes. Returns 1 + n. */
size_t protocol_write(unsigned char *out, protocol_type type,
                      const void *payload, size_t n);

#endif
