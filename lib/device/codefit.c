/* codefit.c - the integer head that separates classes best: codes of few bits, a scale and a bias per class.
 *
 * Classes have means mu_k and one scatter S. Head w, b puts class k ahead of class l by a margin m with deviation d:
 *
 *    m_kl = (w_k - w_l)' mu_k + b_k - b_l,   d_kl^2 = (w_k - w_l)' S (w_k - w_l)
 *
 * The margin loss of the head is the sum over all pairs of max(0, TARGET_MARGIN - m_kl / d_kl)^2. The search starts
 * from the rounded discriminant (coordinate descent). Codes step by one, scales and biases by shares, one at a time,
 * and a step is kept if it lowers the loss. A trial costs one pass over the classes, because all products w_k' mu_l
 * and w_k' S w_l are updated after each step.
 */
#include "head.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define TARGET_MARGIN 4.0f /* deviations: with a larger margin two classes count as separated */
enum { SWEEPS = 8 };

typedef struct Fit {
    QcHeadScratch *s;
    uint32_t n, classes;
    int32_t limit; /* codes are -limit .. limit - 1 */
} Fit;

static float *row_of(float *matrix, uint32_t k, uint32_t n) { return matrix + (size_t)k * n; }

/* ---- the loss ---- */

static float margin_loss(float margin, float deviation)
{
    float lack = TARGET_MARGIN - margin / deviation;
    return lack > 0 ? lack * lack : 0;
}

/* The loss of all pairs with row k, if its logits and products were these. column [classes]: logits of the mean of
 * class k under each row. */
static float row_loss(const Fit *f, uint32_t k, const float *restrict logits, const float *restrict product)
{
    const QcHeadScratch *s = f->s;
    float sum = 0;
    for (uint32_t l = 0; l < f->classes; l++) {
        if (l == k) continue;
        float square = product[k] + s->product[(size_t)l * f->classes + l] - 2 * product[l];
        float ahead = logits[k] - s->column[l], behind = s->logits[(size_t)l * f->classes + l] - logits[l],
              least = ahead < behind ? ahead : behind;
        if (square < 1e-12f) square = 1e-12f;
        if (least > 0 && least * least >= TARGET_MARGIN * TARGET_MARGIN * square) continue; /* both pairs are
                                                                                             * separated */
        float deviation = qc_sqrt(square);
        sum += margin_loss(ahead, deviation) + margin_loss(behind, deviation);
    }
    return sum;
}

static void begin_row(const Fit *f, uint32_t k)
{
    for (uint32_t l = 0; l < f->classes; l++) f->s->column[l] = f->s->logits[(size_t)l * f->classes + k];
}

static float loss_as_it_is(const Fit *f, uint32_t k)
{
    return row_loss(f, k, row_of(f->s->logits, k, f->classes), row_of(f->s->product, k, f->classes));
}

/* ---- steps ---- */

/* Keeps the trial if it lowers the loss. */
static int keep_if_better(const Fit *f, uint32_t k, float *loss)
{
    QcHeadScratch *s = f->s;
    uint32_t classes = f->classes;
    float trial = row_loss(f, k, s->trial_logits, s->trial_product);
    s->operations += 8 * (uint64_t)classes;
    if (!(trial < *loss)) return 0;
    *loss = trial;
    memcpy(row_of(s->logits, k, classes), s->trial_logits, classes * sizeof *s->logits);
    memcpy(row_of(s->product, k, classes), s->trial_product, classes * sizeof *s->product);
    for (uint32_t l = 0; l < classes; l++) s->product[(size_t)l * classes + k] = s->trial_product[l];
    return 1;
}

/* weights row k += change times column i of S. */
static void add_column(const Fit *f, uint32_t k, uint32_t i, float change)
{
    float *restrict out = row_of(f->s->weights, k, f->n);
    const float *restrict row = qc_triangle_row(f->s->scatter, f->n, i);
    for (uint32_t j = 0; j < i; j++) out[j] += change * qc_triangle_row(f->s->scatter, f->n, j)[i];
    for (uint32_t j = i; j < f->n; j++) out[j] += change * row[j];
    f->s->operations += f->n;
}

static int try_code(const Fit *f, uint32_t k, uint32_t i, int step, float *loss)
{
    QcHeadScratch *s = f->s;
    uint32_t n = f->n, classes = f->classes;
    int8_t *code = s->codes + (size_t)k * n + i;
    const float *logits = row_of(s->logits, k, classes), *product = row_of(s->product, k, classes), *mean = s->mean + i,
                *scattered = s->weights + i;
    float change = s->scale[k] * (float)step;
    if (*code + step < -f->limit || *code + step >= f->limit) return 0;
    for (uint32_t l = 0; l < classes; l++) {
        s->trial_logits[l] = logits[l] + change * mean[(size_t)l * n];
        s->trial_product[l] = product[l] + change * scattered[(size_t)l * n];
    }
    s->trial_product[k] += change * (scattered[(size_t)k * n] + change * qc_triangle_row(s->scatter, n, i)[i]);
    if (!keep_if_better(f, k, loss)) return 0;
    *code = (int8_t)(*code + step);
    add_column(f, k, i, change);
    return 1;
}

static int try_scale(const Fit *f, uint32_t k, float factor, float *loss)
{
    QcHeadScratch *s = f->s;
    const float *logits = row_of(s->logits, k, f->classes), *product = row_of(s->product, k, f->classes);
    for (uint32_t l = 0; l < f->classes; l++) {
        s->trial_logits[l] = factor * (logits[l] - s->bias[k]) + s->bias[k];
        s->trial_product[l] = factor * product[l];
    }
    s->trial_product[k] *= factor;
    if (!keep_if_better(f, k, loss)) return 0;
    s->scale[k] *= factor;
    for (uint32_t i = 0; i < f->n; i++) s->weights[(size_t)k * f->n + i] *= factor;
    return 1;
}

