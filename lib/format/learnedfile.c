#include "learnedfile.h"

#include <string.h>

enum { VERSION = 2 };

int qc_learned_encode(QcModelFile *m, const QcLearner *l, QcErr *err)
{
    QcWriter w = {0};
    qc_put_u32(&w, VERSION);
    QcLearnerCounters counters = *l->counters; /* which come first; an input, and how far it was from what the model
                                                  knows, are for the state of a session alone */
    counters.input = 0;
    counters.input_adapts = 0;
    counters.drift = 0;
    qc_put_bytes(&w, &counters, sizeof counters);
    qc_put_bytes(&w, l->state + sizeof counters, l->learned_bytes - sizeof counters);
    return qc_container_add(&m->container, "learned", QC_SECTION_OPTIONAL, &w, err);
}

/* The last layer that answers must be the graph's own. */
static int fits(const QcLearner *l)
{
    const QcQGraph *g = l->setup.graph;
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    const QcLastLayer *layer = &l->layers[l->counters->active];
    return !memcmp(layer->codes, qc_layer_codes(g, node), (size_t)qc_head_code_bytes(&l->shape)) &&
           !memcmp(layer->scale, qc_layer_scale(g, node), g->classes * sizeof *layer->scale) &&
           !memcmp(layer->bias, qc_layer_bias(g, node), g->classes * sizeof *layer->bias);
}

int qc_learned_is_there(const QcModelFile *m)
{
    QcCursor c;
    return qc_container_find(&m->container, "learned", &c);
}

int qc_learned_decode(QcLearner *l, const QcModelFile *m, QcErr *err)
{
    QcCursor c;
    if (!qc_container_find(&m->container, "learned", &c)) return 0;
    uint32_t version = qc_get_u32(&c);
    if (c.bad || version != VERSION)
        return qc_fail(err, QC_EUNSUPPORTED, "section 'learned' has version %u; this program reads version %u", version,
                       VERSION);
    /* What flips keep comes last: a session without flips may follow a session with them, and the other way round. */
    size_t there = c.length - c.at, n = there < l->learned_bytes ? there : l->learned_bytes;
    if (n < l->head_bytes) return qc_fail(err, QC_EFORMAT, "section 'learned' is cut");
    memcpy(l->state, c.bytes + c.at, n);
    if (!qc_learner_is_sound(l) || !fits(l))
        return qc_fail(err, QC_EFORMAT, "section 'learned' does not fit the model's last layer");
    qc_learner_resume(l);
    return 1;
}
