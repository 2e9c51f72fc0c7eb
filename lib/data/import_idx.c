/* IDX, the form of MNIST: two zero bytes, type, number of dimensions, sizes (u32, big-endian), values; often gzip.
 * Pictures are [n][height][width] or, with more dimensions, as in arrays (arraywindows.h); labels lie in a second file,
 * whose name has labels-idx1 instead of images-idx3 unless --y names it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "arraywindows.h"
#include "gunzip.h"
#include "pixmap.h"
#include "tree.h"

typedef struct Idx {
    QcArray array;
} Idx;

static int parse(QcNdarray *a, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    static const struct {
        uint8_t type;
        char kind;
        uint32_t item;
    } types[] = {{8, 'u', 1}, {9, 'i', 1}, {11, 'i', 2}, {12, 'i', 4}, {13, 'f', 4}, {14, 'f', 8}};
    uint32_t rank = length >= 4 ? bytes[3] : 0;
    *a = (QcNdarray){.swapped = 1, .rank = rank, .count = 1};
    for (size_t k = 0; length >= 4 && !bytes[0] && !bytes[1] && k < sizeof types / sizeof *types; k++)
        if (types[k].type == bytes[2]) a->kind = types[k].kind, a->item = types[k].item;
    if (!a->item || !rank || rank > 4 || length < 4 + 4 * (size_t)rank)
        return qc_fail(err, QC_EFORMAT, "%.300s is no IDX file of 1 to 4 dimensions", name);
    for (uint32_t k = 0; k < rank; k++) {
        const uint8_t *at = bytes + 4 + 4 * k;
        a->shape[k] = (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
        if (__builtin_mul_overflow(a->count, a->shape[k], &a->count)) a->count = UINT64_MAX;
    }
    a->data = bytes + 4 + 4 * rank;
    if (a->count > length || a->count * a->item != length - 4 - 4 * (size_t)rank)
        return qc_fail(err, QC_EFORMAT, "%.300s is damaged: its sizes do not fit its length", name);
    uint64_t stride = 1;
    for (uint32_t k = rank; k--; stride *= a->shape[k]) a->stride[k] = stride;
    return 0;
}

static int load(Idx *x, const char *path, QcErr *err)
{
    *x = (Idx){0};
    snprintf(x->array.where, sizeof x->array.where, "%.300s", qc_input_name(path));
    return qc_gunzip_view(&x->array.view, path, err) ||
                   parse(&x->array.a, x->array.view.bytes, x->array.view.length, x->array.where, err)
               ? -1
               : 0;
}

/* "t10k-images-idx3-ubyte.gz" has "t10k-labels-idx1-ubyte.gz" beside it, or this file unpacked; in the same way a file
 * that is not packed may have packed labels. -1: there is none. */
static int find_labels(char out[QC_PATH_ROOM], const char *path)
{
    const char *slash = strrchr(path, '/'), *images = strstr(slash ? slash : path, "images");
    size_t length = strlen(path);
    if (!images || length + sizeof ".gz" > QC_PATH_ROOM) return -1;
    snprintf(out, QC_PATH_ROOM, "%s", path);
    memcpy(out + (images - path), "labels", 6);
    char *rank = strstr(out + (images - path), "idx");
    if (rank && rank[3] >= '2' && rank[3] <= '4') rank[3] = '1';
    if (qc_is_regular(out)) return 0;
    if (length > 3 && !strcmp(out + length - 3, ".gz")) out[length - 3] = 0;
    else memcpy(out + length, ".gz", sizeof ".gz");
    return qc_is_regular(out) ? 0 : -1;
}

static int read_labels(QcDataset *d, const Idx *y, QcErr *err)
{
    const QcNdarray *a = &y->array.a;
    char name[32];
    if (a->rank != 1 || a->shape[0] != d->n || a->kind == 'f')
        return qc_fail(err, QC_EFORMAT, "%.300s must have one whole number for each of the %u examples", y->array.where,
                       d->n);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t label;
        snprintf(name, sizeof name, "%.0f", qc_ndarray_real(a, i));
        if (qc_names_add(&d->labels, &d->arena, name, &label, err)) return -1;
        if (d->labels.n > 255)
            return qc_fail(err, QC_EFORMAT, "%.300s has more than 255 different labels", y->array.where);
        d->label[i] = (int32_t)label;
    }
    return qc_import_sort_labels(d, err);
}

