#include "hebb.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define SIGNAL_MOST 1e3f /* bound of error signals: squares of sums over a set stay finite whatever the scales */
enum { SPAN = 320 };     /* inputs whose integer sums are held at once */

typedef struct HebbSizes {
    uint32_t channels, columns, run, rows, positions, layers, classes;
} HebbSizes;

static uint32_t largest(uint32_t a, uint32_t b) { return a > b ? a : b; }

static HebbSizes measure(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers)
{
    HebbSizes s = {.layers = n_layers, .classes = g->classes, .positions = 1};
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        const QcQTensor *in = &g->tensors[node->in[0]], *out = &g->tensors[node->out];
        s.channels = largest(s.channels, node->channels);
        s.columns = largest(s.columns, (uint32_t)in->channels / node->groups);
        s.run = largest(s.run, node->n_codes / node->channels);
        if (node->op == QC_Q_LOGITS) continue;
        s.positions = largest(s.positions, (uint32_t)out->height * out->width);
        s.rows = largest(s.rows, out->height);
    }
    return s;
}

static void lay_out(QcHebb *hebb, const HebbSizes *s, QcPlacing *p)
{
    qc_placing_part(p, "statistic");
    hebb->sum = qc_placing_take(p, (uint64_t)hebb->blocks.capacity * sizeof(float));
    hebb->squares = qc_placing_take(p, (uint64_t)hebb->blocks.capacity * sizeof(float));
    qc_placing_part(p, "statistic of one example");
    hebb->row = qc_placing_take(p, s->channels * sizeof(float));
    hebb->column = qc_placing_take(p, s->columns * sizeof(float));
    uint32_t span = s->run < SPAN ? s->run : SPAN;
    hebb->sums = qc_placing_take(p, QC_BLOCK_CHANNELS * span * sizeof(int32_t));
    hebb->row_sums = s->rows > 1 ? qc_placing_take(p, QC_BLOCK_CHANNELS * span * sizeof(int32_t)) : NULL;
    hebb->mask = qc_placing_take(p, s->positions * QC_BLOCK_CHANNELS);
    hebb->logits = qc_placing_take(p, s->classes * sizeof(float));
}

void qc_hebb_place_kept(QcHebb *hebb, const QcFlip *flip, QcPlacing *p)
{
    hebb->mean_square = qc_placing_take(p, flip->n_layers * sizeof(float));
    if (p->memory) memset(hebb->mean_square, 0, flip->n_layers * sizeof(float));
}

void qc_hebb_place(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t capacity, QcPlacing *p)
{
    HebbSizes s = measure(run->g, flip->layers, flip->n_layers);
    qc_block_sample_place(&hebb->blocks, run->g, flip->layers, flip->n_layers, capacity, p);
    lay_out(hebb, &s, p);
    hebb->run = run;
    hebb->flip = flip;
}

/* Error signal at output channel o of a layer, in units of the input's and weight's scales. */
static float error_signal(const QcHebb *hebb, uint32_t l, const float *error, uint32_t o)
{
    const QcQGraph *g = hebb->run->g;
    const QcFlipLayer *layer = &hebb->flip->layers[l];
    const QcQNode *node = &g->nodes[layer->node], *classifier = &g->nodes[g->n_nodes - 1];
    uint32_t classes = g->classes;
    float sum = 0;
    if (node->op == QC_Q_LOGITS) {
        sum = error[o];
    } else if (layer->exact) {
        uint32_t width = classifier->n_codes / classes,
                 pooled = (uint32_t)g->tensors[node->out].height * g->tensors[node->out].width;
        for (uint32_t k = 0; k < classes; k++)
            sum += qc_layer_scale(g, classifier)[k] *
                   (float)qc_code_get(g, classifier, k * width + node->out_channel + o) * error[k];
        sum /= (float)pooled;
    } else {
        const int8_t *phi = hebb->flip->feedback + layer->feedback + o * classes;
        for (uint32_t k = 0; k < classes; k++) sum += (float)phi[k] * error[k];
        sum *= hebb->flip->feedback_scale[l];
    }
    float signal = sum * g->tensors[node->in[0]].scale * qc_layer_scale(g, node)[o];
    return qc_most(-SIGNAL_MOST, qc_least(signal, SIGNAL_MOST));
}

