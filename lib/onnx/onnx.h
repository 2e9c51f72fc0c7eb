/* onnx.h - models of other tools in, ours out, as ONNX (github.com/onnx/onnx, onnx.proto; operators as PyTorch 1.13 to 2.x exports them, opset 9-23).
 *
 * Reading: a float classifier of one input and one output becomes a model file with section "graph". ONNX lays windows out as [N][C][T] or
 * [N][C][H][W]; our graphs are channels-last, so weights are turned while they are read, and reshapes that only rename axes leave no node behind. Constants
 * are worked out beforehand. A normalisation that stands in front of everything (x * gain + shift, channel by channel) becomes the model's own.
 * Files are not trusted: a broken one is QC_EFORMAT, an operator that has no place in our graphs QC_EUNSUPPORTED with its name and its node's.
 */
#ifndef QC_ONNX_ONNX_H
#define QC_ONNX_ONNX_H

#include "../format/modelfile.h"

typedef struct QcOnnxOptions { /* what the file does not say; all zero = nothing more is known */
    uint32_t channels, height, length; /* of one input window; channels = 0: as the file says */
    char *const *labels;               /* [n_labels] one for each logit; n_labels = 0: the file's ("qcore.labels"), else "0", "1", ... */
    uint32_t n_labels;
    const float *mean, *deviation;     /* [n_mean], [n_deviation] normalisation of raw windows: one value, or one a channel; 0: none */
    uint32_t n_mean, n_deviation;
    const char *folder;                /* where external data may be read from (file names alone, no paths); NULL: refused */
} QcOnnxOptions;

/* path: "-" or NULL = standard input. *softmax (may be NULL) tells that a final Softmax was left out. The file's digest is written to `digest`. */
int qc_onnx_load(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const char *path, const QcOnnxOptions *o, int *softmax, QcErr *err);
/* The same of bytes in memory. */
int qc_onnx_decode(QcModelFile *m, const uint8_t *bytes, size_t length, const QcOnnxOptions *o, int *softmax, QcErr *err);

#endif
