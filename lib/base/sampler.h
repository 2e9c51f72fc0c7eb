/* sampler.h - indices 0 .. n-1 in an order that is shuffled anew whenever it has been used up: epochs of single
 * draws. */
#ifndef QC_BASE_SAMPLER_H
#define QC_BASE_SAMPLER_H

#include "rng.h"

typedef struct QcSampler {
    uint32_t *order, n, at; /* order [n]: the caller's; at = n at first */
    QcRng rng;
} QcSampler;

/* Over n > 0 indices in the memory at `order`. */
static inline void qc_sampler_begin(QcSampler *s, uint32_t *order, uint32_t n, QcRng rng)
{
    *s = (QcSampler){.order = order, .n = n, .at = n, .rng = rng};
    for (uint32_t i = 0; i < n; i++) order[i] = i;
}

static inline uint32_t qc_sampler_next(QcSampler *s)
{
    if (s->at == s->n) {
        qc_rng_shuffle(&s->rng, s->order, s->n);
        s->at = 0;
    }
    return s->order[s->at++];
}

#endif