/* mask[t][o] = value above zero, of `channels` outputs of each position; ANDed with its former value if `also`. */
static void mask_positive(uint8_t *restrict mask, const uint8_t *restrict y, uint8_t zero, uint32_t positions,
                          uint32_t channels, uint32_t step, int also)
{
    for (uint32_t t = 0; t < positions; t++, mask += QC_BLOCK_CHANNELS, y += step)
        for (uint32_t o = 0; o < channels; o++) mask[o] = (uint8_t)((y[o] > zero) & (also ? mask[o] : 1));
}

static void count_open(int32_t *restrict open, const uint8_t *restrict mask, uint32_t positions, uint32_t channels)
{
    for (uint32_t o = 0; o < channels; o++) open[o] = 0;
    for (uint32_t t = 0; t < positions; t++, mask += QC_BLOCK_CHANNELS)
        for (uint32_t o = 0; o < channels; o++) open[o] += mask[o];
}

/* One block of a layer, for one example. */
typedef struct Stretch {
    QcHebb *hebb;
    const QcQNode *node;
    const QcQConv *conv;
    float *sum, *squares; /* of the block */
    int masked;
    int32_t open[QC_BLOCK_CHANNELS];     /* positions at which each output is on */
    float coefficient[QC_BLOCK_CHANNELS]; /* error signal of each */
} Stretch;

/* mask[t][o] = own ReLU on and gate open, of the block's outputs; s->open[o] counts them. */
static void make_mask(Stretch *s, const QcFlipLayer *layer, const QcBlock *block)
{
    QcHebb *hebb = s->hebb;
    const QcQGraph *g = hebb->run->g;
    const uint16_t of[2] = {layer->masked ? s->node->out : QC_NO_GATE, layer->gate};
    uint32_t positions = s->conv->rows * s->conv->dot.positions;
    s->masked = s->node->op != QC_Q_LOGITS && (layer->masked || layer->gate != QC_NO_GATE);
    for (uint32_t o = 0; !s->masked && o < block->channels; o++) s->open[o] = (int32_t)positions;
    if (!s->masked) return;
    for (int k = 0, also = 0; k < 2; k++) {
        if (of[k] == QC_NO_GATE) continue;
        const QcQTensor *t = &g->tensors[of[k]];
        const uint8_t *y = qc_qrun_tensor(hebb->run, of[k]) + s->node->out_channel + block->channel;
        mask_positive(hebb->mask, y, t->zero, positions, block->channels, t->channels, also++);
    }
    count_open(s->open, hebb->mask, positions, block->channels);
}

/* hebb->sums [channels][length]: masked sums over all rows of the image under a span of the weights; without a mask all
 * outputs have the same sums. */
static void sum_rows(const Stretch *s, const uint8_t *x, uint32_t length, uint32_t first, uint32_t channels)
{
    static const uint8_t on = 1;
    const QcHebb *hebb = s->hebb;
    const QcQConv *conv = s->conv;
    for (uint32_t row = 0; row < conv->rows; row++, x += conv->row_step) {
        const uint8_t *mask =
            s->masked ? hebb->mask + (size_t)row * conv->dot.positions * QC_BLOCK_CHANNELS + first : &on;
        int32_t *sums = row ? hebb->row_sums : hebb->sums;
        hebb->run->k->masked_sum(sums, x, mask, conv->dot.positions, conv->dot.step, s->masked ? QC_BLOCK_CHANNELS : 0,
                                 length, channels);
        for (uint32_t i = 0; row && i < channels * length; i++) hebb->sums[i] += sums[i];
    }
}

