/* draw.h - which weights to step: drawn by score, stepped, and put back when the step did not help.
 *
 * A draw takes the weights of largest 2 ln(score) + Gumbel noise, that is without replacement with odds score^2, among those whose step stays in range. The noise is a
 * function of (seed, weight), so that nothing is kept but a byte and a bit for each weight that was picked.
 */
#ifndef QC_DEVICE_DRAW_H
#define QC_DEVICE_DRAW_H

#include "pick.h"

typedef struct QcChoice {
    const QcQGraph *g;
    const QcFlipLayer *layers;
    const QcPick *pick; /* the weights that there are scores of */
    uint8_t *scores;    /* [pick->chunk] qc_flip_byte, as pieces lie */
    uint8_t *stepped;   /* [pick->chunk / 8] the weights of the last draw */
    uint32_t *histogram; /* [QC_CHOICE_BINS] */
    float *inverse;     /* [128] 1 / score^2 of each level */
    int32_t step;       /* of the last draw */
} QcChoice;

enum { QC_CHOICE_BINS = 2048 };

/* pick: placed already, and borrowed. */
void qc_choice_place(QcChoice *c, const QcQGraph *g, const QcFlipLayer *layers, const QcPick *pick, QcPlacing *p);
void qc_choice_begin(QcChoice *c); /* fills tables; call once */
void qc_choice_keep(QcChoice *c);  /* the last draw is not to be undone */

/* Draws about share * n_codes weights from those that are picked, at least one, and where these are a sample at most half of them; by_layer: that share of what is picked of
 * each layer. Steps each by step * dir. Returns how many. */
uint32_t qc_choice_draw(QcChoice *c, float share, int32_t step, int by_layer, uint64_t seed);
void qc_choice_undo(QcChoice *c);

#endif
