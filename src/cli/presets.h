/* presets.h: what to say of a preset that is none. */
#ifndef MOSHI_CLI_PRESETS_H
#define MOSHI_CLI_PRESETS_H

/* The preset of synth that was probably meant, or NULL. Static. */
const char *presets_nearest(const char *typed);

#endif
