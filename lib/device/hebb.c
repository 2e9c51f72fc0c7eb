#include "hebb.h"

#include "placing.h"
#include "qmath.h"

enum { BLOCK = 8 }; /* output channels whose integer sums are held at once */

typedef struct HebbSizes {
    uint32_t chunk, layer, channels, columns, run, rows, mask, layers, classes;
} HebbSizes;

static uint32_t largest(uint32_t a, uint32_t b) { return a > b ? a : b; }

static HebbSizes measure(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t chunk)
{
    HebbSizes s = {.chunk = chunk ? chunk : g->n_codes - g->n_codes / 4, .layers = n_layers, .classes = g->classes};
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        const QcQTensor *in = &g->tensors[node->in[0]];
        uint32_t positions = node->op == QC_Q_LOGITS ? 1 : (uint32_t)g->tensors[node->out].height * g->tensors[node->out].width;
        s.layer = largest(s.layer, node->n_codes);
        s.channels = largest(s.channels, node->channels);
        s.columns = largest(s.columns, (uint32_t)in->channels / node->groups);
        s.run = largest(s.run, node->n_codes / node->channels);
        s.mask = largest(s.mask, positions * node->channels);
        if (node->op != QC_Q_LOGITS) s.rows = largest(s.rows, g->tensors[node->out].height);
    }
    s.chunk = largest(s.chunk, s.layer);
    if (s.chunk > g->n_codes) s.chunk = g->n_codes;
    return s;
}

static void lay_out(QcHebb *hebb, const HebbSizes *s, QcPlacing *p)
{
    hebb->chunk = s->chunk;
    qc_placing_part(p, "statistic");
    hebb->sum = qc_placing_take(p, s->chunk * sizeof(float));
    hebb->squares = qc_placing_take(p, s->chunk * sizeof(float));
    qc_placing_part(p, "statistic of one example");
    hebb->row = qc_placing_take(p, s->channels * sizeof(float));
    hebb->column = qc_placing_take(p, s->columns * sizeof(float));
    hebb->coefficient = qc_placing_take(p, s->channels * sizeof(float));
    hebb->open = qc_placing_take(p, s->channels * sizeof(int32_t));
    hebb->sums = qc_placing_take(p, BLOCK * (s->run + 64) * sizeof(int32_t));
    hebb->row_sums = s->rows > 1 ? qc_placing_take(p, BLOCK * (s->run + 64) * sizeof(int32_t)) : NULL;
    hebb->mask = qc_placing_take(p, s->mask);
    hebb->mean_square = qc_placing_take(p, s->layers * sizeof(float));
    hebb->logits = qc_placing_take(p, s->classes * sizeof(float));
}

uint64_t qc_hebb_bytes(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t chunk)
{
    QcHebb hebb;
    QcPlacing p = {0};
    HebbSizes s = measure(g, layers, n_layers, chunk);
    lay_out(&hebb, &s, &p);
    return p.used;
}

void qc_hebb_lay_out(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t chunk, QcPlacing *p)
{
    HebbSizes s = measure(run->g, flip->layers, flip->n_layers, chunk);
    lay_out(hebb, &s, p);
    hebb->run = run;
    hebb->flip = flip;
    for (uint32_t l = 0; p->memory && l < flip->n_layers; l++) hebb->mean_square[l] = 0;
}

void qc_hebb_place(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t chunk, void *memory)
{
    QcPlacing p = {.memory = memory};
    qc_hebb_lay_out(hebb, run, flip, chunk, &p);
}

