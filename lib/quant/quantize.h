/* quantize.h - a float model becomes a quantized one: rounding, then calibration by straight-through back-propagation,
 * keeping what is best on held-out source data.
 *
 * With training data, a tenth of it is held out and chooses when to stop; with the coreset alone, calibration must beat
 * rounding on a held-out third of the coreset, or the rounded model is kept (on a small set calibration can lose).
 */
#ifndef QC_QUANT_QUANTIZE_H
#define QC_QUANT_QUANTIZE_H

#include "windows.h"
#include "../data/augment.h"
#include "../nn/graph.h"

typedef struct QcQuantizeOptions {
    int bits, activation_bits; /* 2, 4, 8; 4, 8 */
    int last_bits;             /* of the last layer's weights; 0 = bits */
    uint32_t epochs;           /* of calibration; 0 = rounding only */
    uint32_t batch;
    double rate;               /* quantization steps per step; 0 = qc_tune_rate(bits) */
    QcAugment *augment;        /* of the windows of calibration; NULL = none */
    uint64_t seed;
    int threads;
    void (*progress)(uint32_t epoch, uint32_t epochs, double held_out_loss, double held_out_accuracy);
} QcQuantizeOptions;

typedef struct QcQuantizeReport {
    double rounded_loss, rounded_accuracy; /* on the held-out source examples */
    double loss, accuracy;                 /* of what was kept, on the same */
    uint32_t epochs, kept_epoch;           /* made; kept (0 = rounding) */
    uint32_t held_out;                     /* examples */
} QcQuantizeReport;

/* source: the training windows, or the coreset's windows if there are no others; coreset_only says which. All of g is
 * from `arena`. */
int qc_quantize(QcQGraph *g, QcQuantizeReport *report, const QcGraph *model, const QcWindows *source, int coreset_only,
                const QcQuantizeOptions *o, QcArena *arena, QcErr *err);

#endif
