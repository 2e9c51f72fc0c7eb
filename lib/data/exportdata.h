/* exportdata.h - datasets in forms that others read. Outputs are whole or not there. */
#ifndef QC_DATA_EXPORTDATA_H
#define QC_DATA_EXPORTDATA_H

#include "dataset.h"

int qc_dataset_save_npz(const QcDataset *d, const char *path, QcErr *err); /* export_npz.c */
int qc_dataset_save_csv(const QcDataset *d, const char *path, QcErr *err); /* export_csv.c */

#endif
