/* transfer.h - what learning one person after another does to all of them: the matrix R and its figures (Lopez-Paz and
 * Ranzato, GEM, 2017; Chaudhry et al., RWalk, 2018).
 *
 * R[i][j]: accuracy on test set j after i streams; row 0 is the start. Test set j belongs to stream j (both from 0) and
 * is learned at row j + 1; one test set more is the source's, which is learned at row 0. With S streams, over the tests
 * j that were learned at row l(j):
 *   ACC        = mean of R[S][j]
 *   BWT        = mean of R[S][j] - R[l(j)][j], of those with l(j) < S: what later learning did to it
 *   FWT        = mean of R[l(j) - 1][j] - R[0][j], of those with l(j) > 1: what earlier learning did for it
 *   forgetting = mean of max { R[i][j] : l(j) <= i < S } - R[S][j], of those with l(j) < S
 * A mean over nothing is NaN.
 */
#ifndef QC_LIVE_TRANSFER_H
#define QC_LIVE_TRANSFER_H

#include <stdint.h>

enum { QC_TRANSFER_STREAMS = 16 };

typedef struct QcTransfer {
    uint32_t n_streams, n_tests;                                  /* n_tests = n_streams, or one more: the source's */
    double r[QC_TRANSFER_STREAMS + 1][QC_TRANSFER_STREAMS + 1];   /* rows and tests; the caller fills it */
} QcTransfer;

typedef struct QcTransferFigures {
    double acc, bwt, fwt, forgetting;
} QcTransferFigures;

QcTransferFigures qc_transfer_figures(const QcTransfer *t);

#endif
