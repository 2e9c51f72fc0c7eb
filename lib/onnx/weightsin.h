/* weightsin.h - weights alone (nn/weights.h: .npz or safetensors) -> a model file: the rest comes from a model that is
 * there, or from an architecture. */
#ifndef QC_ONNX_WEIGHTSIN_H
#define QC_ONNX_WEIGHTSIN_H

#include "onnx.h"

typedef struct QcWeightsSource {
    const char *path;  /* of the weights; "-" or NULL = standard input */
    int safetensors;   /* else .npz */
    const char *like;  /* a float model: graph, labels and normalization are taken from it; or */
    const char *arch;  /* an architecture (nn/arch.h), with shape and labels in the options below */
    double width;      /* of that; 0: as it says itself */
} QcWeightsSource;

/* Exactly one of like and arch must be given: else, and where options are missing or too many, QC_EUSAGE. digest: of
 * the weights' file. */
int qc_import_weights(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const QcWeightsSource *s, const QcOnnxOptions *o,
                      QcErr *err);

#endif
