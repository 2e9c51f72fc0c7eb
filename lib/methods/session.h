/* session.h - a calibration session on the workstation: a quantized model, its coreset and a stream of labelled batches, around the device's own step.
 *
 * The session owns everything it loads and the one block of memory in which the device works. Files are written between batches, never torn: each is the state
 * after a whole batch.
 */
#ifndef QC_METHODS_SESSION_H
#define QC_METHODS_SESSION_H

#include "../data/split.h"
#include "../device/calibrate.h"
#include "../quant/windows.h"

typedef struct QcSessionOptions {
    uint32_t batches;          /* the stream is cut into so many; 0: by batch_size */
    uint32_t batch_size;
    QcStreamOrder order;
    QcCalibrateOptions device; /* phi0, cap and phi_max of 0, by_layer of -1: what qc_calibrate_defaults says for the model's bits */
    const char *command;       /* for the provenance */
} QcSessionOptions;

typedef struct QcSession {
    QcArena arena;
    QcModelFile model;
    QcQGraph g;
    QcFlip flip;
    QcDataset coreset, stream;
    QcWindows windows;           /* of the stream */
    QcCalibrator calibrator;
    void *memory;                /* of the calibrator */
    uint64_t memory_bytes;       /* all that the device needs but the model and the batch: coreset, statistic, activations, scratch */
    uint64_t model_bytes;        /* codes, scales, flip network */
    uint64_t batch_bytes;        /* the largest batch, quantized */
    uint32_t *order, *starts;    /* batches of the stream */
    uint32_t batches, at;        /* in all; done */
    uint8_t *batch;              /* quantized windows of a batch */
    uint16_t *labels;
    uint64_t *ids;
    int stamped;
    const char *command;
} QcSession;

/* Loads and checks all three; coreset and stream must be labelled. */
int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *stream, const QcSessionOptions *o, QcErr *err);
/* Next batch; ms (may be NULL): time of the device's step alone. Call while s->at < s->batches. */
void qc_session_next(QcSession *s, QcCalibrateReport *report, double *ms);
/* The model as it stands, the coreset as it stands. NULL or "-": stdout. */
int qc_session_save_model(QcSession *s, const char *path, QcErr *err);
int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err);
void qc_session_close(QcSession *s);

#endif
