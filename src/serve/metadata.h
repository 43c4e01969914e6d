/* metadata.h: what a server tells about itself when a conversation begins:
 * the JSON object of message type 4.
 *
 * The official web client shows it only when every field that the official
 * server sends is there with its type, the ten strings of build_info among
 * them (docs/SERVING.md). */
#ifndef MOSHI_SERVE_METADATA_H
#define MOSHI_SERVE_METADATA_H

#include "plan/sampler.h"
#include "serve/query.h"
#include "serve/text_buffer.h"
#include "tasks/model.h"

void metadata_write(text_buffer *out, const moshi_model *model,
                    const sampler *sampling, const query *q,
                    const char *instance_name);

#endif
