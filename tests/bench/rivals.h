/* rivals.h - a 1-D int8 convolution on one thread by XNNPACK (s8 in and out, per-channel scales) and oneDNN (u8 in
 * and out, per-channel scales). Both prepare their weights before the measurement. The timed function is the
 * function that a forward pass calls.
 */
#ifndef QC_TESTS_RIVALS_H
#define QC_TESTS_RIVALS_H

#include <stdint.h>

typedef struct RivalShape {
    uint32_t in, out, kernel, length; /* stride 1, output as long as the input */
} RivalShape;

typedef struct Rival Rival; /* a convolution ready to run */

/* w [out][kernel][in]; NULL if the library refuses. */
Rival *rival_xnnpack_new(const RivalShape *s, const int8_t *w);
Rival *rival_onednn_new(const RivalShape *s, const int8_t *w);
void rival_run(void *rival);
const char *rival_words(const Rival *r); /* which implementation the library chose */
void rival_free(Rival *r);

#endif
