/* qforward.c - the integer forward pass, a node at a time. */
#include "qnode.h"

#include "../kernels/mem.h"

/* ---- convolutions ---- */

/* Up to QC_Q_PANEL output channels of one group. Their weights are unpacked a piece at a time: some whole segments, or
 * a part of one. */
typedef struct Panel {
    uint32_t channel, channels; /* first among the node's channels; how many */
    uint32_t blocks;            /* of QC_K_LANES channels */
    int32_t sum[QC_Q_PANEL];    /* of each channel's weights, as far as they have been unpacked */
    int32_t bias[QC_Q_PANEL];   /* less the zero point's share; known when all pieces have been unpacked */
} Panel;

typedef struct Piece {
    uint32_t segment, segments; /* first; how many */
    uint32_t from, length;      /* codes of each */
} Piece;

/* Moves to the next piece (the first piece if segments is 0). Returns 0 if there are no more. */
static int piece_next(Piece *p, const QcQConv *conv, uint32_t most)
{
    int is_new = !p->segments;
    uint32_t end = is_new ? 0 : p->from + p->length;
    if (conv->dot.run <= most) { /* whole segments */
        *p = (Piece){.segment = is_new ? 0 : p->segment + p->segments, .length = conv->length};
        uint32_t left = conv->dot.segments - p->segment, fit = most / conv->dot.run;
        p->segments = left < fit ? left : fit;
        return left > 0;
    }
    if (end == conv->length) end = 0, p->segment++;
    *p = (Piece){.segment = p->segment,
                 .segments = 1,
                 .from = end,
                 .length = conv->length - end < most ? conv->length - end : most};
    return p->segment < conv->dot.segments;
}

static void piece_unpack(QcQRun *run, Panel *panel, const Piece *p, const QcQConv *conv, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    uint32_t row = conv->dot.segments * conv->length,
             first = panel->channel * row + p->segment * conv->length + p->from;
    QcKCodes codes = {qc_layer_codes(g, node), first, row, panel->channels, p->segments, p->length,
                      qc_code_bits(g, node)};
    int32_t sum[QC_Q_PANEL];
    run->k->unpack(run->weights, sum, &codes);
    for (uint32_t o = 0; o < panel->channels; o++) {
        panel->sum[o] += sum[o];
        panel->bias[o] = qc_layer_bias(g, node)[panel->channel + o] - g->tensors[node->in[0]].zero * panel->sum[o];
    }
}

/* run->sums = dot products of the unpacked piece at `positions` positions from x on; added to run->sums if `also`. */
static void piece_dot(QcQRun *run, const Panel *panel, const Piece *p, const QcQConv *conv, const QcQNode *node,
                      const uint8_t *x, uint32_t positions, int also)
{
    QcKDot dot = {.step = conv->dot.step,
                  .segments = p->segments,
                  .run = (p->length + 3) & ~3u,
                  .segment = conv->dot.segment + p->segment,
                  .blocks = panel->blocks};
    uint32_t lanes = panel->blocks * QC_K_LANES, most = also ? QC_Q_PART : positions;
    x += p->from;
    for (uint32_t t = 0; t < positions; t += most, x += (size_t)most * dot.step) {
        dot.positions = positions - t < most ? positions - t : most;
        run->k->dot(also ? run->part : run->sums, x, run->weights, &dot, qc_code_bits(run->g, node));
        if (also)
            for (uint32_t i = 0; i < dot.positions * lanes; i++) run->sums[t * lanes + i] += run->part[i];
    }
}

/* run->sums [positions][panel's blocks] of the whole weights. Where they are one piece, it is unpacked once. */
static void panel_dot(QcQRun *run, Panel *panel, const QcQConv *conv, const QcQNode *node, const uint8_t *x,
                      uint32_t positions)
{
    int is_one = conv->dot.segments * conv->dot.run <= run->piece, is_open = panel->blocks != 0;
    panel->blocks = (panel->channels + QC_K_LANES - 1) / QC_K_LANES;
    if (!is_one) memset(panel->sum, 0, sizeof panel->sum);
    Piece p = {0};
    for (int also = 0; piece_next(&p, conv, run->piece); also = 1) {
        if (!is_one || !is_open) piece_unpack(run, panel, &p, conv, node);
        piece_dot(run, panel, &p, conv, node, x, positions, also);
    }
}

