/* codec_open.c: find the codec's files, open them and a backend. */
#include "cli/codec_open.h"

#include "base/memory.h"
#include "cli/model_args.h"
#include "tasks/codec_weights.h"
#include "tasks/device.h"

moshi_status codec_open(const options *o, backend **be, mimi_model **codec,
                        moshi_error *err)
{
    char *mimi = NULL, *config = NULL;
    const char *device;
    int threads;
    moshi_status status = device_args(o, &device, &threads, err);
    if (status == MOSHI_OK)
        status = codec_args(o, &mimi, &config, err);
    if (status == MOSHI_OK)
        status = device_open(be, device, threads, CPU_LEVEL_COUNT, NULL, err);
    if (status == MOSHI_OK) {
        mimi_model_params p = {.path = mimi, .config_path = config};
        status = codec_weights_set(&p, *be, options_text(o, "codec-weights"),
                                   err);
        if (status == MOSHI_OK)
            status = mimi_model_open(codec, &p, err);
    }
    memory_free(mimi);
    memory_free(config);
    return status;
}
