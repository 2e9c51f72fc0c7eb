#include "driftwatch.h"

#include "qmath.h"

static const float farthest = 25, lowest = -3, highest = 3;

static float part(const QcDriftBase *b, uint32_t j, float difference)
{
    return qc_least(difference * difference * b->weight[j], farthest);
}

/* d by the source's mean. */
static float from_source(const QcDriftBase *b, const uint8_t *mean, const uint8_t *features)
{
    float sum = 0;
    for (uint32_t j = 0; j < b->features; j++) sum += part(b, j, (float)((int32_t)features[j] - mean[j]));
    return sum / (float)b->features;
}

/* d by a mean that the stream has shown. */
static float from_learned(const QcDriftBase *b, const float *mean, const uint8_t *features, int32_t zero)
{
    float sum = 0;
    for (uint32_t j = 0; j < b->features; j++) sum += part(b, j, (float)((int32_t)features[j] - zero) - mean[j]);
    return sum / (float)b->features;
}

static float log_of(float d) { return qc_ln(d + 0.001f); }

float qc_driftwatch_distance(const QcDriftBase *b, const uint8_t *mean, const uint8_t *features)
{
    return log_of(from_source(b, mean, features));
}

float qc_driftwatch_score(const QcDriftBase *b, const float *learned, uint32_t spare, const uint8_t *features,
                          int32_t zero, uint32_t k)
{
    float d = k + spare < b->classes ? from_source(b, b->mean + (size_t)k * b->features, features) : farthest;
    if (learned) d = qc_least(d, from_learned(b, learned, features, zero));
    return qc_most(lowest, qc_least(highest, (log_of(d) - b->centre[k]) / b->spread));
}

static const float *learned_mean(const QcMoments *m, uint32_t k)
{
    return m && m->n && m->count[k] ? m->mean + (size_t)k * m->n : NULL;
}

static uint32_t latest_row(const QcLearner *l) { return (l->next_row + l->ring.capacity - 1) % l->ring.capacity; }

float qc_driftwatch_follow(const QcDriftBase *b, QcLearner *l)
{
    uint32_t row = latest_row(l), k = l->answer[row];
    const uint8_t *features = qc_slot_features(&l->ring, row);
    float score = qc_driftwatch_score(b, learned_mean(&l->moments, k), l->graph.spare, features, l->shape.zero, k);
    return l->counters->drift = qc_driftwatch_figure(l->counters->drift, score);
}

float qc_driftwatch_nearest(const QcDriftBase *b, const QcMoments *learned, uint32_t spare, const uint8_t *features,
                            int32_t zero)
{
    float nearest = farthest;
    for (uint32_t k = 0; k < b->classes; k++) {
        const float *mean = learned_mean(learned, k);
        if (k + spare < b->classes)
            nearest = qc_least(nearest, from_source(b, b->mean + (size_t)k * b->features, features));
        if (mean) nearest = qc_least(nearest, from_learned(b, mean, features, zero));
    }
    return nearest / b->farthest;
}

float qc_driftwatch_nearest_of_latest(const QcDriftBase *b, const QcLearner *l)
{
    return qc_driftwatch_nearest(b, &l->moments, l->graph.spare, qc_slot_features(&l->ring, latest_row(l)),
                                 l->shape.zero);
}