static int try_bias(const Fit *f, uint32_t k, float step, float *loss)
{
    QcHeadScratch *s = f->s;
    for (uint32_t l = 0; l < f->classes; l++) s->trial_logits[l] = s->logits[(size_t)k * f->classes + l] + step;
    memcpy(s->trial_product, row_of(s->product, k, f->classes), f->classes * sizeof *s->product);
    if (!keep_if_better(f, k, loss)) return 0;
    s->bias[k] += step;
    return 1;
}

/* One pass over row k; returns how many steps were kept. */
static uint32_t improve_row(const Fit *f, uint32_t k)
{
    uint32_t kept = 0;
    begin_row(f, k);
    float loss = loss_as_it_is(f, k), deviation = qc_sqrt(f->s->product[(size_t)k * f->classes + k]);
    for (int sign = -1; sign <= 1 && loss > 0; sign += 2) {
        kept += (uint32_t)try_bias(f, k, (float)sign * 0.3f * deviation, &loss);
        kept += (uint32_t)try_scale(f, k, 1 + 0.1f * (float)sign, &loss);
    }
    for (uint32_t i = 0; i < f->n && loss > 0; i++)
        if (try_code(f, k, i, 1, &loss) || try_code(f, k, i, -1, &loss)) kept++;
    return kept;
}

/* ---- the start: the discriminant, rounded by the best of some scales ---- */

static int8_t to_code(float x, int32_t limit)
{
    if (x < (float)-limit) return (int8_t)-limit;
    if (x > (float)(limit - 1)) return (int8_t)(limit - 1);
    return (int8_t)(x < 0 ? x - 0.5f : x + 0.5f);
}

static float largest_of(const float *w, uint64_t n, float least)
{
    for (uint64_t i = 0; i < n; i++) least = qc_most(qc_abs(w[i]), least);
    return least;
}

/* Stores the largest weight of each row in f->s->trial_logits. A row of nearly zero weights gets a scale in which
 * its bias can be expressed. */
static void find_largest(const Fit *f)
{
    float least = 1e-4f * largest_of(f->s->weights, (uint64_t)f->classes * f->n, 1e-16f);
    for (uint32_t k = 0; k < f->classes; k++)
        f->s->trial_logits[k] = largest_of(row_of(f->s->weights, k, f->n), f->n, least);
}

static void round_rows(const Fit *f, float share)
{
    QcHeadScratch *s = f->s;
    for (uint32_t k = 0; k < f->classes; k++) {
        const float *w = row_of(s->weights, k, f->n);
        s->scale[k] = share * s->trial_logits[k] / ((float)f->limit - 0.5f);
        float inverse = 1 / s->scale[k];
        for (uint32_t i = 0; i < f->n; i++) s->codes[(size_t)k * f->n + i] = to_code(w[i] * inverse, f->limit);
    }
}

/* Logits and products of the codes. kept: stores S w of each row in place of the weights. */
static void measure(const Fit *f, int kept)
{
    QcHeadScratch *s = f->s;
    uint32_t n = f->n, classes = f->classes;
    for (uint32_t k = 0; k < classes; k++) {
        float *scattered = kept ? row_of(s->weights, k, n) : s->row, *codes = s->queue;
        for (uint32_t i = 0; i < n; i++) codes[i] = (float)s->codes[(size_t)k * n + i];
        s->kernels->multiply_triangle(scattered, s->scatter, codes, n);
        for (uint32_t l = 0; l <= k; l++) {
            float product = s->scale[k] * s->scale[l] * s->kernels->dot_codes(s->codes + (size_t)l * n, scattered, n);
            s->product[(size_t)k * classes + l] = s->product[(size_t)l * classes + k] = product;
        }
        for (uint32_t i = 0; i < n && kept; i++) scattered[i] *= s->scale[k];
        for (uint32_t l = 0; l < classes; l++)
            s->logits[(size_t)k * classes + l] =
                s->scale[k] * s->kernels->dot_codes(s->codes + (size_t)k * n, s->mean + (size_t)l * n, n) + s->bias[k];
    }
    s->operations += (uint64_t)classes * n * (n + 2 * (uint64_t)classes);
}

static float loss_of_all(const Fit *f)
{
    float sum = 0;
    for (uint32_t k = 0; k < f->classes; k++) {
        begin_row(f, k);
        sum += loss_as_it_is(f, k);
    }
    return sum;
}

void qc_codes_fit(QcHeadScratch *s, const QcHeadShape *shape)
{
    static const float shares[] = {1, 0.85f, 0.7f, 0.6f, 0.5f, 0.4f, 0.3f};
    const Fit f = {s, shape->features, shape->classes, 1 << (shape->bits - 1)};
    float least = 0, best = 1;
    find_largest(&f);
    for (int i = 0; i < 7; i++) {
        round_rows(&f, shares[i]);
        measure(&f, 0);
        float loss = loss_of_all(&f);
        if (i && !(loss < least)) break; /* the loss nearly always has one minimum */
        least = loss;
        best = shares[i];
        if (!(least > 0)) break; /* all classes are separated */
    }
    round_rows(&f, best);
    measure(&f, 1);
    for (uint32_t sweep = 0, kept = 1; sweep < SWEEPS && kept; sweep++) {
        kept = 0;
        for (uint32_t k = 0; k < f.classes; k++) kept += improve_row(&f, k);
    }
}
