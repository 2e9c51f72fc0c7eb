#include "head.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define PATIENCE 64.0f /* examples per shown class until which the expectation of unseen classes is constant; then
                        * it falls as the inverse */
enum { TEMPERATURES = 9 };
#define TEMPERATURE_STEP 0.6f
#define NEGLIGIBLE -18.0f /* a class this far below the largest logit adds less than half of the last place of 1 */

/* ---- shape and memory ---- */

static const QcQNode *last_node(const QcQGraph *g) { return &g->nodes[g->n_nodes - 1]; }

void qc_head_shape(QcHeadShape *shape, const QcQGraph *g)
{
    const QcQNode *node = last_node(g);
    const QcQTensor *in = &g->tensors[node->in[0]];
    *shape = (QcHeadShape){node->n_codes / g->classes, g->classes, qc_code_bits(g, node), in->zero, in->scale,
                           qc_largest_bias(g, node)};
}

int qc_head_fits(const QcQGraph *g)
{
    const QcQNode *node = last_node(g);
    const QcQTensor *in = &g->tensors[node->in[0]];
    uint32_t features = node->n_codes / g->classes;
    return features <= QC_HEAD_MAX_FEATURES && g->classes <= QC_HEAD_MAX_CLASSES && node->groups == 1 &&
           !qc_is_padded(node) && features == (uint32_t)in->height * in->width * in->channels;
}

void qc_last_layer_place(QcLastLayer *layer, const QcHeadShape *shape, QcPlacing *p)
{
    layer->codes = qc_placing_take(p, qc_head_code_bytes(shape));
    layer->scale = qc_placing_take(p, shape->classes * sizeof *layer->scale);
    layer->bias = qc_placing_take(p, shape->classes * sizeof *layer->bias);
}

void qc_last_layer_copy(const QcHeadShape *shape, const QcLastLayer *to, const QcLastLayer *from)
{
    memcpy(to->codes, from->codes, (size_t)qc_head_code_bytes(shape));
    memcpy(to->scale, from->scale, shape->classes * sizeof *to->scale);
    memcpy(to->bias, from->bias, shape->classes * sizeof *to->bias);
}

int qc_last_layer_is_sound(const QcLastLayer *layer, const QcHeadShape *shape)
{
    for (uint32_t k = 0; k < shape->classes; k++)
        if (!(layer->scale[k] > 0 && layer->scale[k] < QC_LAST_SCALE_MOST) ||
            !(layer->scale[k] * shape->step < QC_LOGIT_STEP_MOST) || layer->bias[k] < -shape->largest_bias ||
            layer->bias[k] > shape->largest_bias)
            return 0;
    return 1;
}

int qc_set_has_source(const QcSet *s, uint32_t row)
{
    for (uint32_t i = 0; i < s->n_kept; i++)
        if (qc_set_label(s, i) == row && qc_set_is_source(s, i)) return 1;
    return 0;
}

/* As it lies there, low bits first, not sign-extended; bits divides 8. */
static int32_t packed_code(const QcLastLayer *layer, const QcHeadShape *shape, uint32_t j)
{
    uint32_t per_byte = 8 / shape->bits, mask = (1u << shape->bits) - 1;
    return (int32_t)(layer->codes[j / per_byte] >> j % per_byte * shape->bits & mask);
}

int qc_is_spare_row(const QcLastLayer *layer, const QcHeadShape *shape, uint32_t k)
{
    if (layer->bias[k] != -shape->largest_bias) return 0; /* which no solved row has (whole_bias) */
    for (uint32_t i = 0; i < shape->features; i++)
        if (packed_code(layer, shape, k * shape->features + i)) return 0;
    return 1;
}

/* |sum + bias| < 2^31 in all rows, and largest_bias is above 2^29: the logit of this row is the lowest. */
void qc_make_spare_row(QcLastLayer *layer, const QcHeadShape *shape, uint32_t k, float largest_scale)
{
    layer->bias[k] = -shape->largest_bias;
    layer->scale[k] = 8 * largest_scale;
}

