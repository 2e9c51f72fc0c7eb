#include "inthead.h"

#include "../kernels/mem.h"
#include "qmath.h"

enum { SWEEPS = 8 };

void qc_inthead_place(QcIntHead *h, uint32_t n, uint32_t classes, int bits, QcPlacing *p)
{
    uint64_t rows = (uint64_t)classes * n, pairs = (uint64_t)classes * classes;
    *h = (QcIntHead){.n = n, .classes = classes, .bits = bits};
    h->codes = qc_placing_take(p, rows);
    h->scale = qc_placing_take(p, classes * sizeof *h->scale);
    h->bias = qc_placing_take(p, classes * sizeof *h->bias);
    h->pull = qc_placing_take(p, rows * sizeof *h->pull);
    h->at = qc_placing_take(p, pairs * sizeof *h->at);
    h->product = qc_placing_take(p, pairs * sizeof *h->product);
    h->new_at = qc_placing_take(p, classes * sizeof *h->new_at);
    h->new_product = qc_placing_take(p, classes * sizeof *h->new_product);
}

static const float *scatter_row(const QcIntHead *h, uint32_t i) { return h->scatter + (uint64_t)i * (i + 1) / 2; }

/* out += factor times column i of S */
static void add_column(QcIntHead *h, float *out, uint32_t i, float factor)
{
    const float *row = scatter_row(h, i);
    h->operations += h->n;
    for (uint32_t j = 0; j <= i; j++) out[j] += factor * row[j];
    for (uint32_t j = i + 1; j < h->n; j++) out[j] += factor * scatter_row(h, j)[i];
}

/* All that is kept up, from the codes. */
static void measure(QcIntHead *h)
{
    uint32_t n = h->n, classes = h->classes;
    memset(h->pull, 0, (uint64_t)classes * n * sizeof *h->pull);
    for (uint32_t k = 0; k < classes; k++)
        for (uint32_t i = 0; i < n; i++)
            if (h->codes[(uint64_t)k * n + i]) add_column(h, h->pull + (uint64_t)k * n, i, h->scale[k] * (float)h->codes[(uint64_t)k * n + i]);
    h->operations += 2 * (uint64_t)classes * classes * n;
    for (uint32_t k = 0; k < classes; k++)
        for (uint32_t l = 0; l < classes; l++) {
            const int8_t *codes = h->codes + (uint64_t)k * n;
            const float *mean = h->mean + (uint64_t)l * n, *pull = h->pull + (uint64_t)l * n;
            float at = 0, product = 0;
            for (uint32_t i = 0; i < n; i++) {
                at += (float)codes[i] * mean[i];
                product += (float)codes[i] * pull[i];
            }
            h->at[(uint64_t)k * classes + l] = h->scale[k] * at + h->bias[k];
            h->product[(uint64_t)k * classes + l] = h->scale[k] * product;
        }
}

/* Of one class against another. */
static float fault(float margin, float square)
{
    float lack = QC_INTHEAD_APART - margin / qc_sqrt(square > 1e-12f ? square : 1e-12f);
    return lack > 0 ? lack * lack : 0;
}

/* Of all pairs that row k has a part in, were its `at` and `product` these. */
static float fault_of(QcIntHead *h, uint32_t k, const float *at, const float *product)
{
    uint32_t classes = h->classes;
    float sum = 0;
    h->operations += 8 * (uint64_t)classes;
    for (uint32_t l = 0; l < classes; l++) {
        const float *other = h->at + (uint64_t)l * classes;
        if (l == k) continue;
        float square = product[k] + h->product[(uint64_t)l * classes + l] - 2 * product[l];
        sum += fault(at[k] - other[k], square) + fault(other[l] - at[l], square);
    }
    return sum;
}

/* The trial stays. */
static void take(QcIntHead *h, uint32_t k)
{
    uint32_t classes = h->classes;
    memcpy(h->at + (uint64_t)k * classes, h->new_at, classes * sizeof *h->at);
    memcpy(h->product + (uint64_t)k * classes, h->new_product, classes * sizeof *h->product);
    for (uint32_t l = 0; l < classes; l++) h->product[(uint64_t)l * classes + k] = h->new_product[l];
}

static int try_code(QcIntHead *h, uint32_t k, uint32_t i, int step, float *now)
{
    uint32_t n = h->n, classes = h->classes;
    int8_t *code = h->codes + (uint64_t)k * n + i;
    int limit = 1 << (h->bits - 1);
    float change = h->scale[k] * (float)step;
    if (*code + step < -limit || *code + step >= limit) return 0;
    for (uint32_t l = 0; l < classes; l++) {
        h->new_at[l] = h->at[(uint64_t)k * classes + l] + change * h->mean[(uint64_t)l * n + i];
        h->new_product[l] = h->product[(uint64_t)k * classes + l] + change * h->pull[(uint64_t)l * n + i];
    }
    h->new_product[k] += change * (h->pull[(uint64_t)k * n + i] + change * scatter_row(h, i)[i]);
    float then = fault_of(h, k, h->new_at, h->new_product);
    if (!(then < *now)) return 0;
    *now = then;
    *code = (int8_t)(*code + step);
    add_column(h, h->pull + (uint64_t)k * n, i, change);
    take(h, k);
    return 1;
}

