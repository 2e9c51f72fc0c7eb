/* NumPy's arrays: x in a .npy, or x, y and others by their names in a .npz.
 *
 * x is [n][length], [n][channels][length] or [n][channels][height][length] (or, with channels last, the channels at the end), y one label an example: text,
 * or whole numbers, which become names unless an array label_names says what they stand for. Arrays group, recording and id are taken where they are there,
 * as qc-export writes them. Ids are else counted from the file's digest, as in import_ts.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/digest.h"
#include "import.h"
#include "lines.h"
#include "ndarray.h"
#include "tree.h"
#include "zip.h"

enum { DIM_MAX = 1 << 24, CLASSES_MAX = 4096 };

typedef struct Reader {
    const QcImportOptions *o;
    const char *name;
    uint8_t *bytes; /* the file */
    size_t length;
    QcArena arena;
    QcZip zip;      /* no members: the file is one array */
} Reader;

/* An array, and the bytes it lies in where they are its own. */
typedef struct Array {
    QcNdarray a;
    uint8_t *bytes;
    char where[400]; /* "FILE: array 'x'" */
    int there;
} Array;

static int ends_in(const char *path, const char *suffix)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, suffix);
}

int qc_recognise_npz(const char *path) { return ends_in(path, ".npz") && qc_is_regular(path); }
int qc_recognise_npy(const char *path) { return ends_in(path, ".npy") && qc_is_regular(path); }

/* --- finding arrays ------------------------------------------------------------------------------------- */

static const QcZipMember *member(const Reader *r, const char *name)
{
    char file[300];
    const QcZipMember *m = qc_zip_find(&r->zip, name);
    if (m || snprintf(file, sizeof file, "%s.npy", name) >= (int)sizeof file) return m;
    return qc_zip_find(&r->zip, file);
}

static int load_member(Array *out, const Reader *r, const QcZipMember *m, QcErr *err)
{
    size_t shown = strlen(m->name);
    if (shown > 4 && !strcmp(m->name + shown - 4, ".npy")) shown -= 4;
    snprintf(out->where, sizeof out->where, "%.200s: array '%.*s'", r->name, (int)(shown > 60 ? 60 : shown), m->name);
    if (qc_zip_read(&out->bytes, &r->zip, m, err)) return -1;
    out->there = 1;
    return qc_ndarray_parse(&out->a, out->bytes, (size_t)m->length, out->where, err);
}

/* The array by the name asked for, which must be there, or else by the first of the usual names that is. */
static int find_array(Array *out, const Reader *r, const char *asked, const char *const *usual, const char *what, QcErr *err)
{
    const QcZipMember *m = asked ? member(r, asked) : NULL;
    if (asked && !m) return qc_fail(err, QC_EUSAGE, "%.300s has no array '%.60s' for the %s", r->name, asked, what);
    for (; !m && *usual; usual++) m = member(r, *usual);
    return m ? load_member(out, r, m, err) : 0;
}

static int find_windows(Array *x, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"x", "X", "data", "windows", "x_train", "X_train", NULL};
    if (find_array(x, r, r->o->values, usual, "windows", err)) return -1;
    if (!x->there && r->zip.n == 1 && load_member(x, r, &r->zip.members[0], err)) return -1;
    return x->there ? 0 : qc_fail(err, QC_EUSAGE, "%.300s has no array x: name that with the windows (--x NAME)", r->name);
}

static int one_per_example(const Array *a, const QcDataset *d, QcErr *err)
{
    if ((a->a.rank == 1 || (a->a.rank == 2 && a->a.shape[1] == 1)) && a->a.shape[0] == d->n) return 0; /* Keras likes columns */
    return qc_fail(err, QC_EFORMAT, "%s must have one value for each of the %u examples", a->where, d->n);
}

/* --- windows -------------------------------------------------------------------------------------------- */

typedef struct Axes {
    uint64_t n, channels, height, length;
    uint64_t n_stride, c_stride, h_stride, l_stride;
} Axes;

static int find_axes(Axes *s, const Array *x, const QcImportOptions *o, QcErr *err)
{
    const QcNdarray *a = &x->a;
    if (a->rank < 2 || a->rank > 4 || qc_ndarray_is_text(a))
        return qc_fail(err, QC_EFORMAT, "%s must be of numbers and have 2 to 4 dimensions: examples, channels, (height,) length", x->where);
    uint32_t c = o->channels_last ? a->rank - 1 : 1, h = o->channels_last ? 1 : 2, l = o->channels_last ? a->rank - 2 : a->rank - 1;
    *s = (Axes){.n = a->shape[0], .channels = 1, .height = 1, .length = a->shape[l], .n_stride = a->stride[0], .l_stride = a->stride[l]};
    if (a->rank == 2) { /* a row may hold channels one after another */
        s->channels = o->channels ? o->channels : 1;
        s->l_stride = a->stride[1];
        if (a->shape[1] % s->channels) return qc_fail(err, QC_EUSAGE, "%s: rows of %llu cannot be divided into %u channels", x->where, (unsigned long long)a->shape[1], o->channels);
        s->length = a->shape[1] / s->channels;
        s->c_stride = s->l_stride * s->length;
    } else {
        if (o->channels && o->channels != a->shape[c]) return qc_fail(err, QC_EUSAGE, "%s has %llu channels, not %u", x->where, (unsigned long long)a->shape[c], o->channels);
        s->channels = a->shape[c];
        s->c_stride = a->stride[c];
    }
    if (a->rank == 4) {
        s->height = a->shape[h];
        s->h_stride = a->stride[h];
    }
    if (!s->n || !s->channels || !s->height || !s->length || s->n > UINT32_MAX || s->channels > DIM_MAX || s->height > DIM_MAX || s->length > DIM_MAX)
        return qc_fail(err, QC_EFORMAT, "%s is empty or too large in one dimension", x->where);
    return 0;
}

