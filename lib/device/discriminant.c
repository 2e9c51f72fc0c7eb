/* discriminant.c - linear discriminant analysis of source and stream together (streaming LDA: Hayes and Kanan, 2020).
 *
 * With mu_k the mean of class k and S the scatter around the class means (Fisher, 1936; regularized as by Friedman,
 * 1989), the logits are
 *
 *   logit_k = mu_k' P x - mu_k' P mu_k / 2,   P = (S + ridge (K / seen)^2 t I)^-1
 *
 * where t is the mean of S's diagonal, K the number of classes and `seen` the number of classes with two stream
 * examples: the scatter of few classes is no estimate of the rest. The source mean of a class counts as
 * prior_count stream examples, and never less than a quarter of the class. While labels are few, the source means come
 * from the training data, and S also has the covariance of the shifts of the classes (qc-method(7), "Few labels"). A
 * class without a source example in the coreset always has the mean of the training data, if the model has it.
 */
#include "head.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define FEW_LABELS 10.0f /* times the ridge, if the set has windows without a label: they show classes that lack
                          * labels */
#define FEW_SHIFTS 8.0f /* shown classes at which half of the covariance of the shifts counts */
#define LEAST 3e-3f      /* responsibility that counts */
#define WHITE_RIDGE 3.0f /* ridge of the scatter that whitens distances: few labels give a poor estimate of it */

/* ---- moments of source and stream together ---- */

/* The stream's mean of class k, new examples included, into `mean`; their scatter into the queue. Returns how many. */
static uint32_t stream_mean(QcScatterQueue *q, const QcHeadTask *t, uint32_t k, float *mean)
{
    uint32_t n = t->shape->features, row = qc_task_row(t, k), count = t->stream->count[row];
    memcpy(mean, t->stream->mean + (size_t)row * n, n * sizeof *mean);
    for (uint32_t i = 0; i < t->set->n; i++)
        if (qc_task_label(t, i) == k && qc_head_is_new(t, i))
            qc_mean_add(mean, &count, q, qc_set_features(t->set, i), t->shape->zero, t->average_window);
    return count;
}

/* Coreset examples of class k around the mean that the model knows of the training data. */
static uint32_t known_mean(QcScatterQueue *q, const QcHeadTask *t, uint32_t k, float *mean)
{
    uint32_t n = t->shape->features, count = 0;
    const uint8_t *known = t->source->mean + (size_t)qc_task_row(t, k) * n;
    for (uint32_t i = 0; i < n; i++) mean[i] = (float)((int32_t)known[i] - t->shape->zero);
    for (uint32_t i = 0; i < t->set->n_kept; i++) {
        if (qc_task_label(t, i) != k || !qc_set_is_source(t->set, i)) continue;
        const uint8_t *features = qc_set_features(t->set, i);
        float *difference = qc_queue_row(q);
        for (uint32_t j = 0; j < n; j++) difference[j] = (float)((int32_t)features[j] - t->shape->zero) - mean[j];
        qc_queue_push(q, 1);
        count++;
    }
    return count;
}

/* The source's mean of class k; without *has_mean it has none. Returns how many examples are in the queue. */
static uint32_t source_mean(QcScatterQueue *q, const QcHeadTask *t, uint32_t k, float *mean, int *has_mean)
{
    uint32_t n = t->shape->features, count = 0;
    int has_example = qc_set_has_source(t->set, qc_task_row(t, k)), is_known = t->source && qc_task_is_trained(t, k);
    *has_mean = has_example || is_known;
    if (is_known && !(t->source_of_absent && has_example)) return known_mean(q, t, k, mean);
    memset(mean, 0, n * sizeof *mean);
    for (uint32_t i = 0; i < t->set->n_kept; i++)
        if (qc_task_label(t, i) == k && qc_set_is_source(t->set, i))
            qc_mean_add(mean, &count, q, qc_set_features(t->set, i), t->shape->zero, 0);
    return count;
}

/* The same mean with the windows without a label, each weighted by its responsibility. */
static float guessed_mean(QcScatterQueue *q, const QcHeadScratch *s, const QcHeadTask *t, uint32_t k, float *mean,
                          float count)
{
    uint32_t n = t->shape->features;
    float of_window = qc_guess_weight(t);
    for (uint32_t u = 0; u < t->set->n_unlabelled; u++) {
        float share = s->share[(size_t)u * t->shape->classes + k], weight = of_window * share;
        if (!(share > LEAST)) continue;
        const uint8_t *features = qc_slot_features(t->set->ring, t->set->row[t->set->n + u]);
        float *difference = qc_queue_row(q), step = weight / (count + weight);
        for (uint32_t i = 0; i < n; i++) {
            difference[i] = (float)((int32_t)features[i] - t->shape->zero) - mean[i];
            mean[i] += step * difference[i];
        }
        qc_queue_push(q, step * count);
        count += weight;
    }
    return count;
}

