/* npy.h - a matrix as a NumPy file (.npy, format 1.0, little-endian float32, C order): what other tools read our
 * figures from. */
#ifndef QC_DATA_NPY_H
#define QC_DATA_NPY_H

#include <stdint.h>

#include "../base/err.h"

/* values [rows][columns] */
int qc_npy_save(const char *path, const float *values, uint32_t rows, uint32_t columns, QcErr *err);

#endif
