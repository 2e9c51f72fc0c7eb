/* framecolumns.h - which column of a stream's rows is which channel, time or label: by options, else by the names in
 * the header. */
#ifndef QC_LIVE_FRAMECOLUMNS_H
#define QC_LIVE_FRAMECOLUMNS_H

#include "framereader.h"

/* From the first row: finds separator and header, and sets channel, columns, time, label and name. Returns 1 if the row
 * is a header, 0 if it is a frame, -1 if the columns do not fit the model. */
int qc_framecolumns_find(QcFrameReader *r, QcField row, QcErr *err);

/* 1: the next cell of a row, without its quotes; 0: no more cells, or quotes that do not close. */
int qc_framecolumns_cell(const QcFrameReader *r, QcField *row, QcField *cell);

/* The cell as a number is written in C: with decimal_comma its first comma becomes a point, in `room`. */
enum { QC_FRAME_NUMBER = 64 };
QcField qc_framecolumns_number(const QcFrameReader *r, QcField cell, char room[QC_FRAME_NUMBER]);

/* The class of a label's cell as qc-import reads it: class 1.0 is class 1, unless the model has a class "1.0". -1: the
 * model has no such class; with `takes`, a new name takes a spare row. */
int32_t qc_framecolumns_class(QcModelFile *m, QcField cell, int takes);

#endif
