/* reporttable.h - rows of results on paper: TSV, Markdown, LaTeX, JSON, runs (runtable.h), or a gnuplot script that
 * draws them. */
#ifndef QC_LAB_REPORTTABLE_H
#define QC_LAB_REPORTTABLE_H

#include <stdio.h>

#include "results.h"

typedef enum QcReportFormat {
    QC_REPORT_TSV,
    QC_REPORT_MD,
    QC_REPORT_LATEX,
    QC_REPORT_JSON,
    QC_REPORT_RUNS,
    QC_REPORT_CURVES,
    QC_REPORT_POINTS,
    QC_REPORT_AXIS
} QcReportFormat;

typedef struct QcReport {
    QcReportFormat format;
    uint32_t n_figures;
    QcFigure figures[QC_FIGURE_COUNT];
    uint32_t axis; /* of QC_REPORT_AXIS: what figures[0] is drawn over */
} QcReport;

/* Figures "A,B,...", of which "accuracy", "cost" and "transfer" are several. QC_EUSAGE for what there is not. */
int qc_report_table(QcReport *r, const char *format, const char *figures, QcErr *err);
/* "batches" (a curve per row), "X,Y" (a point per row), or "AXIS,Y" (a curve over the axis, which makes rows, too: by
 * [n_axes] is reported). */
int qc_report_picture(QcReport *r, const char *what, const QcExperiment *e, uint8_t *by, QcErr *err);
/* by: as in qc_results_load. The script writes SVG to its standard output (reportplot.h). */
void qc_report_print(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by);

#endif