/* Adds h of the outputs first .. first + channels - 1 of the block, which are of one group. */
static void add_outputs(const Stretch *s, uint32_t group, uint32_t first, uint32_t channels)
{
    const QcHebb *hebb = s->hebb;
    const QcQConv *conv = s->conv;
    uint32_t row = s->node->n_codes / s->node->channels;
    int32_t zero = hebb->run->g->tensors[s->node->in[0]].zero;
    for (uint32_t segment = 0; segment < conv->dot.segments; segment++)
        for (uint32_t from = 0, length; from < conv->length; from += length) {
            length = conv->length - from < SPAN ? conv->length - from : SPAN;
            sum_rows(s, conv->x + group * conv->group_step + conv->dot.segment[segment] + from, length, first,
                     s->masked ? channels : 1);
            for (uint32_t b = 0; b < channels; b++) {
                uint32_t at = (first + b) * row + segment * conv->length + from;
                hebb->run->k->fold(s->sum + at, s->squares + at, hebb->sums + (s->masked ? b * length : 0),
                                   zero * s->open[first + b], s->coefficient[first + b], length);
            }
        }
}

static void add_piece(QcHebb *hebb, const QcBlock *block, const QcQConv *conv, const float *error)
{
    const QcFlipLayer *layer = &hebb->flip->layers[block->layer];
    Stretch s = {.hebb = hebb,
                 .node = &hebb->run->g->nodes[layer->node],
                 .conv = conv,
                 .sum = hebb->sum + block->start,
                 .squares = hebb->squares + block->start};
    make_mask(&s, layer, block);
    for (uint32_t o = 0; o < block->channels; o++)
        s.coefficient[o] = error_signal(hebb, block->layer, error, block->channel + o);
    for (uint32_t o = 0, end; o < block->channels; o = end) {
        uint32_t group = (block->channel + o) / conv->group_channels;
        end = (group + 1) * conv->group_channels - block->channel;
        if (end > block->channels) end = block->channels;
        add_outputs(&s, group, o, end - o);
    }
}

typedef struct Pass {
    QcHebb *hebb;
    const float *error; /* of the example under way */
} Pass;

/* Adds the statistic of all sampled weights of the layers that are evaluated at this node. */
static void see_node(void *ctx, QcQRun *run, uint32_t node, const QcQConv *its_own)
{
    const Pass *pass = ctx;
    QcHebb *hebb = pass->hebb;
    const QcBlockSample *blocks = &hebb->blocks;
    uint32_t opened = UINT32_MAX;
    QcQConv conv;
    (void)its_own; /* gated layers are evaluated after they run, so each opens its own */
    for (uint32_t i = qc_block_sample_next(blocks, 0); i < blocks->n_blocks; i = qc_block_sample_next(blocks, i + 1)) {
        const QcBlock *block = &blocks->blocks[i];
        const QcFlipLayer *layer = &hebb->flip->layers[block->layer];
        if (layer->gate_node != node) continue;
        if (opened != block->layer) qc_qconv_open(&conv, run, &run->g->nodes[layer->node]);
        opened = block->layer;
        add_piece(hebb, block, &conv, pass->error);
    }
}

static float size_of_error(const float *error, uint32_t classes)
{
    float sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += error[k] < 0 ? -error[k] : error[k];
    return sum;
}

/* The smallest error that is worth a pass. */
static float least_error(const QcExamples *z, uint32_t classes)
{
    float sum = 0;
    for (uint32_t i = 0; i < z->n; i++) sum += size_of_error(z->error + i * classes, classes);
    return QC_HEBB_NEGLECT * sum / (float)z->n;
}

/* The statistic of the sampled weights, over the examples whose error is large enough; the other examples count as
 * zeros. Returns how many passed. */
