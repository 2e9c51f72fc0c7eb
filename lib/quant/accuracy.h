/* accuracy.h - the accuracy of a model on a data file, or on windows in memory. */
#ifndef QC_QUANT_ACCURACY_H
#define QC_QUANT_ACCURACY_H

#include "../format/modelfile.h"
#include "../nn/graph.h"
#include "../nn/score.h"
#include "windows.h"

/* The examples of the file `path`, all labelled, whose classes must be the model's. The caller releases the score. */
int qc_model_score(QcScore *s, const QcModelFile *m, const char *path, int threads, QcErr *err);

/* Of more than 1024 windows, 1024 at even distances, since data may be sorted by class. */
int qc_windows_score(QcScore *s, QcGraph *g, const QcWindows *w, int threads, QcErr *err);

/* A model that guesses was imported wrongly or not trained, and to go on from it would hide this: QC_EFORMAT. */
int qc_windows_refuse_guessing(QcGraph *g, const QcWindows *w, int threads, QcErr *err);

/* Is the mean recall no better than guessing (within one standard error)? */
int qc_is_chance(const QcScore *s);

#endif