/* coefficient[o] = error signal at the layer's output channel o, in units of the input's and weight's scales. */
static void error_signal(QcHebb *hebb, uint32_t l, const float *error)
{
    const QcQGraph *g = hebb->run->g;
    const QcFlipLayer *layer = &hebb->flip->layers[l];
    const QcQNode *node = &g->nodes[layer->node], *classifier = &g->nodes[g->n_nodes - 1];
    uint32_t classes = g->classes;
    float scale = g->tensors[node->in[0]].scale;
    for (uint32_t o = 0; o < node->channels; o++) {
        float sum = 0;
        if (node->op == QC_Q_LOGITS) {
            sum = error[o];
        } else if (layer->exact) {
            uint32_t width = classifier->n_codes / classes, pooled = (uint32_t)g->tensors[node->out].height * g->tensors[node->out].width;
            for (uint32_t k = 0; k < classes; k++)
                sum += g->scale[classifier->channel + k] * (float)qc_code_get(g, classifier, k * width + node->out_channel + o) * error[k];
            sum /= (float)pooled;
        } else {
            const int8_t *phi = hebb->flip->feedback + layer->feedback + o * classes;
            for (uint32_t k = 0; k < classes; k++) sum += (float)phi[k] * error[k];
            sum *= hebb->flip->feedback_scale[l];
        }
        hebb->coefficient[o] = sum * scale * g->scale[node->channel + o];
    }
}

/* mask[t][o] = value above zero, of `channels` outputs of each position; or that and what it was, where `also`. */
static void mask_positive(uint8_t *restrict mask, const uint8_t *restrict y, uint8_t zero, uint32_t positions, uint32_t channels, uint32_t step, int also)
{
    for (uint32_t t = 0; t < positions; t++, mask += channels, y += step) {
        if (also)
            for (uint32_t o = 0; o < channels; o++) mask[o] &= (uint8_t)(y[o] > zero);
        else
            for (uint32_t o = 0; o < channels; o++) mask[o] = (uint8_t)(y[o] > zero);
    }
}

static void count_open(int32_t *restrict open, const uint8_t *restrict mask, uint32_t positions, uint32_t channels)
{
    for (uint32_t o = 0; o < channels; o++) open[o] = 0;
    for (uint32_t t = 0; t < positions; t++, mask += channels)
        for (uint32_t o = 0; o < channels; o++) open[o] += mask[o];
}

/* mask[t][o] = own ReLU on and gate open; open[o] counts them. */
static void make_mask(QcHebb *hebb, const QcFlipLayer *layer, const QcQNode *node, uint32_t positions)
{
    const QcQGraph *g = hebb->run->g;
    const uint16_t of[2] = {layer->masked ? node->out : QC_NO_GATE, layer->gate};
    for (int k = 0, also = 0; k < 2; k++) {
        if (of[k] == QC_NO_GATE) continue;
        const QcQTensor *t = &g->tensors[of[k]];
        mask_positive(hebb->mask, qc_qrun_tensor(hebb->run, of[k]) + node->out_channel, t->zero, positions, node->channels, t->channels, also++);
    }
    count_open(hebb->open, hebb->mask, positions, node->channels);
}

/* One run of inputs under all outputs of a group: what one segment of its weights sees. */
typedef struct Stretch {
    const uint8_t *x, *mask; /* of the first row's first position; mask NULL: all on */
    float *sum, *squares;    /* of the group's first output, first input of the run */
    uint32_t channel;        /* first of the group */
    uint32_t row;            /* codes of an output */
    int32_t zero;            /* of the input */
} Stretch;

/* sums [channels][length]: masked sums over all rows of the image, for the group's outputs o0 .. o0 + channels - 1. */
static void sum_rows(QcHebb *hebb, const Stretch *s, const QcQConv *conv, uint32_t mask_step, uint32_t o0, uint32_t channels)
{
    static const uint8_t on = 1;
    const QcKernels *k = hebb->run->k;
    for (uint32_t row = 0; row < conv->rows; row++) {
        const uint8_t *x = s->x + (size_t)row * conv->row_step, *mask = s->mask ? s->mask + row * conv->dot.positions * mask_step + o0 : &on;
        int32_t *sums = row ? hebb->row_sums : hebb->sums;
        k->masked_sum(sums, x, mask, conv->dot.positions, conv->dot.step, s->mask ? mask_step : 0, conv->length, channels);
        for (uint32_t i = 0; row && i < channels * conv->length; i++) hebb->sums[i] += sums[i];
    }
}

