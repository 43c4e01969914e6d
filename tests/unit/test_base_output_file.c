/* Goal: an output file is there whole or not at all, and an older one of its
 * name survives every failure. Method: look into the folder before commit,
 * after it, and after a failure; full disks, read-only folders, links. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/output_file.h"
#include "file_bytes.h"

#ifdef NO_LINKAT /* linked with --wrap=linkat: no file gets a name later on */
int __wrap_linkat(int from, const char *old, int to, const char *new, int how);
int __wrap_linkat(int from, const char *old, int to, const char *new, int how)
{
    (void)from, (void)old, (void)to, (void)new, (void)how;
    errno = ENOENT;
    return -1;
}
#endif

/* Files in the folder of this test. */
static size_t count_files(void)
{
    size_t n = 0;
    DIR *list = opendir(test_path(""));
    assert_non_null(list);
    for (struct dirent *e; (e = readdir(list)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(list);
    return n;
}

static void expect_text(const char *path, const char *text)
{
    file_bytes b = bytes_load(path);
    assert_int_equal(b.n, strlen(text));
    if (b.n)
        assert_memory_equal(b.data, text, b.n);
    bytes_release(&b);
}

static void save_text(const char *path, const char *text)
{
    file_bytes b = {0};
    bytes_put_text(&b, text);
    bytes_save(&b, path);
    bytes_release(&b);
}

static void write_text(const char *path, const char *text)
{
    output_file *f = NULL;
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_OK);
    assert_int_equal(output_file_write(f, text, strlen(text), NULL), MOSHI_OK);
    assert_int_equal(output_file_commit(f, NULL), MOSHI_OK);
    output_file_close(&f);
    assert_null(f);
    output_file_close(&f); /* nothing to close is no fault */
}

static void new_file(void **state)
{
    (void)state;
    const char *path = test_path("new");
    output_file *f = NULL;
    size_t before = count_files();
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_OK);
    assert_int_equal(output_file_write(f, "half", 4, NULL), MOSHI_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    output_file_close(&f); /* given up */
    assert_int_equal(count_files(), before);
    write_text(path, "");
    expect_text(path, "");
    write_text(path, "whole");
    expect_text(path, "whole");
    assert_int_equal(count_files(), before + 1);
}

static void replaced_file(void **state)
{
    (void)state;
    const char *path = test_path("replaced");
    output_file *f = NULL;
    save_text(path, "the old text");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_OK);
    assert_int_equal(output_file_write(f, "new", 3, NULL), MOSHI_OK);
    expect_text(path, "the old text"); /* until the very end */
    output_file_close(&f);
    expect_text(path, "the old text");
    write_text(path, "new");
    expect_text(path, "new");
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void permissions_of_a_new_file(void **state)
{
    (void)state;
    const char *path = test_path("permissions");
    mode_t old = umask(027);
    write_text(path, "x");
    umask(old);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void expect_refusal(const char *path)
{
    output_file *f = NULL;
    moshi_error err = {0};
    assert_int_equal(output_file_open(&f, path, &err), MOSHI_IO);
    assert_null(f);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_IO);
}

static void refused_places(void **state)
{
    (void)state;
    const char *folder = test_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    expect_refusal(folder);
    expect_refusal(test_path("nowhere/file"));
    save_text(test_path("plain"), "x");
    expect_refusal(test_path("plain/file"));
    expect_refusal("");
}

/* Somebody protected it; its folder would let it be replaced. */
static void protected_file(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    output_file *f = NULL;
    moshi_error err = {0};
    save_text(test_path("protected"), "the old text");
    assert_int_equal(chmod(test_path("protected"), 0444), 0);
    assert_int_equal(chmod(test_path(""), 0777), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    moshi_status status = output_file_open(&f, test_path("protected"), &err);
    output_file_close(&f);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(test_path(""), 0700), 0);
    assert_int_equal(status, MOSHI_IO);
    assert_non_null(strstr(err.message, strerror(EACCES)));
    expect_text(test_path("protected"), "the old text");
}

/* The file behind a link is replaced, and the link stays. */
static void links(void **state)
{
    (void)state;
    char folder[512], file[600];
    struct stat info;
    snprintf(folder, sizeof folder, "%s", test_path("another disk"));
    snprintf(file, sizeof file, "%s/file", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    save_text(file, "the old text");
    assert_int_equal(symlink("another disk/file", test_path("link")), 0);
    write_text(test_path("link"), "new");
    expect_text(file, "new");
    assert_int_equal(lstat(test_path("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(unlink(file), 0);
    write_text(test_path("link"), "to nothing");
    expect_text(test_path("link"), "to nothing");
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(rmdir(folder), 0);
}

/* A process that is killed in the middle leaves nothing behind, where files
 * without a name can be had. */
static void killed_in_the_middle(void **state)
{
    (void)state;
    const char *path = test_path("killed");
    size_t before = count_files();
#ifdef NO_LINKAT
    print_message("skipped: files have names here, from the start\n");
    skip();
#endif
    int nameless = open(test_path(""), O_TMPFILE | O_RDWR, 0600);
    if (nameless < 0) {
        print_message("skipped: this file system has no files without a "
                      "name\n");
        skip();
    }
    close(nameless);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        output_file *f = NULL;
        if (output_file_open(&f, path, NULL) == MOSHI_OK &&
            output_file_write(f, "half", 4, NULL) == MOSHI_OK)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(count_files(), before);
}

/* Names that others took: the file still gets one, and theirs stay. */
static void taken_names(void **state)
{
    (void)state;
    char taken[512];
    for (int i = 0; i < 3; i++) {
        snprintf(taken, sizeof taken, "%s.%d-%d", test_path("taken"),
                 (int)getpid(), i);
        save_text(taken, "another's");
    }
    size_t before = count_files();
    write_text(test_path("taken"), "whole");
    assert_int_equal(count_files(), before + 1);
    expect_text(taken, "another's");
}

/* No disk has eight exabytes. What is said must name both sizes. */
static void too_large_for_the_disk(void **state)
{
    (void)state;
    moshi_error err = {0};
    output_file *f = NULL;
    struct rlimit old, low = {.rlim_cur = 3000000};
    assert_int_equal(output_file_open(&f, test_path("large"), NULL), MOSHI_OK);
    assert_int_equal(output_file_expect(f, 1000, &err), MOSHI_OK);
    assert_int_equal(output_file_expect(f, INT64_MAX, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "its disk has"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    low.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    assert_int_equal(output_file_expect(f, 3000000, &err), MOSHI_OK);
    assert_int_equal(output_file_expect(f, 3000001, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "files here may have 3.00 MB"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    output_file_close(&f);
    assert_int_equal(output_file_open(&f, "/dev/null", NULL), MOSHI_OK);
    assert_int_equal(output_file_expect(f, INT64_MAX, &err), MOSHI_OK);
    output_file_close(&f);
}

/* Root may write everywhere, so the test steps down where it can. */
static void read_only_folder(void **state)
{
    (void)state;
    bool root = geteuid() == 0;
    const char *folder = test_path("");
    save_text(test_path("kept"), "the old text");
    assert_int_equal(chmod(folder, 0555), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    bool writable = access(folder, W_OK) == 0;
    output_file *f = NULL;
    moshi_error err = {0};
    moshi_status status = output_file_open(&f, test_path("kept"), &err);
    output_file_close(&f);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(test_path(""), 0700), 0);
    expect_text(test_path("kept"), "the old text");
    if (writable && !root)
        skip(); /* somebody whom permissions do not bind */
    assert_int_equal(status, MOSHI_IO);
    assert_non_null(strstr(err.message, "kept"));
}

/* /dev/full takes a file's place, and answers each write "no space left". */
static void full_disk(void **state)
{
    (void)state;
    output_file *f = NULL;
    moshi_error err = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    const char *link = test_path("link to a full disk");
    assert_int_equal(symlink("/dev/full", link), 0);
    assert_int_equal(output_file_open(&f, link, NULL), MOSHI_OK);
    assert_int_equal(output_file_write(f, "text", 4, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, link));
    assert_non_null(strstr(err.message, strerror(ENOSPC)));
    output_file_close(&f);
    struct stat info;
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

/* Pieces of 7 bytes: the file has just the whole ones before it is committed,
 * and then everything. */
static void gathered_pieces(void **state)
{
    (void)state;
    const char *path = test_path("gathered"), *text = "0123456789abcdefghij";
    output_file *f = NULL;
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_OK);
    assert_int_equal(output_file_gather(f, 7, NULL), MOSHI_OK);
    const size_t ends[] = {0, 1, 6, 7, 8, 20};
    for (size_t i = 1; i < sizeof ends / sizeof *ends; i++) {
        assert_int_equal(output_file_write(f, text + ends[i - 1],
                                           ends[i] - ends[i - 1], NULL),
                         MOSHI_OK);
        struct stat info;
        assert_int_equal(fstat(output_file_descriptor(f), &info), 0);
        assert_int_equal(info.st_size, ends[i] / 7 * 7);
    }
    assert_int_equal(output_file_commit(f, NULL), MOSHI_OK);
    output_file_close(&f);
    expect_text(path, text);
}

/* What is still held when the file is committed meets a full disk there. */
static void gathered_full_disk(void **state)
{
    (void)state;
    output_file *f = NULL;
    moshi_error err = {0};
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(output_file_open(&f, "/dev/full", NULL), MOSHI_OK);
    assert_int_equal(output_file_gather(f, 64, NULL), MOSHI_OK);
    assert_int_equal(output_file_write(f, "held", 4, NULL), MOSHI_OK);
    assert_int_equal(output_file_commit(f, &err), MOSHI_IO);
    assert_non_null(strstr(err.message, "/dev/full"));
    output_file_close(&f);
}

static void special_files(void **state)
{
    (void)state;
    size_t before = count_files();
    write_text("/dev/null", "text");
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode)); /* written to, not replaced */
    assert_int_equal(count_files(), before);
}

/* The descriptor is the file: libraries that write themselves use it. */
static void descriptor(void **state)
{
    (void)state;
    const char *path = test_path("descriptor");
    output_file *f = NULL;
    assert_int_equal(output_file_open(&f, path, NULL), MOSHI_OK);
    assert_int_equal(write(output_file_descriptor(f), "direct", 6), 6);
    assert_int_equal(output_file_commit(f, NULL), MOSHI_OK);
    output_file_close(&f);
    expect_text(path, "direct");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_file),       cmocka_unit_test(replaced_file),
        cmocka_unit_test(permissions_of_a_new_file),
        cmocka_unit_test(refused_places), cmocka_unit_test(read_only_folder),
        cmocka_unit_test(full_disk),      cmocka_unit_test(special_files),
        cmocka_unit_test(gathered_pieces),
        cmocka_unit_test(gathered_full_disk),
        cmocka_unit_test(descriptor),
        cmocka_unit_test(protected_file),
        cmocka_unit_test(killed_in_the_middle),
        cmocka_unit_test(taken_names),
        cmocka_unit_test(links),
        cmocka_unit_test(too_large_for_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
