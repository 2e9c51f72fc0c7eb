/* preact.h - the sums of a convolution before they are rescaled: their mean and mean square per channel, over positions
 * and windows.
 *
 * The device's forward pass rounds and clips them away at once, so they are computed a second time here, by the same
 * kernels.
 */
#ifndef QC_LAB_PREACT_H
#define QC_LAB_PREACT_H

#include "../live/method.h"

typedef struct QcPreact {
    double *sum, *squares; /* [n_channels] of sum (q - zero) * code, without the bias */
    double *count;         /* [n_nodes] positions that were summed */
    int8_t *weights;       /* a block of channels, unpacked */
    int32_t *sums;         /* of a block, some positions */
} QcPreact;

int qc_preact_init(QcPreact *p, QcMethodRun *l, QcErr *err);
void qc_preact_clear(QcPreact *p, const QcQGraph *g);
/* One window: a forward pass of l->g, and the moments of every CONV node. Multiply-adds: two passes' worth. */
void qc_preact_add(QcPreact *p, QcMethodRun *l, const uint8_t *x);

#endif