/* How far the stream has moved a class: its labelled mean in s->row, less the source's mean. Kept in s->weights. */
static void note_shift(QcHeadScratch *s, const QcHeadTask *t, uint32_t k, const float *source, int is_known)
{
    uint32_t n = t->shape->features;
    float *shift = s->weights + (size_t)k * n;
    for (uint32_t i = 0; i < n; i++) shift[i] = is_known ? s->row[i] - source[i] : 0;
    s->column[k] = is_known ? 1.0f : 0.0f;
}

/* With few labels, S also has the covariance of the shifts: other classes may have moved in the same directions, so
 * these say little about the class of a window. */
static void add_shifts(QcHeadScratch *s, QcScatterQueue *q, const QcHeadTask *t)
{
    uint32_t n = t->shape->features, classes = t->shape->classes;
    float shown = 0;
    for (uint32_t k = 0; k < classes; k++) shown += s->column[k];
    for (uint32_t k = 0; k < classes; k++) {
        if (!(s->column[k] > 0)) continue;
        memcpy(qc_queue_row(q), s->weights + (size_t)k * n, n * sizeof *s->weights);
        qc_queue_push(q, 1 / (FEW_SHIFTS + shown));
    }
    qc_queue_flush(q);
}

/* S and the class means, with guesses or without. apart: a mean is the stream's if it has one, else the source's;
 * s->bias: stream examples. */
static void join(QcHeadScratch *s, const QcHeadTask *t, int guesses, int apart)
{
    uint32_t n = t->shape->features, classes = t->shape->classes;
    int shifts = t->few_labels && t->source && !t->source_of_absent;
    float weight = 0, seen = 0, trace = 0;
    QcScatterQueue queue = {.kernels = s->kernels, .scatter = s->scatter, .rows = s->queue, .n = n};
    memcpy(s->scatter, t->stream->scatter, (size_t)qc_triangle(n) * sizeof *s->scatter);
    for (uint32_t k = 0; k < classes; k++) {
        float *mean = s->mean + (size_t)k * n;
        int has_source;
        uint32_t source = source_mean(&queue, t, k, mean, &has_source);
        float count = (float)stream_mean(&queue, t, k, s->row), prior = has_source ? t->parameters->prior_count : 0;
        if (shifts) note_shift(s, t, k, mean, has_source && count > 0);
        if (guesses) count = guessed_mean(&queue, s, t, k, s->row, count);
        if (count > 3 * prior && has_source) prior = count / 3;
        float *difference = qc_queue_row(&queue), lean = apart ? (count > 0 ? 1.0f : 0.0f) : count / (prior + count);
        for (uint32_t i = 0; i < n; i++) {
            difference[i] = s->row[i] - mean[i];
            mean[i] += lean * difference[i];
        }
        if (prior > 0 && count > 0) qc_queue_push(&queue, prior * count / (prior + count));
        s->bias[k] = count;
        weight += count + (prior > 0 && count > 0 ? prior : 0) + (source > 1 ? (float)(source - 1) : 0);
        seen += count > 1 ? 1.0f : 0.0f;
    }
    qc_queue_flush(&queue);
    float share = 1 / (weight > 0 ? weight : 1);
    for (uint64_t i = 0; i < qc_triangle(n); i++) s->scatter[i] *= share;
    for (uint32_t i = 0; i < n; i++) trace += qc_triangle_row(s->scatter, n, i)[i];
    float lack = (float)classes / (seen > 1 ? seen : 1), factor = t->guesses ? FEW_LABELS : lack * lack;
    float ridge = (apart ? WHITE_RIDGE : t->parameters->ridge * factor) * trace / (float)n;
    for (uint32_t i = 0; i < n; i++) qc_triangle_row(s->scatter, n, i)[i] += ridge > 1e-6f ? ridge : 1e-6f;
    int widen = t->source && qc_task_has_new_class(t);
    for (uint32_t i = 0; i < n && widen; i++) qc_triangle_row(s->scatter, n, i)[i] += 1 / t->source->weight[i];
    if (shifts) add_shifts(s, &queue, t);
    s->operations += qc_triangle(n) * (t->set->n + classes + (guesses ? t->set->n_unlabelled : 0));
}

