/* verdict.c: the names of the classes. */
#include "lab/verdict.h"

const char *lab_class_name(lab_class c)
{
    static const char *const names[LAB_CLASS_COUNT] = {
#define LAB_CLASS_NAME(name, text) [LAB_##name] = text,
        LAB_CLASSES(LAB_CLASS_NAME)
#undef LAB_CLASS_NAME
    };
    return names[c];
}
