/* verdict.h: the classes of what can be wrong, for everything in the lab.
 *
 * Every verdict names one of them. "ok" is for a check that found nothing,
 * "cannot tell" for one whose measure does not decide; a guess is neither. */
#ifndef MOSHI_LAB_VERDICT_H
#define MOSHI_LAB_VERDICT_H

/* X(NAME, text): the text is that of --json. */
#define LAB_CLASSES(X)                 \
    X(OK, "ok")                        \
    X(FILE, "file")                    \
    X(CONFIG, "config")                \
    X(INPUT, "input")                  \
    X(CODEC, "codec")                  \
    X(MODEL_CODE, "model code")        \
    X(TIMELINE, "timeline")            \
    X(SAMPLING, "sampling")            \
    X(SPEED, "speed")                  \
    X(DEVICE, "device")                \
    X(MODEL_LIMIT, "model limit")      \
    X(CANNOT_TELL, "cannot tell")

typedef enum lab_class {
#define LAB_CLASS_ENUM(name, text) LAB_##name,
    LAB_CLASSES(LAB_CLASS_ENUM)
#undef LAB_CLASS_ENUM
    LAB_CLASS_COUNT
} lab_class;

/* "model code"; static. */
const char *lab_class_name(lab_class c);

#endif
