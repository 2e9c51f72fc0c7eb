#include "preact.h"

#include <string.h>

enum { CHUNK = 32 }; /* positions at once */

int qc_preact_init(QcPreact *p, QcMethodRun *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    size_t longest = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        QcQConv conv;
        if (g->nodes[i].op != QC_Q_CONV) continue;
        qc_qconv_shape(&conv, g, &g->nodes[i]);
        size_t bytes = (size_t)conv.dot.segments * conv.dot.run * QC_K_LANES;
        longest = bytes > longest ? bytes : longest;
    }
    p->sum = qc_method_take(l, g->n_channels, sizeof *p->sum, err);
    p->squares = qc_method_take(l, g->n_channels, sizeof *p->squares, err);
    p->count = qc_method_take(l, g->n_nodes, sizeof *p->count, err);
    p->weights = qc_method_take(l, longest, 1, err);
    p->sums = qc_method_take(l, CHUNK * QC_K_LANES, sizeof *p->sums, err);
    return p->sum && p->squares && p->count && p->weights && p->sums ? 0 : -1;
}

void qc_preact_clear(QcPreact *p, const QcQGraph *g)
{
    memset(p->sum, 0, g->n_channels * sizeof *p->sum);
    memset(p->squares, 0, g->n_channels * sizeof *p->squares);
    memset(p->count, 0, g->n_nodes * sizeof *p->count);
}

/* n sums of channels first .. first + n - 1 of the arrays, each less the zero point's share. */
static void add_chunk(QcPreact *p, uint32_t first, uint32_t n, uint32_t positions, const int32_t *less)
{
    for (uint32_t o = 0; o < n; o++) {
        double sum = 0, squares = 0;
        for (uint32_t t = 0; t < positions; t++) {
            double value = (double)(p->sums[t * QC_K_LANES + o] - less[o]);
            sum += value;
            squares += value * value;
        }
        p->sum[first + o] += sum;
        p->squares[first + o] += squares;
    }
}

/* Up to QC_K_LANES output channels of one group. */
static void add_block(QcPreact *p, const QcQRun *run, const QcQNode *node, const QcQConv *conv, uint32_t channel,
                      uint32_t n)
{
    const QcQGraph *g = run->g;
    uint32_t row = conv->dot.segments * conv->length;
    QcKCodes codes = {g->codes + node->code_byte, channel * row, row, n, conv->dot.segments, conv->length,
                      qc_code_bits(g, node)};
    int32_t less[QC_K_LANES];
    QcKDot dot = conv->dot;
    dot.blocks = 1;
    run->k->unpack(p->weights, less, &codes);
    for (uint32_t o = 0; o < n; o++) less[o] *= g->tensors[node->in[0]].zero;
    const uint8_t *x = conv->x + (size_t)(channel / conv->group_channels) * conv->group_step;
    for (uint32_t h = 0; h < conv->rows; h++)
        for (uint32_t t = 0; t < conv->dot.positions; t += CHUNK) {
            dot.positions = conv->dot.positions - t < CHUNK ? conv->dot.positions - t : CHUNK;
            run->k->dot(p->sums, x + (size_t)h * conv->row_step + (size_t)t * dot.step, p->weights, &dot,
                        qc_code_bits(g, node));
            add_chunk(p, node->channel + channel, n, dot.positions, less);
        }
}

static void see(void *ctx, QcQRun *run, uint32_t i, const QcQConv *conv)
{
    QcPreact *p = ctx;
    const QcQNode *node = &run->g->nodes[i];
    if (node->op != QC_Q_CONV) return;
    for (uint32_t group = 0; group < conv->groups; group++)
        for (uint32_t o = 0; o < conv->group_channels; o += QC_K_LANES) {
            uint32_t left = conv->group_channels - o;
            add_block(p, run, node, conv, group * conv->group_channels + o, left < QC_K_LANES ? left : QC_K_LANES);
        }
    p->count[i] += (double)conv->rows * conv->dot.positions;
}

void qc_preact_add(QcPreact *p, QcMethodRun *l, const uint8_t *x)
{
    /* the last node is not a convolution, and its logits are not needed */
    qc_qrun_forward_seen(&l->run, NULL, x, l->g->n_nodes - 2, see, p);
}
