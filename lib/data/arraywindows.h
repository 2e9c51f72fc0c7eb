/* arraywindows.h - an array of numbers as windows, or as the samples of recordings. */
#ifndef QC_DATA_ARRAYWINDOWS_H
#define QC_DATA_ARRAYWINDOWS_H

#include "../base/inputview.h"
#include "import.h"
#include "ndarray.h"

/* An array, and who owns its bytes. */
typedef struct QcArray {
    QcNdarray a;
    QcInputView view;    /* bytes that the array owns; all zero: `within` has them */
    QcInputView *within; /* borrowed view that has the bytes of `a`, or NULL */
    char where[400]; /* "FILE: array 'x'" */
    int there;
} QcArray;

/* x is [n][length], [n][channels][length] or [n][channels][height][length] (or, with channels last, the channels at the
 * end), or pictures [n][height][width] (o->grey). Missing values (NaN, inf) by o->missing: examples to drop have
 * keep[i] = 0 ([n], malloc'd, the caller's; NULL = all are kept). The bytes of x
 * are lost (qc_inputview_drop). */
int qc_array_windows(QcDataset *d, uint8_t **keep, QcArray *x, const QcImportOptions *o, QcErr *err);

/* Takes examples with keep[i] = 0 out; keep may be NULL. */
int qc_array_keep(QcDataset *d, const uint8_t *keep, QcErr *err);

/* x is [samples][channels] or [samples]; `samples` has a label, group and recording for each, times (may be NULL) their
 * time. Windows by o. */
int qc_array_cut(QcDataset *d, const QcArray *x, const QcDataset *samples, const double *times,
                 const QcImportOptions *o, QcErr *err);

#endif
