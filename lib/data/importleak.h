/* importleak.h - target leakage in imported series of any format: a channel that encodes the label, such as a code that
 * is constant in each file of a folder. tableleaks.c finds such columns within one table, before they are values.
 */
#ifndef QC_DATA_IMPORTLEAK_H
#define QC_DATA_IMPORTLEAK_H

#include "dataset.h"

/* *channel: the first channel that has one value in all windows of a class, and not the same value in all classes; each
 * class with windows has two at least. -1: there is none. Fails without memory (QC_EFAIL). */
int qc_import_find_leak(int64_t *channel, const QcDataset *d, QcErr *err);

#endif
