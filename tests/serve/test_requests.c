/* test_requests.c: queries, origins, tokens, addresses.
 *
 * Goal: what a client asks for is read as the official server reads it, who
 * may not enter is turned away, and a server's address means what people mean
 * by it. Method: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/entry.h"
#include "serve/origin.h"
#include "serve/query.h"
#include "serve/text_buffer.h"
#include "serve/url.h"

static void official_query(void **state)
{
    query q;
    moshi_error err = {0};
    (void)state;
    /* What the official web page sends, and more that it may add. */
    assert_int_equal(
        query_parse(&q,
                    "text_temperature=0.7&text_topk=25&audio_temperature=0.8"
                    "&audio_topk=250&pad_mult=-1.5&text_seed=12"
                    "&audio_seed=18446744073709551615"
                    "&repetition_penalty_context=64&repetition_penalty=1"
                    "&max_steps=4500&worker_auth_id=x%2Fy&email=a%40b"
                    "&image_url=",
                    &err),
        0);
    assert_true(q.has_text_temperature && q.text_temperature == 0.7);
    assert_true(q.has_audio_temperature && q.audio_temperature == 0.8);
    assert_true(q.has_text_topk && q.text_topk == 25);
    assert_true(q.has_audio_topk && q.audio_topk == 250);
    assert_true(q.has_pad_mult && q.pad_mult == -1.5);
    assert_true(q.has_text_seed && q.text_seed == 12);
    assert_true(q.has_audio_seed && q.audio_seed == UINT64_MAX);
    assert_true(q.has_penalty && q.penalty == 1);
    assert_true(q.has_penalty_context && q.penalty_context == 64);
    assert_true(q.has_max_steps && q.max_steps == 4500);
    assert_string_equal(q.token, "");
    assert_int_equal(query_parse(&q, "", &err), 0);
    assert_false(q.has_text_seed);
    assert_int_equal(query_parse(&q, "token=a%20b+c&&=&x", &err), 0);
    assert_string_equal(q.token, "a b c");
}

static void bad_values(void **state)
{
    static const char *const bad[] = {
        "text_temperature=warm", "text_temperature=", "text_temperature",
        "text_temperature=nan", "text_temperature=1e999",
        "text_temperature=-1", "text_temperature=0x1", "text_topk=2.5",
        "text_topk=-1", "audio_topk=18446744073709551616", "text_seed=+1",
        "text_seed= 1", "max_steps=%31%", "max_steps=%zz", "max_steps=%00",
        "a=b&pad_mult=--", "repetition_penalty=0",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        query q = {.text_topk = 77};
        moshi_error err = {0};
        if (query_parse(&q, bad[i], &err) != MOSHI_ARGUMENT)
            fail_msg("'%s' was accepted", bad[i]);
        assert_true(err.message[0]);
        assert_int_equal(q.text_topk, 77); /* left alone */
    }
}

static void long_values(void **state)
{
    static char text[4096];
    query q;
    moshi_error err = {0};
    (void)state;
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(query_parse(&q, text, &err), 0); /* a key of nobody's */
    memcpy(text, "token=", 6);
    assert_int_equal(query_parse(&q, text, &err), MOSHI_ARGUMENT);
    text[6 + QUERY_TOKEN_BYTES - 1] = 0;
    assert_int_equal(query_parse(&q, text, &err), 0);
    assert_int_equal(strlen(q.token), QUERY_TOKEN_BYTES - 1);
}

