#include "export.h"

#include <stdio.h>
#include <string.h>

#include "../base/file.h"

const QcExporter qc_exporters[] = {
    {"c", "C source of a quantized model, for bare metal", qc_export_c},
    {"onnx", "a float or quantized model for other runtimes", qc_export_onnx},
    {"tflite", "a quantized model for TensorFlow Lite's runtimes", qc_export_tflite},
    {"npz", "a data file, or the weights of a float model, as NumPy arrays", qc_export_npz},
    {"safetensors", "the weights of a float model", qc_export_safetensors},
    {"csv", "a data file as a table", qc_export_csv},
    {0},
};

int qc_export(QcExport *e, const char *format, QcErr *err)
{
    char known[128] = "";
    const char *const inputs[] = {e->input, e->coreset};
    if (qc_output_refuse_overwrite(e->output, inputs, 2, err)) return -1;
    for (const QcExporter *x = qc_exporters; x->name; x++) {
        if (format && !strcmp(x->name, format)) return x->run(e, err);
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", x->name);
    }
    if (!format) return qc_fail(err, QC_EUSAGE, "say which format (-f: %s)", known);
    return qc_fail(err, QC_EUSAGE, "there is no format '%.40s' (there is: %s)", format, known);
}
