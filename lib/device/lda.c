#include "lda.h"

#include "../kernels/mem.h"
#include "qmath.h"

int qc_lda_fits(const QcQGraph *g)
{
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    return node->n_codes / g->classes <= QC_LDA_MAX_FEATURES && g->classes <= QC_LDA_MAX_CLASSES && node->groups == 1;
}

uint32_t qc_lda_code_bytes(const QcLda *l) { return (uint32_t)(((uint64_t)l->node->n_codes * qc_code_bits(l->g, l->node) + 7) / 8); }

static uint64_t triangle(uint32_t n) { return (uint64_t)n * (n + 1) / 2; }

static void place_scatter(QcScatter *s, const QcLda *l, QcPlacing *p)
{
    s->count = qc_placing_take(p, l->classes * sizeof *s->count);
    s->mean = qc_placing_take(p, (uint64_t)l->classes * l->n * sizeof *s->mean);
    s->scatter = qc_placing_take(p, triangle(l->n) * sizeof *s->scatter);
}

void qc_lda_place(QcLda *l, QcQGraph *g, float ridge, float worth, uint32_t recent, QcPlacing *p)
{
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    *l = (QcLda){.g = g, .node = node, .n = node->n_codes / g->classes, .classes = g->classes, .ridge = ridge, .worth = worth, .recent = recent};
    qc_placing_part(p, "statistic of the last layer");
    place_scatter(&l->stream, l, p);
    l->other_codes = qc_placing_take(p, qc_lda_code_bytes(l));
    l->other_scale = qc_placing_take(p, l->classes * sizeof *l->other_scale);
    l->other_bias = qc_placing_take(p, l->classes * sizeof *l->other_bias);
}

void qc_lda_place_scratch(QcLda *l, QcPlacing *p)
{
    place_scatter(&l->source, l, p);
    l->x = qc_placing_take(p, l->n * sizeof *l->x);
    l->factor = qc_placing_take(p, triangle(l->n) * sizeof *l->factor);
    l->weights = qc_placing_take(p, (uint64_t)l->classes * l->n * sizeof *l->weights);
    l->bias = qc_placing_take(p, l->classes * sizeof *l->bias);
    qc_inthead_place(&l->head, l->n, l->classes, (int)qc_code_bits(l->g, l->node), p);
}

/* ---- statistic ---- */

static void clear(QcScatter *s, const QcLda *l)
{
    memset(s->count, 0, l->classes * sizeof *s->count);
    memset(s->mean, 0, (uint64_t)l->classes * l->n * sizeof *s->mean);
    memset(s->scatter, 0, triangle(l->n) * sizeof *s->scatter);
}

void qc_lda_clear(QcLda *l) { clear(&l->stream, l); }

static int all_within(const float *x, uint64_t n, float limit)
{
    for (uint64_t i = 0; i < n; i++)
        if (!(x[i] >= -limit && x[i] <= limit)) return 0;
    return 1;
}

int qc_lda_is_sound(const QcLda *l)
{
    for (uint32_t k = 0; k < l->classes; k++)
        if (l->stream.count[k] > INT32_MAX) return 0;
    return all_within(l->stream.mean, (uint64_t)l->classes * l->n, 256) && all_within(l->stream.scatter, triangle(l->n), 65536.0f * 4294967296.0f);
}

void qc_lda_begin(QcLda *l)
{
    clear(&l->source, l);
    l->operations = 0;
}

/* scatter += weight d d' */
static void add_outer(float *scatter, const float *d, float weight, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float scaled = weight * d[i];
        for (uint32_t j = 0; j <= i; j++) scatter[j] += scaled * d[j];
        scatter += i + 1;
    }
}

/* One more example of a class (Welford, 1962); beyond `recent` of them its mean is exponentially weighted (Roberts, 1959). */
static void see(QcLda *l, QcScatter *s, const uint8_t *q, uint16_t label, uint32_t recent)
{
    int32_t zero = l->g->tensors[l->node->in[0]].zero;
    uint32_t all = ++s->count[label];
    float *mean = s->mean + (uint64_t)label * l->n, count = (float)(recent && all > recent ? recent : all);
    for (uint32_t i = 0; i < l->n; i++) {
        l->x[i] = (float)((int32_t)q[i] - zero) - mean[i];
        mean[i] += l->x[i] / count;
    }
    add_outer(s->scatter, l->x, (count - 1) / count, l->n);
    l->operations += triangle(l->n) + 2 * (uint64_t)l->n;
}

