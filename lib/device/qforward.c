/* qforward.c - the integer forward pass, a node at a time. */
#include "qgraph.h"

#include "../kernels/mem.h"

/* The node's output: its slice and the range its codes are clamped to. */
typedef struct Slice {
    uint8_t *q;    /* of the first position */
    uint32_t step; /* bytes between positions */
    int32_t zero, low, high;
} Slice;

static Slice slice_of(const QcQRun *run, const QcQNode *node)
{
    const QcQTensor *out = &run->g->tensors[node->out];
    return (Slice){ qc_qrun_tensor(run, node->out) + node->out_channel, out->channels, out->zero, node->relu ? out->zero : 0,
                    (1 << out->bits) - 1 };
}

static uint8_t settle(int64_t product, uint32_t shift, const Slice *out)
{
    int64_t value = ((product + ((int64_t)1 << (shift - 1))) >> shift) + out->zero;
    return (uint8_t)(value < out->low ? out->low : value > out->high ? out->high : value);
}

/* The node's input with `fill` around it; the tensor itself where there is no padding. */
static const uint8_t *padded_input(QcQRun *run, const QcQNode *node, uint8_t fill)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    if (!(node->pad_top | node->pad_bottom | node->pad_left | node->pad_right)) return x;

    size_t left = (size_t)node->pad_left * in->channels, right = (size_t)node->pad_right * in->channels;
    size_t row = (size_t)in->width * in->channels, wide = left + row + right;
    uint8_t *to = run->padded;
    memset(to, fill, node->pad_top * wide);
    to += node->pad_top * wide;
    for (uint32_t h = 0; h < in->height; h++, x += row) {
        memset(to, fill, left);
        memcpy(to + left, x, row);
        memset(to + left + row, fill, right);
        to += wide;
    }
    memset(to, fill, node->pad_bottom * wide);
    return run->padded;
}

/* ---- convolutions ---- */

void qc_qconv_open(QcQConv *conv, QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    qc_qconv_shape(conv, run->g, node);
    conv->x = padded_input(run, node, in->zero);
    conv->dot.segment = run->segments;
    uint32_t row = conv->padded_w * in->channels * node->dilation_h, n = conv->dot.segments;
    uint32_t columns = n > node->kernel_h ? node->kernel_w : 1; /* segments in a kernel row */
    for (uint32_t s = 0; s < n; s++) run->segments[s] = s / columns * row + s % columns * node->dilation_w * in->channels;
}

/* Up to QC_Q_PANEL output channels of one group. */
typedef struct Panel {
    uint32_t channel, channels; /* first among the node's channels; how many */
    int32_t bias[QC_Q_PANEL];   /* less the zero point's share */
} Panel;

static void panel_open(QcQRun *run, Panel *panel, const QcQConv *conv, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    uint32_t segments = conv->dot.segments, first = panel->channel * segments * conv->length;
    QcKCodes codes = { g->codes + node->code_byte, first, panel->channels, segments, conv->length, g->bits };
    int32_t sum[QC_Q_PANEL];
    run->k->unpack(run->weights, sum, &codes);
    for (uint32_t o = 0; o < panel->channels; o++)
        panel->bias[o] = g->bias[node->channel + panel->channel + o] - g->tensors[node->in[0]].zero * sum[o];
}

static void panel_run(QcQRun *run, const Panel *panel, const QcQConv *conv, const QcQNode *node, const Slice *out)
{
    const QcQGraph *g = run->g;
    QcKDot dot = conv->dot;
    uint32_t entry = node->channel + panel->channel;
    const uint8_t *x = conv->x + panel->channel / conv->group_channels * conv->group_step;
    dot.blocks = (panel->channels + QC_K_LANES - 1) / QC_K_LANES;
    for (uint32_t row = 0; row < conv->rows; row++)
        for (uint32_t t = 0; t < conv->dot.positions; t += QC_Q_CHUNK) {
            uint32_t left = conv->dot.positions - t;
            dot.positions = left < QC_Q_CHUNK ? left : QC_Q_CHUNK;
            run->k->dot(run->sums, x + (size_t)row * conv->row_step + (size_t)t * dot.step, run->weights, &dot, g->bits);
            run->k->rescale(out->q + ((size_t)row * conv->dot.positions + t) * out->step + panel->channel, run->sums, panel->bias,
                            g->multiplier + entry, g->shift + entry, dot.positions, panel->channels, dot.blocks * QC_K_LANES,
                            out->step, out->zero, out->low, out->high);
        }
}

static void panel_logits(QcQRun *run, float *logits, const Panel *panel, const QcQConv *conv, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    QcKDot dot = conv->dot;
    dot.blocks = (panel->channels + QC_K_LANES - 1) / QC_K_LANES;
    run->k->dot(run->sums, conv->x + panel->channel / conv->group_channels * conv->group_step, run->weights, &dot, g->bits);
    for (uint32_t o = 0; o < panel->channels; o++) {
        float scale = g->tensors[node->in[0]].scale * g->scale[node->channel + panel->channel + o];
        logits[panel->channel + o] = (float)(run->sums[o] + panel->bias[o]) * scale;
    }
}

static void conv_run(QcQRun *run, float *logits, const QcQConv *conv, const QcQNode *node)
{
    Slice out = { 0 };
    if (node->op == QC_Q_CONV) out = slice_of(run, node);
    for (uint32_t group = 0; group < conv->groups; group++)
        for (uint32_t o = 0; o < conv->group_channels; o += QC_Q_PANEL) {
            uint32_t left = conv->group_channels - o;
            Panel panel = { .channel = group * conv->group_channels + o, .channels = left < QC_Q_PANEL ? left : QC_Q_PANEL };
            panel_open(run, &panel, conv, node);
            if (node->op == QC_Q_CONV) panel_run(run, &panel, conv, node, &out);
            else panel_logits(run, logits, &panel, conv, node);
        }
}

