/* matfile.h - a MATLAB file as its variables. Version 5 (saved with -v6 or -v7: plain or compressed with zlib, either
 * byte order) is read here; version 7.3 is HDF5, and a process of its own reads it through libmatio (mat73.h).
 *
 * The file is not trusted: every length is checked before it is used.
 */
#ifndef QC_DATA_MATFILE_H
#define QC_DATA_MATFILE_H

#include "matvariables.h"

/* QC_MAT_5_OR_73 starts a process, so no other thread may run: a child has only the thread that made it. */
typedef enum QcMatVersions { QC_MAT_5, QC_MAT_5_OR_73 } QcMatVersions;

QcMat *qc_mat_open(const char *path, QcMatVersions versions, QcErr *err);
void qc_mat_close(QcMat *mat);

#endif
