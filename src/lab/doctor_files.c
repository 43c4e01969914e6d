/* doctor_files.c: are the files there, whole, and those that were published?
 *
 * Opening a checkpoint checks its magic, every name, shape and length; the
 * hash covers the rest, for a file that the table knows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "files/sha256.h"
#include "lab/doctor_work.h"
#include "lab/known_files.h"

bool doctor_beside(const doctor *d, const char *name, char *path, size_t room)
{
    const char *lm = d->files.lm, *base = doctor_base_name(lm);
    struct stat info;
    int n = snprintf(path, room, "%.*s%s", (int)(base - lm), lm, name);
    return n > 0 && (size_t)n < room && stat(path, &info) == 0;
}

static uint64_t bytes_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && info.st_size > 0 ? (uint64_t)info.st_size
                                                      : 0;
}

static void open_checkpoint(doctor *d, const char *name, const char *path,
                            checkpoint **out)
{
    moshi_error err = {0};
    char what[48];
    snprintf(what, sizeof what, "file: %s", name);
    doctor_finding f = {what, LAB_FILE, DOCTOR_OK,
                        "a safetensors or GGUF file in which every tensor "
                        "fits its place", "download the file again"};
    if (checkpoint_open(out, path, &err) == MOSHI_OK) {
        doctor_add(d, f, "%s: %s, %zu tensors, %zu bytes",
                   doctor_base_name(path),
                   checkpoint_kind(*out) == CHECKPOINT_GGUF ? "GGUF"
                                                            : "safetensors",
                   checkpoint_count(*out), checkpoint_file_bytes(*out));
        return;
    }
    f.status = DOCTOR_FAULT;
    doctor_add_error(d, f, &err);
}

/* What the hash (NULL: not taken) and the size say of a claim. */
static void compare(doctor *d, doctor_finding f, const char *path,
                    uint64_t bytes, const char *hash)
{
    const char *name = doctor_base_name(path);
    const known_file *claimed = known_files_claimed(name, bytes);
    const known_file *known = hash ? known_files_by_hash(hash) : NULL;
    char expected[192] = "the table of published files";
    if (claimed)
        snprintf(expected, sizeof expected, "%s of %s: %" PRIu64 " bytes, "
                 "SHA-256 %.64s", claimed->name, claimed->of, claimed->bytes,
                 claimed->sha256);
    f.expected = expected;
    f.advice = "download the file again; if it is meant to be another one, "
               "give it a name of its own";
    if (known) {
        doctor_add(d, f, "%s: whole, as published for %s (SHA-256 %.16s…)",
                   name, known->of, hash);
    } else if (claimed && claimed->bytes && claimed->bytes != bytes) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s has %" PRIu64 " bytes", name, bytes);
    } else if (claimed && hash) {
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s has SHA-256 %s", name, hash);
    } else {
        doctor_add(d, f, "%s: %" PRIu64 " bytes%s%.64s: %s", name, bytes,
                   hash ? ", SHA-256 " : "", hash ? hash : "",
                   claimed ? "the size is right"
                           : "not a published file that is known here");
    }
}

static void check_hash(doctor *d, const char *name, const char *path)
{
    moshi_error err = {0};
    char what[48], hash[SHA256_HEX_BYTES];
    uint64_t bytes = bytes_of(path);
    snprintf(what, sizeof what, "published: %s", name);
    doctor_finding f = {what, LAB_FILE, DOCTOR_OK, "", ""};
    if (d->params->quick) {
        compare(d, f, path, bytes, NULL);
        return;
    }
    if (bytes > (uint64_t)1 << 30)
        doctor_announce(d, "hashing %s, %.1f GB", doctor_base_name(path),
                        (double)bytes * 1e-9);
    moshi_status status = sha256_hex_of_file(path, hash, &err);
    if (status == MOSHI_OK) {
        compare(d, f, path, bytes, hash);
    } else if (status == MOSHI_LACKING) {
        f.status = DOCTOR_SKIPPED;
        doctor_add_error(d, f, &err);
    } else {
        f.status = DOCTOR_FAULT;
        doctor_add_error(d, f, &err);
    }
}

/* A config that cannot be parsed is damaged, but not a model file. */
static void open_config(doctor *d)
{
    moshi_error err = {0};
    doctor_finding f = {"config: file", LAB_CONFIG, DOCTOR_OK,
                        "JSON (official) or TOML (candle)",
                        "download the config again"};
    if (!d->files.config) {
        f.expected = "";
        doctor_add(d, f, "none: sizes come from the tensors, the rest from "
                   "the table of published models");
    } else if (value_open(&d->config, d->files.config, &err) != MOSHI_OK) {
        d->config_damaged = true;
        f.status = DOCTOR_FAULT;
        doctor_add_error(d, f, &err);
    } else if (value_type(d->config) != VALUE_OBJECT) {
        d->config_damaged = true;
        f.status = DOCTOR_FAULT;
        doctor_add(d, f, "%s holds no object",
                   doctor_base_name(d->files.config));
    } else {
        doctor_add(d, f, "%s: %zu keys", doctor_base_name(d->files.config),
                   value_count(d->config));
    }
}

void doctor_files_check(doctor *d)
{
    open_checkpoint(d, "language model", d->files.lm, &d->lm_file);
    if (d->lm_file)
        check_hash(d, "language model", d->files.lm);
    open_checkpoint(d, "codec", d->files.mimi, &d->mimi_file);
    if (d->mimi_file)
        check_hash(d, "codec", d->files.mimi);
    if (d->files.tokenizer)
        check_hash(d, "tokenizer", d->files.tokenizer);
    open_config(d);
}
