/* propagate.h - label propagation over a graph of examples (propagate.c). */
#ifndef QC_LAB_PROPAGATE_H
#define QC_LAB_PROPAGATE_H

#include <stdint.h>

#include "../base/err.h"

/* f [n][classes] of nodes x [n][features], of which the first n_known have the classes `label`. setting: alpha, rank of
 * the neighbour, width of sigma. -1: no memory. */
int qc_propagate(float *f, const float *x, const uint16_t *label, uint32_t n_known, uint32_t n, uint32_t features,
                 uint32_t classes, const double *setting, QcErr *err);

#endif
