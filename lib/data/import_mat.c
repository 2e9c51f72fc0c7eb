/* MATLAB files of any content (version 5): windows as examples x length, x channels x length, x channels x height x
 * length, labels one per row; or, with --window, samples x channels. Variables are named by --variable and --y, or have
 * usual names.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "../base/file.h"
#include "arraywindows.h"
#include "matfile.h"
#include "tree.h"

typedef struct Reader {
    const char *path;
    const QcImportOptions *o;
    QcMat *mat;
} Reader;

/* A variable as an array; `bytes` owns the values. */
static int load(QcArray *out, const Reader *r, const char *name, QcErr *err)
{
    double *values = NULL;
    snprintf(out->where, sizeof out->where, "%.250s: '%.60s'", r->path, name);
    if (qc_mat_array(&values, out->a.shape, &out->a.rank, r->mat, name, err)) return -1;
    qc_view_own(&out->view, (uint8_t *)values, 0);
    out->there = 1;
    out->a.kind = 'f';
    out->a.item = sizeof *values;
    out->a.data = out->view.bytes;
    out->a.count = 1;
    for (uint32_t k = 0; k < out->a.rank; k++) { /* the first dimension is the fastest */
        out->a.stride[k] = out->a.count;
        out->a.count *= out->a.shape[k];
    }
    return 0;
}

/* The name asked for, or the first usual one that is there; "" if there is none. */
static int find(char name[QC_MAT_NAME], const Reader *r, const char *asked, const char *const *usual, const char *what,
                QcErr *err)
{
    char list[300] = "", each[QC_MAT_NAME];
    int numeric, best = 1000;
    uint32_t rank;
    uint64_t count;
    *name = 0;
    qc_mat_rewind(r->mat);
    while (qc_mat_next(each, &numeric, &rank, &count, r->mat)) {
        size_t used = strlen(list);
        if (used < 200) snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", each);
        if (asked && !strcmp(asked, each)) best = 0, strcpy(name, each);
        for (int k = 0; !asked && usual[k] && k < best; k++)
            if (numeric && !strcmp(usual[k], each)) best = k, strcpy(name, each);
    }
    if (asked && !*name)
        return qc_fail(err, QC_EUSAGE, "%.200s has no variable '%.60s' for the %s; it has %s", r->path, asked, what,
                       list);
    return 0;
}

/* The only variable that can be the windows: of numbers, more than one column. */
static int find_only(char name[QC_MAT_NAME], const Reader *r, QcErr *err)
{
    char each[QC_MAT_NAME], list[300] = "";
    int numeric, n = 0;
    uint32_t rank;
    uint64_t count;
    qc_mat_rewind(r->mat);
    while (qc_mat_next(each, &numeric, &rank, &count, r->mat)) {
        size_t used = strlen(list);
        if (!numeric || count < 2) continue;
        if (used < 200) snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", each);
        if (!n++) strcpy(name, each);
    }
    if (n == 1) return 0;
    return qc_fail(err, QC_EUSAGE,
                   n ? "%.200s has several variables: name that with the windows (--variable): %s"
                     : "%.200s has no array of numbers%s",
                   r->path, list);
}

/* Labels as a row or a column of whole numbers. */
static int read_labels(QcDataset *d, const QcArray *y, QcErr *err)
{
    char name[32];
    if (y->a.count != d->n)
        return qc_fail(err, QC_EFORMAT, "%s must have one value for each of the %u examples", y->where, d->n);
    for (uint32_t i = 0; i < d->n; i++) {
        double v = qc_ndarray_real(&y->a, i);
        uint32_t label;
        if (v != floor(v) || !(fabs(v) < 1e15))
            return qc_fail(err, QC_EFORMAT, "%s: value %u is %g, which is no class", y->where, i + 1, v);
        snprintf(name, sizeof name, "%.0f", v);
        if (qc_names_add(&d->labels, &d->arena, name, &label, err)) return -1;
        if (d->labels.n > 255)
            return qc_fail(err, QC_EFORMAT, "%s has more than 255 different values, which are no classes", y->where);
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

static int describe(QcDataset *d, const Reader *r, uint64_t id, QcErr *err)
{
    static const char *const usual[] = {"y", "Y", "label", "labels", "target", "class", NULL};
    char name[QC_MAT_NAME] = "";
    QcArray y = {0};
    const char *asked = r->o->label && !strcmp(r->o->label, "none") ? NULL : r->o->label;
    for (uint32_t i = 0; i < d->n; i++) d->id[i] = id + i;
    if (r->o->label && !asked) return 0;
    int status = find(name, r, asked, usual, "labels", err) || (*name && load(&y, r, name, err)) ? -1 : 0;
    if (!status && *name) status = read_labels(d, &y, err);
    if (!status && !*name)
        qc_import_warn(r->o, "%.200s has no variable y: the examples have no labels (--y names them)", r->path);
    qc_view_close(&y.view);
    return status;
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
    char name[QC_MAT_NAME];
    uint8_t *bytes = NULL, digest[QC_DIGEST_BYTES];
    size_t length;
    QcArray x = {0};
    if (qc_read_all(r->path, &bytes, &length, err)) return -1;
    qc_digest(digest, bytes, length);
    free(bytes);
    uint64_t id = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
    int status = find(name, r, r->o->values, usual, "windows", err) || (!*name && find_only(name, r, err)) ||
                         load(&x, r, name, err)
                     ? -1
                     : 0;
    if (!status) status = r->o->window ? cut(d, r, &x, id, err) : whole(d, r, &x, id, err);
    qc_view_close(&x.view);
    return status;
}

static int import_mat(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {qc_input_name(path), o, qc_mat_open(path, err)};
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
    "mat", "a MATLAB file (version 5): --variable, --y", rows, recognise, import_mat, NULL, 1};
