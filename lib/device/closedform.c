#include "calibrateparts.h"

#include "../kernels/mem.h"
#include "qmath.h"

int qc_calibrator_solves(const QcQGraph *g, const QcCalibrateOptions *o) { return (o->scarce > 0 || o->second) && qc_lda_fits(g); }

static void lay_out_scratch(QcCalibrator *c, QcPlacing *p)
{
    qc_lda_place_scratch(&c->lda, p);
    c->features = qc_placing_take(p, ((uint64_t)c->slots.capacity + c->batch_max) * c->lda.n);
}

/* It is solved before anything is flipped or after, so it works in the memory of the flips' statistic, where that is enough. */
void qc_closed_lay_out(QcCalibrator *c, QcPlacing *p)
{
    QcPlacing count = {0}, there = {.memory = (uint8_t *)c->hebb.sum};
    qc_lda_place(&c->lda, c->g, c->options.ridge, c->options.worth, c->options.recent, p);
    lay_out_scratch(c, &count);
    lay_out_scratch(c, count.used <= qc_hebb_scratch_bytes(&c->hebb) ? &there : p);
}

/* ---- features ---- */

static uint8_t *features_of(const QcCalibrator *c, uint32_t i) { return c->features + (size_t)i * c->lda.n; }

void qc_closed_see(QcCalibrator *c, uint32_t i) { memcpy(features_of(c, i), qc_qrun_tensor(&c->run, c->lda.node->in[0]), c->lda.n); }

static void logits_of(QcCalibrator *c, float *logits, uint32_t i)
{
    memcpy(qc_qrun_tensor(&c->run, c->lda.node->in[0]), features_of(c, i), c->lda.n);
    qc_qrun_logits(&c->run, logits);
}

/* Features of the model that flips have made. */
static void look_again(QcCalibrator *c, QcCalibrateReport *report)
{
    for (uint32_t i = 0; i < c->n; i++) {
        qc_qrun_forward(&c->run, c->hebb.logits, c->x[i]);
        qc_closed_see(c, i);
        report->forwards++;
    }
}

/* Stream examples in slots were seen when they came, unless that was in an earlier session. */
static void add_to_statistic(QcCalibrator *c)
{
    qc_lda_begin(&c->lda);
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->source[i]) {
            qc_lda_see_source(&c->lda, features_of(c, i), c->label[i]);
        } else if (i >= c->n_slots || !c->batches) {
            c->waited = c->lda.stream.count[c->label[i]] ? c->waited + 1 : 0;
            qc_lda_see_stream(&c->lda, features_of(c, i), c->label[i]);
        }
    }
}

/* ---- solving ---- */

/* Means and scatter say which class, but are too sure of it: logits are made as large as is best on Z, and no larger than is good enough. Returns the
 * loss on Z; no prior has a part in it, for class means say nothing of how often a class comes. */
static float temper(QcCalibrator *c)
{
    enum { HEATS = 9 };
    float loss[HEATS] = {0}, heat[HEATS] = {1}, *logits = c->hebb.logits, *scale = c->g->scale + c->lda.node->channel;
    float *heated = c->lda.bias, *unwanted = c->lda.weights; /* which the graph has by now */
    uint32_t classes = c->g->classes;
    int best = 0;
    for (int h = 1; h < HEATS; h++) heat[h] = 0.6f * heat[h - 1];
    for (uint32_t i = 0; i < c->n; i++) {
        logits_of(c, logits, i);
        for (int h = 0; h < HEATS; h++) {
            for (uint32_t k = 0; k < classes; k++) heated[k] = heat[h] * logits[k];
            loss[h] += c->weight[i] * qc_example_loss(unwanted, heated, c->label[i], 1, classes);
        }
    }
    for (int h = 1; h < HEATS; h++)
        if (loss[h] < loss[best] || loss[h] <= c->options.temper) best = h;
    for (uint32_t k = 0; k < classes; k++) scale[k] *= heat[best];
    return loss[best];
}

/* ---- classes that the stream has not shown ---- */

static int is_shown(const QcCalibrator *c, uint32_t k) { return c->lda.stream.count[k] > 0; }

/* The mean margin of Z's stream examples over classes that are not shown, in logits; 0 where there are none of either. */
static float margin_on_unseen(QcCalibrator *c)
{
    uint32_t classes = c->g->classes, n = 0;
    float sum = 0, *logits = c->hebb.logits;
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->source[i] || !is_shown(c, c->label[i])) continue;
        logits_of(c, logits, i);
        uint32_t other = classes;
        for (uint32_t k = 0; k < classes; k++)
            if (!is_shown(c, k) && (other == classes || logits[k] > logits[other])) other = k;
        if (other == classes) return 0;
        sum += logits[c->label[i]] - logits[other];
        n++;
    }
    return n ? sum / (float)n : 0;
}

static int is_scarce(QcCalibrator *c) { return (float)qc_batch_classes(c) <= c->options.scarce * (float)c->g->classes; }

