/* fuzz_protocol.c: bytes from a socket -> a message; and, as text, a query, an
 * origin beside a host, the address of a server. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/entry.h"
#include "serve/origin.h"
#include "serve/protocol.h"
#include "serve/query.h"
#include "serve/url.h"

static void as_message(const uint8_t *block, size_t n)
{
    protocol_message m = protocol_read(block, n);
    if (m.bytes > n || (n > 0 && m.payload + m.bytes != block + n))
        abort(); /* a payload that is not the end of the message */
    if ((m.type == PROTOCOL_OTHER) != (n == 0 || block[0] > 10))
        abort();
    volatile unsigned char sum = 0;
    for (size_t i = 0; i < m.bytes; i++)
        sum = (unsigned char)(sum + m.payload[i]);
}

static void as_request(const char *text, const char *host)
{
    entry_rules rules = {.origins = {.loopback = text[0] & 1},
                         .token = text[0] & 2 ? "secret" : NULL};
    web_request q = {.path = "/api/chat",
                     .query = text,
                     .host = host,
                     .origin = text[0] & 4 ? text : "",
                     .authorization = text[0] & 8 ? text : "",
                     .get = true};
    entry_verdict v = entry_judge(&rules, &q);
    if (v.status != 0 && v.status != 400 && v.status != 401 && v.status != 403)
        abort();
    if ((v.status == 0) != (v.text[0] == 0))
        abort(); /* who is refused is told why */
}

static void as_text(const char *text)
{
    query q;
    url u;
    moshi_error err = {0};
    origin_rules rules = {.loopback = text[0] & 1};
    const char *host = strchr(text, ' ');
    moshi_status status = query_parse(&q, text, &err);
    if (status != MOSHI_OK && err.status != status)
        abort(); /* an error that contradicts the status */
    if (status == MOSHI_OK && q.has_text_temperature &&
        !(q.text_temperature >= 0 && q.text_temperature <= 100))
        abort();
    origin_allowed(&rules, text, host ? host + 1 : "");
    as_request(text, host ? host + 1 : "");
    origin_token_matches("secret", text, text);
    if (url_parse(&u, text, 8998, &err) == MOSHI_OK &&
        (u.port < 1 || u.port > 65535 || !u.host[0] || !u.path[0]))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *block = malloc(n + 1); /* exact for text: shows overreads */
    uint8_t *message = calloc(n ? n : 1, 1);
    if (n) {
        memcpy(block, bytes, n);
        memcpy(message, bytes, n);
    }
    block[n] = 0;
    as_message(message, n);
    as_text(block);
    free(message);
    free(block);
    return 0;
}
