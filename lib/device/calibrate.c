#include "calibrateparts.h"

#include "../kernels/mem.h"
#include "qmath.h"

QcCalibrateOptions qc_calibrate_defaults(int bits)
{
    return (QcCalibrateOptions){
        .rounds = 20,
        .phi0 = bits == 2 ? 0.01f : bits == 4 ? 0.05f : 0.2f,
        .cap = bits == 2 ? 1.0f : 0.3f,
        .phi_max = bits == 2 ? 0.3f : 1.0f,
        .stop = -1,
        .temper = bits == 2 ? 0.03f : bits == 4 ? 0.015f : 0.006f,
        .phi_min = 2e-5f, .grow = 1.5f, .shrink = 0.4f,
        .by_layer = bits == 8, .balance = 1, .prior = 1, .scarce = 0.5f, .second = 1, .lead = QC_LEAD_FIRST, .rest = 0.9f, .unseen = 0.7f, .ridge = 0.03f, .worth = 3, .recent = 64, .update = QC_UPDATE_BALANCED,
        .seed = 1,
    };
}

/* g, flip, options and batch_max are set. */
static void lay_out(QcCalibrator *c, const QcKernels *k, uint32_t capacity, QcPlacing *p)
{
    uint64_t z = (uint64_t)capacity + c->batch_max, classes = c->g->classes; /* 64 bits: a small machine must see that it is too much */
    const QcQTensor *in = &c->g->tensors[0];
    qc_slots_place(&c->slots, capacity, (uint32_t)in->height * in->width * in->channels, p);
    qc_qrun_lay_out(&c->run, c->g, k, 0, p);
    qc_hebb_place(&c->hebb, &c->run, c->flip, c->options.chunk, p);
    if (c->flip->n_layers) qc_choice_place(&c->choice, c->g, c->flip->layers, &c->hebb.pick, p);
    if (qc_calibrator_solves(c->g, &c->options)) qc_closed_lay_out(c, p);
    qc_placing_part(p, "set of examples");
    c->x = qc_placing_take(p, z * sizeof *c->x);
    c->label = qc_placing_take(p, z * sizeof *c->label);
    c->source = qc_placing_take(p, z);
    c->right = qc_placing_take(p, z);
    c->last = qc_placing_take(p, z);
    c->ever = qc_placing_take(p, z);
    c->misses = qc_placing_take(p, z * sizeof *c->misses);
    c->weight = qc_placing_take(p, z * sizeof *c->weight);
    c->offset = qc_placing_take(p, classes * sizeof *c->offset);
    c->count = qc_placing_take(p, classes * sizeof *c->count);
    c->keys = qc_placing_take(p, z * sizeof *c->keys);
    qc_placing_part(p, "errors and losses");
    c->error = qc_placing_take(p, z * classes * sizeof *c->error);
    c->loss = qc_placing_take(p, z * sizeof *c->loss);
    c->visit = qc_placing_take(p, z * sizeof *c->visit);
}

void qc_calibrator_plan(QcPlan *plan, const QcQGraph *g, const QcFlip *flip, const QcCalibrateOptions *o, uint32_t capacity, uint32_t batch_max)
{
    QcCalibrator c = {.g = (QcQGraph *)g, .flip = flip, .options = *o, .batch_max = batch_max};
    QcPlacing p = {.plan = plan};
    lay_out(&c, NULL, capacity, &p);
}

uint64_t qc_calibrator_bytes(const QcQGraph *g, const QcFlip *flip, const QcCalibrateOptions *o, uint32_t capacity, uint32_t batch_max)
{
    QcPlan plan = {0};
    qc_calibrator_plan(&plan, g, flip, o, capacity, batch_max);
    return qc_plan_bytes(&plan);
}

void qc_calibrator_place(QcCalibrator *c, QcQGraph *g, const QcFlip *flip, const QcKernels *k, const QcCalibrateOptions *o, uint32_t capacity,
                         uint32_t batch_max, void *memory)
{
    *c = (QcCalibrator){.g = g, .flip = flip, .options = *o, .batch_max = batch_max, .phi = o->phi0, .lead = o->lead > 0 || flip->n_layers ? o->lead : QC_LEAD_FIRST};
    QcPlacing p = {.memory = memory};
    lay_out(c, k, capacity, &p);
    if (flip->n_layers) qc_choice_begin(&c->choice);
    qc_slots_clear(&c->slots);
    if (c->lda.n) qc_lda_clear(&c->lda);
    if (o->stop < 0) c->options.stop = c->lda.n && o->second ? QC_STOP : o->temper;
}

/* ---- the set Z ---- */