static void add_stretch(QcHebb *hebb, const Stretch *s, const QcQConv *conv, uint32_t mask_step)
{
    for (uint32_t o0 = 0; o0 < conv->group_channels; o0 += BLOCK) {
        uint32_t block = conv->group_channels - o0 < BLOCK ? conv->group_channels - o0 : BLOCK;
        /* without a mask every output has the same sums: one serves all */
        if (s->mask || !o0) sum_rows(hebb, s, conv, mask_step, o0, s->mask ? block : 1);
        for (uint32_t b = 0; b < block; b++) {
            uint32_t o = s->channel + o0 + b, at = (o0 + b) * s->row;
            hebb->run->k->fold(s->sum + at, s->squares + at, hebb->sums + (s->mask ? b * conv->length : 0), s->zero * hebb->open[o],
                               hebb->coefficient[o], conv->length);
        }
    }
}

/* Adds one example's h of a layer to its statistic. */
static void add_layer(QcHebb *hebb, float *sum, float *squares, uint32_t l, const float *error)
{
    const QcQGraph *g = hebb->run->g;
    const QcFlipLayer *layer = &hebb->flip->layers[l];
    const QcQNode *node = &g->nodes[layer->node];
    int masked = node->op != QC_Q_LOGITS && (layer->masked || layer->gate != QC_NO_GATE);
    QcQConv conv;
    qc_qconv_open(&conv, hebb->run, node);
    error_signal(hebb, l, error);
    if (masked)
        make_mask(hebb, layer, node, conv.rows * conv.dot.positions);
    else
        for (uint32_t o = 0; o < node->channels; o++) hebb->open[o] = (int32_t)(conv.rows * conv.dot.positions);
    Stretch s = {.row = node->n_codes / node->channels, .zero = g->tensors[node->in[0]].zero};
    for (uint32_t group = 0; group < conv.groups; group++) {
        s.channel = group * conv.group_channels;
        s.mask = masked ? hebb->mask + s.channel : NULL;
        for (uint32_t segment = 0; segment < conv.dot.segments; segment++) {
            uint32_t at = s.channel * s.row + segment * conv.length;
            s.x = conv.x + group * conv.group_step + conv.dot.segment[segment];
            s.sum = sum + at;
            s.squares = squares + at;
            add_stretch(hebb, &s, &conv, node->channels);
        }
    }
}

typedef struct Pass {
    QcHebb *hebb;
    uint32_t first, end; /* layers of this pass */
    const float *error;  /* of the example under way */
} Pass;

static void clear(float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) x[i] = 0;
}

static void see_node(void *ctx, QcQRun *run, uint32_t node, const QcQConv *conv)
{
    Pass *pass = ctx;
    QcHebb *hebb = pass->hebb;
    (void)conv; /* gated layers are taken later than they run, so each opens its own */
    for (uint32_t l = pass->first, at = 0; l < pass->end; l++) {
        const QcFlipLayer *layer = &hebb->flip->layers[l];
        uint32_t n = run->g->nodes[layer->node].n_codes;
        if (layer->gate_node == node) add_layer(hebb, hebb->sum + at, hebb->squares + at, l, pass->error);
        at += n;
    }
}

static float size_of_error(const float *error, uint32_t classes)
{
    float sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += error[k] < 0 ? -error[k] : error[k];
    return sum;
}

/* The error that is too small to be worth a pass: all that are smaller hold less than QC_HEBB_NEGLECT of the whole. */
static float least_error(const QcExamples *z, uint32_t classes)
{
    float sum = 0;
    for (uint32_t i = 0; i < z->n; i++) sum += size_of_error(z->error + i * classes, classes);
    return QC_HEBB_NEGLECT * sum / (float)z->n;
}

