/* lame.h - answers of windows that come together, made to agree with their neighbours' (lame.c). */
#ifndef QC_LAB_LAME_H
#define QC_LAB_LAME_H

#include <stdint.h>

#include "../base/err.h"

/* z [n][classes] = probabilities from logits [n][classes] and features x [n][features] of unit length, with the k
 * nearest neighbours of each. -1: no memory. */
int qc_lame(float *z, const float *logits, const float *x, uint32_t n, uint32_t features, uint32_t classes, uint32_t k,
            QcErr *err);

#endif