static void gather_set(QcCalibrator *c, const uint8_t *x, const uint16_t *labels, uint32_t n)
{
    const QcSlots *slots = &c->slots;
    c->n = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        c->x[c->n] = slots->x + (size_t)s * slots->window;
        c->label[c->n] = slots->label[s];
        c->misses[c->n] = slots->misses[s];
        c->ever[c->n] = !(slots->flags[s] & QC_SLOT_NEVER_RIGHT);
        c->source[c->n] = !(slots->flags[s] & QC_SLOT_STREAM);
        c->n++;
    }
    c->n_slots = c->n;
    for (uint32_t i = 0; i < n; i++, c->n++) {
        c->x[c->n] = x + (size_t)i * slots->window;
        c->label[c->n] = labels[i];
        c->misses[c->n] = 0;
        c->ever[c->n] = 0;
        c->source[c->n] = 0;
    }
}

static uint32_t count_classes(QcCalibrator *c, uint32_t first)
{
    uint32_t present = 0;
    memset(c->count, 0, c->g->classes * sizeof *c->count);
    for (uint32_t i = first; i < c->n; i++) present += (uint32_t)(c->count[c->label[i]]++ == 0);
    return present;
}

uint32_t qc_batch_classes(QcCalibrator *c) { return count_classes(c, c->n_slots); }

/* A batch of few classes must neither drown the others nor teach that the others are gone: classes are balanced by weight, and flips have the batch's
 * own class frequencies taken out of its loss (logit adjustment, Menon et al., 2021). Where the last layer is solved instead, that would only hide what
 * the model does not know: told which class a batch is of, it has it right. */
static void weigh_set(QcCalibrator *c)
{
    const QcCalibrateOptions *o = &c->options;
    uint32_t present = count_classes(c, 0), most_frequent = 0;
    for (uint32_t i = 0; i < c->n; i++)
        c->weight[i] = (1 - o->balance) / (float)c->n + o->balance / ((float)present * (float)c->count[c->label[i]]);
    qc_batch_classes(c);
    for (uint32_t k = 0; k < c->g->classes; k++)
        if (c->count[k] > most_frequent) most_frequent = c->count[k];
    for (uint32_t k = 0; k < c->g->classes; k++)
        c->offset[k] = o->prior < 0 || c->closed_instead ? 0 : qc_ln(((float)c->count[k] + o->prior + 1e-9f) / ((float)most_frequent + o->prior));
}

uint32_t qc_largest(const float *logits, uint32_t classes)
{
    uint32_t best = 0;
    for (uint32_t k = 1; k < classes; k++)
        if (logits[k] > logits[best]) best = k;
    return best;
}

float qc_example_loss(float *error, const float *logits, uint16_t label, float weight, uint32_t classes)
{
    uint32_t best = qc_largest(logits, classes);
    float sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += error[k] = qc_exp(logits[k] - logits[best]);
    for (uint32_t k = 0; k < classes; k++) error[k] = weight * (error[k] / sum - (k == label ? 1.0f : 0.0f));
    return qc_ln(sum) - (logits[label] - logits[best]);
}

float qc_set_forward(QcCalibrator *c, float limit, QcCalibrateReport *report)
{
    float loss = 0;
    for (uint32_t v = 0; v < c->n && loss < limit; v++) {
        uint32_t i = c->visit[v];
        float *error = c->error + (size_t)i * c->g->classes;
        qc_qrun_forward(&c->run, c->hebb.logits, c->x[i]);
        int right = qc_largest(c->hebb.logits, c->g->classes) == c->label[i]; /* what the model says: only the loss knows which classes the batch has */
        if (c->looking) qc_closed_see(c, i);
        for (uint32_t k = 0; i >= c->n_slots && k < c->g->classes; k++) c->hebb.logits[k] += c->offset[k];
        c->loss[i] = c->weight[i] * qc_example_loss(error, c->hebb.logits, c->label[i], c->weight[i], c->g->classes);
        loss += c->loss[i];
        if (c->last[i] == 1 && !right && c->misses[i] < UINT16_MAX) c->misses[i]++;
        c->last[i] = (uint8_t)right;
        c->ever[i] |= (uint8_t)right;
        report->forwards++;
    }
    return loss;
}

uint32_t qc_batch_right(const QcCalibrator *c)
{
    uint32_t n = 0;
    for (uint32_t i = c->n_slots; i < c->n; i++) n += c->right[i];
    return n;
}

/* ---- scores ---- */

enum { BLOCK = 128 }; /* weights whose features are held at once */

static void score_piece(void *ctx, const QcPiece *piece, const QcFlipStats *stats, const QcFlipScale *scale)
{
    QcCalibrator *c = ctx;
    const QcFlipLayer *layer = &c->flip->layers[piece->layer];
    uint8_t *bytes = c->choice.scores + piece->at;
    for (uint32_t k = 0; k < piece->n; k += BLOCK) {
        float f[BLOCK][QC_FLIP_FEATURES], scores[BLOCK];
        int dir[BLOCK];
        uint32_t block = piece->n - k < BLOCK ? piece->n - k : BLOCK;
        for (uint32_t i = 0; i < block; i++) {
            qc_flip_features(f[i], &dir[i], c->g, layer, stats, scale, k + i, piece->first + k + i);
            scores[i] = c->options.choose == QC_CHOOSE_GREEDY ? f[i][1] / 2 : 1; /* min(z, 6) / 6, or all alike */
        }
        if (c->options.choose == QC_CHOOSE_NETWORK) qc_flip_scores(c->flip, c->run.k, scores, f, block);
        for (uint32_t i = 0; i < block; i++) bytes[k + i] = qc_flip_byte(scores[i], dir[i]);
    }
}

