/* onnx.h - models of other tools in, ours out, as ONNX (github.com/onnx/onnx, onnx.proto; operators as PyTorch 1.13
 * to 2.x exports them, opset 9-23).
 *
 * Reading: a float classifier of one input becomes a model file with section "graph". ONNX lays windows out as
 * [N][C][T] or [N][C][H][W], or channels-last; our graphs are channels-last, so weights are turned while they are read,
 * and operators that only rename axes leave no node. Constants are worked out beforehand. A normalization before
 * everything else (x * gain + shift by channel) becomes the model's own. Files are not trusted: a broken file is
 * QC_EFORMAT, an operator without a counterpart in our graphs QC_EUNSUPPORTED with its name and its node's.
 */
#ifndef QC_ONNX_ONNX_H
#define QC_ONNX_ONNX_H

#include "../format/modelfile.h"
#include "../nn/graph.h"

typedef struct QcOnnxOptions { /* what the file does not say; all zero = nothing more is known */
    uint32_t channels, height, length; /* of one input window; channels = 0: as the file says */
    char *const *labels; /* [n_labels] by logit */
    uint32_t n_labels; /* 0: the file's labels ("qcore.labels"), else "0", "1", ... */
    QcFrontSetup front; /* of the data that named the classes, if they are features of sound; rate 0: none */
    const float *mean; /* [n_mean] of raw windows: one value, or one per channel */
    const float *deviation; /* [n_deviation] the same */
    uint32_t n_mean, n_deviation; /* 0: no normalization beside the file's */
    const char *folder; /* where external data may be read from (file names alone, no paths); NULL: refused */
    int real; /* a quantized model is read as a float model */
    const char *output; /* which of several outputs has the logits; NULL: the only output that no node reads */
} QcOnnxOptions;

typedef struct QcOnnxNotes { /* what the user should know about the model that was made */
    int softmax, sigmoid; /* left out at the end */
    int two_classes; /* the one logit became the second of two, the first being 0 */
    int channels_last; /* the last axis of the input was read as the channels; 0 of .tflite, always so */
    int numbered; /* classes have no names but numbers */
    uint32_t quantized; /* values that the file quantizes (QUANT nodes of the graph); 0: a float model */
    int has_codes; /* the file quantizes values, whether or not they are read so */
    int mixed; /* values are quantized, but some weights are not codes of 8 bits: read as a float model */
    char real_layer[QC_NAME_MAX + 1]; /* mixed: the first layer with such weights */
    uint32_t uncut; /* values read as real numbers that are clipped in the quantized model, but not in this model */
    float *steps; /* [channels of all convolutions and linear layers, in order] scales of weights of a quantized model;
                     else NULL */
    QcGraph graph; /* of a quantized model, whose model file has no section "graph"; else empty */
    uint32_t graphs; /* of the file, if it is .tflite: the first is read */
    uint32_t outputs; /* of the file */
    char output[64]; /* the output that was taken */
} QcOnnxNotes;

void qc_onnxnotes_release(QcOnnxNotes *notes); /* zero or failed notes too */

/* path: "-" or NULL = standard input. notes may be NULL: a quantized model is then stored as a float graph. The file's
 * digest is written to `digest`. */
int qc_onnx_load(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const char *path, const QcOnnxOptions *o,
                 QcOnnxNotes *notes, QcErr *err);
/* The same of bytes in memory. */
int qc_onnx_decode(QcModelFile *m, const uint8_t *bytes, size_t length, const QcOnnxOptions *o, QcOnnxNotes *notes,
                   QcErr *err);

#endif
