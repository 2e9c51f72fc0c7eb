/* export_data.c - formats npz and csv: a data file as NumPy arrays or as a table. */
#include "../data/exportdata.h"
#include "export.h"

static int export_data(const QcExport *e, int (*save)(const QcDataset *d, const char *path, QcErr *err), QcErr *err)
{
    QcDataset d;
    if (qc_dataset_load(&d, e->input, err)) return -1;
    int status = save(&d, e->output, err);
    qc_dataset_release(&d);
    return status;
}

int qc_export_npz(QcExport *e, QcErr *err) { return export_data(e, qc_dataset_save_npz, err); }
int qc_export_csv(QcExport *e, QcErr *err) { return export_data(e, qc_dataset_save_csv, err); }