static void score(QcCalibrator *c, uint64_t seed, QcCalibrateReport *report)
{
    QcExamples z = {c->n, c->x, c->error};
    report->forwards += qc_hebb_gather(&c->hebb, &z, seed, score_piece, c);
    report->gathers++;
}

/* ---- the step ---- */

void qc_set_accept(QcCalibrator *c)
{
    memcpy(c->right, c->last, c->n);
    if (c->flip->n_layers) qc_choice_keep(&c->choice);
    for (uint32_t i = 1; i < c->n; i++) { /* the hardest first: an insertion sort, for the order changes little */
        uint32_t example = c->visit[i];
        uint32_t at = i;
        for (; at > 0 && c->loss[c->visit[at - 1]] < c->loss[example]; at--) c->visit[at] = c->visit[at - 1];
        c->visit[at] = example;
    }
}

/* Forward over Z for the first time in a batch: how good the model is before it learns. */
static void judge(QcCalibrator *c, QcCalibrateReport *report)
{
    for (uint32_t i = 0; i < c->n; i++) c->visit[i] = i;
    c->looking = c->lda.n != 0;
    report->loss_before = report->loss_after = qc_set_forward(c, 1e30f, report);
    c->looking = 0;
    qc_set_accept(c);
    report->right_before = qc_batch_right(c);
}

static void flip_rounds(QcCalibrator *c, QcRng *rng, QcCalibrateReport *report)
{
    const QcCalibrateOptions *o = &c->options;
    float loss = report->loss_after;
    int fresh = 1;
    c->phi = qc_most(c->phi, o->phi0);
    for (uint32_t round = 0; round < o->rounds && loss > o->stop; round++) {
        if (fresh) score(c, qc_rng_next(rng), report);
        int32_t step = (int32_t)qc_least(c->phi / o->cap + 0.5f, 256.0f); /* longer than any range */
        uint32_t flips = qc_choice_draw(&c->choice, qc_least(c->phi, o->cap), step > 1 ? step : 1, o->by_layer, qc_rng_next(rng));
        float after = qc_set_forward(c, loss, report);
        report->draws++;
        if (after < loss) {
            qc_set_accept(c);
            loss = after;
            c->phi = qc_least(o->grow * c->phi, o->phi_max);
            report->accepted++;
            report->flips += flips;
            fresh = 1;
        } else {
            qc_choice_undo(&c->choice);
            c->phi = qc_most(o->shrink * c->phi, o->phi_min);
            fresh = 0; /* the same statistic, another draw */
        }
    }
    report->loss_after = loss;
}

static void update_slots(QcCalibrator *c, QcRng *rng, const uint8_t *x, const uint64_t *ids, uint32_t n, QcCalibrateReport *report)
{
    QcSlots *slots = &c->slots;
    for (uint32_t s = 0, i = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        slots->misses[s] = c->misses[i];
        if (c->ever[i]) slots->flags[s] &= (uint8_t)~QC_SLOT_NEVER_RIGHT;
        i++;
    }
    QcArrivals arrivals = {n, x, c->label + c->n_slots, ids, c->misses + c->n_slots, c->ever + c->n_slots, c->seen};
    qc_slots_update(slots, &arrivals, c->options.update, rng, c->keys);
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        if (!(slots->flags[s] & QC_SLOT_STREAM)) {
            report->from_source++;
            continue;
        }
        int in_batch = 0;
        for (uint32_t i = 0; i < n && !in_batch; i++) in_batch = ids[i] == slots->id[s];
        if (in_batch) report->from_batch++;
        else report->from_stream++;
    }
}

void qc_calibrate_batch(QcCalibrator *c, QcCalibrateReport *report, const uint8_t *x, const uint16_t *labels, const uint64_t *ids, uint32_t n)
{
    QcRng rng = qc_rng_seed(c->options.seed, c->batches);
    *report = (QcCalibrateReport){.n = n};
    gather_set(c, x, labels, n);
    c->closed_instead = (uint32_t)qc_closed_instead(c);
    weigh_set(c);
    memset(c->last, 2, c->n); /* not seen yet: no miss can be counted */
    qc_closed_arrive(c);
    judge(c, report);
    qc_closed_compare(c, report);
    qc_closed_begin(c, report);
    if (!c->closed_instead && !report->rested && c->flip->n_layers) flip_rounds(c, &rng, report); /* which take the statistic's features away */
    report->right_after = qc_batch_right(c);
    qc_closed_end(c, report);
    update_slots(c, &rng, x, ids, n, report);
    c->batches++;
    c->seen += n;
}
