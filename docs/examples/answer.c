/* answer.c: let a model hear a raw recording and write down what it answers.
 *
 *     cc answer.c $(pkg-config --cflags --libs moshi) -o answer
 *     ./answer MODEL_FOLDER < question.f32 > answer.f32
 *
 * Standard input and output are mono float32 samples at 24 kHz; the words go
 * to standard error. */
#include <stdio.h>

#include <moshi/moshi.h>

static int fail(const moshi_error *error)
{
    fprintf(stderr, "%s\n%s\n", error->message, error->hint);
    return 1;
}

static moshi_status drain(moshi_stream *stream)
{
    float pcm[1920];
    char text[256];
    size_t got;
    moshi_status status;
    while (moshi_stream_pull_text(stream, text, sizeof text, &got) == MOSHI_OK)
        fwrite(text, 1, got, stderr);
    while ((status = moshi_stream_pull_pcm(stream, pcm, 1920, &got)) ==
           MOSHI_OK)
        fwrite(pcm, sizeof *pcm, got, stdout);
    return status;
}

int main(int argc, char **argv)
{
    moshi_model_params params = {.model = argc > 1 ? argv[1] : "."};
    moshi_error error = {0};
    moshi_model *model = NULL;
    moshi_stream *stream = NULL;
    float pcm[1920];
    size_t n, used;

    if (moshi_model_open(&model, &params, &error) != MOSHI_OK ||
        moshi_stream_open(&stream, model, NULL, &error) != MOSHI_OK)
        return fail(&error);
    while ((n = fread(pcm, sizeof *pcm, 1920, stdin)) > 0)
        for (size_t at = 0; at < n; at += used) {
            if (moshi_stream_push(stream, pcm + at, n - at, &used) ==
                MOSHI_ARGUMENT)
                used++; /* not a number: leave that sample out */
            drain(stream);
        }
    moshi_stream_finish(stream);
    while (drain(stream) != MOSHI_FINISHED)
        ;
    moshi_stream_close(&stream);
    moshi_model_close(&model);
    return 0;
}
