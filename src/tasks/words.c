/* words.c: hold back what is not yet a whole character. */
#include "tasks/words.h"

#include <stdio.h>
#include <string.h>

#include "tasks/speech_to_speech.h"
#include "text/characters.h"
#include "text/tokenizer.h"

void words_init(words *w)
{
    *w = (words){.last = -1};
}

static size_t spell(const words *w, const moshi_model *model, int32_t token,
                    char *out, size_t room)
{
    size_t n = model->tokenizer
                   ? tokenizer_piece(model->tokenizer, w->last, token, out,
                                     room)
                   : (size_t)snprintf(out, room, "%s%d",
                                      w->last < 0 ? "" : " ", token);
    return n < room ? n : room - 1;
}

size_t words_hear(words *w, const moshi_model *model, int32_t token,
                  char out[WORDS_BYTES_MAX])
{
    out[0] = 0;
    if (!speech_to_speech_is_text(model, token))
        return 0;
    /* Room for the terminating 0 of a full buffer. */
    size_t n = w->n_pending + spell(w, model, token, w->pending + w->n_pending,
                                    sizeof w->pending - w->n_pending);
    size_t whole = characters_complete(w->pending, n);
    w->last = token;
    memcpy(out, w->pending, whole);
    out[whole] = 0;
    w->n_pending = n - whole;
    memmove(w->pending, w->pending + whole, w->n_pending);
    return whole;
}
