#include "cover.h"

#include <stddef.h>

static double gain(const float *covered, const float *similarity, uint32_t n, uint32_t j)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        float s = similarity[(size_t)i * n + j];
        if (s > covered[i]) sum += (double)s - (double)covered[i];
    }
    return sum;
}

uint32_t qc_cover_choose(uint32_t *chosen, float *covered, uint8_t *may, const float *similarity, uint32_t n,
                         uint32_t k)
{
    uint32_t count = 0;
    while (count < k) {
        uint32_t best = n;
        double most = -1;
        for (uint32_t j = 0; j < n; j++) {
            double more = may[j] ? gain(covered, similarity, n, j) : -1;
            if (more > most) most = more, best = j;
        }
        if (best == n) break;
        may[best] = 0;
        chosen[count++] = best;
        for (uint32_t i = 0; i < n; i++)
            if (similarity[(size_t)i * n + best] > covered[i]) covered[i] = similarity[(size_t)i * n + best];
    }
    return count;
}

void qc_cover_weights(float *weight, const uint32_t *chosen, uint32_t n_chosen, const float *similarity, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) weight[i] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *s = similarity + (size_t)i * n;
        uint32_t best = n;
        for (uint32_t c = 0; c < n_chosen; c++)
            if (s[chosen[c]] > (best == n ? 0 : s[best])) best = chosen[c];
        if (best < n) weight[best]++;
    }
}
