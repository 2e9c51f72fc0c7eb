/* qc-info - prints what is in a file, or what a quantized model needs on a device. */
#include "../lib/cli/cli.h"
#include "../lib/cli/describe.h"
#include "../lib/cli/describetarget.h"
#include "../lib/live/memory.h"

static int json, memory;
static int64_t slots = 30, batch = 64;
static const char *target, *ram, *flash;

static const QcOption options[] = {
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object instead of lines of text", 0, 0},
    {0, "memory", QC_OPTION_FLAG, &memory, NULL, "RAM of a quantized model, a prediction and a calibration", 0, 0},
    {0, "target", QC_OPTION_TEXT, &target, "CORE@MHZ", "instructions and time on a core: cortex-m4@64MHz", 0, 0},
    {0, "ram", QC_OPTION_TEXT, &ram, "BYTES", "with --target: say whether this RAM is enough: 64K", 0, 0},
    {0, "flash", QC_OPTION_TEXT, &flash, "BYTES", "with --target: say whether this flash is enough: 512K", 0, 0},
    {'n', "slots", QC_OPTION_INT, &slots, "N", "slots of the coreset; --target: 0 = no learning", 0, 1000000},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "examples of a batch", 1, 65535},
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

static int check(QcErr *err)
{
    if (memory && target) return qc_fail(err, QC_EUSAGE, "give --memory or --target, not both");
    if ((ram || flash) && !target) return qc_fail(err, QC_EUSAGE, "--ram and --flash go with --target");
    if (!memory && !target) return qc_cli_refuse("slots batch-size", "without --memory or --target", err);
    if (memory && !slots) return qc_fail(err, QC_EUSAGE, "--memory needs at least one slot (-n)");
    return 0;
}

static int describe(QcKvWriter *facts, const char *path, QcErr *err)
{
    const QcTargetQuestion question = {target, ram, flash, (uint32_t)slots, (uint32_t)batch};
    if (check(err)) return -1;
    if (target) return qc_describe_target(facts, path, &question, err);
    return memory ? print_memory(facts, path, err) : qc_describe(facts, path, err);
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv);
    QcErr err = {0};
    QcKvWriter facts;
    qc_kv_open(&facts, json);
    int status = describe(&facts, operands ? argv[1] : NULL, &err);
    if (!status) qc_kv_close(&facts);
    return qc_cli_end(&err, status);
}
