#include "driftwatch.h"

#include "qmath.h"

static const float farthest = 25, lowest = -3, highest = 6;

float qc_driftwatch_distance(const QcDriftBase *b, const uint8_t *mean, const float *learned, const uint8_t *features,
                             int32_t zero)
{
    float sum = 0;
    for (uint32_t j = 0; j < b->features; j++) {
        float difference = learned ? (float)((int32_t)features[j] - zero) - learned[j]
                                   : (float)((int32_t)features[j] - mean[j]);
        sum += qc_least(difference * difference * b->weight[j], farthest);
    }
    return qc_ln(sum / (float)b->features + 0.001f);
}

float qc_driftwatch_score(const QcDriftBase *b, const float *learned, const uint8_t *features, int32_t zero, uint32_t k)
{
    float distance = qc_driftwatch_distance(b, b->mean + (size_t)k * b->features, NULL, features, zero);
    if (learned) distance = qc_least(distance, qc_driftwatch_distance(b, NULL, learned, features, zero));
    return qc_most(lowest, qc_least(highest, (distance - b->centre[k]) / b->spread));
}

float qc_driftwatch_of_latest(const QcDriftBase *b, const QcLearner *l)
{
    uint32_t row = (l->next_row + l->ring.capacity - 1) % l->ring.capacity, k = l->answer[row];
    const float *learned = l->moments.n && l->moments.count[k] ? l->moments.mean + (size_t)k * l->moments.n : NULL;
    return qc_driftwatch_score(b, learned, qc_slot_features(&l->ring, row), l->shape.zero, k);
}
