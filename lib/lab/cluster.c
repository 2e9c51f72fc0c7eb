#include "cluster.h"

#include <stddef.h>
#include <string.h>

enum { MOST_CENTRES = 256, ROUNDS = 50 };

static void spread(float *centre, uint32_t k, const float *x, const uint8_t *skip, uint32_t n)
{
    float low = 0, high = 0;
    int any = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (skip && skip[i]) continue;
        if (!any || x[i] < low) low = x[i];
        if (!any || x[i] > high) high = x[i];
        any = 1;
    }
    for (uint32_t c = 0; c < k; c++)
        centre[c] = k > 1 ? low + (high - low) * (float)c / (float)(k - 1) : (low + high) / 2;
}

/* Centres ascend, so halving finds the first midpoint not below x. */
static uint8_t nearest(const float *centre, uint32_t k, float x)
{
    uint32_t low = 0, high = k - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (x <= (centre[middle] + centre[middle + 1]) / 2) high = middle;
        else low = middle + 1;
    }
    return (uint8_t)low;
}

void qc_cluster_line(float *centre, uint8_t *owner, const float *x, const uint8_t *skip, uint32_t n, uint32_t k)
{
    spread(centre, k, x, skip, n);
    for (uint32_t round = 0, changed = 1; changed && round <= ROUNDS; round++) {
        double sum[MOST_CENTRES] = {0};
        uint32_t count[MOST_CENTRES] = {0};
        changed = round == 0;
        for (uint32_t i = 0; i < n; i++) {
            if (skip && skip[i]) continue;
            uint8_t own = nearest(centre, k, x[i]);
            changed |= own != owner[i];
            owner[i] = own;
            sum[own] += (double)x[i];
            count[own]++;
        }
        for (uint32_t c = 0; changed && round < ROUNDS && c < k; c++)
            if (count[c]) centre[c] = (float)(sum[c] / count[c]);
    }
}
