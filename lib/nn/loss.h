/* loss.h - softmax cross-entropy, and the calibration error of its probabilities. */
#ifndef QC_NN_LOSS_H
#define QC_NN_LOSS_H

#include <stdint.h>

/* Mean over n of -ln softmax(logits)[label]; dlogits (may be NULL) [n][classes] = (softmax - onehot) / n. right (may be
 * NULL) counts largest logit == label. */
double qc_loss(float *dlogits, uint32_t *right, const float *logits, const int32_t *labels, uint32_t n,
               uint32_t classes);

/* Expected calibration error over QC_ECE_BINS bins ((k-1)/15, k/15] of the largest probability: sum of bin size / n *
 * |share right - mean probability| (Guo et al., 2017). All zero: empty. */
enum { QC_ECE_BINS = 15 };
typedef struct QcEce {
    uint32_t n, right[QC_ECE_BINS];
    double confidence[QC_ECE_BINS]; /* summed */
} QcEce;

void qc_ece_add(QcEce *e, double confidence, int right);
double qc_ece(const QcEce *e); /* NaN if nothing was added */

#endif
