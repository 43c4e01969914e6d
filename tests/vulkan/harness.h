/* harness.h: the same plan on the CPU's reference and on a Vulkan device.
 *
 * A test that finds no device exits 77: it is shown as skipped. The validation
 * layers watch when MOSHI_VULKAN_VALIDATE is set, and a single message of
 * theirs fails the test. */
#ifndef TESTS_VULKAN_HARNESS_H
#define TESTS_VULKAN_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "plan/backend.h"
#include "plan/builder.h"

/* Both backends, opened once; exits 77 without a device. */
backend *harness_gpu(void);
backend *harness_cpu(void);
/* Close them; the number of validation messages. */
int harness_close(void);

/* Seeded noise, -scale … scale. */
void harness_seed(uint32_t seed);
uint32_t harness_bits(void);
float harness_float(float scale);
/* A weight with random finite contents, alive until harness_close. */
const void *harness_weights(dtype type, size_t rows, size_t width);
float *harness_floats(size_t n, float scale);
void *harness_block(size_t bytes);

/* How a plan is run and what is allowed. */
typedef struct harness_case {
    const char *label;
    double tolerance;     /* |a - b| ≤ tolerance * largest |b| of the tensor */
    int32_t token_least, token_end; /* of I32 inputs: least … end - 1 */
    float scale;          /* of F32 inputs */
    int frames;           /* run one after the other; 0: 3 */
    int64_t seek;         /* position to start from */
    /* Called for each stream on each backend, to write state tensors; NULL:
     * those of floats and caches are filled with noise. */
    void (*prepare)(backend *be, const plan *p, plan_state *s, int stream);
    /* Where byte `at` of a state tensor lies on the device; NULL: there. */
    size_t (*place)(const void *user, const plan_tensor *t, size_t at);
    const void *user; /* of place */
} harness_case;

/* Finish the plan and run it on both, with one lane and with three in slots
 * that are not in order; compare what every operation makes and every state
 * tensor; see that not a byte beside the tensors is touched. Prints the largest
 * error; fails the test beyond the tolerance. */
void harness_compare(const harness_case *c, builder *b);

/* Three lanes beside one another on the device give the very bits that each of
 * them gives alone. */
void harness_same_bits(const harness_case *c, builder *b);

#endif