static int copy_window(float *out, const Axes *s, const Array *x, uint64_t i, QcErr *err)
{
    for (uint64_t c = 0; c < s->channels; c++)
        for (uint64_t h = 0; h < s->height; h++)
            for (uint64_t l = 0; l < s->length; l++) {
                double v = qc_ndarray_real(&x->a, i * s->n_stride + c * s->c_stride + h * s->h_stride + l * s->l_stride);
                if (!(fabs(v) <= (double)QC_VALUE_MAX))
                    return qc_fail(err, QC_EFORMAT, "%s: a value of example %llu, channel %llu is %s", x->where, (unsigned long long)i, (unsigned long long)c,
                                   isnan(v) ? "not a number (NaN)" : "infinite or larger than 1e30");
                *out++ = (float)v;
            }
    return 0;
}

static int read_windows(QcDataset *d, const Reader *r, const Array *x, QcErr *err)
{
    Axes s = {0};
    if (find_axes(&s, x, r->o, err) || qc_dataset_init(d, (uint32_t)s.n, (uint32_t)s.channels, (uint32_t)s.height, (uint32_t)s.length, 0, err)) return -1;
    for (uint32_t i = 0; i < d->n; i++) {
        if (copy_window(d->x + i * qc_dataset_values(d), &s, x, i, err)) return -1;
        if (r->o->progress) r->o->progress(r->o->ctx, i + 1, d->n);
    }
    return 0;
}

/* --- names ---------------------------------------------------------------------------------------------- */

static int read_name(char name[QC_FIELD_NAME], const Array *a, uint64_t i, const char *what, QcErr *err)
{
    QcLines place = {.name = a->where};
    char text[QC_FIELD_NAME];
    if (qc_ndarray_text(text, sizeof text, &a->a, i * a->a.stride[0])) return qc_fail(err, QC_EFORMAT, "%s: value %llu cannot be the name of a %s", a->where, (unsigned long long)i, what);
    *name = 0;
    return *text ? qc_field_name(name, &place, (QcField){text, text + strlen(text)}, err) : 0;
}

/* Labels as they are named in y; an empty text is no label. */
static int name_labels(QcDataset *d, const Array *y, QcErr *err)
{
    char name[QC_FIELD_NAME];
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t label;
        if (read_name(name, y, i, "class", err)) return -1;
        if (!*name) continue;
        if (qc_names_add(&d->labels, &d->arena, name, &label, err)) return -1;
        if (d->labels.n > CLASSES_MAX) return qc_fail(err, QC_EFORMAT, "%s has more than %d different values: is it really the label?", y->where, CLASSES_MAX);
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

/* Labels as places in a list of names; -1 is no label. */
static int look_up_labels(QcDataset *d, const Array *y, const Array *names, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (names->a.rank != 1 || !qc_ndarray_is_text(&names->a) || names->a.shape[0] > CLASSES_MAX) return qc_fail(err, QC_EFORMAT, "%s must be a list of at most %d names", names->where, CLASSES_MAX);
    for (uint64_t k = 0; k < names->a.shape[0]; k++)
        if (read_name(name, names, k, "class", err) || qc_names_add(&d->labels, &d->arena, name, NULL, err)) return -1;
    if (d->labels.n != names->a.shape[0]) return qc_fail(err, QC_EFORMAT, "%s has a name twice", names->where);
    for (uint32_t i = 0; i < d->n; i++) {
        double label = qc_ndarray_real(&y->a, i * y->a.stride[0]);
        if (!(label >= -1 && label < d->labels.n) || label != floor(label)) return qc_fail(err, QC_EFORMAT, "%s: value %u is no place in label_names", y->where, i);
        d->label[i] = (int32_t)label;
    }
    return 0;
}

static int read_labels(QcDataset *d, const Reader *r, const Array *y, QcErr *err)
{
    static const char *const usual[] = {"label_names", NULL};
    Array names = {0};
    if (one_per_example(y, d, err)) return -1;
    int status = qc_ndarray_is_text(&y->a) ? 0 : find_array(&names, r, NULL, usual, "label names", err);
    if (!status) status = names.there ? look_up_labels(d, y, &names, err) : name_labels(d, y, err);
    free(names.bytes);
    return status;
}

static int find_labels(QcDataset *d, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"y", "Y", "label", "labels", "target", "y_train", NULL};
    Array y = {0};
    if (r->o->label && !strcmp(r->o->label, "none")) return 0;
    int status = find_array(&y, r, r->o->label, usual, "labels", err);
    if (!status && y.there) status = read_labels(d, r, &y, err);
    free(y.bytes);
    return status;
}

