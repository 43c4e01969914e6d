/* entry.c: query, origin and token, in this order. */
#include "serve/entry.h"

#include <stdio.h>

#include "base/error.h"

static entry_verdict refuse(int status, metrics_counter why, const char *text)
{
    entry_verdict v = {.status = status, .why = why};
    snprintf(v.text, sizeof v.text, "%s\n", text);
    return v;
}

static entry_verdict judge_token(const entry_rules *r, const web_request *q,
                                 const char *in_query)
{
    if (origin_token_matches(r->token, q->authorization, in_query))
        return (entry_verdict){0};
    bool none = !q->authorization[0] && !in_query[0];
    return refuse(401, METRICS_REFUSED_TOKEN,
                  none ? "this server wants a token"
                       : "this is not the token that the server wants");
}

entry_verdict entry_judge_token(const entry_rules *r, const web_request *q)
{
    query wishes = {0};
    if (query_parse(&wishes, q->query, NULL) != MOSHI_OK)
        wishes.token[0] = 0;
    return judge_token(r, q, wishes.token);
}

entry_verdict entry_judge(const entry_rules *r, const web_request *q)
{
    query wishes;
    moshi_error err = {0};
    if (query_parse(&wishes, q->query, &err) != MOSHI_OK)
        return refuse(400, METRICS_REFUSED_REQUEST, err.message);
    if (!origin_allowed(&r->origins, q->origin, q->host))
        return refuse(403, METRICS_REFUSED_ORIGIN,
                      "pages from elsewhere may not talk to this server: "
                      "'moshi serve --origin' allows more");
    return judge_token(r, q, wishes.token);
}