static void panel_run(QcQRun *run, Panel *panel, const QcQConv *conv, const QcQNode *node, const QcOutputView *out)
{
    const QcQGraph *g = run->g;
    uint32_t entry = node->channel + panel->channel, step = conv->dot.step, positions = conv->dot.positions;
    const uint8_t *x = conv->x + panel->channel / conv->group_channels * conv->group_step;
    for (uint32_t row = 0; row < conv->rows; row++)
        for (uint32_t t = 0; t < positions; t += QC_Q_CHUNK) {
            uint32_t n = positions - t < QC_Q_CHUNK ? positions - t : QC_Q_CHUNK;
            panel_dot(run, panel, conv, node, x + (size_t)row * conv->row_step + (size_t)t * step, n);
            run->k->rescale(out->q + ((size_t)row * positions + t) * out->step + panel->channel, run->sums, panel->bias,
                            g->multiplier + entry, g->shift + entry, n, panel->channels, panel->blocks * QC_K_LANES,
                            out->step, out->zero, out->low, out->high);
        }
}

static void panel_logits(QcQRun *run, float *logits, Panel *panel, const QcQConv *conv, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    panel_dot(run, panel, conv, node, conv->x + panel->channel / conv->group_channels * conv->group_step, 1);
    for (uint32_t o = 0; o < panel->channels; o++) {
        float scale = g->tensors[node->in[0]].scale * qc_layer_scale(g, node)[panel->channel + o];
        logits[panel->channel + o] = (float)(run->sums[o] + panel->bias[o]) * scale;
    }
}

/* Channels of one group, as kernels take them that do a whole convolution. */
static QcKConv whole_of(QcQRun *run, const QcQConv *conv, const QcQNode *node, uint32_t channel, uint32_t channels)
{
    const QcQGraph *g = run->g;
    uint32_t row = conv->dot.segments * conv->length, entry = node->channel + channel;
    return (QcKConv){.x = conv->x + channel / conv->group_channels * conv->group_step,
                     .codes = {qc_layer_codes(g, node), channel * row, row, channels, conv->dot.segments, conv->length,
                               qc_code_bits(g, node)},
                     .segment = conv->dot.segment,
                     .rows = conv->rows,
                     .row_step = conv->row_step,
                     .positions = conv->dot.positions,
                     .step = conv->dot.step,
                     .bias = qc_layer_bias(g, node) + channel,
                     .multiplier = g->multiplier + entry,
                     .shift = g->shift + entry,
                     .zero_in = g->tensors[node->in[0]].zero,
                     .scratch = run->weights,
                     .scratch_bytes = run->scratch_bytes};
}

/* Runs the whole convolution if the kernels have a faster function for it. If they have none for one group, they
 * have none for the other groups, which have the same shape. */
static int whole_run(QcQRun *run, const QcQConv *conv, const QcQNode *node, const QcOutputView *out)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    int is_series =
        in->height == 1 && conv->rows == 1 && conv->dot.segments == 1 && node->pad_top == 0 && node->pad_bottom == 0;
    uint32_t seen = (conv->dot.positions - 1) * conv->dot.step + conv->length,
             border = (node->pad_left + (uint32_t)in->width) * in->channels;
    for (uint32_t group = 0; run->k->conv && group < conv->groups; group++) {
        uint32_t channel = group * conv->group_channels;
        QcKConv how = whole_of(run, conv, node, channel, conv->group_channels);
        how.before = is_series ? node->pad_left * in->channels : 0;
        how.after = is_series && seen > border ? seen - border : 0;
        how.out_step = out->step;
        how.zero = out->zero, how.low = out->low, how.high = out->high;
        if (!run->k->conv(out->q + channel, &how)) return 0;
    }
    return run->k->conv != NULL;
}

enum { LINEAR_CHANNELS = QC_Q_CHUNK * QC_Q_PANEL }; /* at a time: as many as run->sums holds */

/* One position, straight from the packed codes. Logits NULL: codes of the output. */
static int linear_run(QcQRun *run, float *logits, const QcQConv *conv, const QcQNode *node, const QcOutputView *out)
{
    const QcQGraph *g = run->g;
    if (!run->k->linear || conv->groups > 1 || conv->rows * conv->dot.positions > 1) return 0;
    for (uint32_t channel = 0, n; channel < conv->group_channels; channel += n) {
        n = conv->group_channels - channel < LINEAR_CHANNELS ? conv->group_channels - channel : LINEAR_CHANNELS;
        QcKConv how = whole_of(run, conv, node, channel, n);
        how.scratch_bytes = (size_t)((const int8_t *)run->sums - run->weights);
        if (!run->k->linear(run->sums, &how)) return 0;
        if (!logits)
            run->k->rescale(out->q + channel, run->sums, how.bias, how.multiplier, how.shift, 1, n, n, out->step,
                            out->zero, out->low, out->high);
        for (uint32_t o = 0; logits && o < n; o++)
            logits[channel + o] = (float)(run->sums[o] + how.bias[o]) *
                                  (g->tensors[node->in[0]].scale * qc_layer_scale(g, node)[channel + o]);
    }
    return 1;
}

