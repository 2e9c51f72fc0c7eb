/* refit.c - layer by layer, codes are refitted so that under the drifted inputs each layer gives what it gave for the
 * source.
 *
 * For layer l, first to last, each example i of Z has the mean over positions of the inputs that a code is multiplied
 * with (x_i, under the layers before l as they are by now) and so the mean pre-activation s x_i v + b of a channel. Its
 * target y_i is what the start model gave: for a source example of the coreset its own mean pre-activation, for a
 * stream example the mean of those over the coreset's source examples of its class. Each class has the same weight. The
 * codes are chosen as in refit.h: layer-wise reconstruction on integers, one code at a time with the errors of all
 * others in view, as in GPTQ (Frantar et al., 2023) and OBQ. `hold` is what keeps many codes from fitting few examples,
 * in units of a code's mean curvature. Means over positions are all that two windows of one class have in common: they
 * are not aligned in time. */
#include "refit.h"

#include <math.h>
#include <string.h>

#include "../quant/scale.h"
#include "rivaltable.h"

uint32_t qc_refit_codes(const QcRefit *r, float *residual, int32_t *code, const int32_t *start, uint32_t sweeps)
{
    uint32_t moves = 0, before;
    do {
        before = moves;
        for (uint32_t j = 0; j < r->k && sweeps; j++) {
            const float *x = r->x + (size_t)j * r->n;
            double slope = (double)r->hold * (code[j] - start[j]),
                   curve = (double)r->hold + (double)r->scale * (double)r->scale * (double)r->square[j];
            if (!(curve > 0)) continue;
            for (uint32_t i = 0; i < r->n; i++) slope += (double)(r->scale * r->weight[i] * residual[i] * x[i]);
            double whole = fmax(r->low - code[j], fmin(r->high - code[j], rint(-slope / curve)));
            if (whole == 0) continue;
            for (uint32_t i = 0; i < r->n; i++) residual[i] += r->scale * (float)whole * x[i];
            code[j] += (int32_t)whole;
            moves++;
        }
    } while (moves > before && sweeps-- > 1);
    return moves;
}

enum { HOLD, SWEEPS };

static const QcSetting settings[] = {
    {"hold", 0.1, 0, 1000000, "how codes are held where they are, in units of a code's mean curvature", 0},
    {"sweeps", 3, 1, 1000, "over the codes of a layer, at most", 1},
    {0},
};

typedef struct Refit {
    float *target;        /* [weighted channels][capacity] mean pre-activations of source examples, under the start
                             model */
    uint32_t *first;      /* [n_nodes] of a node's rows in target */
    const uint8_t **z;    /* [all] Z */
    uint16_t *label;      /* [all] */
    uint32_t *slot;       /* [all] of Z's slots */
    float *weight, *residual; /* [all] */
    float *x;             /* [longest row][all] */
    float *square;        /* [longest row] */
    int32_t *code, *start; /* [longest row] */
    uint8_t *ones;        /* [most positions] */
    int32_t *sums;        /* [longest run] */
    float *logits;
    uint32_t all, n, n_slots, group;
    /* current position of a pass */
    uint32_t node, example;
} Refit;

static int is_weighted(const QcQNode *node) { return node->op == QC_Q_CONV || node->op == QC_Q_LOGITS; }

/* Mean over positions of the inputs of the group's codes, as values, into column `example` of x. */
static void see(void *ctx, QcQRun *run, uint32_t i, const QcQConv *conv)
{
    Refit *r = ctx;
    const QcQGraph *g = run->g;
    if (i != r->node) return;
    const QcQTensor *in = &g->tensors[g->nodes[i].in[0]];
    double positions = (double)conv->rows * conv->dot.positions;
    for (uint32_t s = 0; s < conv->dot.segments; s++)
        for (uint32_t h = 0; h < conv->rows; h++) {
            const uint8_t *x =
                conv->x + (size_t)r->group * conv->group_step + (size_t)h * conv->row_step + conv->dot.segment[s];
            run->k->masked_sum(r->sums, x, r->ones, conv->dot.positions, conv->dot.step, 1, conv->length, 1);
            for (uint32_t k = 0; k < conv->length; k++) {
                float *to = r->x + ((size_t)s * conv->length + k) * r->n + r->example;
                *to = (h ? *to : 0) +
                      in->scale * (float)((r->sums[k] - (double)in->zero * conv->dot.positions) / positions);
            }
        }
}

