/* Real speech. Goal: recordings that no synthesiser made are read, resampled
 * and known as speech, also when they are quieter or noisy; too quiet is said.
 * Method: the example that ships with the program (synthetic), and the
 * recordings of the folder that MOSHI_SHARED names; without them the program
 * counts as skipped. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audio/source_file.h"
#include "audio/speech_level.h"
#include "audio_files.h"
#include "base/memory.h"

#define RATE_HZ 24000

static char paths[32][1024];
static size_t n_paths;

static void find_recordings(void)
{
    char folder[600];
    const char *shared = getenv("MOSHI_SHARED");
    snprintf(folder, sizeof folder, "%s/audio", shared ? shared : "");
    DIR *dir = shared ? opendir(folder) : NULL;
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir)) && n_paths < 32;) {
        const char *dot = strrchr(e->d_name, '.');
        if (dot && strcmp(dot, ".wav") == 0)
            snprintf(paths[n_paths++], sizeof paths[0], "%s/%s", folder,
                     e->d_name);
    }
    closedir(dir);
}

static float *load(const char *path, size_t *n)
{
    float *x = NULL;
    moshi_error err = {0};
    if (source_file_load(path, RATE_HZ, &x, n, &err) != MOSHI_OK)
        fail_msg("%s", err.message);
    return x;
}

/* (x + noise) * gain, judged. noise_db is relative to the loudest tenth. */
static speech_level judge(const float *x, size_t n, double gain_db,
                          double noise_db)
{
    speech_level plain = speech_level_measure(x, n, RATE_HZ);
    float *changed = audio_noise(n, audio_gain(plain.active_dbfs + noise_db));
    for (size_t i = 0; i < n; i++)
        changed[i] = (x[i] + changed[i]) * (float)audio_gain(gain_db);
    speech_level l = speech_level_measure(changed, n, RATE_HZ);
    free(changed);
    return l;
}

static void judge_file(const char *path)
{
    static const double cases[][2] = {
        {0, -200}, {-10, -200}, {-20, -200}, {0, -30}, {-10, -20}, {-6, -10}};
    size_t n;
    float *x = load(path, &n);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        speech_level l = judge(x, n, cases[k][0], cases[k][1]);
        if (!l.speech_likely)
            fail_msg("%s, gain %g dB, noise %g dB: %s", path, cases[k][0],
                     cases[k][1], l.reason);
    }
    double active = judge(x, n, 0, -200).active_dbfs;
    speech_level quiet = judge(x, n, -50 - active, -200);
    assert_false(quiet.speech_likely);
    assert_non_null(strstr(quiet.reason, "too quiet"));
    memory_free(x);
}

static void example_is_speech(void **state)
{
    (void)state;
    char path[1024];
    const char *folder = getenv("MOSHI_FIXTURES");
    snprintf(path, sizeof path, "%s/../../examples/hello.wav",
             folder ? folder : "tests/fixtures");
    judge_file(path);
}

static void recordings_are_speech(void **state)
{
    (void)state;
    if (n_paths == 0)
        skip();
    for (size_t i = 0; i < n_paths; i++)
        judge_file(paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_is_speech),
        cmocka_unit_test(recordings_are_speech),
    };
    find_recordings();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0 && n_paths == 0) {
        fprintf(stderr, "skipped: MOSHI_SHARED names no folder with "
                        "audio/*.wav\n");
        return 77;
    }
    return failed;
}
