#include "matvariables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES_MAX = 1 << 17 };

int qc_mat_fail(const QcMat *mat, QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "%.300s: %s", mat->path, what);
}

int qc_mat_fail_levels(const QcMat *mat, QcErr *err)
{
    return qc_mat_fail(mat, err, "has structures in structures, too many for a file of measurements");
}

QcMatVariable *qc_mat_add(QcMat *mat, const char *name, uint32_t level, QcErr *err)
{
    if (mat->n == VARIABLES_MAX) {
        qc_mat_fail(mat, err, "has too many variables");
        return NULL;
    }
    if (mat->n == mat->room) {
        uint32_t room = mat->room ? 2 * mat->room : 64;
        QcMatVariable *larger = realloc(mat->variables, room * sizeof *larger);
        if (!larger) {
            qc_fail_memory(err, "variables");
            return NULL;
        }
        mat->variables = larger;
        mat->room = room;
    }
    char *copy = qc_arena_text(&mat->arena, name, strlen(name), err);
    if (!copy) return NULL;
    QcMatVariable *v = &mat->variables[mat->n++];
    *v = (QcMatVariable){.name = copy, .level = level};
    return v;
}

static const char *class_name(uint32_t class, int is_complex)
{
    static const char *const names[] = {[QC_MAT_CLASS_CELL] = "an array of cells",
                                        [QC_MAT_CLASS_STRUCT] = "a structure",
                                        [3] = "an object",
                                        [QC_MAT_CLASS_CHAR] = "text",
                                        [5] = "a sparse matrix"};
    if (class && class < sizeof names / sizeof *names) return names[class];
    return class > QC_MAT_CLASS_U64 || !class ? "an object or a function" : is_complex ? "complex numbers" : "numbers";
}

void qc_mat_classify(QcMatVariable *v, uint32_t class, int is_complex)
{
    v->what = class_name(class, is_complex);
    v->kind = QC_MAT_OTHER;
    if (class == QC_MAT_CLASS_CELL) v->kind = QC_MAT_CELLS;
    if (class == QC_MAT_CLASS_STRUCT) v->kind = QC_MAT_STRUCTURE;
    if (class == QC_MAT_CLASS_CHAR) v->kind = QC_MAT_TEXT;
    if (class >= QC_MAT_CLASS_DOUBLE && class <= QC_MAT_CLASS_U64 && !is_complex) v->kind = QC_MAT_NUMBERS;
}

int qc_mat_set_shape(QcMatVariable *v, const QcMat *mat, const uint64_t *shape, uint32_t rank, QcErr *err)
{
    QcNdarray *a = &v->a;
    if (rank < 2 || rank > QC_RANK_MAX) return qc_mat_fail(mat, err, "a variable has a shape that cannot be");
    a->rank = rank;
    a->count = 1;
    for (uint32_t k = 0; k < rank; k++) {
        a->shape[k] = shape[k];
        a->stride[k] = a->count;
        if (a->shape[k] > INT32_MAX || __builtin_mul_overflow(a->count, a->shape[k], &a->count) ||
            a->count > (uint64_t)1 << 40)
            return qc_mat_fail(mat, err, "a variable is larger than can be");
    }
    return 0;
}

void qc_mat_name_cell(char name[QC_MAT_NAME_ROOM], const char *outer, uint64_t k)
{
    snprintf(name, QC_MAT_NAME_ROOM, "%.200s{%llu}", outer, (unsigned long long)k + 1);
}

void qc_mat_name_field(char name[QC_MAT_NAME_ROOM], const char *outer, uint64_t k, uint64_t n, const char *field,
                       size_t letters)
{
    int most = letters < 64 ? (int)letters : 64;
    if (n == 1) snprintf(name, QC_MAT_NAME_ROOM, "%.150s.%.*s", outer, most, field);
    else snprintf(name, QC_MAT_NAME_ROOM, "%.150s(%llu).%.*s", outer, (unsigned long long)k + 1, most, field);
}

/* --- for importers --------------------------------------------------------------------------------------------- */

const QcMatVariable *qc_mat_find(const QcMat *mat, const char *name)
{
    for (uint32_t k = 0; k < mat->n; k++)
        if (!strcmp(mat->variables[k].name, name)) return &mat->variables[k];
    return NULL;
}

int qc_mat_letter(char *letter, const QcNdarray *a, uint64_t at)
{
    double code = qc_ndarray_real(a, at);
    if (!(code >= 1 && code <= 127) || code != floor(code)) return -1;
    *letter = (char)code;
    return 0;
}

int qc_mat_text(char *text, size_t room, const QcMatVariable *v)
{
    const QcNdarray *a = &v->a;
    if (v->kind == QC_MAT_NUMBERS) return a->count == 1 ? qc_ndarray_text(text, room, a, 0) : -1;
    if (v->kind != QC_MAT_TEXT || a->shape[0] > 1) return -1;
    if (a->item == 1) { /* UTF-8, or single letters */
        if (a->count >= room) return -1;
        memcpy(text, a->data, a->count);
        text[a->count] = 0;
        return memchr(text, 0, a->count) ? -1 : 0;
    }
    if (a->count >= room) return -1;
    for (uint64_t k = 0; k < a->count; k++)
        if (qc_mat_letter(&text[k], a, k)) return -1;
    text[a->count] = 0;
    return 0;
}

int qc_mat_matrix(double **values, uint32_t *rows, uint32_t *columns, const QcMat *mat, const char *name, QcErr *err)
{
    const QcMatVariable *v = qc_mat_find(mat, name);
    if (!v) return qc_fail(err, QC_EFORMAT, "%.300s has no variable '%s' that can be read", mat->path, name);
    const QcNdarray *a = &v->a;
    if (v->kind != QC_MAT_NUMBERS || a->rank != 2)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no matrix of numbers", mat->path, name);
    uint64_t r = a->shape[0], c = a->shape[1];
    if (!r || !c || r > 1u << 30 || c > 1u << 24)
        return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is empty or too large", mat->path, name);
    double *out = malloc(r * c * sizeof *out);
    if (!out) return qc_fail_memory(err, name);
    for (uint64_t i = 0; i < r; i++) /* MATLAB stores arrays column by column */
        for (uint64_t k = 0; k < c; k++) out[i * c + k] = qc_ndarray_real(a, k * r + i);
    *values = out;
    *rows = (uint32_t)r;
    *columns = (uint32_t)c;
    return 0;
}

int qc_mat_number(uint32_t *number, const QcMat *mat, const char *name, QcErr *err)
{
    char text[32], *end = text;
    const QcMatVariable *v = qc_mat_find(mat, name);
    *number = 0;
    if (!v) return 0;
    unsigned long n =
        qc_mat_text(text, sizeof text, v) || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9
            ? 0
            : strtoul(text, &end, 10);
    if (!n) return qc_fail(err, QC_EFORMAT, "%.300s: '%s' is no positive whole number", mat->path, name);
    *number = (uint32_t)n;
    return 0;
}