static void depthwise_block(QcQRun *run, const QcQConv *conv, const QcQNode *node, const QcOutputView *out,
                            uint32_t channel, uint32_t channels)
{
    const QcQGraph *g = run->g;
    uint32_t taps = conv->dot.segments, entry = node->channel + channel, positions = conv->dot.positions;
    /* unpacked as one run, [taps / 4][lanes][4], at the end of run->weights, then copied to its beginning as
     * [taps][lanes] */
    QcKCodes codes = {g->codes + node->code_byte, channel * taps, taps, channels, 1, taps, qc_code_bits(g, node)};
    int32_t sum[QC_K_LANES], bias[QC_K_LANES];
    int8_t *to = run->weights, *from = to + taps * 4 * QC_K_LANES - ((taps + 3) & ~3u) * QC_K_LANES;
    run->k->unpack(from, sum, &codes);
    for (uint32_t s = 0; s < taps; s++)
        for (uint32_t lane = 0; lane < QC_K_LANES; lane++)
            *to++ = from[(s / 4 * QC_K_LANES + lane) * 4 + s % 4];
    for (uint32_t i = 0; i < channels; i++) bias[i] = g->bias[entry + i] - g->tensors[node->in[0]].zero * sum[i];
    for (uint32_t row = 0; row < conv->rows; row++)
        for (uint32_t t = 0; t < positions; t += QC_Q_CHUNK) {
            uint32_t n = positions - t < QC_Q_CHUNK ? positions - t : QC_Q_CHUNK;
            const uint8_t *x = conv->x + channel + (size_t)row * conv->row_step + (size_t)t * conv->dot.step;
            QcKDot dot = conv->dot;
            dot.positions = n;
            run->k->depthwise(run->sums, x, run->weights, &dot);
            run->k->rescale(out->q + ((size_t)row * positions + t) * out->step + channel, run->sums, bias,
                            g->multiplier + entry, g->shift + entry, n, channels, QC_K_LANES, out->step, out->zero,
                            out->low, out->high);
        }
}

/* Convolution in which every channel is its own group. */
static int depthwise_run(QcQRun *run, const QcQConv *conv, const QcQNode *node, const QcOutputView *out)
{
    if (conv->groups == 1 || conv->group_step != 1 || conv->group_channels != 1) return 0;
    if (run->k->depthwise_conv) {
        QcKConv how = whole_of(run, conv, node, 0, conv->groups);
        how.out_step = out->step;
        how.zero = out->zero, how.low = out->low, how.high = out->high;
        if (run->k->depthwise_conv(out->q, &how)) return 1;
    }
    if (conv->dot.segments * conv->dot.run > run->piece) return 0; /* its weights are more than one piece */
    for (uint32_t channel = 0; channel < conv->groups; channel += QC_K_LANES) {
        uint32_t left = conv->groups - channel;
        depthwise_block(run, conv, node, out, channel, left < QC_K_LANES ? left : QC_K_LANES);
    }
    return 1;
}

static void band_run(QcQRun *run, float *logits, const QcQConv *conv, const QcQNode *node, const QcOutputView *out)
{
    if (linear_run(run, node->op == QC_Q_CONV ? NULL : logits, conv, node, out)) return;
    if (node->op == QC_Q_CONV && (depthwise_run(run, conv, node, out) || whole_run(run, conv, node, out))) return;
    for (uint32_t group = 0; group < conv->groups; group++)
        for (uint32_t o = 0; o < conv->group_channels; o += QC_Q_PANEL) {
            uint32_t left = conv->group_channels - o;
            Panel panel = {.channel = group * conv->group_channels + o,
                           .channels = left < QC_Q_PANEL ? left : QC_Q_PANEL};
            if (node->op == QC_Q_CONV) panel_run(run, &panel, conv, node, out);
            else panel_logits(run, logits, &panel, conv, node);
        }
}

