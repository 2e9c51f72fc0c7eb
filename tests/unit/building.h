/* building.h - helpers that tests of training graphs share. Include after check.h. */
#ifndef QC_TESTS_BUILDING_H
#define QC_TESTS_BUILDING_H

#include <stdlib.h>

#include "../../lib/base/rng.h"
#include "../../lib/nn/run.h"

static QcErr err;

static inline int ok(int node)
{
    ck_assert_msg(node >= 0, "%s", err.text);
    return node;
}
#define NODE(call) ((uint32_t)ok(call))

static inline QcGraph start(uint32_t channels, uint32_t height, uint32_t width)
{
    QcGraph g;
    ok(qc_graph_init(&g, channels, height, width, &err));
    return g;
}

static inline size_t input_values(const QcGraph *g)
{
    return (size_t)g->nodes[0].height * g->nodes[0].width * g->nodes[0].channels;
}

static inline float *random_values(size_t n, uint64_t seed)
{
    float *values = malloc(n * sizeof *values);
    QcRng rng = qc_rng_seed(seed, 77);
    for (size_t i = 0; i < n; i++) values[i] = (float)qc_rng_normal(&rng);
    return values;
}

#endif
