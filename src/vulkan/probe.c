/* probe.c: try the driver in a child process. */
#include "vulkan/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "vulkan/memory.h"

#define SECONDS 60 /* more than any driver takes */

/* The thread sanitizer does not let a child of threads have threads. */
#if defined(__SANITIZE_THREAD__)
#define CANNOT_FORK 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CANNOT_FORK 1
#endif
#endif
#ifndef CANNOT_FORK
#define CANNOT_FORK 0
#endif

static void try_device(int index)
{
    vk_context *ctx = NULL;
    vk_transfer t = {0};
    uint32_t word = 7;
    if (vk_context_open(&ctx, index, NULL) != MOSHI_OK)
        return;
    if (vk_transfer_open(ctx, &t, NULL) == MOSHI_OK) {
        vk_write(ctx, &t, &t.readback, 0, &word, sizeof word);
        vk_read(ctx, &t, &t.readback, 0, &word, sizeof word);
    }
    vk_transfer_close(ctx, &t);
    vk_context_close(&ctx);
}

static void try_list(void)
{
    vk_device_info *all = NULL;
    size_t n;
    if (vk_list_devices(&all, &n, NULL) == MOSHI_OK)
        memory_free(all);
}

static moshi_status judge(int status, moshi_error *err)
{
    if (!WIFSIGNALED(status))
        return MOSHI_OK;
    if (WTERMSIG(status) == SIGALRM)
        error_set(err, MOSHI_LACKING, "a Vulkan driver did not start within "
                  "%d s", SECONDS);
    else
        error_set(err, MOSHI_LACKING, "a Vulkan driver crashed when it was "
                  "started (%s)", strsignal(WTERMSIG(status)));
    return error_hint(err, "update the driver of the GPU, or use --device "
                           "cpu");
}

moshi_status vk_probe(bool open, int index, moshi_error *err)
{
    moshi_error ignored; /* a hint needs one (error.h) */
    err = err ? err : &ignored;
    const char *wish = getenv("MOSHI_VULKAN_PROBE");
    if (CANNOT_FORK || (wish && strcmp(wish, "0") == 0))
        return MOSHI_OK;
    pid_t child = fork();
    if (child < 0) /* no room for one: then it must go without */
        return MOSHI_OK;
    if (child == 0) {
        alarm(SECONDS);
        unsetenv("MOSHI_VULKAN_VALIDATE");
        if (open)
            try_device(index);
        else
            try_list();
        _exit(0); /* the child ends */
    }
    int status = 0;
    pid_t ended;
    do
        ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == child ? judge(status, err) : MOSHI_OK;
}