void qc_head_scratch_place(QcHeadScratch *s, const QcHeadShape *shape, uint32_t ring, const QcKernels *kernels,
                           QcPlacing *p)
{
    s->kernels = kernels;
    uint64_t n = shape->features, classes = shape->classes;
    s->scatter = qc_placing_take(p, qc_triangle(shape->features) * sizeof(float));
    s->mean = qc_placing_take(p, classes * n * sizeof(float));
    s->weights = qc_placing_take(p, classes * n * sizeof(float));
    s->centre = qc_placing_take(p, n * sizeof(float));
    s->row = qc_placing_take(p, n * sizeof(float));
    s->queue = qc_placing_take(p, QC_QUEUE * n * sizeof(float));
    s->bias = qc_placing_take(p, classes * sizeof(float));
    s->scale = qc_placing_take(p, classes * sizeof(float));
    s->codes = shape->bits == 8 ? NULL : qc_placing_take(p, classes * n);
    s->logits = qc_placing_take(p, classes * classes * sizeof(float));
    s->product = qc_placing_take(p, classes * classes * sizeof(float));
    s->trial_logits = qc_placing_take(p, classes * sizeof(float));
    s->trial_product = qc_placing_take(p, classes * sizeof(float));
    s->column = qc_placing_take(p, classes * sizeof(float));
    s->white = qc_placing_take(p, ring * n);
    s->share = qc_placing_take(p, ring * classes * sizeof(float));
}

/* ---- answers ---- */

uint32_t qc_largest(const float *logits, uint32_t classes)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < classes; k++)
        if (logits[k] > logits[best]) best = k;
    return best;
}

float qc_cross_entropy(const float *logits, uint16_t label, uint32_t classes)
{
    float largest = logits[qc_largest(logits, classes)], sum = 0;
    for (uint32_t k = 0; k < classes; k++)
        if (logits[k] - largest > NEGLIGIBLE) sum += qc_exp(logits[k] - largest);
    return qc_ln(sum) - (logits[label] - largest);
}

void qc_head_logits(float *logits, const QcHeadShape *shape, const int8_t *codes, const float *scale,
                    const int32_t *bias, const uint8_t *features)
{
    for (uint32_t k = 0; k < shape->classes; k++, codes += shape->features) {
        int32_t sum = 0, of_codes = 0;
        for (uint32_t i = 0; i < shape->features; i++) {
            sum += (int16_t)features[i] * (int16_t)codes[i];
            of_codes += codes[i];
        }
        logits[k] = (float)(sum + (bias[k] - shape->zero * of_codes)) * (shape->step * scale[k]);
    }
}

const int8_t *qc_head_unpack(int8_t *codes, const QcLastLayer *layer, const QcHeadShape *shape)
{
    if (shape->bits == 8) return (const int8_t *)layer->codes;
    uint32_t n = shape->features * shape->classes;
    int32_t sign = 1 << (shape->bits - 1);
    for (uint32_t j = 0; j < n; j++) codes[j] = (int8_t)((packed_code(layer, shape, j) ^ sign) - sign);
    return codes;
}

/* Codes of 8 bits were made in place. */
static void pack(QcLastLayer *layer, const int8_t *codes, const QcHeadShape *shape, uint32_t rows)
{
    if (shape->bits == 8) return;
    uint32_t n = shape->features * rows, per_byte = 8 / shape->bits, mask = (1u << shape->bits) - 1;
    memset(layer->codes, 0, (n + per_byte - 1) / per_byte);
    for (uint32_t j = 0; j < n; j++)
        layer->codes[j / per_byte] |= (uint8_t)(((uint32_t)codes[j] & mask) << j % per_byte * shape->bits);
}

uint32_t qc_set_count(const QcSet *set, uint32_t first, uint32_t *count, uint32_t classes)
{
    uint32_t present = 0;
    memset(count, 0, classes * sizeof *count);
    for (uint32_t i = first; i < set->n; i++) present += (uint32_t)(count[qc_set_label(set, i)]++ == 0);
    return present;
}

/* ---- solving ---- */

