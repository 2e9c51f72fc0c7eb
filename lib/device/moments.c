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

void qc_moments_forget(QcMoments *m, uint32_t most)
{
    float before = 0, after = 0;
    for (uint32_t k = 0; k < m->classes; k++) {
        before += (float)m->count[k];
        if (m->count[k] > most) m->count[k] = most;
        after += (float)m->count[k];
    }
    if (!(after < before)) return;
    float share = after / before;
    for (uint64_t i = 0; i < qc_triangle(m->n); i++) m->scatter[i] *= share;
}

void qc_queue_flush(QcScatterQueue *q)
{
    if (!q->used) return;
    for (uint32_t k = q->used; k < QC_QUEUE; k++) {
        memset(q->rows + (size_t)k * q->n, 0, q->n * sizeof *q->rows);
        q->weight[k] = 0;
    }
    q->kernels->add_outer(q->scatter, q->rows, q->weight, q->n);
    q->used = 0;
}

void qc_queue_push(QcScatterQueue *q, float weight)
{
    q->weight[q->used++] = weight;
    if (q->used == QC_QUEUE) qc_queue_flush(q);
}

void qc_mean_add(float *mean, uint32_t *count, QcScatterQueue *q, const uint8_t *features, int32_t zero,
                 uint32_t average_window)
{
    float *restrict difference = qc_queue_row(q);
    uint32_t all = ++*count;
    float weight = (float)(average_window && all > average_window ? average_window : all), share = 1 / weight;
    for (uint32_t i = 0; i < q->n; i++) {
        difference[i] = (float)((int32_t)features[i] - zero) - mean[i];
        mean[i] += share * difference[i];
    }
    qc_queue_push(q, (weight - 1) / weight);
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
    return all_within(m->mean, (uint64_t)m->classes * m->n, 256) &&
           all_within(m->scatter, qc_triangle(m->n), 65536.0f * 4294967296.0f);
}
