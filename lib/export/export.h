/* export.h - writes our files in the formats of other tools. A format is one line of qc_exporters and one function. */
#ifndef QC_EXPORT_EXPORT_H
#define QC_EXPORT_EXPORT_H

#include "../base/err.h"
#include "../device/learner.h"

/* Options of an export, and remarks on its result. */
typedef struct QcExport {
    const char *input;   /* NULL or "-": standard input */
    const char *output;  /* NULL or "-": standard output, if the format allows that */
    const char *coreset; /* NULL: none */
    uint32_t batch;      /* windows that the device keeps for labels, and learns from at once */
    const char *const *tune; /* [n_tune] "NAME=VALUE", for the learner's parameters (format/parametertable.h) */
    int n_tune;
    uint64_t seed;
    const char *codes;   /* of weights in ONNX: "safe", "int8", "int4"; NULL: safe */
    const char *command; /* for provenance */
    char words[512];     /* out: sentences for the user; may be empty */
} QcExport;

typedef struct QcExporter {
    const char *name, *what;
    int (*run)(QcExport *e, QcErr *err);
} QcExporter;

extern const QcExporter qc_exporters[]; /* ends with {0} */

/* format: a name of the table; NULL or any other name: QC_EUSAGE. */
int qc_export(QcExport *e, const char *format, QcErr *err);

/* One per format. */
int qc_export_c(QcExport *e, QcErr *err); /* a quantized model as C source: output NAME.c, and NAME.h beside it */
int qc_export_onnx(QcExport *e, QcErr *err); /* any model as ONNX */
int qc_export_tflite(QcExport *e, QcErr *err); /* a quantized model as TensorFlow Lite */
int qc_export_npz(QcExport *e, QcErr *err); /* a data file (data/dataset.h) or a float model's weights (nn/weights.h) as
                                               NumPy arrays */
int qc_export_safetensors(QcExport *e, QcErr *err); /* a float model's weights */
int qc_export_csv(QcExport *e, QcErr *err); /* a data file as a table */

#endif
