/* entry.h: who may come in, and what is said to who may not.
 *
 * Pure: a request in, a verdict out. The same verdict is given to a WebSocket
 * and to a plain GET of its address, because browsers do not tell a page why
 * they got no WebSocket, and the page then asks in that way. */
#ifndef MOSHI_SERVE_ENTRY_H
#define MOSHI_SERVE_ENTRY_H

#include <stdbool.h>

#include "serve/metrics.h"
#include "serve/origin.h"
#include "serve/query.h"
#include "serve/websocket.h"

#define ENTRY_TEXT_BYTES 400

typedef struct entry_rules {
    origin_rules origins;
    const char *token; /* NULL: nobody needs one */
} entry_rules;

typedef struct entry_verdict {
    int status;          /* of HTTP; 0: come in */
    metrics_counter why; /* what to count when not */
    char text[ENTRY_TEXT_BYTES]; /* a line for the reply */
} entry_verdict;

entry_verdict entry_judge(const entry_rules *r, const web_request *request);

/* The same for what only those may read who could also talk: 0 or 401. */
entry_verdict entry_judge_token(const entry_rules *r,
                                const web_request *request);

#endif
