/* moshi.h: all of the library: models, conversations, the codec, errors. */
#ifndef MOSHI_MOSHI_H
#define MOSHI_MOSHI_H

#include <moshi/codec.h>
#include <moshi/error.h>
#include <moshi/model.h>
#include <moshi/stream.h>
#include <moshi/version.h>

#endif
