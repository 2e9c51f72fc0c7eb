/* livepicture.h - a live session as a picture: an SVG drawing, or an HTML page of drawing and tables.
 *
 * The drawing has the mean confidence, the accuracy on the latest QC_PICTURE_LABELS labelled windows, drift with its
 * threshold, and a vertical line per adapt and per start of the process. The page has no script and loads nothing.
 */
#ifndef QC_LAB_LIVEPICTURE_H
#define QC_LAB_LIVEPICTURE_H

#include <stdio.h>

#include "livetrace.h"

enum { QC_PICTURE_LABELS = 32, QC_PICTURE_POINTS = 440 /* of a curve, at most: means of as many windows as needed */ };

void qc_livepicture_svg(FILE *to, const QcLiveTrace *t);
int qc_livepicture_html(FILE *to, const QcLiveTrace *t, QcErr *err);

#endif
