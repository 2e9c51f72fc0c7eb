#include <stdio.h>

#include "../base/file.h"
#include "../format/spareclasses.h"
#include "../onnx/tfliteout.h"
#include "export.h"

int qc_export_tflite(QcExport *e, QcErr *err)
{
    QcModelFile m = {0};
    if (e->coreset) return qc_fail(err, QC_EUSAGE, "format tflite has no place for a coreset");
    if (e->codes) return qc_fail(err, QC_EUSAGE, "--codes is for format onnx; tflite has int8");
    if (qc_output_check(e->output, 1, err) || qc_modelfile_load(&m, e->input, err)) return -1;
    int status = qc_drop_spare_classes(&m, err) || qc_tflite_save(&m, e->output, err);
    if (!status)
        snprintf(e->words, sizeof e->words, "a quantized model, for windows of %u x %u x %u channels", m.height,
                 m.length, m.channels);
    qc_modelfile_release(&m);
    return status;
}
