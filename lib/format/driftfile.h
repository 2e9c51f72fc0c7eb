/* driftfile.h - what a model knows of its source's features (device/driftwatch.h) as the optional section "drift" of a
 * quantized model file. */
#ifndef QC_FORMAT_DRIFTFILE_H
#define QC_FORMAT_DRIFTFILE_H

#include "../device/driftwatch.h"
#include "modelfile.h"

int qc_driftbase_encode(QcModelFile *m, const QcDriftBase *b, const QcQGraph *g, QcErr *err);

/* 1; or 0 if there is none, or if the codes below the last layer are others now (flips), which makes other features.
 * -1: the section makes no sense. */
int qc_driftbase_decode(QcDriftBase *b, const QcModelFile *m, const QcQGraph *g, QcArena *arena, QcErr *err);

/* Bytes that the last layer of a graph reads. */
uint32_t qc_driftbase_features(const QcQGraph *g);

#endif
