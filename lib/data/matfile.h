/* matfile.h - variables of a MATLAB file (version 5, plain or zlib-compressed, either byte order), through libmatio.
 *
 * The file is checked before libmatio reads it: every variable must be a plain array of numbers or text whose
 * declared shape is exactly what follows it, so that damaged files and files that inflate without end neither reach
 * it nor cost memory.
 */
#ifndef QC_DATA_MATFILE_H
#define QC_DATA_MATFILE_H

#include <stdint.h>

#include "../base/err.h"
#include "ndarray.h"

enum { QC_MAT_NAME = 65 };

typedef struct QcMat QcMat;

QcMat *qc_mat_open(const char *path, QcErr *err);
void qc_mat_close(QcMat *mat);

/* A matrix of any numeric class: values [rows][columns] row after row, malloc'd, the caller's. */
int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, QcMat *mat, const char *name, QcErr *err);
/* An array of any numeric class: values[count], the first dimension fastest, malloc'd, the caller's. */
int qc_mat_array(double **values, uint64_t shape[QC_RANK_MAX], uint32_t *rank, QcMat *mat, const char *name,
                 QcErr *err);
/* The next variable of the file, from the first on after opening or qc_mat_rewind: 1, or 0 at the end. */
int qc_mat_next(char name[QC_MAT_NAME], int *is_numeric, uint32_t *rank, uint64_t *count, QcMat *mat);
void qc_mat_rewind(QcMat *mat);
/* A positive whole number, whether held as a number or as text ('12'). *number stays 0 if there is no such
 * variable. */
int qc_mat_number(uint32_t *number, QcMat *mat, const char *name, QcErr *err);

#endif