static int try_scale(QcIntHead *h, uint32_t k, float factor, float *now)
{
    uint32_t classes = h->classes;
    for (uint32_t l = 0; l < classes; l++) {
        h->new_at[l] = factor * (h->at[(uint64_t)k * classes + l] - h->bias[k]) + h->bias[k];
        h->new_product[l] = factor * h->product[(uint64_t)k * classes + l];
    }
    h->new_product[k] *= factor;
    float then = fault_of(h, k, h->new_at, h->new_product);
    if (!(then < *now)) return 0;
    *now = then;
    h->scale[k] *= factor;
    for (uint32_t i = 0; i < h->n; i++) h->pull[(uint64_t)k * h->n + i] *= factor;
    take(h, k);
    return 1;
}

static int try_bias(QcIntHead *h, uint32_t k, float step, float *now)
{
    uint32_t classes = h->classes;
    for (uint32_t l = 0; l < classes; l++) {
        h->new_at[l] = h->at[(uint64_t)k * classes + l] + step;
        h->new_product[l] = h->product[(uint64_t)k * classes + l];
    }
    float then = fault_of(h, k, h->new_at, h->new_product);
    if (!(then < *now)) return 0;
    *now = then;
    h->bias[k] += step;
    take(h, k);
    return 1;
}

/* One look at all of row k; returns how many steps were taken. */
static uint32_t improve_row(QcIntHead *h, uint32_t k)
{
    uint32_t steps = 0;
    float now = fault_of(h, k, h->at + (uint64_t)k * h->classes, h->product + (uint64_t)k * h->classes);
    float deviation = qc_sqrt(h->product[(uint64_t)k * h->classes + k]);
    for (int sign = -1; sign <= 1 && now > 0; sign += 2) {
        steps += (uint32_t)try_bias(h, k, (float)sign * 0.3f * deviation, &now);
        steps += (uint32_t)try_scale(h, k, 1 + 0.1f * (float)sign, &now);
    }
    for (uint32_t i = 0; i < h->n && now > 0; i++)
        if (try_code(h, k, i, 1, &now) || try_code(h, k, i, -1, &now)) steps++;
    return steps;
}

static void improve(QcIntHead *h)
{
    uint32_t steps = 1;
    for (int sweep = 0; sweep < SWEEPS && steps; sweep++) {
        steps = 0;
        for (uint32_t k = 0; k < h->classes; k++) steps += improve_row(h, k);
    }
}

/* ---- the start: rounded as it stands, by the best of some scales ---- */

static int8_t to_code(float x, int bits)
{
    float limit = (float)(1 << (bits - 1));
    if (x < -limit) return (int8_t)-limit;
    if (x > limit - 1) return (int8_t)(limit - 1);
    return (int8_t)(x < 0 ? x - 0.5f : x + 0.5f);
}

static float widest_of(const float *w, uint64_t n, float least)
{
    for (uint64_t i = 0; i < n; i++) least = qc_abs(w[i]) > least ? qc_abs(w[i]) : least;
    return least;
}

/* A row of next to nothing has a scale that its bias can be told in. */
static void round_rows(QcIntHead *h, const float *weights, const float *bias, float share)
{
    float least = 1e-4f * widest_of(weights, (uint64_t)h->classes * h->n, 1e-16f);
    for (uint32_t k = 0; k < h->classes; k++) {
        const float *w = weights + (uint64_t)k * h->n;
        float widest = widest_of(w, h->n, least);
        h->scale[k] = share * widest / ((float)(1 << (h->bits - 1)) - 0.5f);
        h->bias[k] = bias[k];
        for (uint32_t i = 0; i < h->n; i++) h->codes[(uint64_t)k * h->n + i] = to_code(w[i] / h->scale[k], h->bits);
    }
    measure(h);
}

static float fault_of_all(QcIntHead *h)
{
    float sum = 0;
    for (uint32_t k = 0; k < h->classes; k++) sum += fault_of(h, k, h->at + (uint64_t)k * h->classes, h->product + (uint64_t)k * h->classes);
    return sum;
}

void qc_inthead_solve(QcIntHead *h, const float *weights, const float *bias)
{
    static const float shares[] = {1, 0.85f, 0.7f, 0.6f, 0.5f, 0.4f, 0.3f};
    float least = 0, best = 1;
    h->operations = 0;
    for (int i = 0; i < 7; i++) {
        round_rows(h, weights, bias, shares[i]);
        float now = fault_of_all(h);
        if (i && !(now < least)) continue;
        least = now;
        best = shares[i];
    }
    round_rows(h, weights, bias, best);
    improve(h);
}
