/* audio_files.c: sounds and sound files for the tests of src/audio. */
#include "audio_files.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sndfile.h>

static char folder[256];

static void remove_folder(void)
{
    char path[1024];
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

const char *audio_path(const char *name)
{
    static char paths[8][512];
    static int turn;
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/moshi-audio-XXXXXX",
                 base ? base : "/tmp");
        assert_non_null(mkdtemp(folder));
        atexit(remove_folder);
    }
    turn = (turn + 1) % 8;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

bool audio_write(const char *path, int format, int rate_hz, int channels,
                 const float *samples, size_t frames)
{
    SF_INFO info = {
        .samplerate = rate_hz, .channels = channels, .format = format};
    if (!sf_format_check(&info))
        return false;
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    if (!file)
        return false;
    sf_count_t n = sf_writef_float(file, samples, (sf_count_t)frames);
    assert_int_equal(n, frames);
    assert_int_equal(sf_close(file), 0);
    return true;
}

void audio_write_bytes(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

unsigned char *audio_read_bytes(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *n = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*n + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *n, file), *n);
    fclose(file);
    return data;
}

float *audio_sine(size_t n, int rate_hz, double hz, double amplitude)
{
    float *out = malloc((n + 1) * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++)
        out[i] = (float)(amplitude *
                         sin(2 * PI * hz * (double)i / (double)rate_hz));
    return out;
}

float *audio_noise(size_t n, double rms)
{
    uint64_t state = 1;
    float *out = malloc((n + 1) * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        double sum = 0; /* of twelve uniform numbers: variance 1, mean 6 */
        for (int k = 0; k < 12; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(state >> 11) * 0x1p-53;
        }
        out[i] = (float)(rms * (sum - 6));
    }
    return out;
}

double audio_gain(double db)
{
    return pow(10, db / 20);
}
