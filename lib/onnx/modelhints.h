/* modelhints.h - what the file of another tool does not say about its model, as a user writes it: class names,
 * normalization, shape of the input. */
#ifndef QC_ONNX_MODELHINTS_H
#define QC_ONNX_MODELHINTS_H

#include "onnx.h"

typedef struct QcModelHints { /* NULL: not given */
    const char *labels;       /* a text file, a class name a line, in the order of the logits */
    const char *labels_from;  /* a data file, whose class names are taken in its order, and its front-end for sound */
    const char *norm;         /* an .npz with the arrays mean and std */
    const char *mean, *std;   /* "0.485,0.456,0.406": one number, or one per channel */
    const char *shape;        /* "C,T" or "C,H,W" of one window */
} QcModelHints;

/* QC_EUNSUPPORTED, with how to convert it, if the file's ending (or the format that was named) belongs to a model that
 * cannot be read. */
int qc_modelhints_foreign(const char *path, const char *format, QcErr *err);

/* Fills all of `o` but its folder; what it points to lives in the arena. */
int qc_modelhints_read(QcOnnxOptions *o, const QcModelHints *hints, QcArena *arena, QcErr *err);

#endif
