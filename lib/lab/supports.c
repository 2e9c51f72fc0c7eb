#include "supports.h"

#include <math.h>
#include <string.h>

#include "../device/head.h"
#include "softmax.h"

static void to_unit_length(float *x, uint32_t n)
{
    double square = 0;
    for (uint32_t i = 0; i < n; i++) square += (double)x[i] * (double)x[i];
    for (uint32_t i = 0; i < n && square > 0; i++) x[i] = (float)((double)x[i] / sqrt(square));
}

void qc_supports_add(QcSupports *s, const float *x, uint32_t class_index, double entropy)
{
    double *own = s->entropy + (size_t)class_index * s->most;
    uint32_t at = s->count[class_index];
    if (at == s->most) {
        at = 0;
        for (uint32_t i = 1; i < s->most; i++)
            if (own[i] >= own[at]) at = i;
        if (entropy >= own[at]) return;
    } else {
        s->count[class_index]++;
    }
    float *to = s->x + ((size_t)class_index * s->most + at) * s->features;
    memcpy(to, x, s->features * sizeof *to);
    to_unit_length(to, s->features);
    own[at] = entropy;
}

void qc_supports_solve(QcSupports *s)
{
    memset(s->weights, 0, (size_t)s->classes * s->features * sizeof *s->weights);
    for (uint32_t k = 0; k < s->classes; k++) {
        float *w = s->weights + (size_t)k * s->features;
        const float *x = s->x + (size_t)k * s->most * s->features;
        for (uint32_t j = 0; j < s->count[k]; j++)
            for (uint32_t i = 0; i < s->features; i++) w[i] += x[(size_t)j * s->features + i];
        to_unit_length(w, s->features);
    }
}

/* The logits of the model's own last layer for its own row k. */
static void add_row(QcSupports *s, uint32_t k)
{
    const QcFloatHead *own = &s->own;
    const float *row = own->w + (size_t)k * own->n;
    for (uint32_t c = 0; c < s->classes; c++) {
        const float *w = own->w + (size_t)c * own->n;
        double sum = (double)w[s->features];
        for (uint32_t i = 0; i < s->features; i++) sum += (double)w[i] * (double)row[i];
        own->logits[c] = (float)sum;
    }
    qc_supports_add(s, row, qc_largest(own->logits, s->classes), qc_softmax_entropy(own->logits, s->classes));
}

int qc_supports_init(QcSupports *s, QcMethodRun *l, uint32_t most, QcErr *err)
{
    uint32_t classes = l->g->classes;
    if (qc_float_head_init(&s->own, l, 0, err)) return -1;
    s->features = s->own.n - 1;
    s->classes = classes;
    s->most = most;
    s->count = qc_method_take(l, classes, sizeof *s->count, err);
    s->x = qc_method_take(l, (size_t)classes * most * s->features, sizeof *s->x, err);
    s->entropy = qc_method_take(l, (size_t)classes * most, sizeof *s->entropy, err);
    s->weights = qc_method_take(l, (size_t)classes * s->features, sizeof *s->weights, err);
    if (!s->count || !s->x || !s->entropy || !s->weights) return -1;
    for (uint32_t k = 0; k < classes; k++) add_row(s, k);
    qc_supports_solve(s);
    return 0;
}

void qc_supports_learn(QcSupports *s, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch)
{
    uint32_t n = batch->n + l->n_unlabelled;
    for (uint32_t i = 0; i < n; i++) {
        qc_float_head_features(&s->own, l, batch->windows + (size_t)i * l->window);
        if (i < batch->n) qc_supports_add(s, s->own.x, batch->labels[i], 0);
        else
            qc_supports_add(s, s->own.x, qc_largest(s->own.logits, s->classes),
                            qc_softmax_entropy(s->own.logits, s->classes));
    }
    qc_supports_solve(s);
    report->set = n;
    report->forwards += n;
    report->operations += n * (l->macs + s->features) + (uint64_t)s->classes * s->most * s->features;
}

void qc_supports_logits(QcSupports *s, QcMethodRun *l, float *logits, const uint8_t *window)
{
    qc_float_head_features(&s->own, l, window);
    for (uint32_t k = 0; k < s->classes; k++) {
        const float *w = s->weights + (size_t)k * s->features;
        double sum = 0;
        for (uint32_t i = 0; i < s->features; i++) sum += (double)w[i] * (double)s->own.x[i];
        logits[k] = (float)sum;
    }
}
