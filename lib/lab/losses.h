/* losses.h - the losses of rehearsal, with their gradients: cross-entropy among some of the classes, and the distance
 * to remembered logits. */
#ifndef QC_LAB_LOSSES_H
#define QC_LAB_LOSSES_H

#include <stdint.h>

/* Mean over n of -weight_i ln softmax(logits_i)[label_i], the softmax taken among the allowed classes alone (ER-ACE:
 * Caccia et al., ICLR 2022); classes that are not allowed get no gradient. weight [n], NULL: 1; allowed [classes],
 * NULL: all; the label of each example must be allowed. dlogits [n][classes]. */
double qc_loss_among(float *dlogits, const float *logits, const int32_t *labels, const float *weight,
                     const uint8_t *allowed, uint32_t n, uint32_t classes);

/* Mean over n and classes of (logits - remembered)^2 (DER: Buzzega et al., NeurIPS 2020), and its gradient. */
double qc_loss_recall(float *dlogits, const float *logits, const float *remembered, uint32_t n, uint32_t classes);

#endif
