/* inthead.h - a linear head of few-bit codes, a scale and a bias for each class, found by how well it keeps classes apart.
 *
 * Classes have means mu_k and one scatter S in common. Head w, b puts class k ahead of class l by a margin m, which varies by a deviation s:
 *
 *   m_kl = (w_k - w_l)' mu_k + b_k - b_l,   s_kl^2 = (w_k - w_l)' S (w_k - w_l)
 *
 * and the head's fault is the sum over all pairs of max(0, QC_INTHEAD_APART - m_kl / s_kl)^2. Codes step by one, scales and biases by shares, one at a time, wherever that lowers the
 * fault. A trial costs a look at each class, as all products w_k' S w_l and w_k' mu_l are kept up.
 */
#ifndef QC_DEVICE_INTHEAD_H
#define QC_DEVICE_INTHEAD_H

#include "placing.h"

#define QC_INTHEAD_APART 4.0f /* deviations: beyond that two classes are apart */

typedef struct QcIntHead {
    uint32_t n, classes;
    int bits;
    const float *scatter; /* [n (n + 1) / 2] S, lower triangle, row after row: the caller's */
    const float *mean;    /* [classes][n] the caller's */
    int8_t *codes;        /* [classes][n] */
    float *scale, *bias;  /* [classes] logit_k = scale_k codes_k' x + bias_k */
    /* private */
    float *pull;          /* [classes][n] S w_k */
    float *at;            /* [classes][classes] w_k' mu_l + b_k */
    float *product;       /* [classes][classes] w_k' S w_l */
    float *new_at, *new_product; /* [classes] of a trial */
    uint64_t operations;  /* multiply-adds, about: of the last solve */
} QcIntHead;

void qc_inthead_place(QcIntHead *h, uint32_t n, uint32_t classes, int bits, QcPlacing *p);

/* Codes, scales and biases from a head in real numbers: weights [classes][n], bias [classes]. scatter and mean are set. */
void qc_inthead_solve(QcIntHead *h, const float *weights, const float *bias);

#endif
