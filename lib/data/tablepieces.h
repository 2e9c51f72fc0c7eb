/* tablepieces.h - whether tables fit the files before them, and whether their rows are in the order of recording. */
#ifndef QC_DATA_TABLEPIECES_H
#define QC_DATA_TABLEPIECES_H

#include "series.h"
#include "table.h"

/* Files of a folder must have the same values in the same order, as far as headers say, and one rate: sets both in the
 * list. */
int qc_table_fits(QcSeriesList *list, const QcTable *t, QcErr *err);

/* After the rows were read as samples, into series from `from` on, and times went back `falls` times: -1 if recordings
 * alternate or times fall throughout, so that no window would be left. */
int qc_table_pieces(const QcSeriesList *list, uint32_t from, uint32_t falls, const QcTable *t, QcErr *err);

#endif
