#include "matfile.h"

#include <math.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "matguard.h"
#include "tree.h"

struct QcMat {
    mat_t *file;
    const char *name; /* borrowed from the caller for the life of the object */
};

static int guard_file(const char *path, QcErr *err)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (qc_is_standard(path) || !qc_is_regular(path))
        return qc_fail(err, QC_EIO, "%.300s is not a regular file", qc_input_name(path));
    int status = qc_read_all(path, &bytes, &length, err) || qc_mat_guard(path, bytes, length, err) ? -1 : 0;
    free(bytes);
    return status;
}

QcMat *qc_mat_open(const char *path, QcErr *err)
{
    if (guard_file(path, err)) return NULL;
    QcMat *mat = malloc(sizeof *mat);
    if (!mat) {
        qc_fail_memory(err, path);
        return NULL;
    }
    *mat = (QcMat){Mat_Open(path, MAT_ACC_RDONLY), path};
    if (mat->file) return mat;
    qc_fail(err, QC_EFORMAT, "%.300s cannot be read as a MATLAB file", path);
    free(mat);
    return NULL;
}

void qc_mat_close(QcMat *mat)
{
    if (!mat) return;
    Mat_Close(mat->file);
    free(mat);
}

/* Element i as a number; NaN if the class is none of numbers. */
static double element(const matvar_t *v, size_t i)
{
    switch (v->class_type) {
    case MAT_C_DOUBLE: return ((const double *)v->data)[i];
    case MAT_C_SINGLE: return (double)((const float *)v->data)[i];
    case MAT_C_INT8: return ((const int8_t *)v->data)[i];
    case MAT_C_UINT8: return ((const uint8_t *)v->data)[i];
    case MAT_C_INT16: return ((const int16_t *)v->data)[i];
    case MAT_C_UINT16: return ((const uint16_t *)v->data)[i];
    case MAT_C_INT32: return ((const int32_t *)v->data)[i];
    case MAT_C_UINT32: return ((const uint32_t *)v->data)[i];
    case MAT_C_INT64: return (double)((const int64_t *)v->data)[i];
    case MAT_C_UINT64: return (double)((const uint64_t *)v->data)[i];
    default: return NAN;
    }
}

static int is_numeric(const matvar_t *v) { return v->class_type >= MAT_C_DOUBLE && v->class_type <= MAT_C_UINT64; }

static int copy_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const matvar_t *v,
                       const char *name, QcErr *err)
{
    if (!is_numeric(v) || v->rank != 2 || v->isComplex)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no matrix of numbers", mat->name, name);
    size_t r = v->dims[0], c = v->dims[1];
    if (!r || !c || r > 1u << 30 || c > 1u << 24 || !v->data)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is empty or too large", mat->name, name);
    double *out = malloc(r * c * sizeof *out);
    if (!out) return qc_fail_memory(err, name);
    for (size_t i = 0; i < r; i++) /* MATLAB stores arrays column by column */
        for (size_t k = 0; k < c; k++) out[i * c + k] = element(v, k * r + i);
    *values = out;
    *rows = (uint32_t)r;
    *columns = (uint32_t)c;
    return 0;
}

int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, QcMat *mat, const char *name, QcErr *err)
{
    matvar_t *v = Mat_VarRead(mat->file, name);
    if (!v) return qc_fail(err, QC_EFORMAT, "%.300s has no variable '%s' that can be read", mat->name, name);
    int status = copy_matrix(values, rows, columns, mat, v, name, err);
    Mat_VarFree(v);
    return status;
}

static int copy_array(double **values, uint64_t shape[QC_RANK_MAX], uint32_t *rank, const QcMat *mat, const matvar_t *v,
                      const char *name, QcErr *err)
{
    uint64_t n = 1;
    if (!is_numeric(v) || v->isComplex || v->rank < 1 || v->rank > QC_RANK_MAX || !v->data)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no array of numbers", mat->name, name);
    *rank = (uint32_t)v->rank;
    for (uint32_t k = 0; k < *rank; k++) n *= shape[k] = v->dims[k];
    if (!n) return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is empty", mat->name, name);
    double *out = malloc(n * sizeof *out);
    if (!out) return qc_fail_memory(err, name);
    for (uint64_t k = 0; k < n; k++) out[k] = element(v, k);
    return *values = out, 0;
}

int qc_mat_array(double **values, uint64_t shape[QC_RANK_MAX], uint32_t *rank, QcMat *mat, const char *name, QcErr *err)
{
    matvar_t *v = Mat_VarRead(mat->file, name);
    if (!v) return qc_fail(err, QC_EFORMAT, "%.300s has no variable '%s' that can be read", mat->name, name);
    int status = copy_array(values, shape, rank, mat, v, name, err);
    Mat_VarFree(v);
    return status;
}

int qc_mat_next(char name[QC_MAT_NAME], int *numeric, uint32_t *rank, uint64_t *count, QcMat *mat)
{
    matvar_t *v = Mat_VarReadNextInfo(mat->file);
    if (!v) return 0;
    snprintf(name, QC_MAT_NAME, "%s", v->name ? v->name : "");
    *numeric = is_numeric(v);
    *rank = v->rank > 0 ? (uint32_t)v->rank : 0;
    *count = 1;
    for (uint32_t k = 0; k < *rank; k++) *count *= v->dims[k];
    Mat_VarFree(v);
    return 1;
}

void qc_mat_rewind(QcMat *mat) { Mat_Rewind(mat->file); }

/* Text lies in 8 or 16 bits per letter, as the file had it. */
static double letter(const matvar_t *v, size_t i)
{
    return v->data_type == MAT_T_UINT16 || v->data_type == MAT_T_UTF16 ? ((const uint16_t *)v->data)[i]
                                                                       : ((const uint8_t *)v->data)[i];
}

static double number_of(const matvar_t *v)
{
    size_t n = v->rank == 2 ? v->dims[0] * v->dims[1] : 0;
    if (!v->data || !n) return NAN;
    if (is_numeric(v)) return n == 1 ? element(v, 0) : NAN;
    if (v->class_type != MAT_C_CHAR || n > 9 || v->data_type == MAT_T_UTF32) return NAN;
    double number = 0;
    for (size_t i = 0; i < n; i++) {
        double digit = letter(v, i) - '0';
        if (digit < 0 || digit > 9) return NAN;
        number = number * 10 + digit;
    }
    return number;
}

int qc_mat_number(uint32_t *number, QcMat *mat, const char *name, QcErr *err)
{
    matvar_t *v = Mat_VarRead(mat->file, name);
    *number = 0;
    if (!v) return 0;
    double n = number_of(v);
    Mat_VarFree(v);
    if (!(n >= 1 && n <= 999999999) || n != floor(n))
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no positive whole number", mat->name, name);
    *number = (uint32_t)n;
    return 0;
}
