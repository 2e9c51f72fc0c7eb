/* qc-export - our files in forms that others read. */
#include "../lib/cli/cli.h"
#include "../lib/export/export.h"

static const char *format, *coreset, *output, *codes;
static int64_t batch = 64, rounds = 20, chunk, second = 1, recent = 64, seed = 1;
static double stop = -1, lead = 0.5, scarce = 0.5, rest = 0.9, temper = -1, unseen = 0.7, ridge = 0.03, worth = 3;

static const QcOption options[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "c: C source of a quantized model, for bare metal; onnx: any model; npz, csv: data; npz, safetensors: weights", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "what to write; c: NAME.c, and NAME.h beside it", 0, 0},
    {'c', "coreset", QC_OPTION_TEXT, &coreset, "FILE", "c: the coreset, without which the device cannot calibrate", 0, 0},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "c: most examples of a batch", 1, 65535},
    {0, "rounds", QC_OPTION_INT, &rounds, "N", "c: draws of flips a batch, at most", 0, 10000},
    {0, "stop", QC_OPTION_REAL, &stop, "LOSS", "c: no more draws in a batch once the loss is at or below; -1 = as of qc-calibrate", -1, 100},
    {0, "chunk", QC_OPTION_INT, &chunk, "N", "c: weights that are looked at together; 0 = 20480", 0, 1000000000},
    {0, "scarce", QC_OPTION_REAL, &scarce, "R", "c: as of qc-calibrate", 0, 1},
    {0, "second", QC_OPTION_INT, &second, "0|1", "c: as of qc-calibrate", 0, 1},
    {0, "lead", QC_OPTION_REAL, &lead, "N", "c: as of qc-calibrate", 0, 1000000},
    {0, "rest", QC_OPTION_REAL, &rest, "R", "c: as of qc-calibrate", 0, 1},
    {0, "temper", QC_OPTION_REAL, &temper, "LOSS", "c: as of qc-calibrate; -1 = by the bits", -1, 100},
    {0, "unseen", QC_OPTION_REAL, &unseen, "R", "c: as of qc-calibrate", 0, 1},
    {0, "ridge", QC_OPTION_REAL, &ridge, "R", "c: as of qc-calibrate", 0.000001, 1000000},
    {0, "worth", QC_OPTION_REAL, &worth, "N", "c: as of qc-calibrate", 0.01, 1000000},
    {0, "recent", QC_OPTION_INT, &recent, "N", "c: as of qc-calibrate", 0, 1000000},
    {0, "codes", QC_OPTION_TEXT, &codes, "KIND", "onnx: quantized weights as safe, int8 or int4 (else safe)", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "c: of the device's draws", 0, 0},
    {0},
};

static const QcProgram program = {"qc-export", "write a model or data in a form that others read", "-f FORMAT [options] [-o FILE] [MODEL|DATA]", options, 1};

int main(int argc, char **argv)
{
    QcErr err;
    qc_cli_parse(&program, argc, argv);
    QcExport e = {.input = argv[1], .output = output, .coreset = coreset, .codes = codes, .batch = (uint32_t)batch, .rounds = (uint32_t)rounds, .chunk = (uint32_t)chunk,
                  .stop = (float)stop, .scarce = (float)scarce, .second = (int)second, .lead = (float)lead, .rest = (float)rest, .temper = (float)temper, .unseen = (float)unseen, .ridge = (float)ridge, .worth = (float)worth, .recent = (uint32_t)recent, .seed = (uint64_t)seed,
                  .command = qc_cli_command()};
    int status = qc_export(&e, format, &err);
    if (!status && *e.words) qc_say("%s", e.words);
    return qc_cli_end(&err, status);
}
