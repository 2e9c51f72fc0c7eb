/* importmodel.h - qc-import for models: which files are models, and a foreign model -> a model file. */
#ifndef QC_CLI_IMPORTMODEL_H
#define QC_CLI_IMPORTMODEL_H

#include "../base/err.h"
#include "../onnx/modelhints.h"

typedef struct QcModelImport {
    const char *path, *format; /* format NULL: by the ending of path */
    const char *output;        /* of the model file; as qc_modelfile_save takes it */
    QcModelHints hints;
    const char *external_data; /* folder of an ONNX file's weights, or NULL */
    const char *logits;        /* name of the output that has them, or NULL */
    const char *like, *arch;   /* for weights without a graph, or NULL */
    double width;              /* factor of the channels of `arch`; 0: none */
    int real;                  /* read a quantized model as float */
    const char *measure;       /* print the accuracy on this data file, or NULL */
    int threads;
    int json;
} QcModelImport;

int qc_modelimport_is_for(const QcModelImport *m);

/* Is any option given that data have no use for? */
int qc_modelimport_given(const QcModelImport *m);

/* Reads, saves and reports; -1 with a sentence. */
int qc_modelimport_run(const QcModelImport *m, QcErr *err);

#endif