static int find_places(QcDataset *d, uint32_t *index, QcNames *names, const Reader *r, const char *asked, const char *what, QcErr *err)
{
    const char *const usual[] = {what, NULL};
    char name[QC_FIELD_NAME];
    Array a = {0};
    int status = find_array(&a, r, asked, usual, what, err);
    if (!status && a.there) status = one_per_example(&a, d, err);
    for (uint32_t i = 0; !status && a.there && i < d->n; i++) {
        status = read_name(name, &a, i, what, err);
        if (!status && !*name) status = qc_fail(err, QC_EFORMAT, "%s: value %u is empty", a.where, i);
        if (!status) status = qc_names_add(names, &d->arena, name, &index[i], err);
    }
    free(a.bytes);
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
        if (sorted[i] == sorted[i - 1]) status = qc_fail(err, QC_EFORMAT, "%s has %llu twice", where, (unsigned long long)sorted[i]);
    free(sorted);
    return status;
}

static int find_ids(QcDataset *d, const Reader *r, QcErr *err)
{
    static const char *const usual[] = {"id", NULL};
    uint8_t digest[QC_DIGEST_BYTES];
    Array a = {0};
    qc_digest(digest, r->bytes, r->length);
    uint64_t base = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
    for (uint32_t i = 0; i < d->n; i++) d->id[i] = base + i;
    int status = find_array(&a, r, NULL, usual, "ids", err);
    if (!status && a.there) status = one_per_example(&a, d, err);
    for (uint32_t i = 0; !status && a.there && i < d->n; i++)
        if (qc_ndarray_whole(&d->id[i], &a.a, i * a.a.stride[0])) status = qc_fail(err, QC_EFORMAT, "%s: value %u is no id", a.where, i);
    if (!status && a.there) status = check_ids(d, a.where, err);
    free(a.bytes);
    return status;
}

/* Examples of other groups go. */
static int pick_groups(QcDataset *d, const QcImportOptions *o, const char *name, QcErr *err)
{
    if (!o->n_groups) return 0;
    if (qc_import_check_groups(o, &d->groups, name, err)) return -1;
    uint32_t *index = malloc(d->n * sizeof *index), n = 0;
    QcDataset picked;
    if (!index) return qc_fail_memory(err, "examples");
    for (uint32_t i = 0; i < d->n; i++)
        if (qc_import_wants(o, d->groups.names[d->group[i]])) index[n++] = i;
    int status = qc_dataset_subset(&picked, d, index, n, 0, err);
    free(index);
    if (status) return -1;
    qc_dataset_release(d);
    *d = picked;
    return 0;
}

static int read_archive(QcDataset *d, Reader *r, QcErr *err)
{
    Array x = {0};
    int status = qc_zip_open(&r->zip, r->bytes, r->length, r->name, &r->arena, err) || find_windows(&x, r, err) || read_windows(d, r, &x, err) ? -1 : 0;
    free(x.bytes);
    if (status || find_labels(d, r, err) || find_places(d, d->group, &d->groups, r, r->o->group, "group", err) ||
        find_places(d, d->recording, &d->recordings, r, r->o->recording, "recording", err) || find_ids(d, r, err))
        return -1;
    return pick_groups(d, r->o, r->name, err);
}

int qc_import_npz(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .name = qc_input_name(path)};
    int status = o->window_id ? qc_fail(err, QC_EUSAGE, "an array has no columns: --window-column does not apply") : qc_read_all(path, &r.bytes, &r.length, err);
    if (!status) status = read_archive(d, &r, err);
    free(r.bytes);
    qc_arena_release(&r.arena);
    return status;
}

/* The labels of a .npy lie in another, which --y names. */
static int read_label_file(QcDataset *d, const char *path, QcErr *err)
{
    Array y = {0};
    size_t length;
    const Reader alone = {0};
    snprintf(y.where, sizeof y.where, "%.300s", path);
    if (!path || !strcmp(path, "none")) return 0;
    int status = qc_read_all(path, &y.bytes, &length, err) || qc_ndarray_parse(&y.a, y.bytes, length, y.where, err) || read_labels(d, &alone, &y, err) ? -1 : 0;
    free(y.bytes);
    return status;
}

int qc_import_npy(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .name = qc_input_name(path)};
    Array x = {.there = 1};
    snprintf(x.where, sizeof x.where, "%.300s", r.name);
    int status = qc_read_all(path, &r.bytes, &r.length, err) || qc_ndarray_parse(&x.a, r.bytes, r.length, x.where, err) || read_windows(d, &r, &x, err) ||
                         find_ids(d, &r, err) || read_label_file(d, o->label, err)
                     ? -1
                     : 0;
    free(r.bytes);
    return status;
}
