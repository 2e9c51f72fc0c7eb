/* NumPy's arrays: x in a .npy, or x, y and others by their names in a .npz.
 *
 * x is [n][length], [n][channels][length] or [n][channels][height][length] (or, with channels last, the channels at the
 * end), y one label an example: text, or whole numbers, which become names unless an array label_names says what they
 * stand for. Arrays group, recording and id are taken if they are there, as qc-export writes them. Ids are else
 * counted from the file's digest, as in import_ts.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "arraywindows.h"
#include "import.h"
#include "lines.h"
#include "ndarray.h"
#include "tree.h"
#include "zip.h"

enum { CLASSES_MAX = 255 };

typedef struct Reader {
    const QcImportOptions *o;
    const char *name;
    QcInputView view; /* the file */
    uint64_t id; /* ids of the examples count up from this number */
    QcArena arena;
    QcZip zip; /* no members: the file is one array */
    const QcZipMember *windows; /* the array x */
    uint8_t *used; /* [zip.n] 1: the array was read */
} Reader;

static int recognise_npz(const char *path) { return qc_path_ends_in(path, ".npz") && qc_is_regular(path); }
static int recognise_npy(const char *path) { return qc_path_ends_in(path, ".npy") && qc_is_regular(path); }

/* --- finding arrays ------------------------------------------------------------------------------------- */

static const QcZipMember *member(const Reader *r, const char *name)
{
    char file[300];
    const QcZipMember *m = qc_zip_find(&r->zip, name);
    if (m || snprintf(file, sizeof file, "%s.npy", name) >= (int)sizeof file) return m;
    return qc_zip_find(&r->zip, file);
}

/* Without .npy. */
static int name_length(const char *name)
{
    size_t n = strlen(name);
    return (int)(n > 4 && !strcmp(name + n - 4, ".npy") ? n - 4 : n);
}

static int load_member(QcArray *out, const Reader *r, const QcZipMember *m, QcErr *err)
{
    int shown = name_length(m->name);
    snprintf(out->where, sizeof out->where, "%.200s: array '%.*s'", r->name, shown > 60 ? 60 : shown, m->name);
    const uint8_t *from = NULL;
    if (qc_zip_view(&from, &out->view, &r->zip, m, err)) return -1;
    out->there = 1;
    out->within = r->zip.view;
    if (out->view.bytes) out->within = NULL;
    return qc_ndarray_parse(&out->a, from, (size_t)m->length, out->where, err);
}

/* The array by the name asked for, which must be there, or else by the first of the usual names that is. */
static int find_array(QcArray *out, const Reader *r, const char *asked, const char *const *usual, const char *what,
                      QcErr *err)
{
    const QcZipMember *m = asked ? member(r, asked) : NULL;
    if (asked && !m) return qc_fail(err, QC_EUSAGE, "%.300s has no array '%.60s' for the %s", r->name, asked, what);
    for (; !m && *usual; usual++) m = member(r, *usual);
    if (m) r->used[m - r->zip.members] = 1;
    return m ? load_member(out, r, m, err) : 0;
}

static int find_windows(QcArray *x, Reader *r, QcErr *err)
{
    static const char *const usual[] = {"x", "X", "data", "windows", "x_train", "X_train", NULL};
    for (const char *const *name = usual; *name && !r->windows; name++)
        r->windows = member(r, r->o->values ? r->o->values : *name);
    if (find_array(x, r, r->o->values, usual, "windows", err)) return -1;
    if (!x->there && r->zip.n == 1) r->used[0] = 1;
    if (!x->there && r->zip.n == 1 && load_member(x, r, r->windows = &r->zip.members[0], err)) return -1;
    return x->there ? 0
                    : qc_fail(err, QC_EUSAGE, "%.300s has no array x: name that with the windows (--x NAME)", r->name);
}

static int one_per_example(const QcArray *a, const QcDataset *d, QcErr *err)
{
    if ((a->a.rank == 1 || (a->a.rank == 2 && a->a.shape[1] == 1)) && a->a.shape[0] == d->n)
        return 0; /* Keras stores labels as a column */
    return qc_fail(err, QC_EFORMAT, "%s must have one value for each of the %u examples", a->where, d->n);
}

/* --- names ---------------------------------------------------------------------------------------------- */

static int read_name(char name[QC_FIELD_NAME], const QcArray *a, uint64_t i, const char *what, QcErr *err)
{
    QcLines place = {.name = a->where};
    char text[QC_FIELD_NAME];
    if (qc_ndarray_text(text, sizeof text, &a->a, i * a->a.stride[0]))
        return qc_fail(err, QC_EFORMAT, "%s: value %llu cannot be the name of a %s", a->where, (unsigned long long)i,
                       what);
    *name = 0;
    return *text ? qc_field_name(name, &place, (QcField){text, text + strlen(text)}, err) : 0;
}

