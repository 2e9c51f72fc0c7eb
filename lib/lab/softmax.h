/* softmax.h - probabilities from logits, and their entropy. */
#ifndef QC_LAB_SOFTMAX_H
#define QC_LAB_SOFTMAX_H

#include <stdint.h>

void qc_softmax(float *logits, uint32_t n);               /* in place */
double qc_softmax_entropy(const float *logits, uint32_t n); /* of the probabilities, in nats */

#endif