/* x [row][n] of a node's group over the first n of Z. */
static void look(Refit *r, QcMethodRun *l, uint32_t node, uint32_t group)
{
    r->node = node;
    r->group = group;
    for (r->example = 0; r->example < r->n; r->example++)
        qc_qrun_forward_seen(&l->run, r->logits, r->z[r->example], node, see, r);
}

/* Mean pre-activation of channel o for each example: scale x v + b. value [n] */
static void preactivate(const Refit *r, const QcMethodRun *l, const QcQNode *node, uint32_t o, float *value)
{
    const QcQGraph *g = l->g;
    uint32_t row = node->n_codes / node->channels;
    float scale = g->scale[node->channel + o],
          bias = g->tensors[node->in[0]].scale * scale * (float)g->bias[node->channel + o];
    for (uint32_t i = 0; i < r->n; i++) value[i] = bias;
    for (uint32_t j = 0; j < row; j++) {
        float w = scale * (float)qc_code_get(g, node, o * row + j);
        for (uint32_t i = 0; i < r->n; i++) value[i] += w * r->x[(size_t)j * r->n + i];
    }
}

static uint32_t longest_row(const QcMethodRun *l, uint32_t *run, uint32_t *positions, uint32_t *channels)
{
    const QcQGraph *g = l->g;
    uint32_t longest = 0;
    *run = *positions = *channels = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        QcQConv conv;
        if (!is_weighted(node)) continue;
        qc_qconv_shape(&conv, g, node);
        uint32_t row = node->n_codes / node->channels;
        longest = row > longest ? row : longest;
        *run = conv.length > *run ? conv.length : *run;
        *positions = conv.dot.positions > *positions ? conv.dot.positions : *positions;
        *channels += node->channels;
    }
    return longest;
}

static int allocate(Refit *r, QcMethodRun *l, QcErr *err)
{
    uint32_t run, positions, channels, row = longest_row(l, &run, &positions, &channels),
                                       all = l->capacity + l->batch_max;
    r->all = all;
    r->target = qc_method_take(l, (size_t)channels * l->capacity, sizeof *r->target, err);
    r->first = qc_method_take(l, l->g->n_nodes, sizeof *r->first, err);
    r->z = qc_method_take(l, all, sizeof *r->z, err);
    r->label = qc_method_take(l, all, sizeof *r->label, err);
    r->slot = qc_method_take(l, all, sizeof *r->slot, err);
    r->weight = qc_method_take(l, all, sizeof *r->weight, err);
    r->residual = qc_method_take(l, all, sizeof *r->residual, err);
    r->x = qc_method_take(l, (size_t)row * all, sizeof *r->x, err);
    r->square = qc_method_take(l, row, sizeof *r->square, err);
    r->code = qc_method_take(l, row, sizeof *r->code, err);
    r->start = qc_method_take(l, row, sizeof *r->start, err);
    r->ones = qc_method_take(l, positions, 1, err);
    r->sums = qc_method_take(l, run, sizeof *r->sums, err);
    r->logits = qc_method_take(l, l->g->classes, sizeof *r->logits, err);
    if (!r->target || !r->first || !r->z || !r->label || !r->slot || !r->weight || !r->residual || !r->x ||
        !r->square || !r->code || !r->start || !r->ones || !r->sums || !r->logits)
        return -1;
    memset(r->ones, 1, positions);
    return 0;
}

static void set_of(Refit *r, const QcMethodRun *l, const QcBatch *batch)
{
    r->n = qc_method_examples(l, r->z, r->label, &r->n_slots, batch);
    for (uint32_t s = 0, i = 0; s < l->capacity; s++)
        if (!(l->slots->flags[s] & QC_SLOT_EMPTY)) r->slot[i++] = s;
}

static int open_refit(QcMethodRun *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    const QcBatch none = {0};
    Refit *r = l->state = qc_method_take(l, 1, sizeof *r, err);
    uint32_t rows = 0;
    if (!r || allocate(r, l, err)) return -1;
    set_of(r, l, &none);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        if (!is_weighted(node)) continue;
        r->first[i] = rows;
        for (uint32_t o = 0; o < node->channels; o++, rows++) {
            uint32_t in_group = node->channels / node->groups;
            if (o % in_group == 0) look(r, l, i, o / in_group);
            preactivate(r, l, node, o, r->residual);
            for (uint32_t k = 0; k < r->n; k++) r->target[(size_t)rows * l->capacity + r->slot[k]] = r->residual[k];
        }
    }
    return 0;
}