/* The statistic of layers first .. end-1, over the examples that have an error of at least `least`; those left out count as zeros. Returns how many passed. */
static uint32_t gather_layers(QcHebb *hebb, const QcExamples *z, float least, uint32_t first, uint32_t end)
{
    const QcQGraph *g = hebb->run->g;
    Pass pass = {.hebb = hebb, .first = first, .end = end};
    uint32_t passed = 0;
    uint32_t codes = 0, last = 0;
    for (uint32_t l = first; l < end; l++) {
        codes += g->nodes[hebb->flip->layers[l].node].n_codes;
        last = largest(last, hebb->flip->layers[l].gate_node);
    }
    clear(hebb->sum, codes);
    clear(hebb->squares, codes);
    for (uint32_t i = 0; i < z->n; i++) {
        pass.error = z->error + i * g->classes;
        if (size_of_error(pass.error, g->classes) < least) continue;
        qc_qrun_forward_seen(hebb->run, hebb->logits, z->x[i], last, see_node, &pass);
        passed++;
    }
    return passed;
}

static float mean_square(const float *h, uint32_t n)
{
    float sum = 0;
    for (uint32_t j = 0; j < n; j++) sum += h[j] * h[j];
    return sum / (float)n;
}

static float rms_of_net(const QcHebb *hebb)
{
    const QcQGraph *g = hebb->run->g;
    float sum = 0;
    for (uint32_t l = 0; l < hebb->flip->n_layers; l++) sum += hebb->mean_square[l] * (float)g->nodes[hebb->flip->layers[l].node].n_codes;
    return qc_sqrt(sum / (float)g->n_codes);
}

/* The first of the layers that fit one chunk with all others before `end`. */
static uint32_t chunk_start(const QcHebb *hebb, uint32_t end)
{
    uint32_t start = end, codes = 0;
    while (start > 0) {
        codes += hebb->run->g->nodes[hebb->flip->layers[start - 1].node].n_codes;
        if (codes > hebb->chunk) break;
        start--;
    }
    return start;
}

/* Chunks are filled from the last layer down: what is left over is the first one, whose passes end earliest. */
static uint32_t chunk_end(const QcHebb *hebb, uint32_t first)
{
    uint32_t end = hebb->flip->n_layers;
    for (uint32_t start; (start = chunk_start(hebb, end)) > first;) end = start;
    return end;
}

/* Gathers the chunk that begins at layer `first`; returns its end. */
static uint32_t gather_chunk(QcHebb *hebb, const QcExamples *z, float least, uint32_t first, uint32_t *passes)
{
    uint32_t end = chunk_end(hebb, first);
    const float *h = hebb->sum;
    *passes += gather_layers(hebb, z, least, first, end);
    for (uint32_t l = first; l < end; l++) {
        uint32_t n = hebb->run->g->nodes[hebb->flip->layers[l].node].n_codes;
        hebb->mean_square[l] = mean_square(h, n);
        h += n;
    }
    return end;
}

uint32_t qc_hebb_gather(QcHebb *hebb, const QcExamples *z, QcHebbSee see, void *ctx)
{
    const QcQGraph *g = hebb->run->g;
    uint32_t n_layers = hebb->flip->n_layers, passes = 0;
    /* in several chunks, the net's rms is the last known one: a first round measures it */
    int unknown = !(hebb->mean_square[n_layers - 1] > 0) && chunk_end(hebb, 0) < n_layers;
    float least = least_error(z, g->classes);
    for (uint32_t l = 0; unknown && l < n_layers;) l = gather_chunk(hebb, z, least, l, &passes);
    for (uint32_t first = 0, end; first < n_layers; first = end) {
        end = gather_chunk(hebb, z, least, first, &passes);
        QcFlipStats stats = {hebb->sum, hebb->squares, z->n};
        for (uint32_t l = first; l < end; l++) {
            QcFlipScale scale = {.rms_net = rms_of_net(hebb), .depth = n_layers > 1 ? (float)l / (float)(n_layers - 1) : 0,
                                 .row = hebb->row, .column = hebb->column};
            qc_flip_measure(&scale, g, &hebb->flip->layers[l], &stats);
            see(ctx, l, &stats, &scale);
            stats.sum += g->nodes[hebb->flip->layers[l].node].n_codes;
            stats.squares += g->nodes[hebb->flip->layers[l].node].n_codes;
        }
    }
    return passes;
}
