#include "reportinput.h"

#include "../base/reread.h"
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
    int is_first = 1, is_text = !qc_lines_open(&l, path, NULL);
    while (is_text && input == QC_INPUT_EXPERIMENT && qc_lines_next(&l, &line)) {
        if (line.at == line.end || *line.at == '#') continue;
        if (is_first && is_header_of_runs(line)) input = QC_INPUT_RUNS;
        if (qc_livetrace_is_start(line.at, line.end)) input = QC_INPUT_LIVE;
        is_first = 0; /* words of qc-run may come before its heading */
    }
    qc_lines_close(&l);
    qc_reread_again(path);
    return input;
}
