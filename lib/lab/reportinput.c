#include "reportinput.h"

#include "../base/file.h"
#include "../data/lines.h"
#include "livetrace.h"

/* Its first line with words of its own has a cell `run`. */
static int is_header_of_runs(QcField line)
{
    QcField cell;
    if (qc_field_count(line, '\t') < 2) return 0;
    while (qc_field_next(&line, &cell, '\t'))
        if (qc_field_is(cell, "run")) return 1;
    return 0;
}

QcReportInput qc_report_input(const char *path)
{
    QcLines l;
    QcField line;
    QcReportInput input = QC_INPUT_EXPERIMENT;
    if (!qc_is_regular(path) || qc_lines_open(&l, path, NULL)) return input;
    int is_first = 1;
    while (input == QC_INPUT_EXPERIMENT && qc_lines_next(&l, &line)) {
        if (line.at == line.end || *line.at == '#') continue;
        if (is_first && is_header_of_runs(line)) input = QC_INPUT_RUNS;
        if (qc_livetrace_is_start(line.at, line.end)) input = QC_INPUT_LIVE;
        is_first = 0; /* words of qc-run may come before its heading */
    }
    qc_lines_close(&l);
    return input;
}
