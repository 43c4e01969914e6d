/* weights_work.h: what a model's own weights still need before they can be
 * computed with: rearranging convolutions, dividing codebooks.
 *
 * Opening a model only notes this work; it takes a tenth of a second for the
 * codec, and whoever needs the weights first helps with what is left. Nothing
 * can fail in it: memory was had and shapes were compared when it was noted.
 *
 * Thread-safety: weights_work_add is the loader's; the others may be called
 * from any number of threads. */
#ifndef MOSHI_NN_WEIGHTS_WORK_H
#define MOSHI_NN_WEIGHTS_WORK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct weights_work weights_work;

weights_work *weights_work_open(void); /* NULL: out of memory */
void weights_work_close(weights_work **work);

/* Note do_it(copy of user); bytes: what it writes. False: out of memory. */
typedef void weights_job(void *user);
bool weights_work_add(weights_work *work, weights_job *do_it, const void *user,
                      size_t size, size_t bytes);

/* Returns when all is done; does itself what nobody has begun. */
void weights_work_finish(weights_work *work);

/* Bytes that all of it writes. */
size_t weights_work_bytes(const weights_work *work);

#endif
