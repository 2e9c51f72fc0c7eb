/* scoretable.h - the figures of a model on one data file, as qc-eval prints them on standard output. */
#ifndef QC_CLI_SCORETABLE_H
#define QC_CLI_SCORETABLE_H

#include "../format/modelfile.h"
#include "../nn/score.h"

/* json: one object on one line; else a table. confusion: also the confusion matrix, true classes down. m: the labels
 * of the classes, in the score's order. */
void qc_print_score(const char *path, const QcScore *s, const QcModelFile *m, int json, int confusion);

#endif