/* ---- the head ---- */

/* S = U'U in place, row by row (Cholesky). 0 if S is not positive definite. */
static int decompose(const QcKernels *kernels, float *scatter, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float *row = qc_triangle_row(scatter, n, i);
        if (!(row[i] > 0)) return 0;
        row[i] = qc_sqrt(row[i]);
        if (!(row[i] > 0)) return 0;
        float inverse = 1 / row[i];
        for (uint32_t j = i + 1; j < n; j++) row[j] *= inverse;
        for (uint32_t k = i + 1; k < n; k++)
            kernels->add_scaled(qc_triangle_row(scatter, n, k) + k, row + k, -row[k], n - k);
    }
    return 1;
}

/* Restores S from its factor: row i of U'U depends on the rows of U up to i, so the last row comes first. */
static void compose(const QcKernels *kernels, float *scatter, uint32_t n)
{
    for (uint32_t i = n; i-- > 0;) {
        float *row = qc_triangle_row(scatter, n, i), own = row[i];
        for (uint32_t j = i; j < n; j++) row[j] *= own;
        for (uint32_t k = 0; k < i; k++) {
            const float *above = qc_triangle_row(scatter, n, k);
            kernels->add_scaled(row + i, above + i, above[i], n - i);
        }
    }
}

void qc_whiten(const QcKernels *kernels, float *x, float *factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const float *row = qc_triangle_row(factor, n, i);
        x[i] /= row[i];
        kernels->add_scaled(x + i + 1, row + i + 1, -x[i], n - i - 1);
    }
}

/* w = (U'U)^-1 w */
static void divide(const QcKernels *kernels, float *w, float *factor, uint32_t n)
{
    qc_whiten(kernels, w, factor, n);
    for (uint32_t i = n; i-- > 0;) {
        const float *row = qc_triangle_row(factor, n, i);
        w[i] = (w[i] - kernels->dot_floats(row + i + 1, w + i + 1, n - i - 1)) / row[i];
    }
}

static void make_weights(QcHeadScratch *s, const QcHeadShape *shape)
{
    uint32_t n = shape->features;
    memcpy(s->weights, s->mean, (size_t)shape->classes * n * sizeof *s->weights);
    for (uint32_t k = 0; k < shape->classes; k++) {
        divide(s->kernels, s->weights + (size_t)k * n, s->scatter, n);
        s->bias[k] = -0.5f * s->kernels->dot_floats(s->mean + (size_t)k * n, s->weights + (size_t)k * n, n);
    }
    s->operations += qc_triangle(n) * (n / 3 + 2 * (uint64_t)shape->classes);
}

/* Moves the origin of features to the mean of the class means. Subtracts the part that all rows and biases have in
 * common, because it changes no decision. */
static void centre(QcHeadScratch *s, const QcHeadShape *shape)
{
    uint32_t n = shape->features, classes = shape->classes;
    float shared = 0;
    for (uint32_t i = 0; i < n; i++) {
        float mean = 0, common = 0;
        for (uint32_t k = 0; k < classes; k++) {
            mean += s->mean[(size_t)k * n + i] / (float)classes;
            common += s->weights[(size_t)k * n + i] / (float)classes;
        }
        s->centre[i] = mean;
        for (uint32_t k = 0; k < classes; k++) {
            s->mean[(size_t)k * n + i] -= mean;
            s->weights[(size_t)k * n + i] -= common;
            s->bias[k] += s->weights[(size_t)k * n + i] * mean;
        }
    }
    for (uint32_t k = 0; k < classes; k++) shared += s->bias[k] / (float)classes;
    for (uint32_t k = 0; k < classes; k++) s->bias[k] -= shared;
}

int qc_discriminant_solve(QcHeadScratch *s, const QcHeadTask *t)
{
    if (t->guesses && !qc_guess(s, t)) return 0;
    join(s, t, t->guesses, 0);
    if (!decompose(s->kernels, s->scatter, t->shape->features)) return 0;
    make_weights(s, t->shape);
    compose(s->kernels, s->scatter, t->shape->features); /* there is no room for both S and its factor */
    centre(s, t->shape);
    return 1;
}

int qc_discriminant_whiten(QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->shape->features, classes = t->shape->classes;
    join(s, t, 0, 1);
    for (uint32_t i = 0; i < n; i++) {
        s->centre[i] = 0;
        for (uint32_t k = 0; k < classes; k++) s->centre[i] += s->mean[(size_t)k * n + i] / (float)classes;
    }
    return decompose(s->kernels, s->scatter, n);
}
