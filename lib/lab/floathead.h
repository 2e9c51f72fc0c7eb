/* floathead.h - a float classifier on the integer model's last features: head and proto put it in place of the model's
 * own last layer.
 *
 * The features of a window are the input of the LOGITS node (after the global average, if there is one) as real
 * values. The head is linear: logit_k = w_k (x, 1). Where it is folded, its rows are rounded to the model's own codes,
 * each with its best scale, and the model is a plain one again.
 */
#ifndef QC_LAB_FLOATHEAD_H
#define QC_LAB_FLOATHEAD_H

#include "../live/method.h"

enum { QC_FLOAT_HEAD_MAX_FEATURES = 4096 };

typedef struct QcFloatHead {
    const QcQNode *node; /* LOGITS */
    uint32_t n;          /* features + 1 */
    float *w;            /* [classes][n] */
    float *x;            /* [n] of the latest window */
    int folded;          /* answers come from the integer model, which qc_float_head_fold keeps equal */
    float *logits;       /* [classes] scratch */
} QcFloatHead;

/* The head is the model's own at first. */
int qc_float_head_init(QcFloatHead *h, QcMethodRun *l, int folded, QcErr *err);
/* one forward pass; fills h->x, and h->logits by the model's own last layer */
void qc_float_head_features(QcFloatHead *h, QcMethodRun *l, const uint8_t *x);
/* fills h->x after a forward pass */
void qc_float_head_read(QcFloatHead *h, const QcQRun *run);
void qc_float_head_logits(QcFloatHead *h, QcMethodRun *l, float *logits, const uint8_t *x);
/* does nothing if the head is not folded */
void qc_float_head_fold(QcFloatHead *h, QcMethodRun *l);

/* For QcMethod.unsaved of methods whose first setting is `fold`. */
const char *qc_float_head_unsaved(const double *setting);
#define QC_FLOAT_HEAD_FOLD {"fold", 0, 0, 1, "1: round the head to the model's codes, so that -o can save it", 1}

#endif