/* Labels as they are named in y; an empty text is no label. */
static int name_labels(QcDataset *d, const QcArray *y, QcErr *err)
{
    char name[QC_FIELD_NAME];
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t label;
        if (read_name(name, y, i, "class", err)) return -1;
        if (!*name) continue;
        if (qc_names_add(&d->labels, &d->arena, name, &label, err)) return -1;
        if (d->labels.n > CLASSES_MAX)
            return qc_fail(err, QC_EFORMAT, "%s has more than %d different values: is it really the label?", y->where,
                           CLASSES_MAX);
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

/* [n][classes], a one in each row (keras to_categorical): the classes are the places 0, 1, ... */
static int read_one_hot(QcDataset *d, const QcArray *y, QcErr *err)
{
    const QcNdarray *a = &y->a;
    char name[32];
    for (uint64_t k = 0; k < a->shape[1]; k++) {
        snprintf(name, sizeof name, "%llu", (unsigned long long)k);
        if (qc_names_add(&d->labels, &d->arena, name, NULL, err)) return -1;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t ones = 0;
        for (uint64_t k = 0; k < a->shape[1]; k++) {
            double v = qc_ndarray_real(a, i * a->stride[0] + k * a->stride[1]);
            if (v == 1) ones++, d->label[i] = (int32_t)k;
            else if (v != 0) ones = 2;
        }
        if (ones != 1)
            return qc_fail(err, QC_EFORMAT, "%s: row %u is neither one label nor zeros with a single one", y->where, i);
    }
    return 0;
}

static int is_one_hot(const QcArray *y, const QcDataset *d)
{
    return y->a.rank == 2 && y->a.shape[0] == d->n && y->a.shape[1] > 1 && y->a.shape[1] <= CLASSES_MAX &&
           !qc_ndarray_is_text(&y->a);
}

/* Labels as places in a list of names; -1 is no label. */
static int look_up_labels(QcDataset *d, const QcArray *y, const QcArray *names, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (names->a.rank != 1 || !qc_ndarray_is_text(&names->a) || names->a.shape[0] > CLASSES_MAX)
        return qc_fail(err, QC_EFORMAT, "%s must be a list of at most %d names", names->where, CLASSES_MAX);
    for (uint64_t k = 0; k < names->a.shape[0]; k++)
        if (read_name(name, names, k, "class", err) || qc_names_add(&d->labels, &d->arena, name, NULL, err)) return -1;
    if (d->labels.n != names->a.shape[0]) return qc_fail(err, QC_EFORMAT, "%s has a name twice", names->where);
    for (uint32_t i = 0; i < d->n; i++) {
        double label = qc_ndarray_real(&y->a, i * y->a.stride[0]);
        if (!(label >= -1 && label < d->labels.n) || label != floor(label))
            return qc_fail(err, QC_EFORMAT, "%s: value %u is no place in label_names", y->where, i);
        d->label[i] = (int32_t)label;
    }
    return 0;
}

static int read_labels(QcDataset *d, const Reader *r, const QcArray *y, QcErr *err)
{
    static const char *const usual[] = {"label_names", NULL};
    QcArray names = {0};
    if (is_one_hot(y, d)) return read_one_hot(d, y, err);
    if (one_per_example(y, d, err)) return -1;
    int status = qc_ndarray_is_text(&y->a) ? 0 : find_array(&names, r, NULL, usual, "label names", err);
    if (!status) status = names.there ? look_up_labels(d, y, &names, err) : name_labels(d, y, err);
    qc_inputview_close(&names.view);
    return status;
}

static int has_another_use(const char *name)
{
    static const char *const names[] = {"group", "recording", "id", "label_names", "time", "timestamp", "t", NULL};
    size_t n = (size_t)name_length(name);
    for (const char *const *k = names; *k; k++)
        if (strlen(*k) == n && !memcmp(*k, name, n)) return 1;
    return 0;
}

/* Without y: an array with one value for each example may be the labels; else no example has a label. */
static int ask_for_labels(const QcDataset *d, const Reader *r, QcErr *err)
{
    for (uint32_t k = 0; k < r->zip.n; k++) {
        const QcZipMember *m = &r->zip.members[k];
        QcArray a = {0};
        QcErr unused;
        if (m == r->windows || has_another_use(m->name) || m->length > (uint64_t)4 * QC_FIELD_NAME * (d->n + 1))
            continue;
        int may_be = !load_member(&a, r, m, &unused) && !one_per_example(&a, d, &unused);
        qc_inputview_close(&a.view);
        if (may_be)
            return qc_fail(err, QC_EUSAGE,
                           "%.200s has no array y, but '%.*s' has a value for each example: --y names the labels, "
                           "--y none imports without them",
                           r->name, name_length(m->name) > 60 ? 60 : name_length(m->name), m->name);
    }
    qc_import_note(r->o, "%.300s has no array of labels (y, or --y NAME): no example has a label", r->name);
    return 0;
}

static int find_labels(QcDataset *d, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"y", "Y", "label", "labels", "target", "y_train", NULL};
    QcArray y = {0};
    if (r->o->label && !strcmp(r->o->label, "none")) return 0;
    int status = find_array(&y, r, r->o->label, usual, "labels", err);
    if (!status) status = y.there ? read_labels(d, r, &y, err) : ask_for_labels(d, r, err);
    qc_inputview_close(&y.view);
    return status;
}

