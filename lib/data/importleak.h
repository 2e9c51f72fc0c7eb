/* importleak.h - a channel of imported series that is the label in other words: a code beside the class, constant
 * within each file of a folder. A model that reads it learns nothing else.
 */
#ifndef QC_DATA_IMPORTLEAK_H
#define QC_DATA_IMPORTLEAK_H

#include "dataset.h"

/* The first channel that has one value in all windows of a class, and not the same value in all classes; each class
 * with windows has two at least. -1: none, or no memory to look. */
int64_t qc_import_find_leak(const QcDataset *d);

#endif
