/* qinput.h - labelled data as a quantized model reads it: one u8 window at a time, normalized, turned and quantized as
 * it is read, so that windows need not be in memory, neither as floats nor all at once.
 */
#ifndef QC_QUANT_QINPUT_H
#define QC_QUANT_QINPUT_H

#include "../data/dataset.h"
#include "../device/slots.h"
#include "../device/qgraph.h"

/* q [height][length][channels]: window i of d, whose shape is the shape of `input`. The same bytes as qc_q_input makes
 * of qc_dataset_batch_window. */
int qc_inputs_quantize(uint8_t *q, const QcDataset *d, uint32_t i, const QcNorm *norm, const QcQTensor *input,
                       QcErr *err);

/* A data file that fits a model: its values stay in the file where that is a regular one. */
typedef struct QcInputs {
    QcArena arena;
    QcDataset data;
    const QcNorm *norm;      /* borrowed from the model, as is input */
    const QcQTensor *input;
    int32_t *label;          /* [n] class of the model, -1: none */
    uint32_t n, window;      /* examples; bytes of one */
    uint32_t n_unknown;      /* examples of classes that the model does not know (QC_LABELS_KNOWN) */
    const char *unknown;     /* the name of such a class; NULL: none */
} QcInputs;

/* Fails as qc_dataset_match does, with the file's name in front. coreset: the file must be one. */
int qc_inputs_open(QcInputs *in, const char *path, const QcModelFile *m, const QcQGraph *g, int coreset,
                   QcLabelNeed need, QcErr *err);
/* The same of a stream, whose examples may be of classes that the model does not know: their names take spare rows of
 * the model (format/spareclasses.h). Fails, and takes none, if there are too few. */
int qc_inputs_open_stream(QcInputs *in, const char *path, QcModelFile *m, const QcQGraph *g, QcLabelNeed need,
                          QcErr *err);
int qc_inputs_read(const QcInputs *in, uint8_t *q, uint32_t i, QcErr *err); /* q [window] */
void qc_inputs_close(QcInputs *in);

/* What a slot of the learner's coreset holds of example i of a coreset file, beside its window (device/slots.h). */
typedef struct QcKeptExample {
    uint16_t label, misses;
    uint8_t flags; /* QC_SLOT_* */
    uint64_t id;
} QcKeptExample;
QcKeptExample qc_inputs_kept(const QcInputs *coreset, uint32_t i);

#endif
