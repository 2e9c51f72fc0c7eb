/* matvariables.h - the variables of a MATLAB file, whatever its version (matfile.h opens it).
 *
 * Fields of a structure are variables of their own, "s.field", and so are cells, "c{1}" and elements of an array of
 * structures, "s(2).field".
 */
#ifndef QC_DATA_MATVARIABLES_H
#define QC_DATA_MATVARIABLES_H

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

/* Classes of arrays, in the numbers of version 5, which libmatio has for version 7.3, too. Below CHAR: an object; above
 * U64: a function or an object; from DOUBLE to U64: numbers. */
enum {
    QC_MAT_CLASS_CELL = 1,
    QC_MAT_CLASS_STRUCT = 2,
    QC_MAT_CLASS_CHAR = 4,
    QC_MAT_CLASS_DOUBLE = 6,
    QC_MAT_CLASS_U64 = 15
};

enum { QC_MAT_NAME_ROOM = 256, QC_MAT_LEVELS_MAX = 8 };

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

const QcMatVariable *qc_mat_find(const QcMat *mat, const char *name); /* NULL: none */
/* Letter `at` of an array of characters, whose codes may be stored as any number; -1: it is no ASCII character. */
int qc_mat_letter(char *letter, const QcNdarray *a, uint64_t at);
/* Text or a number as text; -1: it is of another kind, or too long. */
int qc_mat_text(char *text, size_t room, const QcMatVariable *v);
/* A matrix of numbers: values [rows][columns] row after row, malloc'd, the caller's. */
int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const char *name, QcErr *err);
/* A positive whole number, whether held as a number or as text ('12'). *number stays 0 if there is no such
 * variable. */
int qc_mat_number(uint32_t *number, const QcMat *mat, const char *name, QcErr *err);

/* --- for what reads a file --- */

/* "PATH: WHAT", QC_EFORMAT. */
int qc_mat_fail(const QcMat *mat, QcErr *err, const char *what);
/* The same, for levels above QC_MAT_LEVELS_MAX. */
int qc_mat_fail_levels(const QcMat *mat, QcErr *err);
/* Another variable, of which only name and level are set. It moves when the next is added. */
QcMatVariable *qc_mat_add(QcMat *mat, const char *name, uint32_t level, QcErr *err);
/* Its kind, from its class, and what messages call it. */
void qc_mat_classify(QcMatVariable *v, uint32_t class, int is_complex);
/* Its shape and the number of its values. Refuses shapes that cannot be. */
int qc_mat_set_shape(QcMatVariable *v, const QcMat *mat, const uint64_t *shape, uint32_t rank, QcErr *err);
/* "outer{k + 1}" */
void qc_mat_name_cell(char name[QC_MAT_NAME_ROOM], const char *outer, uint64_t k);
/* "outer.field", or "outer(k + 1).field" if there are more than one. */
void qc_mat_name_field(char name[QC_MAT_NAME_ROOM], const char *outer, uint64_t k, uint64_t n, const char *field,
                       size_t letters);

#endif
