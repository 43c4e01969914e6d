/* analyze_ref.h: how alike are two recordings of the same codes?
 *
 * They are aligned first: by their envelopes to 2.5 ms, then by their samples.
 * A gain is taken out before anything is compared. */
#ifndef MOSHI_LAB_ANALYZE_REF_H
#define MOSHI_LAB_ANALYZE_REF_H

#include <stddef.h>

#include <moshi/error.h>

/* Longer recordings are compared over their first ten minutes. */
#define REF_SECONDS_MAX 600
#define REF_LAG_MAX_MS  2000

typedef struct ref_result {
    double lag_ms;      /* the recording comes so much later */
    double snr_db;      /* what is the same over what is not */
    double spectral_db; /* RMS distance of logarithmic spectra; NAN: none */
    double stoi;        /* NAN: no Fourier transform, or too short */
} ref_result;

/* Compare the file with the reference. Errors: what source_file_load says;
 * MOSHI_MISMATCH when one is silent. */
moshi_status ref_compare(ref_result *out, const char *path,
                         const char *reference, moshi_error *err);

#endif
