/* config_load.h: put a language model's config together and check it. */
#ifndef MOSHI_LM_CONFIG_LOAD_H
#define MOSHI_LM_CONFIG_LOAD_H

#include "lm/config.h"
#include "lm/layout.h"

/* What the tensors tell: every field that shapes decide, marked
 * LM_FROM_SHAPES. Errors: MOSHI_MISMATCH. */
moshi_status lm_config_from_shapes(lm_config *out, const checkpoint *file,
                                   lm_layout layout, moshi_error *err);

/* What a document says: official config.json keys, or candle's TOML keys
 * (recognised by text_in_vocab_size). Only fields that are given are marked
 * LM_FROM_CONFIG. path is for messages. */
moshi_status lm_config_from_document(lm_config *out, const value *document,
                                     const char *path, moshi_error *err);

/* The name under which the document has a field ("text_in_vocab_size"). */
const char *lm_config_document_key(lm_field field, bool toml);
bool lm_config_document_is_toml(const value *document);

/* Shapes, document (or NULL) and the table of known models merged; every
 * disagreement and every value that nobody tells is an error.
 * acoustic_delay: the caller's choice, or -1; it stands for delays that
 * nobody else tells (candle's TOML has none), and overrides nothing. */
moshi_status lm_config_load(lm_config *out, const checkpoint *file,
                            lm_layout layout, const value *document,
                            const char *document_path, int acoustic_delay,
                            moshi_error *err);

#endif
