/* qc-export - our files in forms that others read. */
#include <string.h>

#include "../lib/cli/deviceoptions.h"
#include "../lib/export/export.h"

static const char *format, *coreset, *output, *codes;
static int64_t batch = 64, seed = 1;

static const QcOption options[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "c, onnx, tflite: models; npz, csv: data; npz, safetensors",
     0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "what to write; c: NAME.c, and NAME.h beside it", 0, 0},
    {'c', "coreset", QC_OPTION_TEXT, &coreset, "FILE", "c: the coreset, without which the device cannot calibrate", 0,
     0},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "c: largest batch of windows", 1, 65535},
    {0, "codes", QC_OPTION_TEXT, &codes, "KIND", "onnx: quantized weights as safe, int8 or int4 (else safe)", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "c: seed of the device's random numbers", 0, 0},
    QC_OPTION_TUNE,
    {0},
};

static const QcProgram program = {"qc-export", "write a model or data in another format",
                                  "-f FORMAT [options] [-o FILE] [MODEL|DATA]", options, 1};

/* Options that another format has no use for; the exporters of tflite and onnx refuse some in words of their own. */
static int check(QcErr *err)
{
    if (!format || !strcmp(format, "c")) {
        if (codes) return qc_fail(err, QC_EUSAGE, "--codes is for format onnx");
        return coreset ? 0 : qc_cli_refuse("batch-size seed tune", "without -c CORESET", err);
    }
    if (coreset) return qc_fail(err, QC_EUSAGE, "format %.40s has no place for a coreset", format);
    if (qc_cli_refuse("batch-size seed tune", "unless the format is c", err)) return -1;
    if (codes && strcmp(format, "onnx") && strcmp(format, "tflite"))
        return qc_fail(err, QC_EUSAGE, "--codes is for format onnx, not %.40s", format);
    return 0;
}

int main(int argc, char **argv)
{
    QcErr err;
    qc_cli_parse(&program, argc, argv);
    QcExport e = {.input = argv[1],
                  .output = output,
                  .coreset = coreset,
                  .codes = codes,
                  .batch = (uint32_t)batch,
                  .seed = (uint64_t)seed,
                  .tune = qc_deviceoptions_list.items,
                  .n_tune = qc_deviceoptions_list.n,
                  .command = qc_cli_command()};
    int status = qc_deviceoptions_check(&err) || check(&err) || qc_export(&e, format, &err);
    if (!status && *e.words) qc_note("%s", e.words);
    return qc_cli_end(&err, status);
}
