#include "driftfile.h"

#include "../base/crc32.h"

uint32_t qc_driftbase_features(const QcQGraph *g)
{
    const QcQTensor *in = &g->tensors[g->nodes[g->n_nodes - 1].in[0]];
    return (uint32_t)in->height * in->width * in->channels;
}

/* CRC-32 of all codes except the codes of the last layer, which learns. */
static uint32_t codes_below(const QcQGraph *g)
{
    const QcQNode *last = &g->nodes[g->n_nodes - 1];
    return qc_crc32_add(0, g->codes, last->code_byte);
}

int qc_driftbase_encode(QcModelFile *m, const QcDriftBase *b, const QcQGraph *g, QcErr *err)
{
    QcWriter w = {0};
    qc_put_u32(&w, b->features);
    qc_put_u32(&w, b->classes);
    qc_put_u32(&w, codes_below(g));
    qc_put_f32(&w, b->spread);
    qc_put_f32(&w, b->threshold);
    qc_put_f32s(&w, b->centre, b->classes);
    qc_put_f32s(&w, b->weight, b->features);
    qc_put_bytes(&w, b->mean, (size_t)b->classes * b->features);
    if (b->farthest > 0) qc_put_f32(&w, b->farthest);
    return qc_container_add(&m->container, "drift", QC_SECTION_OPTIONAL, &w, err);
}

static int all_within(const float *values, uint32_t n, float low, float high)
{
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] > low && values[i] < high)) return 0;
    return 1;
}

int qc_driftbase_decode(QcDriftBase *b, const QcModelFile *m, const QcQGraph *g, QcArena *arena, QcErr *err)
{
    QcCursor c;
    *b = (QcDriftBase){0};
    if (!qc_container_find(&m->container, "drift", &c)) return 0;
    b->features = qc_get_u32(&c);
    b->classes = qc_get_u32(&c);
    uint32_t codes = qc_get_u32(&c);
    b->spread = qc_get_f32(&c);
    b->threshold = qc_get_f32(&c);
    if (c.bad || b->features != qc_driftbase_features(g) || b->classes != g->classes)
        return qc_fail(err, QC_EFORMAT, "section \"drift\" is of another graph");
    b->centre = qc_get_f32s(&c, b->classes, arena);
    b->weight = qc_get_f32s(&c, b->features, arena);
    b->mean = qc_get_bytes(&c, (size_t)b->classes * b->features, arena);
    if (c.length - c.at == 4) b->farthest = qc_get_f32(&c); /* older models have none */
    if (qc_cursor_end(&c, "section \"drift\"", err)) return -1;
    if (!all_within(b->centre, b->classes, -100, 100) || !all_within(b->weight, b->features, 0, 1e6f) ||
        !all_within(&b->spread, 1, 0, 1e6f) || !all_within(&b->threshold, 1, 0, 1e6f) ||
        !(b->farthest >= 0 && b->farthest < 1e6f))
        return qc_fail(err, QC_EFORMAT, "section \"drift\" has numbers that are out of range");
    return codes == codes_below(g);
}