static void conv_run(QcQRun *run, float *logits, QcQConv *conv, const QcQNode *node)
{
    const uint32_t rows = conv->rows;
    QcOutputView out = { 0 };
    if (node->op == QC_Q_CONV) out = qc_output_view(run, node);
    for (uint32_t row = 0;;) {
        conv->rows = rows - row < conv->band ? rows - row : conv->band;
        if (row) qc_qconv_pad(run, node, row, conv->rows);
        band_run(run, logits, conv, node, &out);
        row += conv->rows;
        if (row >= rows) break; /* logits have one row, and no output */
        out.q += (size_t)conv->rows * conv->dot.positions * out.step;
    }
    conv->rows = rows;
}

/* ---- element by element ---- */

static void add_run(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const QcQTensor *a = &g->tensors[node->in[0]], *b = &g->tensors[node->in[1]];
    const uint8_t *qa = qc_qrun_tensor(run, node->in[0]), *qb = qc_qrun_tensor(run, node->in[1]);
    QcOutputView out = qc_output_view(run, node);
    const int32_t *m = g->multiplier + node->channel;
    QcKAdd how = { a->zero, b->zero, m[0], m[1], g->shift[node->channel], out.zero, out.low, out.high };
    uint32_t n = a->channels, rows = (uint32_t)a->height * a->width;
    if (out.step == n) {
        n *= rows;
        rows = 1;
    }
    for (uint32_t t = 0; t < rows; t++)
        run->k->add(out.q + (size_t)t * out.step, qa + (size_t)t * n, qb + (size_t)t * n, n, &how);
}

static void copy_run(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const QcQTensor *in = &g->tensors[node->in[0]];
    const uint8_t *q = qc_qrun_tensor(run, node->in[0]);
    QcOutputView out = qc_output_view(run, node);
    uint8_t map[256]; /* a table: codes have only 256 values */
    for (int32_t code = 0; code < 256; code++)
        map[code] =
            qc_requantize((int64_t)(code - in->zero) * g->multiplier[node->channel], g->shift[node->channel], &out);
    uint32_t rows = (uint32_t)in->height * in->width;
    for (uint32_t t = 0; t < rows; t++, q += in->channels, out.q += out.step)
        for (uint32_t i = 0; i < in->channels; i++) out.q[i] = map[q[i]];
}

/* ---- the graph ---- */

void qc_qrun_forward_seen(QcQRun *run, float *logits, const uint8_t *x, uint32_t last, QcQSee see, void *ctx)
{
    const QcQGraph *g = run->g;
    const QcQTensor *input = &g->tensors[0];
    uint8_t *start = qc_qrun_tensor(run, 0);
    if (x != start) memcpy(start, x, (size_t)input->height * input->width * input->channels);

    for (uint32_t i = 0; i < g->n_nodes && i <= last; i++) {
        const QcQNode *node = &g->nodes[i];
        QcQConv conv;
        int is_conv = node->op == QC_Q_CONV || node->op == QC_Q_LOGITS;
        if (is_conv) {
            qc_qconv_open(&conv, run, node);
            conv_run(run, logits, &conv, node);
        } else if (node->op == QC_Q_MAXPOOL) qc_qnode_maxpool(run, node);
        else if (node->op == QC_Q_AVGPOOL) qc_qnode_avgpool(run, node);
        else if (node->op == QC_Q_GAP) qc_qnode_gap(run, node);
        else if (node->op == QC_Q_STD) qc_qnode_std(run, node);
        else if (node->op == QC_Q_ADD) add_run(run, node);
        else if (node->op == QC_Q_TABLE) qc_qnode_table(run, node);
        else if (node->op == QC_Q_MUL) qc_qnode_mul(run, node);
        else if (node->op == QC_Q_TURN) qc_qnode_turn(run, node);
        else copy_run(run, node);
        if (see) see(ctx, run, i, is_conv && !run->inference_only ? &conv : NULL);
    }
}

void qc_qrun_logits(QcQRun *run, float *logits)
{
    const QcQNode *last = &run->g->nodes[run->g->n_nodes - 1];
    QcQConv conv;
    qc_qconv_open(&conv, run, last);
    conv_run(run, logits, &conv, last);
}

void qc_qrun_forward(QcQRun *run, float *logits, const uint8_t *x)
{
    qc_qrun_forward_seen(run, logits, x, run->g->n_nodes - 1, NULL, NULL);
}
