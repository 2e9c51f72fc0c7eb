#include "windows.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../base/rng.h"

static int allocate(QcWindows *w, uint32_t n, uint64_t values, QcErr *err)
{
    *w = (QcWindows){.n = n, .values = values};
    w->x = qc_arena_take(&w->arena, n * values, sizeof *w->x, err);
    w->label = qc_arena_take(&w->arena, n, sizeof *w->label, err);
    if (w->x && w->label) return 0;
    qc_windows_release(w);
    return -1;
}

int qc_windows_init(QcWindows *w, const QcDataset *d, const QcModelFile *m, QcErr *err)
{
    int32_t *map;
    if (allocate(w, d->n, qc_dataset_values(d), err)) return -1;
    if (qc_dataset_match(d, m, QC_LABELS_ALL, &map, &w->arena, err)) {
        qc_windows_release(w);
        return -1;
    }
    for (uint32_t i = 0; i < d->n; i++) {
        qc_dataset_batch_window(w->x + i * w->values, d, i, &m->norm);
        w->label[i] = map[d->label[i]];
    }
    return 0;
}

static int load(QcWindows *w, uint8_t digest[QC_DIGEST_BYTES], const QcModelFile *m, const char *path, int coreset,
                QcErr *err)
{
    QcDataset d;
    *w = (QcWindows){0};
    if (coreset ? qc_dataset_load_coreset(&d, path, err) : qc_dataset_load(&d, path, err)) return -1;
    int status = qc_windows_init(w, &d, m, err);
    memcpy(digest, d.digest, QC_DIGEST_BYTES);
    qc_dataset_release(&d);
    return status ? qc_within(err, qc_input_name(path)) : 0;
}

int qc_windows_load_source(QcWindows *w, uint8_t digest[QC_DIGEST_BYTES], const QcModelFile *m, const char *coreset,
                           const char *data, QcErr *err)
{
    *w = (QcWindows){0};
    if (coreset && load(w, digest, m, coreset, 1, err)) return -1;
    if (!data) return 0;
    qc_windows_release(w);
    return load(w, digest, m, data, 0, err);
}

void qc_windows_release(QcWindows *w)
{
    if (!w) return;
    qc_arena_release(&w->arena);
    *w = (QcWindows){0};
}

int qc_windows_pick(QcWindows *out, const QcWindows *w, const uint32_t *index, uint32_t n, QcErr *err)
{
    if (allocate(out, n, w->values, err)) return -1;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(out->x + i * w->values, w->x + index[i] * w->values, w->values * sizeof *w->x);
        out->label[i] = w->label[index[i]];
    }
    return 0;
}

int qc_windows_thin(QcWindows *out, const QcWindows *w, uint32_t most, QcErr *err)
{
    uint32_t n = w->n < most ? w->n : most, *index = malloc((n ? n : 1) * sizeof *index);
    if (!index) return qc_fail_memory(err, "a part of the windows");
    for (uint32_t i = 0; i < n; i++) index[i] = (uint32_t)((uint64_t)i * w->n / n);
    int status = qc_windows_pick(out, w, index, n, err);
    free(index);
    return status;
}

int qc_windows_hold_out(uint32_t *order, uint32_t *n_kept, const QcWindows *w, double share, uint64_t seed, QcErr *err)
{
    uint32_t *mixed = malloc((w->n ? w->n : 1) * sizeof *mixed), kept = 0, held = w->n;
    int32_t classes = 0;
    if (!mixed) return qc_fail_memory(err, "a split");
    QcRng rng = qc_rng_seed(seed, QC_STREAM_HELD);
    for (uint32_t i = 0; i < w->n; i++) {
        mixed[i] = i;
        if (w->label[i] >= classes) classes = w->label[i] + 1;
    }
    qc_rng_shuffle(&rng, mixed, w->n);
    for (int32_t k = 0; k < classes; k++) {
        uint32_t of_class = 0, taken = 0;
        for (uint32_t i = 0; i < w->n; i++) of_class += (uint32_t)(w->label[i] == k);
        uint32_t out = of_class < 2 ? 0 : (uint32_t)(share * of_class + 0.5);
        if (!out && of_class >= 2) out = 1;
        for (uint32_t i = 0; i < w->n; i++) {
            if (w->label[mixed[i]] != k) continue;
            if (taken++ < out) order[--held] = mixed[i];
            else order[kept++] = mixed[i];
        }
    }
    free(mixed);
    *n_kept = kept;
    return 0;
}

const QcKernels *qc_need_kernels(QcErr *err)
{
    const char *wrong = NULL;
    const QcKernels *kernels = qc_kernels_choose(&wrong);
    if (!kernels)
        qc_fail(err, QC_EUSAGE, "QC_ISA=%.40s is not a set of kernels that this processor can run", wrong ? wrong : "");
    return kernels;
}
