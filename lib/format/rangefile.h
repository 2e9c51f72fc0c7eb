/* rangefile.h - what a quantized model knows of its training data's values, channel by channel, as the optional section
 * "range" of its file. In the data's own units. */
#ifndef QC_FORMAT_RANGEFILE_H
#define QC_FORMAT_RANGEFILE_H

#include "modelfile.h"

typedef struct QcInputRange {
    uint32_t channels; /* 0: the model knows none */
    float *low, *high; /* [channels] smallest and largest value */
    float *rms;        /* [channels] root mean square, >= 0 */
} QcInputRange;

int qc_inputrange_encode(QcModelFile *m, const QcInputRange *r, QcErr *err);

/* 1; or 0 if there is none. -1: the section makes no sense. Arrays come from `arena`. */
int qc_inputrange_decode(QcInputRange *r, const QcModelFile *m, QcArena *arena, QcErr *err);

#endif