static int find_and_read_labels(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    char file[QC_PATH_ROOM];
    const char *labels = o->label;
    Idx y = {0};
    if (labels && !strcmp(labels, "none")) return 0;
    if (!labels && find_labels(file, path))
        return qc_fail(err, QC_EUSAGE,
                       "the labels of %.300s are not beside it: name their file with --y, or say --y none", path);
    int status = load(&y, labels ? labels : file, err) || read_labels(d, &y, err) ? -1 : 0;
    qc_inputview_close(&y.array.view);
    return status;
}

/* Pictures of bytes at another size, through the scaling of pictures. */
static int scale(QcDataset *out, const QcDataset *d, const QcImportOptions *o, QcErr *err)
{
    QcPixmap p = {d->length, d->height, malloc((size_t)d->length * d->height * 3)};
    int status = !p.at ? qc_fail_memory(err, "a picture") : qc_dataset_init(out, d->n, 1, o->height, o->width, 0, err);
    for (uint32_t i = 0; !status && i < d->n; i++) {
        const float *x = qc_dataset_window(d, i);
        for (size_t k = 0; k < (size_t)p.width * p.height * 3; k++) p.at[k] = (uint8_t)x[k / 3];
        status = qc_pixmap_scale(out->x + i * qc_dataset_values(out), o->height, o->width, &p, o->resize, o->crop, 1,
                                 err);
    }
    free(p.at);
    return status;
}

static int rescale(QcDataset *d, const Idx *x, const QcImportOptions *o, QcErr *err)
{
    QcDataset scaled = {0};
    if (!o->height) return o->resize || o->crop ? qc_fail(err, QC_EUSAGE, "--resize and --crop need a --size") : 0;
    if (x->array.a.kind != 'u' || x->array.a.item != 1 || d->channels != 1 || d->height < 2)
        return qc_fail(err, QC_EUSAGE, "--size scales grey pictures of bytes, which %.300s has not", x->array.where);
    if (scale(&scaled, d, o, err)) {
        qc_dataset_release(&scaled);
        return -1;
    }
    qc_dataset_release(d);
    *d = scaled;
    return 0;
}

static int import_idx(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Idx x;
    QcImportOptions own = *o;
    uint8_t *keep = NULL, digest[QC_DIGEST_BYTES];
    int status = load(&x, path, err);
    if (!status) qc_inputview_digest(&x.array.view, digest);
    own.grey = x.array.a.rank == 3 && !o->channels;
    if (!status)
        status = qc_array_windows(d, &keep, &x.array, &own, err) || rescale(d, &x, o, err) ||
                         find_and_read_labels(d, path, o, err)
                     ? -1
                     : 0;
    if (!status) {
        uint64_t base = (uint64_t)(digest[0] & 0x1f) << 48 | (uint64_t)digest[1] << 40 | (uint64_t)digest[2] << 32;
        for (uint32_t i = 0; i < d->n; i++) d->id[i] = base + i;
        status = qc_import_shape(d, o, err);
    }
    free(keep);
    qc_inputview_close(&x.array.view);
    return status;
}

static int recognise(const char *path)
{
    if (qc_is_folder(path) || strstr(path, "labels-idx1")) return 0;
    return qc_path_ends_in(path, "-ubyte") || qc_path_ends_in(path, ".idx") || qc_path_ends_in(path, ".idx3-ubyte");
}

static const QcImportRow *const rows[] = {&qc_row_y,        &qc_row_channels, &qc_row_channels_last,
                                          &qc_row_features, &qc_row_size,     &qc_row_resize,
                                          &qc_row_crop,     QC_ROWS_FILES,    NULL};

const QcImporter qc_importer_idx = {
    "idx", "IDX as MNIST has it, gzip or not: pictures, labels beside them", rows, recognise, import_idx, NULL, 1};