static void origins(void **state)
{
    static const char *const allowed[] = {"https://example.org"};
    static const char *const all[] = {"*"};
    static const struct {
        bool loopback;
        const char *origin, *host;
        bool may;
    } cases[] = {
        {true, "", "localhost:8998", true}, /* a program, not a page */
        {true, "http://localhost:8998", "localhost:8998", true},
        {true, "http://127.0.0.1:8998", "127.0.0.1:8998", true},
        {true, "http://[::1]:8998", "[::1]:8998", true},
        {true, "http://localhost:80", "localhost:8998", false},
        {true, "http://evil.example", "localhost:8998", false},
        {true, "null", "localhost:8998", false},
        /* DNS rebinding: the name is the attacker's, the address is ours. */
        {true, "http://evil.example:8998", "evil.example:8998", false},
        {true, "http://127.0.0.1.evil.example", "127.0.0.1.evil.example",
         false},
        {true, "http://localhost.evil.example", "localhost.evil.example",
         false},
        {false, "https://moshi.example:8998", "moshi.example:8998", true},
        {false, "https://MOSHI.example", "moshi.example", true},
        {false, "https://other.example", "moshi.example", false},
        {false, "https://example.org", "moshi.example", true},
        {false, "http://example.org", "moshi.example", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        origin_rules r = {.loopback = cases[i].loopback,
                          .allowed = allowed,
                          .n_allowed = 1};
        if (origin_allowed(&r, cases[i].origin, cases[i].host) !=
            cases[i].may)
            fail_msg("'%s' to '%s'", cases[i].origin, cases[i].host);
        r.allowed = all;
        assert_true(origin_allowed(&r, cases[i].origin, cases[i].host));
    }
}

static void what_an_origin_is(void **state)
{
    static const char *const good[] = {"*", "https://example.org",
                                       "http://[::1]:8998", "http://a:80"};
    static const char *const bad[] = {"", "example.org", "https://",
                                      "://example.org", "https://a/",
                                      "https://a/b", "https://u@a",
                                      "https://a b"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(origin_is_one(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(origin_is_one(bad[i]));
}

static void tokens(void **state)
{
    (void)state;
    assert_true(origin_token_matches(NULL, "", ""));
    assert_true(origin_token_matches("s3cret", "", "s3cret"));
    assert_true(origin_token_matches("s3cret", "Bearer s3cret", ""));
    assert_true(origin_token_matches("s3cret", "bearer s3cret", "x"));
    assert_false(origin_token_matches("s3cret", "", ""));
    assert_false(origin_token_matches("s3cret", "s3cret", ""));
    assert_false(origin_token_matches("s3cret", "", "s3cre"));
    assert_false(origin_token_matches("s3cret", "", "s3crets"));
    assert_false(origin_token_matches("s3cret", "", "S3cret"));
    assert_false(origin_token_matches("aa", "", "a"));
}

static web_request asking(const char *wishes, const char *origin,
                          const char *authorization)
{
    return (web_request){.path = "/api/chat",
                         .query = wishes,
                         .host = "localhost:8998",
                         .origin = origin,
                         .authorization = authorization,
                         .get = true};
}

/* The first thing that is wrong is said; a wrong token is told from none. */
static void entries(void **state)
{
    static const struct {
        const char *query, *origin, *authorization;
        int status;
        const char *words;
    } cases[] = {
        {"token=s3cret", "", "", 0, ""},
        {"", "", "Bearer s3cret", 0, ""},
        {"token=s3cret", "http://localhost:8998", "", 0, ""},
        {"text_topk=x&token=s3cret", "", "", 400, "text_topk=x"},
        {"token=s3cret", "http://evil.example", "", 403, "elsewhere"},
        {"", "", "", 401, "wants a token"},
        {"token=guess", "", "", 401, "not the token"},
        {"", "", "Bearer guess", 401, "not the token"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        entry_rules r = {.origins = {.loopback = true}, .token = "s3cret"};
        web_request q = asking(cases[i].query, cases[i].origin,
                               cases[i].authorization);
        entry_verdict v = entry_judge(&r, &q);
        assert_int_equal(v.status, cases[i].status);
        assert_non_null(strstr(v.text, cases[i].words));
        /* What is read, not talked to, minds the token alone. */
        v = entry_judge_token(&r, &q);
        assert_int_equal(v.status, cases[i].status == 401 ||
                                   cases[i].status == 400 ? 401 : 0);
        r.token = NULL;
        v = entry_judge_token(&r, &q);
        assert_int_equal(v.status, 0);
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *text;
        bool tls;
        const char *host;
        int port;
        const char *path;
    } good[] = {
        {"localhost", false, "localhost", 8998, "/api/chat"},
        {"localhost:9000", false, "localhost", 9000, "/api/chat"},
        {"127.0.0.1:9000/", false, "127.0.0.1", 9000, "/api/chat"},
        {"moshi.example", true, "moshi.example", 8998, "/api/chat"},
        {"ws://h", false, "h", 80, "/api/chat"},
        {"wss://h/other?a=b#c", true, "h", 443, "/other?a=b"},
        {"http://h:1?x=1", false, "h", 1, "/api/chat?x=1"},
        {"HTTPS://h:65535", true, "h", 65535, "/api/chat"},
        {"ws://[::1]:8998", false, "::1", 8998, "/api/chat"},
        {"[::1]", false, "::1", 8998, "/api/chat"},
    };
    static const char *const bad[] = {
        "", "ws://", "ws://:80", "ws://h:", "ws://h:0", "ws://h:65536",
        "ws://h:8a", "ws://[::1", "ws://[]", "ws://[::1]x", "ws://h/a b",
        "ftp://h", "ws://h:123456",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        url u;
        moshi_error err = {0};
        if (url_parse(&u, good[i].text, 8998, &err) != 0)
            fail_msg("%s: %s", good[i].text, err.message);
        assert_int_equal(u.tls, good[i].tls);
        assert_string_equal(u.host, good[i].host);
        assert_int_equal(u.port, good[i].port);
        assert_string_equal(u.path, good[i].path);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        url u;
        moshi_error err = {0};
        if (url_parse(&u, bad[i], 8998, &err) != MOSHI_ARGUMENT)
            fail_msg("'%s' was accepted", bad[i]);
    }
}

static void parameters_of_addresses(void **state)
{
    url u;
    moshi_error err = {0};
    static char long_value[URL_PATH_BYTES];
    (void)state;
    assert_int_equal(url_parse(&u, "h", 1, &err), 0);
    assert_int_equal(url_add(&u, "a", "1.5", &err), 0);
    assert_int_equal(url_add(&u, "token", "x y&z\xc3\xa9", &err), 0);
    assert_string_equal(u.path, "/api/chat?a=1.5&token=x%20y%26z%C3%A9");
    memset(long_value, 'x', sizeof long_value - 1);
    assert_int_equal(url_add(&u, "b", long_value, &err), MOSHI_ARGUMENT);
}

static void json_text(void **state)
{
    text_buffer b = {0};
    (void)state;
    text_buffer_add_json(&b, "a\"b\\c\n\x01\xc3\xa9\xff");
    assert_string_equal(b.text, "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9?\"");
    text_buffer_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_query),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(long_values),
        cmocka_unit_test(origins),
        cmocka_unit_test(what_an_origin_is),
        cmocka_unit_test(tokens),
        cmocka_unit_test(entries),
        cmocka_unit_test(addresses),
        cmocka_unit_test(parameters_of_addresses),
        cmocka_unit_test(json_text),
    };
    return cmocka_run_group_tests_name("requests", tests, NULL, NULL);
}