static int find_places(QcDataset *d, uint32_t *index, QcNames *names, const Reader *r, const char *asked,
                       const char *what, QcErr *err)
{
    const char *const usual[] = {what, NULL};
    char name[QC_FIELD_NAME];
    QcArray a = {0};
    int status = find_array(&a, r, asked, usual, what, err);
    if (!status && a.there) status = one_per_example(&a, d, err);
    for (uint32_t i = 0; !status && a.there && i < d->n; i++) {
        status = read_name(name, &a, i, what, err);
        if (!status && !*name) status = qc_fail(err, QC_EFORMAT, "%s: value %u is empty", a.where, i);
        if (!status) status = qc_names_add(names, &d->arena, name, &index[i], err);
    }
    qc_inputview_close(&a.view);
    return status;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return p < q ? -1 : p > q;
}

static int check_ids(const QcDataset *d, const char *where, QcErr *err)
{
    uint64_t *sorted = malloc(d->n * sizeof *sorted);
    if (!sorted) return qc_fail_memory(err, "ids");
    memcpy(sorted, d->id, d->n * sizeof *sorted);
    qsort(sorted, d->n, sizeof *sorted, compare_ids);
    int status = 0;
    for (uint32_t i = 1; !status && i < d->n; i++)
        if (sorted[i] == sorted[i - 1])
            status = qc_fail(err, QC_EFORMAT, "%s has %llu twice", where, (unsigned long long)sorted[i]);
    free(sorted);
    return status;
}

static int find_ids(QcDataset *d, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"id", NULL};
    QcArray a = {0};
    for (uint32_t i = 0; i < d->n; i++) d->id[i] = r->id + i;
    int status = find_array(&a, r, NULL, usual, "ids", err);
    if (!status && a.there) status = one_per_example(&a, d, err);
    for (uint32_t i = 0; !status && a.there && i < d->n; i++)
        if (qc_ndarray_whole(&d->id[i], &a.a, i * a.a.stride[0]))
            status = qc_fail(err, QC_EFORMAT, "%s: value %u is no id", a.where, i);
    if (!status && a.there) status = check_ids(d, a.where, err);
    qc_inputview_close(&a.view);
    return status;
}

static int describe(QcDataset *d, const Reader *r, QcErr *err)
{
    return find_labels(d, r, err) || find_places(d, d->group, &d->groups, r, r->o->group, "group", err) ||
                   find_places(d, d->recording, &d->recordings, r, r->o->recording, "recording", err) ||
                   find_ids(d, r, err)
               ? -1
               : 0;
}

/* Names the arrays that were not read: they may be groups or examples that the user expects. */
static void note_unread(const Reader *r)
{
    char list[300] = "";
    uint32_t n = 0;
    for (uint32_t k = 0; k < r->zip.n; k++) {
        size_t used = strlen(list);
        int shown = name_length(r->zip.members[k].name);
        if (r->used[k]) continue;
        if (n++ < 6) snprintf(list + used, sizeof list - used, "%s%.*s", used ? ", " : "", shown > 40 ? 40 : shown,
                              r->zip.members[k].name);
    }
    if (n)
        qc_import_note(r->o, "%.200s: arrays that were not read: %s%s (--x, --y, --group-column, --recording-column "
                       "name others)", r->name, list, n > 6 ? ", ..." : "");
}

