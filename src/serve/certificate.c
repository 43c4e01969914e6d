/* certificate.c: an X.509 certificate, signed by itself (libcrypto). */
#include "serve/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/output_file.h"

#define DAY_SECONDS 86400L
#define VALID_DAYS 825
#define WEEK_DAYS 7
#define NAMES_BYTES 2048

bool certificate_usable(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    X509 *x = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    time_t soon = time(NULL) + WEEK_DAYS * DAY_SECONDS;
    bool usable = x && X509_cmp_time(X509_get0_notAfter(x), &soon) > 0;
    X509_free(x);
    return usable;
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    if (context && EVP_PKEY_keygen_init(context) > 0 &&
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context,
                                               NID_X9_62_prime256v1) > 0)
        EVP_PKEY_keygen(context, &key);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* "DNS:localhost,IP:127.0.0.1" */
static bool list_names(char out[NAMES_BYTES], const char *const *names,
                       size_t n)
{
    unsigned char address[16];
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool ip = inet_pton(AF_INET, names[i], address) == 1 ||
                  inet_pton(AF_INET6, names[i], address) == 1;
        int made = snprintf(out + at, NAMES_BYTES - at, "%s%s:%s",
                            i ? "," : "", ip ? "IP" : "DNS", names[i]);
        if (made < 0 || (size_t)made >= NAMES_BYTES - at)
            return false;
        at += (size_t)made;
    }
    return n > 0;
}

static bool extend(X509 *x, int nid, const char *text)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    bool ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool set_serial(X509 *x)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] &= 0x7f; /* a serial number is not negative */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    BN_free(number);
    return ok;
}

static X509 *sign_for(EVP_PKEY *key, const char *const *names, size_t n)
{
    char list[NAMES_BYTES];
    X509 *x = X509_new();
    if (!x || !list_names(list, names, n)) {
        X509_free(x);
        return NULL;
    }
    X509_NAME *subject = X509_get_subject_name(x);
    bool ok =
        X509_set_version(x, 2) && set_serial(x) &&
        X509_gmtime_adj(X509_getm_notBefore(x), -DAY_SECONDS) &&
        X509_gmtime_adj(X509_getm_notAfter(x),
                        (VALID_DAYS - 1) * DAY_SECONDS) &&
        X509_set_pubkey(x, key) &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)"moshi", -1, -1,
                                   0) &&
        X509_set_issuer_name(x, subject) &&
        extend(x, NID_subject_alt_name, list) &&
        extend(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        extend(x, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
        extend(x, NID_ext_key_usage, "serverAuth") &&
        X509_sign(x, key, EVP_sha256());
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

/* The file exists with its owner's rights before the key is in it. */
static moshi_status write_key(const char *path, EVP_PKEY *key,
                              moshi_error *err)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        error_set(err, MOSHI_IO, "cannot write '%s': %s", path,
                  strerror(errno));
        if (fd >= 0)
            close(fd);
        return MOSHI_IO;
    }
    bool ok = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    ok = fclose(file) == 0 && ok;
    return ok ? MOSHI_OK : error_set(err, MOSHI_IO, "cannot write '%s'", path);
}

static moshi_status write_certificate(const char *path, X509 *x,
                                      moshi_error *err)
{
    output_file *file = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!memory || !PEM_write_bio_X509(memory, x)) {
        BIO_free(memory);
        return error_no_memory(err, "a certificate");
    }
    long n = BIO_get_mem_data(memory, &text);
    moshi_status status = output_file_open(&file, path, err);
    if (status == MOSHI_OK)
        status = output_file_write(file, text, (size_t)n, err);
    if (status == MOSHI_OK)
        status = output_file_commit(file, err);
    output_file_close(&file);
    BIO_free(memory);
    return status;
}

moshi_status certificate_make(const char *certificate, const char *key,
                              const char *const *names, size_t n_names,
                              moshi_error *err)
{
    EVP_PKEY *made = make_key();
    X509 *x = made ? sign_for(made, names, n_names) : NULL;
    moshi_status status = MOSHI_OK;
    if (!x)
        status = error_set(err, MOSHI_LACKING,
                           "libcrypto cannot make a certificate: %s",
                           ERR_reason_error_string(ERR_peek_last_error()));
    if (status == MOSHI_OK)
        status = write_key(key, made, err);
    if (status == MOSHI_OK)
        status = write_certificate(certificate, x, err);
    X509_free(x);
    EVP_PKEY_free(made);
    return status;
}