static int is_source(const Refit *r, const QcMethodRun *l, uint32_t i)
{
    return i < r->n_slots && !(l->slots->flags[r->slot[i]] & QC_SLOT_STREAM);
}

/* Classes weigh the same; what has no target (a class without a source example) weighs nothing. */
static void weigh(Refit *r, const QcMethodRun *l)
{
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t of_class = 0, source = 0;
        for (uint32_t j = 0; j < r->n; j++) {
            of_class += r->label[j] == r->label[i];
            source += r->label[j] == r->label[i] && is_source(r, l, j);
        }
        r->weight[i] = source ? 1 / (float)of_class : 0;
    }
}

static float target_of(const Refit *r, const QcMethodRun *l, const float *targets, uint32_t i)
{
    float sum = 0;
    uint32_t n = 0;
    if (is_source(r, l, i)) return targets[r->slot[i]];
    for (uint32_t j = 0; j < r->n_slots; j++) {
        if (!is_source(r, l, j) || r->label[j] != r->label[i]) continue;
        sum += targets[r->slot[j]];
        n++;
    }
    return n ? sum / (float)n : 0;
}

static void refit_channel(Refit *r, QcMethodRun *l, uint32_t i, uint32_t o)
{
    const QcQGraph *g = l->g;
    const QcQNode *node = &g->nodes[i];
    uint32_t row = node->n_codes / node->channels;
    const float *targets = r->target + (size_t)(r->first[i] + o) * l->capacity;
    int bits = (int)qc_code_bits(g, node);
    QcRefit problem = {.n = r->n,
                       .k = row,
                       .x = r->x,
                       .square = r->square,
                       .weight = r->weight,
                       .scale = g->scale[node->channel + o],
                       .low = qc_code_low(bits),
                       .high = qc_code_high(bits)};
    float mean = 0;
    for (uint32_t j = 0; j < row; j++) {
        r->code[j] = r->start[j] = qc_code_get(g, node, o * row + j);
        mean += r->square[j] / (float)row;
    }
    problem.hold = (float)l->setting[HOLD] * problem.scale * problem.scale * mean;
    preactivate(r, l, node, o, r->residual);
    for (uint32_t k = 0; k < r->n; k++)
        r->residual[k] -= r->weight[k] > 0 ? target_of(r, l, targets, k) : r->residual[k];
    if (qc_refit_codes(&problem, r->residual, r->code, r->start, (uint32_t)l->setting[SWEEPS]))
        for (uint32_t j = 0; j < row; j++) qc_code_set(g, node, o * row + j, r->code[j]);
}

static void measure_squares(Refit *r, uint32_t row)
{
    for (uint32_t j = 0; j < row; j++) {
        r->square[j] = 0;
        for (uint32_t i = 0; i < r->n; i++)
            r->square[j] += r->weight[i] * r->x[(size_t)j * r->n + i] * r->x[(size_t)j * r->n + i];
    }
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Refit *r = l->state;
    const QcQGraph *g = l->g;
    uint64_t before = 0, operations = 0; /* multiply-adds of a pass up to here; of all passes */
    (void)err;
    set_of(r, l, batch);
    weigh(r, l);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        before += qc_node_macs(g, node);
        for (uint32_t o = 0; is_weighted(node) && o < node->channels; o++) {
            uint32_t in_group = node->channels / node->groups;
            if (o % in_group == 0) {
                look(r, l, i, o / in_group);
                measure_squares(r, node->n_codes / node->channels);
                operations += r->n * before;
            }
            refit_channel(r, l, i, o);
        }
    }
    report->set = r->n;
    report->forwards = (operations + l->macs - 1) / l->macs;
    report->operations = operations + (uint64_t)(2 + l->setting[SWEEPS]) * g->n_codes * r->n;
    return 0;
}

const QcMethod qc_method_refit = {
    .name = "refit",
    .summary = "codes refitted layer by layer, so that layers give for the stream what they gave for the source",
    .settings = settings,
    .open = open_refit,
    .next = next};
