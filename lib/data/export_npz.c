/* A dataset as NumPy arrays, which import_npz.c reads back whole: x [n][channels][length] (images
 * [n][channels][height][length]), y [n] places in label_names (-1: none), id [n], and if they have names group [n]
 * and recording [n]; of a coreset also misses and flags [n]. */
#include <stdlib.h>

#include "dataset.h"
#include "npzwrite.h"

static void put_windows(QcNpz *npz, const QcDataset *d)
{
    uint64_t shape[4] = {d->n, d->channels, d->height, d->length};
    if (d->height == 1) shape[2] = d->length;
    qc_npz_begin(npz, "x", "<f4", shape, d->height == 1 ? 3 : 4);
    qc_put_f32s(&npz->out, d->x, d->n * qc_dataset_values(d));
    qc_npz_end(npz);
}

static void put_labels(QcNpz *npz, const QcDataset *d)
{
    qc_npz_begin(npz, "y", "<i8", &(uint64_t){d->n}, 1);
    for (uint32_t i = 0; i < d->n; i++) qc_put_u64(&npz->out, (uint64_t)(int64_t)d->label[i]);
    qc_npz_end(npz);
    qc_npz_texts(npz, "label_names", (const char *const *)d->labels.names, d->labels.n);
}

static void put_ids(QcNpz *npz, const QcDataset *d)
{
    qc_npz_begin(npz, "id", "<u8", &(uint64_t){d->n}, 1);
    qc_put_u64s(&npz->out, d->id, d->n);
    qc_npz_end(npz);
}

static int put_places(QcNpz *npz, const char *name, const QcNames *names, const uint32_t *index, uint32_t n, QcErr *err)
{
    if (!names->n) return 0;
    const char **texts = malloc(n * sizeof *texts);
    if (!texts) return qc_fail_memory(err, "names");
    for (uint32_t i = 0; i < n; i++) texts[i] = names->names[index[i]];
    qc_npz_texts(npz, name, texts, n);
    free(texts);
    return 0;
}

static void put_coreset(QcNpz *npz, const QcDataset *d)
{
    if (!d->capacity) return;
    qc_npz_begin(npz, "misses", "<u4", &(uint64_t){d->n}, 1);
    qc_put_u32s(&npz->out, d->misses, d->n);
    qc_npz_end(npz);
    qc_npz_begin(npz, "flags", "|u1", &(uint64_t){d->n}, 1);
    qc_put_bytes(&npz->out, d->flags, d->n);
    qc_npz_end(npz);
}

int qc_dataset_save_npz(const QcDataset *d, const char *path, QcErr *err)
{
    QcNpz npz = {0};
    put_windows(&npz, d);
    put_labels(&npz, d);
    put_ids(&npz, d);
    int status = put_places(&npz, "group", &d->groups, d->group, d->n, err) ||
                         put_places(&npz, "recording", &d->recordings, d->recording, d->n, err)
                     ? -1
                     : 0;
    put_coreset(&npz, d);
    if (!status) status = qc_npz_save(&npz, path, err);
    qc_npz_release(&npz);
    return status;
}