static uint32_t pass_over(QcHebb *hebb, const QcExamples *z)
{
    const QcQGraph *g = hebb->run->g;
    const QcBlockSample *blocks = &hebb->blocks;
    float least = least_error(z, g->classes);
    uint32_t last = 0, passed = 0;
    for (uint32_t i = qc_block_sample_next(blocks, 0); i < blocks->n_blocks; i = qc_block_sample_next(blocks, i + 1))
        last = largest(last, hebb->flip->layers[blocks->blocks[i].layer].gate_node);
    for (uint32_t j = 0; j < blocks->n; j++) hebb->sum[j] = hebb->squares[j] = 0;
    for (uint32_t i = 0; i < z->n; i++) {
        Pass pass = {hebb, z->error + i * g->classes};
        if (size_of_error(pass.error, g->classes) < least) continue;
        qc_qrun_forward_seen(hebb->run, hebb->logits, z->x[i], last, see_node, &pass);
        passed++;
    }
    return passed;
}

/* The sampled weights of one layer: blocks first .. end-1, codes at .. at + n - 1 of the arrays. */
typedef struct Part {
    uint32_t first, end, layer, at, n, channels;
} Part;

static int next_part(Part *part, const QcBlockSample *blocks)
{
    uint32_t i = qc_block_sample_next(blocks, part->end);
    if (i >= blocks->n_blocks) return 0;
    *part = (Part){.first = i, .end = i, .layer = blocks->blocks[i].layer, .at = blocks->blocks[i].start};
    for (; i < blocks->n_blocks && blocks->blocks[i].layer == part->layer; i = qc_block_sample_next(blocks, i + 1)) {
        part->n += blocks->blocks[i].n;
        part->channels += blocks->blocks[i].channels;
        part->end = i + 1;
    }
    return 1;
}

/* Root mean square of h over all layers observed so far. */
static float rms_of_net(QcHebb *hebb)
{
    float sum = 0, codes = 0;
    for (Part part = {0}; next_part(&part, &hebb->blocks);) {
        float squares = 0;
        for (uint32_t j = 0; j < part.n; j++) squares += hebb->sum[part.at + j] * hebb->sum[part.at + j];
        hebb->mean_square[part.layer] = squares / (float)part.n;
    }
    for (uint32_t l = 0; l < hebb->flip->n_layers; l++) {
        float n = (float)hebb->run->g->nodes[hebb->flip->layers[l].node].n_codes;
        sum += hebb->mean_square[l] * n;
        codes += hebb->mean_square[l] > 0 ? n : 0;
    }
    return codes > 0 ? qc_sqrt(sum / codes) : 0;
}

static void hand_out(QcHebb *hebb, const Part *part, uint32_t examples, float rms_net, QcHebbVisit visit, void *ctx)
{
    uint32_t n_layers = hebb->flip->n_layers;
    QcFlipScale scale = {.rms_net = rms_net,
                         .depth = n_layers > 1 ? (float)part->layer / (float)(n_layers - 1) : 0,
                         .row = hebb->row,
                         .column = hebb->column};
    QcFlipStats stats = {hebb->sum + part->at, hebb->squares + part->at, examples};
    qc_flip_measure(&scale, hebb->run->g, &hebb->flip->layers[part->layer], &stats, part->channels);
    for (uint32_t i = part->first; i < part->end; i = qc_block_sample_next(&hebb->blocks, i + 1)) {
        const QcBlock *block = &hebb->blocks.blocks[i];
        visit(ctx, block, &stats, &scale);
        stats.sum += block->n;
        stats.squares += block->n;
        scale.row += block->channels;
    }
}

uint32_t qc_hebb_gather(QcHebb *hebb, const QcExamples *z, uint64_t seed, QcHebbVisit visit, void *ctx)
{
    qc_block_sample_draw(&hebb->blocks, seed);
    uint32_t passed = pass_over(hebb, z);
    float rms_net = rms_of_net(hebb);
    for (Part part = {0}; next_part(&part, &hebb->blocks);) hand_out(hebb, &part, z->n, rms_net, visit, ctx);
    return passed;
}
