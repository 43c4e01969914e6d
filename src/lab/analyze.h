/* analyze.h: judge a recording by its sound, and by its codes if they are there.
 *
 * Asks in this order: is it a usable recording (level, clipping, gaps); is
 * anybody speaking in it; is it cut and put together wrongly at the codec's
 * frames of 80 ms; does it move as speech does. Each answer is a measure with
 * the range that clean speech keeps to (docs/ANALYZE.md says how the ranges
 * were found); a measure far outside is a finding, and a finding names one
 * class. The score is a summary of the findings and never stands without them.
 *
 * A model adds what only it can know: token echo, whether the sound is that of
 * the recorded codes, and whether it lasts as long as the recorded text takes.
 *
 * The sound is judged at 24 kHz, mono, in segments of half a minute, so a
 * recording of any length needs the same memory. */
#ifndef MOSHI_LAB_ANALYZE_H
#define MOSHI_LAB_ANALYZE_H

#include <stdbool.h>
#include <stddef.h>

#include <moshi/error.h>

#include "lab/analyze_picture.h"
#include "lab/verdict.h"

#define ANALYZE_RATE_HZ 24000
#define ANALYZE_FRAME   1920 /* samples */
#define ANALYZE_FRAME_MS 80

/* X(NAME, name, unit, low, high, text): what is measured, and the range of
 * clean speech; ±INFINITY where there is no such end. A measure that could
 * not be taken is NAN. */
#define ANALYZE_MEASURES(X)                                                    \
    X(SECONDS, "seconds", "s", 1, INFINITY, "length")                          \
    X(FRAMES, "frames", "", -INFINITY, INFINITY, "length in frames of 80 ms")  \
    X(RATE, "rate_hz", "Hz", -INFINITY, INFINITY, "sample rate of the file")   \
    X(PEAK, "peak_dbfs", "dBFS", -45, 0.1, "largest sample")                   \
    X(RMS, "rms_dbfs", "dBFS", -60, -8, "mean level")                          \
    X(ACTIVE, "active_dbfs", "dBFS", -60, -5, "level of the loudest tenth")    \
    X(CONTRAST, "contrast_db", "dB", 6, INFINITY,                              \
      "from the background to the loud parts")                              \
    X(ACTIVE_SHARE, "active_share", "", 0.02, 1, "share of time with sound")   \
    X(DC, "dc", "", -0.02, 0.02, "constant offset")                            \
    X(CLIPPED, "clipped_share", "", 0, 0.0005, "samples at the limits")        \
    X(GAPS, "gaps", "", 0, 1, "sound cut off into digital silence")       \
    X(CUT_EVIDENCE, "cut_evidence", "", 0, 1,                                  \
      "cuts in step with frames, 1 is the limit")                              \
    X(CUT_OFFSET, "cut_offset_samples", "", -INFINITY, INFINITY,               \
      "where the frames begin, if cuts show it")                               \
    X(CUTS, "cuts", "", -INFINITY, INFINITY, "boundaries that show a cut")     \
    X(STRIDE_4, "stride_4", "", -INFINITY, 0.35,                               \
      "surprise in step with 4 samples, beyond chance")                        \
    X(STRIDE_20, "stride_20", "", -INFINITY, 0.8, "the same with 20 samples")  \
    X(STRIDE_120, "stride_120", "", -INFINITY, 2.6,                            \
      "the same with 120 samples")                                             \
    X(STRIDE_960, "stride_960", "", -INFINITY, 2,                              \
      "the same with 960 samples")                                             \
    X(FLUX, "boundary_flux", "", -INFINITY, 0.25,                              \
      "spectra change more at one place of the frames")                        \
    X(REPEATED, "repeated_frames", "", 0, 0, "frames that come twice")         \
    X(FRAME_RATE, "modulation_12hz", "", 0, 6, "loudness in step with frames") \
    X(MODULATION, "modulation_4hz", "", 0.2, 1,                                \
      "loudness that moves with syllables")                                    \
    X(VOICED, "voiced_share", "", 0.05, 1, "share of sound with a pitch")      \
    X(PITCH, "pitch_hz", "Hz", 60, 420, "median pitch")                        \
    X(ASYMMETRY, "attack_decay", "", -INFINITY, INFINITY,                      \
      "how much faster syllables rise than fall")                              \
    X(DIRECTION, "direction", "", -0.4, INFINITY,                              \
      "how much faster the voice's pulses rise than fall")                     \
    X(ECHO, "token_echo", "", -INFINITY, INFINITY,                             \
      "codes that the codec hears again in what it says")                      \
    X(ECHO_CHANCE, "token_echo_chance", "", -INFINITY, INFINITY,               \
      "the same of other frames")                                              \
    X(CODES_RIGHT, "frames_of_codes", "", 0.9, 1,                              \
      "frames that sound as their codes do")                                   \
    X(TEXT_STANDING, "text_standing", "", 0, 0.95,                             \
      "steps on which one word of the text stands")                            \
    X(TEXT_WORDS, "text_words", "", -INFINITY, INFINITY,                       \
      "words of the model's own text")                                         \
    X(TEXT_RATE, "words_per_second", "1/s", 0.8, 8,                            \
      "words a second of sound")                                               \
    X(REF_LAG, "ref_lag_ms", "ms", -INFINITY, INFINITY,                        \
      "how much later than the reference")                                     \
    X(REF_SNR, "ref_snr_db", "dB", -INFINITY, INFINITY,                        \
      "what is the reference over what is not")                                \
    X(REF_SPECTRUM, "ref_spectral_db", "dB", -INFINITY, INFINITY,              \
      "distance of the spectra")                                               \
    X(REF_STOI, "ref_stoi", "", 0.7, 1, "intelligibility beside the reference")

