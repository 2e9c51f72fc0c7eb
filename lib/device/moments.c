#include "moments.h"

#include "../kernels/mem.h"

void qc_moments_place(QcMoments *m, uint32_t n, uint32_t classes, QcPlacing *p)
{
    *m = (QcMoments){.n = n, .classes = classes};
    m->count = qc_placing_take(p, classes * sizeof *m->count);
    m->mean = qc_placing_take(p, (uint64_t)classes * n * sizeof *m->mean);
    m->scatter = qc_placing_take(p, qc_triangle(n) * sizeof *m->scatter);
}

void qc_moments_clear(QcMoments *m)
{
    memset(m->count, 0, m->classes * sizeof *m->count);
    memset(m->mean, 0, (size_t)m->classes * m->n * sizeof *m->mean);
    memset(m->scatter, 0, (size_t)qc_triangle(m->n) * sizeof *m->scatter);
}

void qc_scatter_add(float *restrict scatter, const float *restrict d, float weight, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float scaled = weight * d[i];
        for (uint32_t j = i; j < n; j++) scatter[j - i] += scaled * d[j];
        scatter += n - i;
    }
}

void qc_mean_add(float *mean, uint32_t *count, float *scatter, const uint8_t *features, int32_t zero, uint32_t average_window, float *difference, uint32_t n)
{
    uint32_t all = ++*count;
    float weight = (float)(average_window && all > average_window ? average_window : all);
    for (uint32_t i = 0; i < n; i++) {
        difference[i] = (float)((int32_t)features[i] - zero) - mean[i];
        mean[i] += difference[i] / weight;
    }
    qc_scatter_add(scatter, difference, (weight - 1) / weight, n);
}

void qc_moments_add(QcMoments *m, const uint8_t *features, int32_t zero, uint16_t label, uint32_t average_window, float *difference)
{
    qc_mean_add(m->mean + (size_t)label * m->n, &m->count[label], m->scatter, features, zero, average_window, difference, m->n);
}

static int all_within(const float *x, uint64_t n, float limit)
{
    for (uint64_t i = 0; i < n; i++)
        if (!(x[i] >= -limit && x[i] <= limit)) return 0;
    return 1;
}

int qc_moments_are_sound(const QcMoments *m)
{
    for (uint32_t k = 0; k < m->classes; k++)
        if (m->count[k] > INT32_MAX) return 0;
    return all_within(m->mean, (uint64_t)m->classes * m->n, 256) && all_within(m->scatter, qc_triangle(m->n), 65536.0f * 4294967296.0f);
}
