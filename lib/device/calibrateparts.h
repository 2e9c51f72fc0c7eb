/* calibrateparts.h - inside the on-device step: what calibrate.c and closedform.c tell each other. Not for others. */
#ifndef QC_DEVICE_CALIBRATEPARTS_H
#define QC_DEVICE_CALIBRATEPARTS_H

#include "calibrate.h"

/* ---- calibrate.c: the set Z ---- */

/* Forward over Z: the loss, and c->error; misses are counted, c->last says what this model gets right. Ends early, at a sum not below `limit`, once the
 * loss cannot stay below it: the hardest examples are looked at first. */
float qc_set_forward(QcCalibrator *c, float limit, QcCalibrateReport *report);
void qc_set_accept(QcCalibrator *c); /* the model of the last whole pass stays */

uint32_t qc_largest(const float *logits, uint32_t classes);
/* error = weight (softmax - onehot); returns -ln softmax[label]. */
float qc_example_loss(float *error, const float *logits, uint16_t label, float weight, uint32_t classes);

uint32_t qc_batch_classes(QcCalibrator *c); /* that the batch has; c->count counts them */
uint32_t qc_batch_right(const QcCalibrator *c); /* of its examples, under the accepted model */

/* ---- closedform.c: the last layer in closed form, in the course of a batch ---- */

void qc_closed_lay_out(QcCalibrator *c, QcPlacing *p);
void qc_closed_see(QcCalibrator *c, uint32_t i); /* what the last layer read of example i, as a forward pass has just left it */

/* A batch arrives: flips go on from the last layer that they have led to. Then, once it is judged, which of the two it speaks for, and whether the one in
 * closed form does so well that flips rest: they would move features away from its statistic. */
void qc_closed_arrive(QcCalibrator *c);
void qc_closed_compare(QcCalibrator *c, QcCalibrateReport *report);
/* Whether a batch has it, if it is better, and no flips: one of few classes, once every class has been seen. */
int qc_closed_instead(QcCalibrator *c);
/* Before flips: such a batch has it. After them: any other batch ends with it as a second one. */
void qc_closed_begin(QcCalibrator *c, QcCalibrateReport *report);
void qc_closed_end(QcCalibrator *c, QcCalibrateReport *report);

#endif
