/* stub.c: a build without Vulkan. */
#include "vulkan/backend.h"

#include "base/error.h"

static moshi_status lacking(moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    error_set(err, MOSHI_LACKING, "this build has no Vulkan");
    return error_hint(err, "build where libvulkan-dev and glslang-tools are "
                           "installed, or use --device cpu");
}

moshi_status vulkan_devices(vulkan_device **list, size_t *n, moshi_error *err)
{
    (void)list;
    (void)n;
    return lacking(err);
}

moshi_status vulkan_backend_open(backend **out, int index, moshi_error *err)
{
    (void)out;
    (void)index;
    return lacking(err);
}

bool vulkan_backend_is(const backend *self)
{
    (void)self;
    return false;
}

const char *vulkan_backend_device(const backend *self)
{
    (void)self;
    return "";
}

uint64_t vulkan_backend_free_bytes(const backend *self)
{
    (void)self;
    return 0;
}

size_t vulkan_tensor_bytes(const plan_tensor *t)
{
    return t->bytes;
}

double vulkan_backend_copy_rate(backend *self)
{
    (void)self;
    return 0;
}

int vulkan_backend_complaints(const backend *self, const char **first)
{
    (void)self;
    if (first)
        *first = "";
    return -1;
}