int qc_task_has_example(const QcHeadTask *t, uint32_t row)
{
    int found = t->stream->count[row] > 0;
    for (uint32_t i = 0; i < t->set->n && !found; i++)
        found = qc_set_label(t->set, i) == row && (qc_head_is_new(t, i) || qc_set_is_source(t->set, i));
    return found;
}

int qc_head_can_solve(const QcHeadTask *t)
{
    for (uint32_t k = 0; k < t->shape->classes; k++)
        if (!qc_task_has_example(t, qc_task_row(t, k)) && !(t->source && qc_task_is_trained(t, k))) return 0;
    return 1;
}

/* The nearest integer that may be a bias. */
static int32_t whole_bias(const QcHeadShape *shape, float bias)
{
    float most = (float)shape->largest_bias * 0.999f;
    bias = bias < -most ? -most : bias > most ? most : bias;
    return (int32_t)(bias < 0 ? bias - 0.5f : bias + 0.5f);
}

/* The integer head as the LOGITS node takes it: features from their zero point on, no centre. */
static void write_layer(QcLastLayer *layer, const QcHeadScratch *s, const QcHeadShape *shape)
{
    for (uint32_t k = 0; k < shape->classes; k++) {
        const int8_t *codes = s->codes + (size_t)k * shape->features;
        float bias = s->bias[k];
        for (uint32_t i = 0; i < shape->features; i++) bias -= s->scale[k] * (float)codes[i] * s->centre[i];
        layer->scale[k] = s->scale[k] / shape->step;
        layer->bias[k] = whole_bias(shape, bias / s->scale[k]);
    }
}

/* Classes to their rows, the last one first: a row is never before its class. All other rows are spare. */
static void spread_rows(QcLastLayer *layer, const QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->shape->features, k = t->shape->classes;
    float largest = 0;
    for (uint32_t i = 0; i < k; i++) largest = qc_most(largest, layer->scale[i]);
    for (uint32_t row = t->n_rows; row-- > 0;) {
        int8_t *codes = s->codes + (size_t)row * n;
        if (k > 0 && t->rows[k - 1] == row) {
            k--;
            memmove(codes, s->codes + (size_t)k * n, n);
            layer->scale[row] = layer->scale[k];
            layer->bias[row] = layer->bias[k];
        } else {
            memset(codes, 0, n);
            qc_make_spare_row(layer, t->shape, row, largest);
        }
    }
}

/* ---- classes that the stream has not shown ---- */

/* The source has not shown it either: it is no class whose mean the stream has moved. */
static int is_new_class(const QcHeadTask *t, uint32_t k) { return !qc_task_is_trained(t, k); }

static uint32_t count_new(const QcHeadTask *t, uint32_t k)
{
    uint32_t n = t->stream->count[qc_task_row(t, k)];
    for (uint32_t i = 0; i < t->set->n; i++) n += (uint32_t)(qc_task_label(t, i) == k && qc_head_is_new(t, i));
    return n;
}

/* The mean margin of the set's stream examples over classes that are not shown, in logits; 0 if there are none of
 * either. shown [classes]: examples. */
static float margin_over_unseen(const QcLastLayer *layer, QcHeadScratch *s, const QcHeadTask *t, const float *shown)
{
    uint32_t classes = t->shape->classes, n = 0;
    float sum = 0, *logits = s->trial_logits;
    for (uint32_t i = 0; i < t->set->n; i++) {
        uint32_t label = qc_task_label(t, i);
        if (qc_set_is_source(t->set, i) || !(shown[label] > 0) || is_new_class(t, label)) continue;
        qc_head_logits(logits, t->shape, s->codes, layer->scale, layer->bias, qc_set_features(t->set, i));
        uint32_t other = classes;
        for (uint32_t k = 0; k < classes; k++)
            if (!(shown[k] > 0) && (other == classes || logits[k] > logits[other])) other = k;
        if (other == classes) return 0;
        sum += logits[label] - logits[other];
        n++;
    }
    return n ? sum / (float)n : 0;
}

/* How much unseen classes are expected: more if more classes are unseen, less the longer they have been unseen. If
 * classes come one after another, a new class is due once the last class has had its share of examples. If the same few
 * classes come for long, perhaps no other comes. */