/* --window: a row of x is a sample. */
static int read_samples(QcDataset *d, const Reader *r, const QcArray *x, QcErr *err)
{
    static const char *const usual[] = {"time", "timestamp", "t", NULL};
    QcDataset samples = {0};
    QcArray t = {0};
    double *times = NULL;
    if (x->a.rank < 1 || x->a.rank > 2 || qc_ndarray_is_text(&x->a) || !x->a.shape[0] || x->a.shape[0] > UINT32_MAX ||
        (x->a.rank == 2 && (!x->a.shape[1] || x->a.shape[1] > 4096)))
        return qc_fail(err, QC_EFORMAT, "%s must be samples x channels to be cut into windows", x->where);
    if (qc_dataset_init_windowless(&samples, (uint32_t)x->a.shape[0], 1, 1, 1, 0, err)) return -1;
    int status = describe(&samples, r, err) || find_array(&t, r, NULL, usual, "times", err) ||
                         (t.there && one_per_example(&t, &samples, err))
                     ? -1
                     : 0;
    if (!status && t.there && !(times = malloc(samples.n * sizeof *times))) status = qc_fail_memory(err, "times");
    for (uint32_t k = 0; times && k < samples.n; k++) times[k] = qc_ndarray_real(&t.a, k * t.a.stride[0]);
    if (!status) status = qc_array_cut(d, x, &samples, times, r->o, err);
    free(times);
    qc_inputview_close(&t.view);
    qc_dataset_release(&samples);
    return status;
}

static int read_archive(QcDataset *d, Reader *r, QcErr *err)
{
    QcArray x = {0};
    uint8_t *keep = NULL;
    if (qc_zip_open(&r->zip, &r->view, r->name, &r->arena, err) ||
        !(r->used = qc_arena_take(&r->arena, r->zip.n, 1, err)))
        return -1;
    int status = find_windows(&x, r, err);
    if (!status && r->o->window) {
        status = read_samples(d, r, &x, err);
        qc_inputview_close(&x.view);
        if (!status) note_unread(r);
        return status;
    }
    if (!status) status = qc_array_windows(d, &keep, &x, r->o, err);
    qc_inputview_close(&x.view);
    if (!status) status = describe(d, r, err) || qc_array_keep(d, keep, err) || qc_import_shape(d, r->o, err) ? -1 : 0;
    if (!status) note_unread(r);
    free(keep);
    return status;
}

static int open_file(Reader *r, const char *path, QcErr *err)
{
    uint8_t digest[QC_DIGEST_BYTES];
    if (qc_inputview_open(&r->view, path, err)) return -1;
    qc_inputview_digest(&r->view, digest);
    r->id = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
    return 0;
}

static int import_npz(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .name = qc_input_name(path)};
    int status = open_file(&r, path, err);
    if (!status) status = read_archive(d, &r, err);
    qc_inputview_close(&r.view);
    qc_arena_release(&r.arena);
    return status;
}

/* The labels of a .npy lie in another, which --y names. */
static int read_label_file(QcDataset *d, const QcImportOptions *o, QcErr *err)
{
    QcArray y = {0};
    const char *path = o->label;
    const Reader alone = {0};
    if (!path) qc_import_note(o, "no example has a label: --y FILE names the array of labels");
    if (!path || !strcmp(path, "none")) return 0;
    snprintf(y.where, sizeof y.where, "%.300s", path);
    int status = qc_inputview_open(&y.view, path, err) ||
                         qc_ndarray_parse(&y.a, y.view.bytes, y.view.length, y.where, err) ||
                         read_labels(d, &alone, &y, err)
                     ? -1
                     : 0;
    qc_inputview_close(&y.view);
    return status;
}

static int import_npy(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .name = qc_input_name(path)};
    QcArray x = {.there = 1, .within = &r.view};
    uint8_t *keep = NULL;
    snprintf(x.where, sizeof x.where, "%.300s", r.name);
    int status = open_file(&r, path, err) || qc_ndarray_parse(&x.a, r.view.bytes, r.view.length, x.where, err) ||
                         qc_array_windows(d, &keep, &x, o, err) || find_ids(d, &r, err) ||
                         read_label_file(d, o, err) || qc_array_keep(d, keep, err) || qc_import_shape(d, o, err)
                     ? -1
                     : 0;
    free(keep);
    qc_inputview_close(&r.view);
    return status;
}

static const QcImportRow *const npz_rows[] = {&qc_row_x,          &qc_row_y,       &qc_row_label, &qc_row_group,
                                              &qc_row_recording,  &qc_row_missing, QC_ROWS_SHAPE, &qc_row_grey,
                                              QC_ROWS_RECORDINGS, QC_ROWS_FILES,   NULL};
static const QcImportRow *const npy_rows[] = {&qc_row_y,    &qc_row_missing, QC_ROWS_SHAPE,
                                              &qc_row_grey, QC_ROWS_FILES,   NULL};

const QcImporter qc_importer_npz = {
    "npz", "NumPy arrays in a .npz: windows x, labels y", npz_rows, recognise_npz, import_npz, NULL, 1};
const QcImporter qc_importer_npy = {
    "npy", "a NumPy array of windows; labels in another", npy_rows, recognise_npy, import_npy, NULL, 1};
