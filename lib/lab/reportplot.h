/* reportplot.h - rows of results as a picture: a gnuplot script that writes SVG. Curves have the 95 % interval of the
 * mean, as a band or as bars, and their names beside the picture. */
#ifndef QC_LAB_REPORTPLOT_H
#define QC_LAB_REPORTPLOT_H

#include "reporttable.h"

enum { QC_PLOT_CURVES = 8 /* more cannot be told apart: the rows' first ones are drawn */ };

/* r: of qc_report_picture; by: as in qc_results_load. */
void qc_report_plot(const QcReport *r, FILE *to, const QcExperiment *e, const QcResults *results, const uint8_t *by);

/* 0, or -1 if the rows lack what the picture shows. */
int qc_report_can_draw(const QcReport *r, const QcExperiment *e, const QcResults *results, const uint8_t *by,
                       QcErr *err);

/* One sentence in text: which curves the picture leaves out, and how to choose. 0: none, and text is empty. */
int qc_report_left_out(char *text, size_t room, const QcReport *r, const QcExperiment *e, const QcResults *results,
                       const uint8_t *by);

#endif