static float expectation(const QcHeadTask *t, const float *shown)
{
    float classes = 0, examples = 0;
    for (uint32_t k = 0; k < t->shape->classes; k++) {
        classes += shown[k] > 0 ? 1.0f : 0.0f;
        examples += shown[k];
    }
    float of_each = examples / classes,
          patience = qc_least(1, of_each / (1 + (float)t->waited)) * qc_least(1, PATIENCE / of_each);
    return patience * qc_sqrt(1 - classes / (float)t->shape->classes);
}

/* Classes that the stream has shown have the means of its person; all other classes have the source's means. So every
 * window looks like a shown class. The logits of shown classes are lowered by a share of their margin (calibrated
 * stacking, Chao et al., 2016). Only in batches of few classes: elsewhere few classes are unseen, and not for long. */
static void lower_shown_classes(QcLastLayer *layer, QcHeadScratch *s, const QcHeadTask *t)
{
    float *shown = s->column;
    if (!t->expects_unseen || !(t->parameters->stacking_bias > 0)) return;
    for (uint32_t k = 0; k < t->shape->classes; k++) shown[k] = (float)count_new(t, k);
    float amount = t->parameters->stacking_bias * expectation(t, shown) * margin_over_unseen(layer, s, t, shown);
    for (uint32_t k = 0; k < t->shape->classes && amount > 0; k++)
        if (shown[k] > 0 && !is_new_class(t, k))
            layer->bias[k] = whole_bias(t->shape, (float)layer->bias[k] - amount / (layer->scale[k] * t->shape->step));
}

/* ---- temperature ---- */

/* Logits from means and scatter rank classes well, but are overconfident. They get the temperature that is best on
 * the set, or the highest at which the loss is still as low as temperature_loss (temperature scaling; Guo et al.,
 * 2017). Class priors have no part in the loss, because class means say nothing of how often a class comes. Returns
 * the loss; which examples are right does not depend on the temperature. */
static float set_temperature(QcLastLayer *layer, uint8_t *right, QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t classes = t->shape->classes, *count = (uint32_t *)s->column;
    float loss[TEMPERATURES] = {0}, factor[TEMPERATURES] = {1}, *logits = s->trial_logits, *scaled = s->trial_product;
    float present = (float)qc_set_count(t->set, 0, count, t->n_rows);
    int best = 0;
    for (int h = 1; h < TEMPERATURES; h++) factor[h] = TEMPERATURE_STEP * factor[h - 1];
    for (uint32_t i = 0; i < t->set->n; i++) {
        uint16_t label = (uint16_t)qc_task_label(t, i);
        float weight = 1 / (present * (float)count[qc_set_label(t->set, i)]);
        qc_head_logits(logits, t->shape, s->codes, layer->scale, layer->bias, qc_set_features(t->set, i));
        right[i] = qc_largest(logits, classes) == label;
        for (int h = 0; h < TEMPERATURES; h++) {
            for (uint32_t k = 0; k < classes; k++) scaled[k] = factor[h] * logits[k];
            loss[h] += weight * qc_cross_entropy(scaled, label, classes);
        }
    }
    for (int h = 1; h < TEMPERATURES; h++)
        if (loss[h] < loss[best] || loss[h] <= t->parameters->temperature_loss) best = h;
    for (uint32_t k = 0; k < classes; k++) layer->scale[k] *= factor[best];
    return loss[best];
}

int qc_head_solve(QcLastLayer *layer, uint8_t *right, float *loss, QcHeadScratch *s, const QcHeadTask *t)
{
    QcHeadShape whole = *t->shape;
    whole.classes = t->n_rows;
    s->operations = 0;
    if (t->shape->bits == 8) s->codes = (int8_t *)layer->codes;
    if (!qc_discriminant_solve(s, t)) return 0;
    qc_codes_fit(s, t->shape);
    write_layer(layer, s, t->shape);
    lower_shown_classes(layer, s, t);
    *loss = set_temperature(layer, right, s, t);
    if (t->rows) spread_rows(layer, s, t);
    pack(layer, s->codes, t->shape, t->n_rows);
    return qc_last_layer_is_sound(layer, &whole);
}