/* The more classes are away and the shorter they have been, the more is to be waited for: where one comes after another, another should come once the last has
 * had its share of examples, and where the same few come for long, no other may. */
static float expectation(const QcCalibrator *c)
{
    float shown = 0, examples = 0;
    for (uint32_t k = 0; k < c->g->classes; k++) {
        shown += (float)is_shown(c, k);
        examples += (float)c->lda.stream.count[k];
    }
    float of_each = examples / shown, patience = qc_least(1, of_each / (1 + (float)c->waited)) * qc_least(1, QC_UNSEEN_PATIENCE / of_each);
    return patience * qc_sqrt(1 - shown / (float)c->g->classes);
}

/* Means of classes that the stream has shown are of the people at hand, those of all others of the source, so whatever comes is taken for one of the
 * former. They are held back by a share of the margin that they have (calibrated stacking, Chao et al., 2016). Where a batch has most classes, few are
 * unseen and not for long, and margins on it are worth little as yet. */
static void hold_back(QcCalibrator *c)
{
    float amount = c->options.unseen > 0 && is_scarce(c) ? c->options.unseen * expectation(c) * margin_on_unseen(c) : 0;
    for (uint32_t k = 0; k < c->g->classes && amount > 0; k++)
        if (is_shown(c, k)) qc_lda_lower(&c->lda, k, amount);
}

/* 0: it cannot be solved. */
static int solve(QcCalibrator *c, float *loss, QcCalibrateReport *report)
{
    int done = qc_lda_solve(&c->lda);
    if (done) hold_back(c);
    if (done) *loss = temper(c);
    report->algebra = c->lda.operations;
    return done;
}

/* Each class has an example that counts. */
static int knows_all_classes(const QcCalibrator *c)
{
    uint32_t known = 0;
    for (uint32_t k = 0; k < c->g->classes; k++) {
        int found = c->lda.stream.count[k] > 0;
        for (uint32_t i = 0; i < c->n && !found; i++) found = c->label[i] == k && (i >= c->n_slots || (c->source[i] ? c->options.worth > 0 : !c->batches));
        known += (uint32_t)found;
    }
    return known == c->g->classes;
}

int qc_closed_instead(QcCalibrator *c) { return c->lda.n && is_scarce(c) && knows_all_classes(c); }

/* Such a batch says little of what flips do to the classes that it lacks, and the stream's part of the coreset may have lost some; the last layer's statistic has not. */
void qc_closed_begin(QcCalibrator *c, QcCalibrateReport *report)
{
    if (!c->lda.n || !is_scarce(c)) return;
    add_to_statistic(c);
    float loss;
    if (!c->closed_instead || !(report->loss_after > c->options.temper) || !solve(c, &loss, report)) return;
    if (loss < 0.9999f * report->loss_after) { /* by more than a sum in another order */
        report->loss_after = qc_set_forward(c, 1e30f, report);
        report->solved = 1;
        qc_set_accept(c);
    } else {
        qc_lda_swap(&c->lda);
    }
}

/* ---- two last layers ---- */

static uint32_t right_by_features(QcCalibrator *c)
{
    uint32_t right = 0;
    for (uint32_t i = c->n_slots; i < c->n; i++) {
        logits_of(c, c->hebb.logits, i);
        right += (uint32_t)(qc_largest(c->hebb.logits, c->g->classes) == c->label[i]);
    }
    return right;
}

void qc_closed_arrive(QcCalibrator *c)
{
    if (c->heads == QC_HEADS_CLOSED) qc_lda_swap(&c->lda);
}

void qc_closed_compare(QcCalibrator *c, QcCalibrateReport *report)
{
    if (c->heads == QC_HEADS_ONE) return;
    qc_lda_swap(&c->lda);
    uint32_t right = right_by_features(c);
    qc_lda_swap(&c->lda);
    c->lead = QC_LEAD_KEPT * c->lead + (float)right - (float)report->right_before;
    if (c->heads == QC_HEADS_CLOSED) {
        report->right_before = right;
        report->rested = c->options.rest > 0 && !is_scarce(c) && (float)right >= c->options.rest * (float)report->n;
    }
    c->heads = QC_HEADS_ONE;
}

void qc_closed_end(QcCalibrator *c, QcCalibrateReport *report)
{
    if (!c->lda.n || !c->options.second || is_scarce(c)) return;
    if (report->gathers) look_again(c, report); /* the statistic of flips lies where features did */
    add_to_statistic(c);
    float loss;
    if (!solve(c, &loss, report)) return;
    c->heads = c->lead > 0 ? QC_HEADS_CLOSED : QC_HEADS_FLIPS;
    if (c->heads == QC_HEADS_FLIPS) qc_lda_swap(&c->lda);
    else report->right_after = right_by_features(c);
    report->closed = c->heads == QC_HEADS_CLOSED;
}
