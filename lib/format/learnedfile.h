/* learnedfile.h - what a learner has learned as the optional section "learned" of its model file: counters, both last
 * layers, moments. With the coreset's file beside it, a later session continues as if there had been no pause; see
 * qc-formats(5).
 */
#ifndef QC_FORMAT_LEARNEDFILE_H
#define QC_FORMAT_LEARNEDFILE_H

#include "../device/learner.h"
#include "modelfile.h"

/* After the learner's graph was encoded (which drops the section of before). */
int qc_learned_encode(QcModelFile *m, const QcLearner *l, QcErr *err);
int qc_learned_is_there(const QcModelFile *m); /* 1: the model has the section */
/* Into a learner that was placed with the model's graph: 1, or 0 if the model has learned nothing. Fails if it does not
 * fit the graph: place the learner again before it is used. */
int qc_learned_decode(QcLearner *l, const QcModelFile *m, QcErr *err);

#endif
