#include "flip.h"

#include "qmath.h"

static int reads(const QcQNode *node, uint32_t t)
{
    return node->in[0] == t || (qc_reads_two(node) && node->in[1] == t);
}

static uint32_t count_readers(const QcQGraph *g, uint32_t t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) n += (uint32_t)reads(&g->nodes[i], t);
    return n;
}

/* The only node that writes tensor t, or -1 if several write slices of it or none does (the input). */
static int32_t sole_writer(const QcQGraph *g, uint32_t t)
{
    int32_t writer = -1;
    for (uint32_t i = 0; i + 1 < g->n_nodes; i++) {
        if (g->nodes[i].out != t) continue;
        if (writer >= 0) return -1;
        writer = (int32_t)i;
    }
    return writer;
}

/* Layers that write `tensor` receive the exact error of the classifier; gate = the node whose ReLU follows them, or
 * -1. */
static void mark_exact(const QcQGraph *g, QcFlipLayer *layers, uint32_t n, uint32_t tensor, int32_t gate)
{
    if (count_readers(g, tensor) != 1) return;
    for (uint32_t l = 0; l < n; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        if (node->op != QC_Q_CONV || node->out != tensor) continue;
        layers[l].exact = 1;
        if (gate >= 0 && g->nodes[gate].relu) {
            layers[l].gate = g->nodes[gate].out;
            layers[l].gate_node = (uint16_t)gate;
        }
    }
}

static void find_exact(const QcQGraph *g, QcFlipLayer *layers, uint32_t n)
{
    const QcQNode *classifier = &g->nodes[g->n_nodes - 1];
    if (classifier->kernel_h != 1 || classifier->kernel_w != 1) return; /* a flattened image: the error differs by
                                                                           position */
    int32_t pool = sole_writer(g, classifier->in[0]);
    if (pool >= 0 && g->nodes[pool].op == QC_Q_CONV) mark_exact(g, layers, n, classifier->in[0], -1);
    if (pool < 0 || g->nodes[pool].op != QC_Q_GAP) return;
    uint32_t last = g->nodes[pool].in[0];
    int32_t sum = sole_writer(g, last);
    if (count_readers(g, last) != 1) return;
    if (sum >= 0 && g->nodes[sum].op == QC_Q_ADD) {
        mark_exact(g, layers, n, g->nodes[sum].in[0], sum);
        mark_exact(g, layers, n, g->nodes[sum].in[1], sum);
    } else {
        mark_exact(g, layers, n, last, -1);
    }
}

uint32_t qc_flip_describe(const QcQGraph *g, QcFlipLayer *layers, uint32_t *n_feedback)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        if (node->op != QC_Q_CONV && node->op != QC_Q_LOGITS) continue;
        if (n == QC_FLIP_MAX_LAYERS) return 0;
        layers[n++] =
            (QcFlipLayer){.node = (uint16_t)i, .gate = QC_NO_GATE, .gate_node = (uint16_t)i, .masked = node->relu};
    }
    find_exact(g, layers, n);
    *n_feedback = 0;
    for (uint32_t l = 0; l < n; l++) {
        layers[l].feedback = *n_feedback;
        if (!layers[l].exact && g->nodes[layers[l].node].op != QC_Q_LOGITS)
            *n_feedback += g->nodes[layers[l].node].channels * g->classes;
    }
    return n;
}

uint32_t qc_flip_keep_until(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t t)
{
    uint32_t until = 0;
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        if (layers[l].gate != QC_NO_GATE &&
            (node->in[0] == t || (layers[l].masked && node->out == t) || layers[l].gate == t) &&
            layers[l].gate_node > until)
            until = layers[l].gate_node;
    }
    return until;
}

void qc_flip_measure(QcFlipScale *scale, const QcQGraph *g, const QcFlipLayer *layer, const QcFlipStats *stats,
                     uint32_t channels)
{
    const QcQNode *node = &g->nodes[layer->node];
    uint32_t columns = (uint32_t)(g->tensors[node->in[0]].channels / node->groups),
             taps = (uint32_t)node->kernel_h * node->kernel_w;
    float all = 0;
    for (uint32_t i = 0; i < columns; i++) scale->column[i] = 0;
    const float *h = stats->sum;
    for (uint32_t o = 0; o < channels; o++) {
        float row = 0;
        for (uint32_t k = 0; k < taps; k++, h += columns) {
            for (uint32_t i = 0; i < columns; i++) {
                float square = h[i] * h[i];
                row += square;
                scale->column[i] += square;
            }
        }
        scale->row[o] = qc_sqrt(row / (float)(taps * columns));
        all += row;
    }
    for (uint32_t i = 0; i < columns; i++) scale->column[i] = qc_sqrt(scale->column[i] / (float)(taps * channels));
    scale->rms = qc_sqrt(all / (float)(taps * columns * channels));
}

static float log_ratio(float a, float b) { return qc_ln((a + 1e-12f) / (b + 1e-12f)); }