void qc_lda_see_source(QcLda *l, const uint8_t *q, uint16_t label) { see(l, &l->source, q, label, 0); }
void qc_lda_see_stream(QcLda *l, const uint8_t *q, uint16_t label) { see(l, &l->stream, q, label, l->recent); }

/* ---- the head ---- */

/* Source and stream become one: the source's means those of all, its scatter S; 0 where a class has no example. */
static int join(QcLda *l)
{
    float weight = 0, trace = 0, seen = 0, *s = l->source.scatter;
    for (uint32_t k = 0; k < l->classes; k++) {
        float *mean = l->source.mean + (uint64_t)k * l->n, worth = l->source.count[k] ? l->worth : 0, count = (float)l->stream.count[k];
        if (worth > 0 && count > 3 * worth) worth = count / 3;
        const float *other = l->stream.mean + (uint64_t)k * l->n;
        if (!(worth + count > 0)) return 0;
        seen += count > 1 ? 1.0f : 0.0f;
        for (uint32_t i = 0; i < l->n; i++) {
            l->x[i] = other[i] - mean[i];
            mean[i] += count / (worth + count) * l->x[i];
        }
        if (worth > 0 && count > 0) add_outer(s, l->x, worth * count / (worth + count), l->n);
        weight += count + (worth > 0 && count > 0 ? worth : 0) + (l->source.count[k] > 1 ? (float)(l->source.count[k] - 1) : 0);
    }
    if (!(weight > 0)) weight = 1;
    for (uint64_t i = 0; i < triangle(l->n); i++) s[i] = (s[i] + l->stream.scatter[i]) / weight;
    for (uint32_t i = 0; i < l->n; i++) trace += s[triangle(i + 1) - 1];
    float lack = (float)l->classes / (seen > 1 ? seen : 1), ridge = l->ridge * lack * lack * trace / (float)l->n;
    for (uint32_t i = 0; i < l->n; i++) s[triangle(i + 1) - 1] += ridge > 1e-6f ? ridge : 1e-6f;
    return 1;
}

/* factor = the Cholesky factor of S; 0 where S is not positive definite. */
static int decompose(QcLda *l)
{
    memcpy(l->factor, l->source.scatter, triangle(l->n) * sizeof *l->factor);
    for (uint32_t i = 0; i < l->n; i++) {
        float *row = l->factor + triangle(i);
        for (uint32_t j = 0; j <= i; j++) {
            const float *other = l->factor + triangle(j);
            float sum = row[j];
            for (uint32_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (j < i) row[j] = sum / other[j];
            else if (sum > 0) row[i] = qc_sqrt(sum);
            else return 0;
            if (j == i && !(row[i] > 0)) return 0;
        }
    }
    return 1;
}

/* w = S^-1 w */
static void divide(const QcLda *l, float *w)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const float *row = l->factor + triangle(i);
        for (uint32_t j = 0; j < i; j++) w[i] -= row[j] * w[j];
        w[i] /= row[i];
    }
    for (uint32_t i = l->n; i-- > 0;) {
        const float *row = l->factor + triangle(i);
        w[i] /= row[i];
        for (uint32_t j = 0; j < i; j++) w[j] -= row[j] * w[i];
    }
}

static void make_weights(QcLda *l)
{
    memcpy(l->weights, l->source.mean, (uint64_t)l->classes * l->n * sizeof *l->weights);
    for (uint32_t k = 0; k < l->classes; k++) {
        float *w = l->weights + (uint64_t)k * l->n, sum = 0;
        const float *mean = l->source.mean + (uint64_t)k * l->n;
        divide(l, w);
        for (uint32_t i = 0; i < l->n; i++) sum += mean[i] * w[i];
        l->bias[k] = -0.5f * sum;
    }
}

