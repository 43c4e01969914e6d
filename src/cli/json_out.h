/* json_out.h: write one JSON value piece by piece, for --json.
 *
 * Text is escaped, and bytes that are not UTF-8 become U+FFFD; numbers keep
 * all their digits, and one that is not finite becomes null. Inside an object
 * every value has a key; inside an array and at the top the key is NULL. */
#ifndef MOSHI_CLI_JSON_OUT_H
#define MOSHI_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_OUT_DEPTH 16

typedef struct json_out {
    FILE *file; /* borrowed */
    int depth;
    char closer[JSON_OUT_DEPTH]; /* of each open object or array */
    bool filled[JSON_OUT_DEPTH]; /* it has a value already */
} json_out;

void json_out_init(json_out *j, FILE *file);

void json_out_object(json_out *j, const char *key); /* open … */
void json_out_array(json_out *j, const char *key);
void json_out_end(json_out *j); /* … and close; the last ends the line */

void json_out_text(json_out *j, const char *key, const char *text);
void json_out_integer(json_out *j, const char *key, int64_t value);
void json_out_real(json_out *j, const char *key, double value);
void json_out_bool(json_out *j, const char *key, bool value);
void json_out_null(json_out *j, const char *key);

#endif
