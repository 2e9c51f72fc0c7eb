/* loss.h - softmax cross-entropy. */
#ifndef QC_NN_LOSS_H
#define QC_NN_LOSS_H

#include <stdint.h>

/* Mean over n of -ln softmax(logits)[label]; dlogits (may be NULL) [n][classes] = (softmax - onehot) / n. right (may be NULL) counts argmax == label. */
double qc_loss(float *dlogits, uint32_t *right, const float *logits, const int32_t *labels, uint32_t n, uint32_t classes);
uint32_t qc_argmax(const float *values, uint32_t n); /* the lowest index of the largest */

#endif
