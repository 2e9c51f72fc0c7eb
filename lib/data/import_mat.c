/* MATLAB files of any content: windows as examples x length, x channels x length, x channels x height x
 * length, labels one per row; or, with --window, samples x channels. Variables are named by --variable and --y ("s.x"
 * is field x of the structure s), or have usual names.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "../base/file.h"
#include "arraywindows.h"
#include "lines.h"
#include "matfile.h"
#include "tree.h"

typedef struct Reader {
    const char *path;
    const QcImportOptions *o;
    QcMat *mat;
} Reader;

static void load(QcArray *out, const Reader *r, const QcMatVariable *v)
{
    snprintf(out->where, sizeof out->where, "%.250s: '%.60s'", r->path, v->name);
    out->there = 1;
    out->a = v->a;
}

/* Names of variables and fields for messages, without cells: "x, s.data, s.label". */
static const char *list_variables(char list[300], const QcMat *m, int numbers)
{
    *list = 0;
    for (uint32_t k = 0; k < m->n; k++) {
        const QcMatVariable *v = &m->variables[k];
        size_t used = strlen(list);
        if (strchr(v->name, '{') || v->kind == QC_MAT_STRUCTURE) continue;
        if (numbers && (v->kind != QC_MAT_NUMBERS || v->a.count < 2)) continue;
        if (used > 220) return strcat(list, ", ...");
        snprintf(list + used, 300 - used, "%s%.60s", used ? ", " : "", v->name);
    }
    return list;
}

/* The variable of the option, else the first usual name that the file has; *found stays NULL if there is none. */
static int find(const QcMatVariable **found, const Reader *r, const char *asked, const char *const *usual,
                const char *what, QcErr *err)
{
    char list[300];
    *found = asked ? qc_mat_find(r->mat, asked) : NULL;
    if (asked && !*found)
        return qc_fail(err, QC_EUSAGE, "%.200s has no variable '%.60s' for the %s; it has %s", r->path, asked, what,
                       list_variables(list, r->mat, 0));
    for (; !asked && !*found && *usual; usual++) {
        const QcMatVariable *v = qc_mat_find(r->mat, *usual);
        if (v && (v->kind == QC_MAT_NUMBERS || v->kind == QC_MAT_CELLS)) *found = v;
    }
    return 0;
}

/* The only variable of numbers with more than one value, which must be the windows. */
static int find_only(const QcMatVariable **found, const Reader *r, QcErr *err)
{
    char list[300];
    uint32_t n = 0;
    for (uint32_t k = 0; k < r->mat->n; k++) {
        const QcMatVariable *v = &r->mat->variables[k];
        if (v->kind == QC_MAT_NUMBERS && v->a.count > 1 && !strchr(v->name, '{') && !n++) *found = v;
    }
    if (n == 1) return 0;
    list_variables(list, r->mat, n > 0);
    return qc_fail(err, QC_EUSAGE,
                   n ? "%.200s has several variables: name that with the windows (--variable): %s"
                     : "%.200s has no array of numbers (it has %s)",
                   r->path, list);
}

static int is_windows(const Reader *r, const QcMatVariable *v, QcErr *err)
{
    char list[300];
    if (v->kind == QC_MAT_NUMBERS && v->a.count) return 1;
    if (v->kind == QC_MAT_CELLS || v->kind == QC_MAT_STRUCTURE)
        qc_fail(err, QC_EUSAGE, "%.200s: '%.60s' is %s: --variable names one array of numbers in it (the file has %s)",
                r->path, v->name, v->what, list_variables(list, r->mat, 1));
    else
        qc_fail(err, QC_EFORMAT, "%.200s: '%.60s' is no array of numbers, but %s", r->path, v->name,
                v->a.count ? v->what : "empty");
    return 0;
}

/* --- labels -------------------------------------------------------------------------------------------------- */

/* The label of example i: a whole number, a cell with text or a number, or a row of letters. */
static int name_label(char name[QC_FIELD_NAME], const QcMatVariable *v, uint32_t i, const char *where, QcErr *err)
{
    char text[QC_FIELD_NAME];
    QcLines place = {.name = where, .line = i + 1};
    int bad = 0;
    if (v->kind == QC_MAT_NUMBERS) bad = qc_ndarray_text(text, sizeof text, &v->a, i);
    else if (v->kind == QC_MAT_CELLS) bad = qc_mat_text(text, sizeof text, v + 1 + i);
    else {
        uint64_t n = v->a.shape[1];
        bad = n >= sizeof text || v->a.count != v->a.shape[0] * n;
        for (uint64_t k = 0; !bad && k < n; k++) bad = qc_mat_letter(&text[k], &v->a, i + k * v->a.shape[0]);
        if (!bad) text[n] = 0;
    }
    if (bad && v->kind == QC_MAT_NUMBERS)
        return qc_fail(err, QC_EFORMAT, "%s: value %u is %g, which is no class", where, i + 1,
                       qc_ndarray_real(&v->a, i));
    if (bad)
        return qc_fail(err, QC_EFORMAT, "%s: value %u is neither text nor a whole number, so it cannot be a class",
                       where, i + 1);
    QcField field = qc_field_trim((QcField){text, text + strlen(text)});
    *name = 0;
    return field.at < field.end ? qc_field_name(name, &place, field, err) : 0; /* empty: no label */
}

