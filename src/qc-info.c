/* qc-info - says what is in a file of ours. */
#include "../lib/cli/cli.h"
#include "../lib/eval/describe.h"

int main(int argc, char **argv)
{
    int json = 0;
    const QcOption options[] = {{0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object instead of lines of text", 0, 0}, {0}};
    const QcProgram program = {"qc-info", "say what is in a model file, data file or miss log", "[options] [FILE]", options, 1};
    int operands = qc_cli_parse(&program, argc, argv);

    QcErr err = {0};
    QcSheet sheet;
    qc_sheet_open(&sheet, json);
    int status = qc_describe(&sheet, operands ? argv[1] : NULL, &err);
    if (!status) qc_sheet_close(&sheet);
    return qc_cli_end(&err, status);
}
