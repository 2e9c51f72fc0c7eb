/* guess.c - classes of windows without a label, by expectation maximization (Dempster et al., 1977): one Gaussian
 * per class, with a common scatter.
 *
 * Features are whitened by the scatter S of labelled examples, with a large ridge. z_k, the whitened mean of class
 * k, is first the mean of its labelled stream examples, or the source's mean if the stream has none. A round
 * computes the responsibilities of the classes for each window u without a label,
 *
 *    r_uk  ~  share_k exp(-|z_u - z_k|^2 / (2 guess_temperature)),
 *
 * and from them the shares of the classes (a tenth is uniform) and the means z_k. A labelled example has weight 1, a
 * window without a label guess_weight r_uk, or less if many windows wait (PER_CLASS). The last responsibilities then
 * count in means and scatter like labelled stream examples (discriminant.c). They are not stored: the next adapt
 * computes new guesses, so a late label replaces the guess.
 */
#include "head.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define WHITE_STEP 0.25f /* deviations per step of a whitened feature: int8 reaches 32 deviations from the centre */
#define EVEN 0.1f
#define PER_CLASS 0.7f /* labelled examples that all windows without a label count as, per class, at most: they must not
                        * weigh more than labels */
enum { ROUNDS = 8 };

float qc_guess_weight(const QcHeadTask *t)
{
    uint32_t n = t->set->n_unlabelled;
    float most = PER_CLASS * (float)t->shape->classes / (float)(n > 0 ? n : 1);
    return qc_least(t->parameters->guess_weight, most);
}

void qc_round_white(int8_t *out, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float v = x[i] / WHITE_STEP;
        out[i] = (int8_t)(v < -127 ? -127 : v > 127 ? 127 : v < 0 ? v - 0.5f : v + 0.5f);
    }
}

void qc_white_features(int8_t *out, QcHeadScratch *s, const QcHeadShape *shape, const uint8_t *features)
{
    for (uint32_t i = 0; i < shape->features; i++)
        s->row[i] = (float)((int32_t)features[i] - shape->zero) - s->centre[i];
    qc_whiten(s->kernels, s->row, s->scatter, shape->features);
    qc_round_white(out, s->row, shape->features);
}

/* Squared distance in deviations. */
static float squared_distance(const int8_t *white, const float *mean, uint32_t n)
{
    float part[4] = {0};
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (uint32_t l = 0; l < 4; l++) {
            float d = WHITE_STEP * (float)white[i + l] - mean[i + l];
            part[l] += d * d;
        }
    for (uint32_t l = 0; i < n; i++, l++) {
        float d = WHITE_STEP * (float)white[i] - mean[i];
        part[l] += d * d;
    }
    return (part[0] + part[2]) + (part[1] + part[3]);
}

/* r [classes]: the responsibilities for window u. log_share [classes]. */
static void respond(float *r, const QcHeadScratch *s, const QcHeadTask *t, const float *log_share, uint32_t u)
{
    uint32_t n = t->shape->features, classes = t->shape->classes, best = 0;
    float sum = 0, scale = 0.5f / t->parameters->guess_temperature;
    for (uint32_t k = 0; k < classes; k++) {
        r[k] = log_share[k] - scale * squared_distance(s->white + (size_t)u * n, s->weights + (size_t)k * n, n);
        if (r[k] > r[best]) best = k;
    }
    float most = r[best];
    for (uint32_t k = 0; k < classes; k++) sum += r[k] = qc_exp(r[k] - most);
    for (uint32_t k = 0; k < classes; k++) r[k] /= sum;
}

/* Computes the whitened means in s->weights, from means of labelled examples (s->mean, counts in s->bias) and
 * responsibilities. */
static void find_means(QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->shape->features, classes = t->shape->classes;
    float of_window = qc_guess_weight(t);
    for (uint32_t k = 0; k < classes; k++) {
        float *mean = s->weights + (size_t)k * n, weight = s->bias[k] > 0 ? s->bias[k] : 1e-6f;
        for (uint32_t i = 0; i < n; i++) mean[i] = weight * s->mean[(size_t)k * n + i];
        for (uint32_t u = 0; u < t->set->n_unlabelled; u++) {
            const int8_t *white = s->white + (size_t)u * n;
            float r = of_window * s->share[(size_t)u * classes + k], step = WHITE_STEP * r;
            weight += r;
            for (uint32_t i = 0; i < n; i++) mean[i] += step * (float)white[i];
        }
        for (uint32_t i = 0; i < n; i++) mean[i] /= weight;
    }
}

static void find_log_shares(float *log_share, const QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t classes = t->shape->classes;
    for (uint32_t k = 0; k < classes; k++) {
        float sum = 0;
        for (uint32_t u = 0; u < t->set->n_unlabelled; u++) sum += s->share[(size_t)u * classes + k];
        log_share[k] = qc_ln(EVEN / (float)classes + (1 - EVEN) * sum / (float)t->set->n_unlabelled);
    }
}

/* Whitens windows and class means. */
static int begin(QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->shape->features, classes = t->shape->classes;
    if (!qc_discriminant_whiten(s, t)) return 0;
    for (uint32_t u = 0; u < t->set->n_unlabelled; u++)
        qc_white_features(s->white + (size_t)u * n, s, t->shape,
                          qc_slot_features(t->set->ring, t->set->row[t->set->n + u]));
    for (uint32_t k = 0; k < classes; k++) {
        float *mean = s->mean + (size_t)k * n;
        for (uint32_t i = 0; i < n; i++) mean[i] -= s->centre[i];
        qc_whiten(s->kernels, mean, s->scatter, n);
        s->column[k] = 0; /* logarithm of the share: even */
    }
    memcpy(s->weights, s->mean, (size_t)classes * n * sizeof *s->weights);
    s->operations += (uint64_t)t->set->n_unlabelled * qc_triangle(n);
    return 1;
}

static void respond_all(QcHeadScratch *s, const QcHeadTask *t)
{
    for (uint32_t u = 0; u < t->set->n_unlabelled; u++)
        respond(s->share + (size_t)u * t->shape->classes, s, t, s->column, u);
    s->operations += (uint64_t)t->set->n_unlabelled * t->shape->classes * t->shape->features;
}

static void improve(QcHeadScratch *s, const QcHeadTask *t)
{
    for (int round = 1; round < ROUNDS; round++) {
        find_log_shares(s->column, s, t);
        find_means(s, t);
        respond_all(s, t);
    }
}

int qc_guess(QcHeadScratch *s, const QcHeadTask *t)
{
    if (!begin(s, t)) return 0;
    respond_all(s, t);
    improve(s, t);
    return 1;
}

/* Sum over the first n windows, which have labels, of the logarithm of the responsibility of the label's class. */
static float score(const QcHeadScratch *s, const QcHeadTask *t, uint32_t n)
{
    float sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += qc_ln(s->share[(size_t)i * t->shape->classes + qc_task_label(t, t->set->n_kept + i)] + QC_LEAST_SHARE);
    return sum;
}

float qc_guess_score(QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->set->n - t->set->n_kept;
    QcSet set = *t->set;
    QcHeadTask blind = *t;
    blind.set = &set;
    set.n = set.n_kept;
    set.n_unlabelled += n; /* rows of labelled windows lie before the rows of other windows */
    if (!qc_guess(s, &blind)) return 0;
    return score(s, t, n);
}