/* Features are seen from the mean of the classes, x, from now on; what all rows and biases have in common is taken out of them, for it decides nothing. */
static void centre(QcLda *l)
{
    uint32_t n = l->n;
    for (uint32_t i = 0; i < n; i++) {
        float mean = 0, common = 0;
        for (uint32_t k = 0; k < l->classes; k++) {
            mean += l->source.mean[(uint64_t)k * n + i] / (float)l->classes;
            common += l->weights[(uint64_t)k * n + i] / (float)l->classes;
        }
        l->x[i] = mean;
        for (uint32_t k = 0; k < l->classes; k++) {
            l->source.mean[(uint64_t)k * n + i] -= mean;
            l->weights[(uint64_t)k * n + i] -= common;
            l->bias[k] += l->weights[(uint64_t)k * n + i] * mean;
        }
    }
    float common = 0;
    for (uint32_t k = 0; k < l->classes; k++) common += l->bias[k] / (float)l->classes;
    for (uint32_t k = 0; k < l->classes; k++) l->bias[k] -= common;
}

/* The nearest integer that may be a bias. */
static int32_t whole_bias(const QcLda *l, float bias)
{
    float most = (float)qc_largest_bias(l->g, l->node) * 0.999f;
    bias = bias < -most ? -most : bias > most ? most : bias;
    return (int32_t)(bias < 0 ? bias - 0.5f : bias + 0.5f);
}

static void write_head(QcLda *l)
{
    const QcIntHead *h = &l->head;
    float step = l->g->tensors[l->node->in[0]].scale;
    for (uint32_t k = 0; k < l->classes; k++) {
        float bias = h->bias[k];
        for (uint32_t i = 0; i < l->n; i++) {
            int8_t code = h->codes[(uint64_t)k * l->n + i];
            bias -= h->scale[k] * (float)code * l->x[i];
            qc_code_set(l->g, l->node, k * l->n + i, code);
        }
        l->g->scale[l->node->channel + k] = h->scale[k] / step;
        l->g->bias[l->node->channel + k] = whole_bias(l, bias / h->scale[k]);
    }
}

void qc_lda_lower(QcLda *l, uint32_t k, float amount)
{
    uint32_t channel = l->node->channel + k;
    float unit = l->g->scale[channel] * l->g->tensors[l->node->in[0]].scale;
    l->g->bias[channel] = whole_bias(l, (float)l->g->bias[channel] - amount / unit);
}

static uint8_t *packed(const QcLda *l) { return l->g->codes + l->node->code_byte; }

static void keep(QcLda *l)
{
    memcpy(l->other_codes, packed(l), qc_lda_code_bytes(l));
    memcpy(l->other_scale, l->g->scale + l->node->channel, l->classes * sizeof *l->other_scale);
    memcpy(l->other_bias, l->g->bias + l->node->channel, l->classes * sizeof *l->other_bias);
}

void qc_lda_swap(QcLda *l)
{
    uint8_t *codes = packed(l);
    uint32_t bytes = qc_lda_code_bytes(l);
    for (uint32_t i = 0; i < bytes; i++) {
        uint8_t code = codes[i];
        codes[i] = l->other_codes[i];
        l->other_codes[i] = code;
    }
    for (uint32_t k = 0; k < l->classes; k++) {
        float *scale = &l->g->scale[l->node->channel + k], s = *scale;
        int32_t *bias = &l->g->bias[l->node->channel + k], b = *bias;
        *scale = l->other_scale[k];
        *bias = l->other_bias[k];
        l->other_scale[k] = s;
        l->other_bias[k] = b;
    }
}

int qc_lda_solve(QcLda *l)
{
    keep(l);
    if (!join(l) || !decompose(l)) return 0;
    make_weights(l);
    centre(l);
    l->head.scatter = l->source.scatter;
    l->head.mean = l->source.mean;
    qc_inthead_solve(&l->head, l->weights, l->bias);
    l->operations += triangle(l->n) * (l->n / 3 + 3 * (uint64_t)l->classes) + l->head.operations; /* Cholesky; joined, and solved for each class */
    write_head(l);
    return 1;
}
