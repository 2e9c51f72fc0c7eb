/* draw.h - which weights to step: drawn by score, stepped, and put back when the step did not help.
 *
 * A draw takes the weights of largest 2 ln(score) + Gumbel noise, that is without replacement with odds score^2, among those whose step stays in range. The noise is a
 * function of (seed, weight), so that nothing is kept but the bytes of scores and a bit a weight.
 */
#ifndef QC_DEVICE_DRAW_H
#define QC_DEVICE_DRAW_H

#include "flip.h"
#include "placing.h"

typedef struct QcChoice {
    const QcQGraph *g;
    const QcFlip *flip;
    uint8_t *scores;    /* [n_codes] qc_flip_byte, layers in order */
    uint8_t *stepped;   /* [n_codes / 8] the weights of the last draw */
    uint32_t *histogram; /* [QC_CHOICE_BINS] */
    float *inverse;     /* [128] 1 / score^2 of each level */
    int32_t step;       /* of the last draw */
} QcChoice;

enum { QC_CHOICE_BINS = 2048 };

void qc_choice_place(QcChoice *c, const QcQGraph *g, const QcFlip *flip, QcPlacing *p);
void qc_choice_begin(QcChoice *c); /* fills tables; call once */

/* Draws about share * n_codes weights (at least one; over the net, or that share of each layer) and steps each by step * dir. Returns how many. */
uint32_t qc_choice_draw(QcChoice *c, float share, int32_t step, int by_layer, uint64_t seed);
void qc_choice_undo(QcChoice *c);

#endif
