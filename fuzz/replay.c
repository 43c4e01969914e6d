/* replay.c: stands in for libFuzzer's main: runs a target once on each file of
 * a folder (its corpus), so that every finding is tried by the normal tests.
 *
 * usage: fuzz_NAME FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int run_file(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    size_t n = (size_t)info.st_size;
    uint8_t *bytes = malloc(n ? n : 1);
    int failed = !bytes || fread(bytes, 1, n, file) != n;
    fclose(file);
    if (failed) {
        fprintf(stderr, "cannot read %s\n", path);
    } else {
        printf("%s\n", path); /* the last line names a crash */
        fflush(stdout);
        LLVMFuzzerTestOneInput(bytes, n);
    }
    free(bytes);
    return failed;
}

int main(int argc, char **argv)
{
    int files = 0, failed = 0;
    char path[1024];
    DIR *list = argc == 2 ? opendir(argv[1]) : NULL;
    if (!list) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *e; (e = readdir(list)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        failed |= run_file(path);
        files++;
    }
    closedir(list);
    printf("%d files\n", files);
    return failed || files == 0;
}