/* A row or a column of whole numbers or cells, or rows of letters. */
static int read_labels(QcDataset *d, const Reader *r, const QcMatVariable *v, QcErr *err)
{
    char name[QC_FIELD_NAME], where[400];
    snprintf(where, sizeof where, "%.250s: '%.60s'", r->path, v->name);
    int flat = v->kind != QC_MAT_CELLS || v->inside == v->a.count; /* cells in cells are no labels */
    for (uint32_t k = 0; v->kind == QC_MAT_CELLS && flat && k < v->inside; k++) flat = v[1 + k].level == v->level + 1;
    uint64_t n = v->kind == QC_MAT_TEXT ? v->a.shape[0] : v->a.count;
    if (!flat || v->kind == QC_MAT_STRUCTURE || v->kind == QC_MAT_OTHER || n != d->n)
        return qc_fail(err, QC_EFORMAT, "%s must have one value for each of the %u examples", where, d->n);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t label;
        if (name_label(name, v, i, where, err)) return -1;
        if (!*name) continue;
        if (qc_names_add(&d->labels, &d->arena, name, &label, err)) return -1;
        if (d->labels.n > 255)
            return qc_fail(err, QC_EFORMAT, "%s has more than 255 different values, which are no classes", where);
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

static int describe(QcDataset *d, const Reader *r, uint64_t id, QcErr *err)
{
    static const char *const usual[] = {"y", "Y", "label", "labels", "target", "class", NULL};
    const QcMatVariable *y = NULL;
    const char *asked = r->o->label && !strcmp(r->o->label, "none") ? NULL : r->o->label;
    for (uint32_t i = 0; i < d->n; i++) d->id[i] = id + i;
    if (r->o->label && !asked) return 0;
    if (find(&y, r, asked, usual, "labels", err)) return -1;
    if (y) return read_labels(d, r, y, err);
    qc_import_warn(r->o, "%.200s has no variable y: the examples have no labels (--y names them)", r->path);
    return 0;
}

static int cut(QcDataset *d, const Reader *r, const QcArray *x, uint64_t id, QcErr *err)
{
    QcDataset samples = {0};
    if (x->a.rank > 2 || !x->a.shape[0] || x->a.shape[0] > UINT32_MAX || x->a.shape[1] > 4096)
        return qc_fail(err, QC_EFORMAT, "%s must be samples x channels to be cut into windows", x->where);
    int status = qc_dataset_init_windowless(&samples, (uint32_t)x->a.shape[0], 1, 1, 1, 0, err) ||
                         describe(&samples, r, id, err) || qc_array_cut(d, x, &samples, NULL, r->o, err)
                     ? -1
                     : 0;
    qc_dataset_release(&samples);
    return status;
}

static int whole(QcDataset *d, const Reader *r, QcArray *x, uint64_t id, QcErr *err)
{
    uint8_t *keep = NULL;
    int status = qc_array_windows(d, &keep, x, r->o, err) || describe(d, r, id, err) || qc_array_keep(d, keep, err) ||
                         qc_import_shape(d, r->o, err)
                     ? -1
                     : 0;
    free(keep);
    return status;
}

static int read_file(QcDataset *d, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"x", "X", "data", "windows", "features", "fea", NULL};
    const QcMatVariable *v = NULL;
    uint8_t digest[QC_DIGEST_BYTES];
    QcArray x = {0};
    qc_inputview_digest(&r->mat->view, digest);
    uint64_t id = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
    if (find(&v, r, r->o->values, usual, "windows", err) || (!v && find_only(&v, r, err)) || !is_windows(r, v, err))
        return -1;
    load(&x, r, v);
    return r->o->window ? cut(d, r, &x, id, err) : whole(d, r, &x, id, err);
}

static int import_mat(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {qc_input_name(path), o, qc_mat_open(path, QC_MAT_5_OR_73, err)};
    int status = r.mat ? read_file(d, &r, err) : -1;
    qc_mat_close(r.mat);
    return status;
}

static int recognise(const char *path) { return qc_path_ends_in(path, ".mat") && !qc_is_folder(path); }

static const QcImportRow row_variable = {
    "variable", QC_ROW_TEXT, "NAME", "the variable with the windows", offsetof(QcImportOptions, values), NULL, 0};
static const QcImportRow *const rows[] = {&row_variable,      &qc_row_x,     &qc_row_y,
                                          &qc_row_missing,    QC_ROWS_SHAPE, &qc_row_grey,
                                          QC_ROWS_RECORDINGS, QC_ROWS_FILES, NULL};

const QcImporter qc_importer_mat = {
    "mat", "a MATLAB file: --variable, --y", rows, recognise, import_mat, NULL, 1};
