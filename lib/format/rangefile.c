#include "rangefile.h"

#include <math.h>

int qc_inputrange_encode(QcModelFile *m, const QcInputRange *r, QcErr *err)
{
    QcWriter w = {0};
    qc_put_u32(&w, r->channels);
    qc_put_f32s(&w, r->low, r->channels);
    qc_put_f32s(&w, r->high, r->channels);
    qc_put_f32s(&w, r->rms, r->channels);
    return qc_container_add(&m->container, "range", QC_SECTION_OPTIONAL, &w, err);
}

int qc_inputrange_decode(QcInputRange *r, const QcModelFile *m, QcArena *arena, QcErr *err)
{
    QcCursor c;
    *r = (QcInputRange){0};
    if (!qc_container_find(&m->container, "range", &c)) return 0;
    uint32_t channels = qc_get_u32(&c);
    if (c.bad || channels != m->channels) return qc_fail(err, QC_EFORMAT, "section \"range\" is of another model");
    r->low = qc_get_f32s(&c, channels, arena);
    r->high = qc_get_f32s(&c, channels, arena);
    r->rms = qc_get_f32s(&c, channels, arena);
    if (qc_cursor_end(&c, "section \"range\"", err)) return -1;
    for (uint32_t k = 0; k < channels; k++)
        if (!(r->low[k] <= r->high[k]) || !isfinite(r->low[k]) || !isfinite(r->high[k]) || !(r->rms[k] >= 0) ||
            !isfinite(r->rms[k]))
            return qc_fail(err, QC_EFORMAT, "section \"range\" has numbers that are out of range");
    r->channels = channels;
    return 1;
}
