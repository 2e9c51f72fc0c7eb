/* matfile.h - variables of a MATLAB file (version 5, saved with -v6 or -v7: plain or compressed with zlib, either byte
 * order). Files of version 7.3 are HDF5, which no library reads safely from an untrusted file, and are refused.
 *
 * Fields of a structure are variables of their own, "s.field", and so are cells, "c{1}" and elements of an array of
 * structures, "s(2).field". The file is not trusted: every length is checked before it is used.
 */
#ifndef QC_DATA_MATFILE_H
#define QC_DATA_MATFILE_H

#include "../base/arena.h"
#include "../base/inputview.h"
#include "ndarray.h"

typedef enum QcMatKind {
    QC_MAT_NUMBERS,
    QC_MAT_TEXT,      /* numbers, the codes of letters */
    QC_MAT_CELLS,     /* the `inside` variables after it (and theirs) are its cells */
    QC_MAT_STRUCTURE, /* its fields follow in the same way */
    QC_MAT_OTHER      /* sparse, complex, an object, a function */
} QcMatKind;

typedef struct QcMatVariable {
    const char *name;
    QcMatKind kind;
    const char *what; /* "a structure", for messages */
    QcNdarray a; /* of all kinds the shape; of numbers and text also the values, the first dimension fastest */
    uint32_t level, inside; /* level: 0 = no part of another; inside: how many of the next level it has */
} QcMatVariable;

typedef struct QcMat {
    const char *path; /* borrowed */
    QcInputView view;
    QcArena arena;
    QcMatVariable *variables; /* [n] in the order of the file */
    uint32_t n, room;
} QcMat;

QcMat *qc_mat_open(const char *path, QcErr *err);
void qc_mat_close(QcMat *mat);

const QcMatVariable *qc_mat_find(const QcMat *mat, const char *name); /* NULL: none */
/* Text or a number as text; -1: it is of another kind, or too long. */
int qc_mat_text(char *text, size_t room, const QcMatVariable *v);
/* A matrix of numbers: values [rows][columns] row after row, malloc'd, the caller's. */
int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const char *name, QcErr *err);
/* A positive whole number, whether held as a number or as text ('12'). *number stays 0 if there is no such
 * variable. */
int qc_mat_number(uint32_t *number, const QcMat *mat, const char *name, QcErr *err);

#endif
