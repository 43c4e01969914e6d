/* version.h: the version of the library, and how its symbols are exported. */
#ifndef MOSHI_VERSION_H
#define MOSHI_VERSION_H

#define MOSHI_VERSION_MAJOR 0
#define MOSHI_VERSION_MINOR 1
#define MOSHI_VERSION_PATCH 0
#define MOSHI_VERSION_STRING "0.1.0"

#if defined(_WIN32) || defined(__CYGWIN__)
#define MOSHI_API
#else
#define MOSHI_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, as "0.1.0". Static string. */
MOSHI_API const char *moshi_version(void);

#ifdef __cplusplus
}
#endif
#endif
