/* qc-info - prints what is in a file, or the memory that a quantized model needs. */
#include "../lib/cli/cli.h"
#include "../lib/cli/describe.h"
#include "../lib/live/memory.h"

static int json, memory;
static int64_t slots = 30, batch = 64;

static const QcOption options[] = {
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object instead of lines of text", 0, 0},
    {0, "memory", QC_OPTION_FLAG, &memory, NULL, "RAM of a quantized model, a prediction and a calibration", 0, 0},
    {'n', "slots", QC_OPTION_INT, &slots, "N", "with --memory: slots of the coreset", 1, 1000000},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "with --memory: examples of a batch", 1, 65535},
    {0}};

static const QcProgram program = {"qc-info", "print what is in a model file, data file or miss log", "[options] [FILE]",
                                  options, 1};

static int print_memory(QcKvWriter *facts, const char *path, QcErr *err)
{
    QcMemory plan;
    if (qc_memory_of_model(&plan, path, (uint32_t)slots, (uint32_t)batch, err)) return -1;
    qc_put_memory(facts, &plan);
    return 0;
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv);
    QcErr err = {0};
    QcKvWriter facts;
    qc_kv_open(&facts, json);
    int status = (memory ? print_memory : qc_describe)(&facts, operands ? argv[1] : NULL, &err);
    if (!status) qc_kv_close(&facts);
    return qc_cli_end(&err, status);
}