void qc_flip_features(float *f, int *dir, const QcQGraph *g, const QcFlipLayer *layer, const QcFlipStats *stats,
                      const QcFlipScale *scale, uint32_t i, uint32_t j)
{
    const QcQNode *node = &g->nodes[layer->node];
    uint32_t columns = (uint32_t)(g->tensors[node->in[0]].channels / node->groups),
             row = node->n_codes / node->channels;
    float h = stats->sum[i], n = (float)stats->n, mean = h / n;
    *dir = h > 0 ? -1 : h < 0 ? 1 : 0;
    float variance = stats->squares[i] / n - mean * mean;
    float z = qc_least(qc_abs(h) / (scale->rms + 1e-12f), 1e6f);
    float sn = qc_least(qc_abs(mean) / (qc_sqrt(variance > 0 ? variance : 0) + 1e-6f * scale->rms + 1e-12f), 1e6f);
    float code = (float)qc_code_get(g, node, j) / (float)(1 << (qc_code_bits(g, node) - 1));
    f[0] = qc_ln(z + 0.001f);
    f[1] = qc_least(z, 6) / 3;
    f[2] = qc_ln(sn + 0.01f);
    f[3] = qc_least(sn, 6) / 3;
    f[4] = (float)*dir * code;
    f[5] = qc_abs(code);
    f[6] = log_ratio(scale->row[i / row], scale->rms);
    f[7] = log_ratio(scale->column[i % columns], scale->rms);
    f[8] = log_ratio(scale->rms, scale->rms_net);
    f[9] = scale->depth;
    for (int r = 0; r < 4; r++) f[10 + r] = node->role == r ? 1.0f : 0.0f;
}

/* max(P(with) - P(against), 0); p: the logits of against, stay, with. */
static float score_of(float against, float stay, float with)
{
    if (!(with > against)) return 0.0f;
    float top = with > stay ? with : stay;
    against = qc_exp(against - top);
    stay = qc_exp(stay - top);
    with = qc_exp(with - top);
    return (with - against) / (with + stay + against);
}

/* The network's weights as floats, ready for the kernels. */
typedef struct Net {
    float w1[QC_FLIP_HIDDEN][QC_FLIP_FEATURES], w2[QC_FLIP_HIDDEN][QC_FLIP_HIDDEN], w3[3][QC_FLIP_HIDDEN];
} Net;

static void widen(float *w, const int8_t *q, const float *scale, uint32_t rows, uint32_t columns)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t i = 0; i < columns; i++) *w++ = scale[r] * (float)*q++;
}

void qc_flip_scores(const QcFlip *flip, const QcKernels *k, float *scores, float (*features)[QC_FLIP_FEATURES],
                    uint32_t n)
{
    Net net;
    float x[QC_FLIP_FEATURES][QC_K_LANES] = {{0}}, a[QC_FLIP_HIDDEN][QC_K_LANES], b[QC_FLIP_HIDDEN][QC_K_LANES],
          p[3][QC_K_LANES];
    widen(net.w1[0], flip->w1[0], flip->s1, QC_FLIP_HIDDEN, QC_FLIP_FEATURES);
    widen(net.w2[0], flip->w2[0], flip->s2, QC_FLIP_HIDDEN, QC_FLIP_HIDDEN);
    widen(net.w3[0], flip->w3[0], flip->s3, 3, QC_FLIP_HIDDEN);
    for (uint32_t j = 0; j < n; j += QC_K_LANES) {
        uint32_t lanes = n - j < QC_K_LANES ? n - j : QC_K_LANES;
        for (uint32_t l = 0; l < lanes; l++)
            for (int f = 0; f < QC_FLIP_FEATURES; f++)
                x[f][l] = (features[j + l][f] - flip->mean[f]) * flip->inverse[f];
        k->dense(a[0], x[0], net.w1[0], flip->b1, QC_FLIP_HIDDEN, QC_FLIP_FEATURES, 1);
        k->dense(b[0], a[0], net.w2[0], flip->b2, QC_FLIP_HIDDEN, QC_FLIP_HIDDEN, 1);
        k->dense(p[0], b[0], net.w3[0], flip->b3, 3, QC_FLIP_HIDDEN, 0);
        for (uint32_t l = 0; l < lanes; l++) scores[j + l] = score_of(p[0][l], p[1][l], p[2][l]);
    }
}

uint8_t qc_flip_byte(float score, int dir)
{
    if (!dir || !(score > 1.6e-5f)) return QC_FLIP_NEVER;
    int32_t level = (int32_t)(qc_ln(score) * -11.541560f + 0.5f); /* -8 log2(score) */
    if (level < 0) level = 0;
    if (level >= QC_FLIP_NEVER) return QC_FLIP_NEVER;
    return (uint8_t)((uint32_t)level | (dir > 0 ? QC_FLIP_UP : 0u));
}
