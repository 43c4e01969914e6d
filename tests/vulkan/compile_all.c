/* compile_all.c: give every shader to the driver, as the backend would.
 *
 * Goal: a driver of a real GPU takes all of them. Method: a pipeline of each,
 * of products in the shapes that ops_linear.c asks for; nothing is run, so that
 * a driver without its device will do (test_amd.sh). Says on stderr which comes
 * next, where the driver's own numbers go too. Exits 77 without a device. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "vulkan/pipelines.h"
#include "vulkan/shaders.h"

/* team.glsl: COLUMNS, ROWS, WIDE. */
#define SHAPE(columns, rows, wide) \
    ((columns##u) | (rows##u) << 8 | (wide##u) << 16)

static bool offered(const vk_features *f, const char *name)
{
    return (f->subgroups || !strstr(name, "_subgroup")) &&
           (f->dot || !strstr(name, "_dot")) &&
           ((f->storage16 && f->storage8) || !strstr(name, "_narrow"));
}

static int compile(vk_context *ctx, vk_pipelines *p, const char *name,
                   uint32_t constant)
{
    moshi_error err = {0};
    VkPipeline unused;
    fprintf(stderr, "shader %s %#x\n", name, constant);
    if (vk_pipeline_get(ctx, p, name, constant, &unused, &err) == MOSHI_OK)
        return 0;
    fprintf(stderr, "FAILED: %s\n", err.message);
    return 1;
}

static int compile_all(vk_context *ctx, vk_pipelines *p)
{
    static const uint32_t shapes[] = {
        SHAPE(1, 1, 1), SHAPE(1, 2, 1), SHAPE(1, 4, 1), SHAPE(2, 4, 1),
        SHAPE(4, 4, 1), SHAPE(8, 2, 1), SHAPE(8, 4, 1), SHAPE(8, 2, 0)};
    int failed = 0;
    for (size_t i = 0; i < vk_shaders_count; i++) {
        const char *name = vk_shaders[i].name;
        bool product = strncmp(name, "linear_", 7) == 0;
        bool two = strncmp(name, "linear_q8_0_q8_0", 16) == 0 &&
                   !strstr(name, "_dot"); /* rows at most */
        if (!offered(&ctx->info.features, name))
            continue;
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
            if (!product && k == 0)
                failed |= compile(ctx, p, name, 0);
            else if (product && !(two && (shapes[k] >> 8 & 255u) > 2))
                failed |= compile(ctx, p, name, shapes[k]);
    }
    return failed;
}

int main(void)
{
    moshi_error err = {0};
    vk_context *ctx = NULL;
    vk_pipelines pipelines;
    if (vk_context_open(&ctx, -1, &err) != MOSHI_OK) {
        fprintf(stderr, "SKIPPED: %s\n", err.message);
        return 77;
    }
    printf("%s\n", ctx->info.name);
    vk_lock(ctx);
    int failed = vk_pipelines_open(ctx, &pipelines, &err) != MOSHI_OK;
    if (!failed)
        failed = compile_all(ctx, &pipelines);
    vk_pipelines_close(ctx, &pipelines);
    vk_unlock(ctx);
    vk_context_close(&ctx);
    return failed;
}