typedef enum analyze_measure {
#define ANALYZE_MEASURE_ENUM(name, ...) ANALYZE_##name,
    ANALYZE_MEASURES(ANALYZE_MEASURE_ENUM)
#undef ANALYZE_MEASURE_ENUM
    ANALYZE_MEASURE_COUNT
} analyze_measure;

typedef struct analyze_measure_info {
    const char *name, *unit, *text;
    double low, high;
} analyze_measure_info;

/* Static. */
const analyze_measure_info *analyze_measure_about(analyze_measure m);

#define ANALYZE_FINDINGS_MAX 32
#define ANALYZE_FLAGS_MAX    512

typedef struct analyze_finding {
    lab_class about;
    char what[256];
    double measured, low, high; /* and what was expected of it */
    int penalty;                /* taken from the score of 100 */
} analyze_finding;

/* A place that a finding speaks of. */
typedef struct analyze_flag {
    size_t sample;  /* at 24 kHz */
    size_t samples; /* 0: a cut; else a stretch */
} analyze_flag;

typedef struct analyze_report {
    double measure[ANALYZE_MEASURE_COUNT];
    analyze_finding finding[ANALYZE_FINDINGS_MAX];
    size_t findings;
    analyze_flag flag[ANALYZE_FLAGS_MAX]; /* the first so many */
    size_t flags;
    analyze_picture picture; /* of the segment with the worst cuts, if asked */
    bool scored;
    int score;          /* 0 … 100, valid when scored */
    lab_class verdict;
    char line[320];     /* the verdict in one sentence */
} analyze_report;

/* What the recording may be held against; all borrowed. */
typedef struct analyze_model {
    const struct mimi_model *codec;
    struct backend *backend;
    const struct lm_config *lm;        /* NULL: only the codec is known */
    const struct tokenizer *tokenizer; /* NULL: none; words are not counted */
} analyze_model;

typedef struct analyze_params {
    const char *path; /* "-": standard input */
    const char *reference; /* another recording of the same codes, or NULL */
    const analyze_model *model; /* NULL: only the sound is judged */
    const char *codes; /* with a model: what it recorded, the tables of
                          `moshi gen --codes`, or codes alone; or NULL */
    bool picture;
} analyze_params;

/* The report is large and belongs on the heap or in static storage. Errors:
 * what source_file_open says, what analyze_tokens.h says of codes, and
 * MOSHI_NO_MEMORY. With a model or a reference the path is read twice. */
moshi_status analyze_run(analyze_report *out, const analyze_params *params,
                         moshi_error *err);
void analyze_report_release(analyze_report *report);

#endif
