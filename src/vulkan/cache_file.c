/* cache_file.c: find, check, read and write the file. */
#include "vulkan/cache_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/output_file.h"

/* Far more than our shaders come to. */
#define CACHE_BYTES_MAX ((long)64 << 20)
/* Vulkan's header: length, version, vendor, device, uuid. */
#define HEADER_BYTES ((size_t)16 + VK_UUID_SIZE)

static bool make_folder(char *path)
{
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            mkdir(path, 0700);
            *at = '/';
        }
    return mkdir(path, 0700) == 0 || access(path, 0) == 0;
}

static bool folder(char *out, size_t room)
{
    const char *own = getenv("MOSHI_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (own && *own)
        n = snprintf(out, room, "%s", own);
    else if (xdg && *xdg == '/')
        n = snprintf(out, room, "%s/moshi", xdg);
    else if (home && *home == '/')
        n = snprintf(out, room, "%s/.cache/moshi", home);
    return n > 0 && (size_t)n < room;
}

static bool path_of(const vk_device_info *info, char *out, size_t room)
{
    char dir[LIMIT_PATH_BYTES], uuid[2 * VK_UUID_SIZE + 1];
    for (uint32_t i = 0; i < VK_UUID_SIZE; i++)
        snprintf(uuid + 2 * i, 3, "%02x", info->uuid[i]);
    if (!folder(dir, sizeof dir))
        return false;
    int n = snprintf(out, room, "%s/vulkan-%04x-%04x-%s.bin", dir,
                     info->vendor, info->device, uuid);
    return n > 0 && (size_t)n < room;
}

/* Drivers check this too; not all of them did well. */
static bool fits(const vk_device_info *info, const unsigned char *data,
                 size_t bytes)
{
    uint32_t head[4];
    if (bytes < HEADER_BYTES)
        return false;
    memcpy(head, data, sizeof head);
    return head[0] >= HEADER_BYTES && head[0] <= bytes && head[1] == 1 &&
           head[2] == info->vendor && head[3] == info->device &&
           memcmp(data + 16, info->uuid, VK_UUID_SIZE) == 0;
}

void *vk_cache_read(const vk_device_info *info, size_t *bytes)
{
    char path[LIMIT_PATH_BYTES + 128];
    *bytes = 0;
    FILE *file = path_of(info, path, sizeof path) ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    unsigned char *data = NULL;
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size > 0 && size <= CACHE_BYTES_MAX && fseek(file, 0, SEEK_SET) == 0)
        data = memory_calloc(1, (size_t)size);
    if (data && fread(data, 1, (size_t)size, file) == (size_t)size &&
        fits(info, data, (size_t)size)) {
        *bytes = (size_t)size;
    } else {
        memory_free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

void vk_cache_write(const vk_device_info *info, const void *data,
                    size_t bytes)
{
    char path[LIMIT_PATH_BYTES + 128], dir[LIMIT_PATH_BYTES];
    output_file *file = NULL;
    if (!folder(dir, sizeof dir) || !make_folder(dir) ||
        !path_of(info, path, sizeof path) ||
        output_file_open(&file, path, NULL) != MOSHI_OK)
        return;
    if (output_file_write(file, data, bytes, NULL) == MOSHI_OK)
        output_file_commit(file, NULL);
    output_file_close(&file);
}
