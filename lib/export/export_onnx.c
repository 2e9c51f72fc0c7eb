#include <stdio.h>
#include <string.h>

#include "../base/file.h"
#include "../format/spareclasses.h"
#include "../onnx/onnxout.h"
#include "export.h"

static int codes_named(QcOnnxCodes *codes, const char *name, QcErr *err)
{
    static const struct {
        const char *name;
        QcOnnxCodes codes;
    } known[] = {{"safe", QC_ONNX_SAFE}, {"int8", QC_ONNX_INT8}, {"int4", QC_ONNX_INT4}};
    *codes = QC_ONNX_SAFE;
    if (!name) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) return *codes = known[i].codes, 0;
    return qc_fail(err, QC_EUSAGE, "--codes is safe, int8 or int4, not '%.40s'", name);
}

int qc_export_onnx(QcExport *e, QcErr *err)
{
    QcModelFile m = {0};
    QcOnnxCodes codes;
    if (e->coreset) return qc_fail(err, QC_EUSAGE, "format onnx has no place for a coreset");
    if (codes_named(&codes, e->codes, err) || qc_output_check(e->output, 1, err) ||
        qc_modelfile_load(&m, e->input, err))
        return -1;
    int status = e->codes && !qc_modelfile_is_quantized(&m)
                     ? qc_fail(err, QC_EUSAGE, "--codes: a float model has no codes")
                     : qc_drop_spare_classes(&m, err) || qc_onnx_save(&m, e->output, codes, err);
    if (!status)
        snprintf(e->words, sizeof e->words, "%s, for windows of %u channels x %u x %u",
                 qc_modelfile_is_quantized(&m) ? "a quantized model" : "a float model", m.channels, m.height, m.length);
    qc_modelfile_release(&m);
    return status;
}
