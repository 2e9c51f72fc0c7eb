#include "augment.h"

#include <string.h>

int qc_augment_init(QcAugment *a, double strength, QcDriftKind kind, const QcModelFile *m, QcArena *arena, QcErr *err)
{
    *a = (QcAugment){.strength = strength};
    a->plain = qc_arena_take(arena, (uint64_t)m->height * m->length * m->channels, sizeof *a->plain, err);
    return a->plain ? qc_drifts_init(&a->drift, kind, m, arena, err) : -1;
}

int qc_augment_encode(QcModelFile *m, const QcAugment *a, QcErr *err)
{
    QcWriter w = {0};
    qc_put_f32(&w, (float)a->strength);
    qc_put_u32(&w, a->drift.kind);
    return qc_container_add(&m->container, "augment", QC_SECTION_OPTIONAL, &w, err);
}

int qc_augment_decode(double *strength, const char **kind, const QcModelFile *m, QcErr *err)
{
    QcCursor c;
    if (!qc_container_find(&m->container, "augment", &c)) return 0;
    *strength = (double)qc_get_f32(&c);
    uint32_t k = qc_get_u32(&c);
    if (qc_cursor_end(&c, "section \"augment\"", err)) return -1;
    if (!(*strength > 0 && *strength <= QC_AUGMENT_MOST) || k >= QC_DRIFT_COUNT)
        return qc_fail(err, QC_EFORMAT, "section \"augment\" has numbers that are out of range");
    *kind = qc_drifts_names[k];
    if (!qc_drifts_fits((QcDriftKind)k, m))
        return qc_fail(err, QC_EFORMAT, "section \"augment\": drifts of kind %s do not fit the model's windows", *kind);
    return 1;
}

void qc_augment_window(QcAugment *a, float *x, QcRng *rng)
{
    const QcDrift *d = &a->drift;
    if (qc_rng_unit(rng) >= 0.5f) return;
    memcpy(a->plain, x, (size_t)d->height * d->length * d->channels * sizeof *x);
    qc_drifts_draw(&a->drift, a->strength, rng);
    qc_drifts_apply(d, x, a->plain, rng);
}
