/* livemodel.h - a quantized model that runs on a live stream: its learner, with a coreset and a state file if it
 * learns.
 *
 * Without a coreset the learner predicts alone. With both, the last layer learns (closed form, no flips), and a state
 * of the same model, coreset, parameters and seed is taken up.
 */
#ifndef QC_LIVE_LIVEMODEL_H
#define QC_LIVE_LIVEMODEL_H

#include "../format/driftfile.h"
#include "../format/statefile.h"
#include "../quant/qinput.h"

enum { QC_LIVE_RING = 4096 }; /* latest windows that can be labelled */

typedef struct QcLiveOptions {
    const char *coreset, *state; /* both, or NULL both */
    const char *const *tune; /* [n_tune] "NAME=VALUE", for the learner's parameters */
    int n_tune;
    uint64_t seed;
} QcLiveOptions;

typedef struct QcLiveModel {
    QcArena arena;
    QcModelFile model;
    QcQGraph g;
    QcInputs coreset; /* empty if nothing is learned */
    QcLearner learner;
    void *memory; /* the learner's */
    void *before; /* [learner.state_bytes] its state before the latest adapt; NULL if nothing is learned */
    QcStateFile kept; /* all zero where no state is kept */
    QcDriftBase drift; /* features 0: the model knows none */
    uint32_t known; /* classes that the model file names; later ones took spare rows */
    uint32_t source, source_right; /* source examples of the coreset; of these, right by the model in the file */
    int learns, resumed; /* resumed: the learner goes on from the state */
} QcLiveModel;

/* Stays at its address until it is closed. */
int qc_livemodel_open(QcLiveModel *m, const char *path, const QcLiveOptions *o, QcErr *err);
int qc_livemodel_save(QcLiveModel *m, QcErr *err); /* nothing happens where no state is kept */
/* qc_learner_adapt of a model that learns; saves the state, and unless it is refused also the state before. */
int qc_livemodel_adapt(QcLiveModel *m, QcAdaptReport *report, QcErr *err);
/* Goes back to the state before the latest adapt that was not refused, and saves it. The numbers of windows and adapts
 * go on. 1: done, and *labels is how many labels are forgotten; 0: there is no such state, or it was gone back to
 * already. */
int qc_livemodel_undo(QcLiveModel *m, uint64_t *labels, QcErr *err);
/* Where a window goes for the next prediction: [height][length][channels]. */
uint8_t *qc_livemodel_input(QcLiveModel *m);
void qc_livemodel_close(QcLiveModel *m);

#endif
