/* model_check.h: is a file a SentencePiece model that the library survives?
 *
 * SentencePiece trusts its model files: some damaged ones end the process, or
 * make it read beyond its tables. What it takes on trust is checked here
 * first. The format is the Protocol Buffers message ModelProto of
 * sentencepiece_model.proto. */
#ifndef MOSHI_TEXT_MODEL_CHECK_H
#define MOSHI_TEXT_MODEL_CHECK_H

#include <stddef.h>

/* NULL when the bytes may be given to the library; else a static phrase that
 * says what is wrong. */
const char *model_check(const unsigned char *data, size_t bytes);

#endif
