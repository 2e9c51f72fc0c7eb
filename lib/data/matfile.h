/* matfile.h - variables of a MATLAB file (version 5, saved with -v6 or -v7: plain or compressed with zlib, either byte
 * order). Files of version 7.3 are refused: they are HDF5, whose library can crash on damaged files.
 *
 * The parts of a variable are variables, too: fields of a structure ("s.field"), cells ("c{1}") and fields of an array
 * of structures ("s(2).field"). The file is not trusted: every length is checked before it is used.
 */
#ifndef QC_DATA_MATFILE_H
#define QC_DATA_MATFILE_H

#include "../base/arena.h"
#include "../base/inputview.h"
#include "ndarray.h"

typedef enum QcMatKind {
    QC_MAT_NUMBERS,
    QC_MAT_TEXT,      /* codes of letters */
    QC_MAT_CELLS,     /* its cells follow in QcMat.variables, each with its own parts after it */
    QC_MAT_STRUCTURE, /* its fields follow in the same way */
    QC_MAT_OTHER      /* sparse, complex, an object, a function */
} QcMatKind;

typedef struct QcMatVariable {
    const char *name;
    QcMatKind kind;
    const char *what; /* the kind in words for messages, such as "a structure" */
    QcNdarray a; /* all kinds: the shape; numbers and text: also the values, the first dimension fastest */
    uint32_t level; /* depth: 0 = not a part of another variable */
    uint32_t inside; /* parts of level + 1 that follow */
} QcMatVariable;

typedef struct QcMat {
    const char *path; /* borrowed */
    QcInputView view;
    QcArena arena;
    QcMatVariable *variables; /* [n] in the order of the file */
    uint32_t n, room; /* room: variables that fit */
} QcMat;

/* Reads all variables; the file stays mapped. NULL with a sentence. */
QcMat *qc_mat_open(const char *path, QcErr *err);
void qc_mat_close(QcMat *mat);

const QcMatVariable *qc_mat_find(const QcMat *mat, const char *name); /* NULL: none */
/* Writes text, or one number as text, to text[room]. -1 without a sentence: v is of another kind, or too long. */
int qc_mat_text(char *text, size_t room, const QcMatVariable *v);
/* A matrix of numbers: values [rows][columns] row after row, malloc'd, the caller's. */
int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const char *name, QcErr *err);
/* A positive whole number, whether held as a number or as text ('12'). *number stays 0 if there is no such
 * variable. */
int qc_mat_number(uint32_t *number, const QcMat *mat, const char *name, QcErr *err);

#endif