/* ---- pools ---- */

static void maxpool_run(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]], *out = &run->g->tensors[node->out];
    Slice slice = slice_of(run, node);
    uint32_t n = in->channels, column = node->dilation_w * n;
    size_t wide = (size_t)(node->pad_left + in->width + node->pad_right) * n;
    const uint8_t *x = padded_input(run, node, 0); /* no code is smaller */

    int is_series = node->kernel_h == 1 && node->stride_w == 1 && out->height == 1;
    if (is_series && out->channels == n) { /* all positions at once */
        run->k->max_rows(slice.q, x, node->kernel_w, column, out->width * n);
    } else {
        uint8_t *maxima = (uint8_t *)run->sums; /* of the kernel's rows */
        for (uint32_t h = 0; h < out->height; h++)
            for (uint32_t w = 0; w < out->width; w++) {
                const uint8_t *window = x + h * node->stride_h * wide + (size_t)w * node->stride_w * n;
                for (uint32_t kh = 0; kh < node->kernel_h; kh++)
                    run->k->max_rows(maxima + kh * n, window + kh * node->dilation_h * wide, node->kernel_w, column, n);
                run->k->max_rows(slice.q + ((size_t)h * out->width + w) * slice.step, maxima, node->kernel_h, n, n);
            }
    }
    if (slice.low == 0 && slice.high >= (1 << in->bits) - 1) return;
    for (uint32_t t = 0; t < (uint32_t)out->height * out->width; t++) {
        uint8_t *q = slice.q + (size_t)t * slice.step;
        for (uint32_t i = 0; i < n; i++) q[i] = (uint8_t)(q[i] < slice.low ? slice.low : q[i] > slice.high ? slice.high : q[i]);
    }
}

static void add_pixel(int32_t *sums, const uint8_t *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) sums[i] += x[i];
}

/* run->sums are of `inside` pixels and stand for `area` of them. */
static void settle_sums(QcQRun *run, uint8_t *q, const QcQNode *node, const Slice *slice, uint32_t inside, uint32_t area)
{
    const QcQGraph *g = run->g;
    const QcQTensor *in = &g->tensors[node->in[0]];
    int32_t zero = (int32_t)inside * in->zero;
    for (uint32_t i = 0; i < in->channels; i++) {
        int64_t sum = run->sums[i] - zero;
        if (inside != area) { /* floor((2 sum area + inside) / (2 inside)), for negative sums too */
            int64_t top = 2 * sum * area + inside, bottom = 2 * (int64_t)inside;
            sum = top / bottom - (top % bottom < 0);
        }
        q[i] = settle(sum * g->multiplier[node->channel], g->shift[node->channel], slice);
    }
}

static void avgpool_run(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]], *out = &run->g->tensors[node->out];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    Slice slice = slice_of(run, node);
    uint32_t area = (uint32_t)node->kernel_h * node->kernel_w;
    for (uint32_t h = 0; h < out->height; h++)
        for (uint32_t w = 0; w < out->width; w++) {
            uint32_t inside = 0;
            memset(run->sums, 0, in->channels * sizeof *run->sums);
            for (uint32_t kh = 0; kh < node->kernel_h; kh++)
                for (uint32_t kw = 0; kw < node->kernel_w; kw++) {
                    uint32_t y = h * node->stride_h + kh * node->dilation_h - node->pad_top; /* wraps to huge above the image */
                    uint32_t z = w * node->stride_w + kw * node->dilation_w - node->pad_left;
                    if (y >= in->height || z >= in->width) continue;
                    add_pixel(run->sums, x + ((size_t)y * in->width + z) * in->channels, in->channels);
                    inside++;
                }
            uint32_t of = node->count_padding || inside == 0 ? inside : area; /* padding has the value 0 */
            settle_sums(run, slice.q + ((size_t)h * out->width + w) * slice.step, node, &slice, inside, of);
        }
}

static void gap_run(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    Slice slice = slice_of(run, node);
    uint32_t count = (uint32_t)in->height * in->width;
    memset(run->sums, 0, in->channels * sizeof *run->sums);
    for (uint32_t t = 0; t < count; t++) add_pixel(run->sums, x + (size_t)t * in->channels, in->channels);
    settle_sums(run, slice.q, node, &slice, count, count);
}

/* ---- element by element ---- */

static void add_run(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const QcQTensor *a = &g->tensors[node->in[0]], *b = &g->tensors[node->in[1]];
    const uint8_t *qa = qc_qrun_tensor(run, node->in[0]), *qb = qc_qrun_tensor(run, node->in[1]);
    Slice out = slice_of(run, node);
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
    Slice out = slice_of(run, node);
    uint8_t map[256]; /* there are only so many codes */
    for (int32_t code = 0; code < 256; code++)
        map[code] = settle((int64_t)(code - in->zero) * g->multiplier[node->channel], g->shift[node->channel], &out);
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
        } else if (node->op == QC_Q_MAXPOOL) maxpool_run(run, node);
        else if (node->op == QC_Q_AVGPOOL) avgpool_run(run, node);
        else if (node->op == QC_Q_GAP) gap_run(run, node);
        else if (node->op == QC_Q_ADD) add_run(run, node);
        else copy_run(run, node);
        if (see) see(ctx, run, i, is_conv ? &conv : NULL);
    }
}

void qc_qrun_forward(QcQRun *run, float *logits, const uint8_t *x)
{
    qc_qrun_forward_seen(run, logits, x, run->g->n_nodes - 1, NULL, NULL);
}
