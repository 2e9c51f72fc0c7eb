/* windows.h - labelled examples as the networks read them: normalized, [height][length][channels], with the model's
 * classes. */
#ifndef QC_QUANT_WINDOWS_H
#define QC_QUANT_WINDOWS_H

#include "../data/dataset.h"
#include "../device/qgraph.h"

typedef struct QcWindows {
    QcArena arena;
    uint32_t n;
    uint64_t values;  /* of one window */
    float *x;         /* [n][values] */
    int32_t *label;   /* [n] class of the model */
} QcWindows;

/* Every example of d; fails as qc_dataset_match does (all must be labelled). */
int qc_windows_init(QcWindows *w, const QcDataset *d, const QcModelFile *m, QcErr *err);
/* The source examples that a model is prepared with: the examples of the file `data`, or if it is NULL the examples of
 * the file `coreset`, with the digest of the one that was taken. A coreset that is named beside data must fit the model
 * all the same. */
int qc_windows_load_source(QcWindows *w, uint8_t digest[QC_DIGEST_BYTES], const QcModelFile *m, const char *coreset,
                           const char *data, QcErr *err);
void qc_windows_release(QcWindows *w);

/* The windows at index[0..n-1]. */
int qc_windows_pick(QcWindows *out, const QcWindows *w, const uint32_t *index, uint32_t n, QcErr *err);

/* All windows, or `most` of them at even distances: windows may be sorted by class. */
int qc_windows_thin(QcWindows *out, const QcWindows *w, uint32_t most, QcErr *err);

/* Splits at random, class by class: order [n], the first *n_kept indices are kept, the rest (about `share` of each
 * class with two examples or more) held out. */
int qc_windows_hold_out(uint32_t *order, uint32_t *n_kept, const QcWindows *w, double share, uint64_t seed, QcErr *err);

/* The processor's kernels, or a sentence about QC_ISA. */
const QcKernels *qc_need_kernels(QcErr *err);

#endif
