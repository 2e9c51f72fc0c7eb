/* test_qgraph.c - the integer forward pass against the formulas of qgraph.h, written a second time as plainly as can be, on
 * random graphs. */
#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/device/qgraph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 12, MAX_TENSORS = 12, MAX_CHANNELS = 4000, MAX_CODE_BYTES = 1 << 18, MAX_VALUES = 1 << 16 };

/* ---- random graphs ---- */

typedef struct Sample {
    QcQGraph g;
    QcQTensor tensors[MAX_TENSORS];
    QcQNode nodes[MAX_NODES];
    uint8_t codes[MAX_CODE_BYTES];
    float scale[MAX_CHANNELS];
    int32_t bias[MAX_CHANNELS], multiplier[MAX_CHANNELS];
    uint8_t shift[MAX_CHANNELS];
    uint8_t input[MAX_VALUES];
    QcRng rng;
} Sample;

static uint32_t pick(Sample *s, uint32_t low, uint32_t high) { return low + qc_rng_below(&s->rng, high - low + 1); }

static uint16_t tensor_new(Sample *s, uint32_t height, uint32_t width, uint32_t channels)
{
    static const uint8_t widths[] = { 8, 8, 8, 4, 2, 5 };
    uint32_t i = s->g.n_tensors++;
    ck_assert_uint_lt(i, MAX_TENSORS);
    ck_assert_uint_le(height * width * channels, MAX_VALUES);
    uint8_t bits = widths[pick(s, 0, 5)];
    s->tensors[i] = (QcQTensor){ .height = (uint16_t)height,
                                 .width = (uint16_t)width,
                                 .channels = (uint16_t)channels,
                                 .bits = bits,
                                 .zero = pick(s, 0, 1) ? (uint8_t)(1 << (bits - 1)) : 0,
                                 .scale = 0.01f + qc_rng_unit(&s->rng),
                                 .offset = s->g.activation_bytes };
    s->g.activation_bytes += height * width * channels + pick(s, 0, 5);
    return (uint16_t)i;
}

static QcQNode *node_new(Sample *s, QcQOp op, uint16_t in)
{
    QcQNode *node = &s->nodes[s->g.n_nodes++];
    ck_assert_uint_le(s->g.n_nodes, MAX_NODES);
    *node = (QcQNode){ .op = (uint8_t)op,
                       .relu = (uint8_t)pick(s, 0, 1),
                       .in = { in, in },
                       .groups = 1,
                       .kernel_h = 1,
                       .kernel_w = 1,
                       .stride_h = 1,
                       .stride_w = 1,
                       .dilation_h = 1,
                       .dilation_w = 1,
                       .channel = s->g.n_channels };
    node->channels = s->tensors[in].channels;
    return node;
}

/* One rescaling, such that sums of about `spread` fill about the range of codes; now and then an extreme one. */
static void entry_new(Sample *s, double spread)
{
    uint32_t i = s->g.n_channels++;
    ck_assert_uint_lt(i, MAX_CHANNELS);
    int shift = 30 + (int)floor(log2(spread / 60 + 1)) + (int)pick(s, 0, 2) - 1;
    s->multiplier[i] = (int32_t)pick(s, 1u << 30, (1u << 31) - 1);
    s->shift[i] = (uint8_t)(shift < 1 ? 1 : shift > 62 ? 62 : shift);
    s->scale[i] = 0.001f + qc_rng_unit(&s->rng);
    s->bias[i] = (int32_t)((qc_rng_unit(&s->rng) - 0.5f) * (float)spread);
    uint32_t odd = pick(s, 0, 99);
    if (odd == 0) s->shift[i] = (uint8_t)pick(s, 1, 62);
    if (odd == 1) s->multiplier[i] = (int32_t)pick(s, 0, 2);
    if (odd == 2) s->multiplier[i] = INT32_MAX;
}

static void window_new(Sample *s, QcQNode *node, uint32_t largest, int dilated)
{
    const QcQTensor *in = &s->tensors[node->in[0]];
    int series = in->height == 1 && pick(s, 0, 3) > 0;
    node->kernel_w = (uint16_t)pick(s, 1, largest);
    node->kernel_h = series ? 1 : (uint16_t)pick(s, 1, 3);
    node->stride_w = (uint16_t)pick(s, 1, 2);
    node->stride_h = (uint16_t)pick(s, 1, 2);
    node->dilation_w = dilated ? (uint16_t)pick(s, 1, 3) : 1;
    node->dilation_h = dilated ? (uint16_t)pick(s, 1, 2) : 1;
    /* padding below one dilated kernel keeps a pixel in every window; the kernel must fit */
    uint32_t reach_w = (node->kernel_w - 1u) * node->dilation_w, reach_h = (node->kernel_h - 1u) * node->dilation_h;
    node->pad_left = (uint16_t)pick(s, 0, reach_w);
    node->pad_right = (uint16_t)pick(s, 0, reach_w);
    node->pad_top = (uint16_t)pick(s, 0, reach_h);
    node->pad_bottom = (uint16_t)pick(s, 0, reach_h);
    while ((uint32_t)node->pad_left + in->width + node->pad_right <= reach_w) node->pad_left++;
    while ((uint32_t)node->pad_top + in->height + node->pad_bottom <= reach_h) node->pad_top++;
}

static uint32_t out_height(const QcQNode *node, const QcQTensor *in)
{
    return (node->pad_top + (uint32_t)in->height + node->pad_bottom - (node->kernel_h - 1u) * node->dilation_h - 1) /
               node->stride_h +
           1;
}

static uint32_t out_width(const QcQNode *node, const QcQTensor *in)
{
    return (node->pad_left + (uint32_t)in->width + node->pad_right - (node->kernel_w - 1u) * node->dilation_w - 1) /
               node->stride_w +
           1;
}

static void weights_new(Sample *s, QcQNode *node)
{
    const QcQTensor *in = &s->tensors[node->in[0]];
    uint32_t n = (uint32_t)node->kernel_h * node->kernel_w * in->channels / node->groups;
    node->n_codes = n * node->channels;
    node->code = s->g.n_codes;
    node->code_byte = s->g.n_code_bytes;
    s->g.n_codes += node->n_codes;
    s->g.n_code_bytes += (node->n_codes * s->g.bits + 7) / 8;
    ck_assert_uint_le(s->g.n_code_bytes, MAX_CODE_BYTES);
    for (uint32_t i = node->code_byte; i < s->g.n_code_bytes; i++) s->codes[i] = (uint8_t)qc_rng_next(&s->rng);
    double spread = sqrt(n) * (1 << (in->bits - 1)) * (1 << (s->g.bits - 1)) / 2;
    for (uint32_t o = 0; o < node->channels; o++) entry_new(s, spread);
}

static void finish_into_new(Sample *s, QcQNode *node, uint32_t height, uint32_t width)
{
    uint32_t before = pick(s, 0, 2) ? 0 : pick(s, 1, 9),
             after = pick(s, 0, 2) ? 0 : pick(s, 1, 9); /* a slice of something wider */
    node->out = tensor_new(s, height, width, before + node->channels + after);
    node->out_channel = (uint16_t)before;
}

static void conv_new(Sample *s, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, QC_Q_CONV, in);
    if (pick(s, 0, 3)) window_new(s, node, x->width < 4 ? 3 : pick(s, 0, 1) ? 5 : 23, pick(s, 0, 3) == 0);
    if (pick(s, 0, 3) == 0) {
        do node->groups = (uint16_t)pick(s, 1, x->channels);
        while (x->channels % node->groups);
    }
    node->channels = (uint16_t)(node->groups * pick(s, 1, node->groups > 3 ? 3 : 37));
    weights_new(s, node);
    finish_into_new(s, node, out_height(node, x), out_width(node, x));
}

static void pool_new(Sample *s, QcQOp op, uint16_t in)
{
    QcQNode *node = node_new(s, op, in);
    window_new(s, node, 4, 0);
    node->count_padding = (uint8_t)pick(s, 0, 1);
    if (op == QC_Q_AVGPOOL) entry_new(s, 64. * node->kernel_h * node->kernel_w);
    finish_into_new(s, node, out_height(node, &s->tensors[in]), out_width(node, &s->tensors[in]));
}

static void pointwise_new(Sample *s, QcQOp op, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, op, in);
    if (op == QC_Q_ADD)
        for (uint16_t t = 0; t < s->g.n_tensors; t++) /* any other tensor of this shape will do */
            if (s->tensors[t].height == x->height && s->tensors[t].width == x->width && s->tensors[t].channels == x->channels)
                node->in[1] = t;
    entry_new(s, 60);
    entry_new(s, 60);
    s->shift[s->g.n_channels - 1] = s->shift[s->g.n_channels - 2];
    finish_into_new(s, node, x->height, x->width);
}

static void sample_new(Sample *s, int seed)
{
    memset(s, 0, sizeof *s);
    s->rng = qc_rng_seed((uint64_t)seed, 1);
    s->g = (QcQGraph){ .bits = (uint8_t)(2 << seed % 3),
                       .tensors = s->tensors,
                       .nodes = s->nodes,
                       .codes = s->codes,
                       .scale = s->scale,
                       .bias = s->bias,
                       .multiplier = s->multiplier,
                       .shift = s->shift };
    int series = pick(s, 0, 1);
    tensor_new(s, series ? 1 : pick(s, 1, 9), series ? pick(s, 1, 70) : pick(s, 1, 9),
               pick(s, 0, 1) ? pick(s, 1, 9) : 4 * pick(s, 1, 8));
    const QcQTensor *input = &s->tensors[0];
    for (uint32_t i = 0; i < (uint32_t)input->height * input->width * input->channels; i++)
        s->input[i] = (uint8_t)(qc_rng_next(&s->rng) & ((1u << input->bits) - 1));
    for (uint32_t n = pick(s, 1, 8); n > 0; n--) {
        uint16_t in = (uint16_t)(s->g.n_tensors - 1);
        switch (pick(s, 0, 7)) {
        case 0: pool_new(s, QC_Q_MAXPOOL, in); break;
        case 1: pool_new(s, QC_Q_AVGPOOL, in); break;
        case 2: pointwise_new(s, QC_Q_ADD, in); break;
        case 3: pointwise_new(s, QC_Q_COPY, in); break;
        default: conv_new(s, in);
        }
    }
    uint16_t in = (uint16_t)(s->g.n_tensors - 1);
    if (pick(s, 0, 1)) {
        QcQNode *gap = node_new(s, QC_Q_GAP, in);
        entry_new(s, 40. * s->tensors[in].height * s->tensors[in].width);
        finish_into_new(s, gap, 1, 1);
        in = gap->out;
    }
    QcQNode *last = node_new(s, QC_Q_LOGITS, in); /* without pooling: the kernel is the image, as of a flattened one */
    last->kernel_h = s->tensors[in].height;
    last->kernel_w = s->tensors[in].width;
    last->channels = (uint16_t)pick(s, 2, 40);
    last->out = UINT16_MAX;
    s->g.classes = last->channels;
    weights_new(s, last);
}

/* ---- the reference: one value at a time, 64 bits ---- */

static uint8_t *plane[MAX_TENSORS];

static int64_t value(const Sample *s, uint32_t t, int64_t y, int64_t x, uint32_t c)
{
    const QcQTensor *tensor = &s->tensors[t];
    if (y < 0 || x < 0 || y >= tensor->height || x >= tensor->width) return 0; /* padding has the value zero */
    return plane[t][((uint32_t)y * tensor->width + (uint32_t)x) * tensor->channels + c] - tensor->zero;
}

static int inside(const QcQTensor *tensor, int64_t y, int64_t x)
{
    return y >= 0 && x >= 0 && y < tensor->height && x < tensor->width;
}

static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t code(const Sample *s, const QcQNode *node, uint64_t j) /* bit by bit */
{
    int64_t v = 0;
    for (uint32_t b = 0; b < s->g.bits; b++) {
        uint64_t at = j * s->g.bits + b;
        int64_t bit = s->codes[node->code_byte + at / 8] >> at % 8 & 1;
        v += b + 1u == s->g.bits ? -(bit << b) : bit << b;
    }
    return v;
}

static int64_t conv_sum(const Sample *s, const QcQNode *node, uint32_t h, uint32_t w, uint32_t o)
{
    uint32_t in = s->tensors[node->in[0]].channels / node->groups, group = o / (node->channels / node->groups);
    int64_t sum = s->bias[node->channel + o];
    for (uint32_t kh = 0; kh < node->kernel_h; kh++)
        for (uint32_t kw = 0; kw < node->kernel_w; kw++)
            for (uint32_t i = 0; i < in; i++)
                sum += value(s, node->in[0], (int64_t)h * node->stride_h + kh * node->dilation_h - node->pad_top,
                             (int64_t)w * node->stride_w + kw * node->dilation_w - node->pad_left, group * in + i) *
                       code(s, node, (((uint64_t)o * node->kernel_h + kh) * node->kernel_w + kw) * in + i);
    return sum;
}

static int64_t pool(const Sample *s, const QcQNode *node, uint32_t h, uint32_t w, uint32_t c)
{
    const QcQTensor *in = &s->tensors[node->in[0]];
    int64_t sum = 0, top = INT64_MIN, n = 0, area = node->kernel_h * node->kernel_w;
    for (uint32_t kh = 0; kh < node->kernel_h; kh++)
        for (uint32_t kw = 0; kw < node->kernel_w; kw++) {
            int64_t y = (int64_t)h * node->stride_h + kh - node->pad_top, x = (int64_t)w * node->stride_w + kw - node->pad_left;
            if (!inside(in, y, x)) continue;
            int64_t v = value(s, node->in[0], y, x, c);
            sum += v;
            n++;
            if (v > top) top = v;
        }
    if (node->op == QC_Q_MAXPOOL) return n ? top : -in->zero;
    return node->count_padding || n == 0 ? sum : floor_divide(2 * sum * area + n, 2 * n);
}

static uint8_t rescaled(const Sample *s, const QcQNode *node, int64_t product, uint32_t entry)
{
    const QcQTensor *out = &s->tensors[node->out];
    int64_t q = floor_divide(product + ((int64_t)1 << (s->shift[entry] - 1)), (int64_t)1 << s->shift[entry]) + out->zero;
    int64_t low = node->relu ? out->zero : 0, high = (1 << out->bits) - 1;
    return (uint8_t)(q < low ? low : q > high ? high : q);
}

static uint8_t pixel(const Sample *s, const QcQNode *node, uint32_t h, uint32_t w, uint32_t c)
{
    const QcQTensor *in = &s->tensors[node->in[0]], *out = &s->tensors[node->out];
    uint32_t entry = node->channel;
    int64_t m = s->multiplier[entry], v;
    switch (node->op) {
    case QC_Q_CONV: return rescaled(s, node, conv_sum(s, node, h, w, c) * s->multiplier[entry + c], entry + c);
    case QC_Q_MAXPOOL:
        v = pool(s, node, h, w, c) + in->zero;
        v = node->relu && v < out->zero ? out->zero : v;
        return (uint8_t)(v < (1 << out->bits) - 1 ? v : (1 << out->bits) - 1);
    case QC_Q_AVGPOOL: return rescaled(s, node, pool(s, node, h, w, c) * m, entry);
    case QC_Q_GAP:
        v = 0;
        for (uint32_t y = 0; y < in->height; y++)
            for (uint32_t x = 0; x < in->width; x++) v += value(s, node->in[0], y, x, c);
        return rescaled(s, node, v * m, entry);
    case QC_Q_ADD:
        return rescaled(s, node, value(s, node->in[0], h, w, c) * m + value(s, node->in[1], h, w, c) * s->multiplier[entry + 1],
                        entry);
    default: return rescaled(s, node, value(s, node->in[0], h, w, c) * m, entry);
    }
}

static void reference(Sample *s, float *logits)
{
    memcpy(plane[0], s->input, MAX_VALUES);
    for (uint32_t i = 0; i < s->g.n_nodes; i++) {
        const QcQNode *node = &s->nodes[i];
        if (node->op == QC_Q_LOGITS) {
            for (uint32_t o = 0; o < node->channels; o++) {
                float scale = s->tensors[node->in[0]].scale * s->scale[node->channel + o];
                logits[o] = (float)conv_sum(s, node, 0, 0, o) * scale;
            }
            continue;
        }
        const QcQTensor *out = &s->tensors[node->out];
        for (uint32_t h = 0; h < out->height; h++)
            for (uint32_t w = 0; w < out->width; w++)
                for (uint32_t c = 0; c < node->channels; c++)
                    plane[node->out][(h * out->width + w) * out->channels + node->out_channel + c] = pixel(s, node, h, w, c);
    }
}

/* ---- the tests ---- */

static Sample *sample;

static void setup(void)
{
    sample = malloc(sizeof *sample);
    for (int t = 0; t < MAX_TENSORS; t++) plane[t] = calloc(1, MAX_VALUES);
}

static void teardown(void)
{
    free(sample);
    for (int t = 0; t < MAX_TENSORS; t++) free(plane[t]);
}

/* Exactly the bytes it asks for, so that a sanitizer sees one too many. */
static void *memory_for(const QcQGraph *g, uint8_t fill)
{
    size_t bytes = (size_t)qc_qgraph_bytes(g);
    void *memory = aligned_alloc(64, bytes);
    ck_assert_uint_eq(bytes % 64, 0);
    ck_assert_ptr_nonnull(memory);
    memset(memory, fill, bytes);
    memset(memory, 0, g->activation_bytes); /* slices that no node writes read as zero, as in the reference */
    return memory;
}

/* Sees each node just after it ran: compares its output with the reference's tensor, and the sums that bit-flipping takes of it
 * with sums taken from the formulas. */
typedef struct Watch {
    const Sample *s;
    uint32_t next;
} Watch;

static void check_masked_sums(const Sample *s, QcQRun *run, const QcQNode *node, const QcQConv *conv)
{
    const QcQTensor *in = &s->tensors[node->in[0]], *out = &s->tensors[node->out];
    uint32_t inputs = in->channels / node->groups, n = conv->dot.segments * conv->length;
    ck_assert_uint_eq(n, node->kernel_h * node->kernel_w * inputs);
    int32_t *got = calloc((size_t)node->channels * n, sizeof *got),
            *part = calloc((size_t)node->channels * conv->length, sizeof *part);
    const uint8_t *mask = qc_qrun_tensor(run, node->out) + node->out_channel;
    for (uint32_t group = 0; group < conv->groups; group++)
        for (uint32_t row = 0; row < conv->rows; row++)
            for (uint32_t k = 0; k < conv->dot.segments; k++) {
                run->k->masked_sum(part, conv->x + (size_t)row * conv->row_step + group * conv->group_step + conv->dot.segment[k],
                                   mask + (size_t)row * conv->dot.positions * out->channels + group * conv->group_channels,
                                   conv->dot.positions, conv->dot.step, out->channels, conv->length, conv->group_channels);
                for (uint32_t o = 0; o < conv->group_channels; o++)
                    for (uint32_t i = 0; i < conv->length; i++)
                        got[((size_t)(group * conv->group_channels + o) * conv->dot.segments + k) * conv->length + i] +=
                            part[o * conv->length + i];
            }
    for (uint32_t o = 0; o < node->channels; o += 1 + node->channels / 7)
        for (uint32_t j = 0; j < n; j += 1 + n / 13) {
            uint32_t kh = j / inputs / node->kernel_w, kw = j / inputs % node->kernel_w;
            uint32_t i = j % inputs + o / (node->channels / node->groups) * inputs;
            int64_t sum = 0;
            for (uint32_t h = 0; h < out->height; h++)
                for (uint32_t w = 0; w < out->width; w++)
                    if (plane[node->out][(h * out->width + w) * out->channels + node->out_channel + o])
                        sum += value(s, node->in[0], (int64_t)h * node->stride_h + kh * node->dilation_h - node->pad_top,
                                     (int64_t)w * node->stride_w + kw * node->dilation_w - node->pad_left, i) +
                               in->zero;
            ck_assert_int_eq(sum, got[(size_t)o * n + j]);
        }
    free(got);
    free(part);
}

static void watch(void *ctx, QcQRun *run, uint32_t i, const QcQConv *conv)
{
    Watch *w = ctx;
    const QcQNode *node = &w->s->nodes[i];
    ck_assert_uint_eq(i, w->next++);
    ck_assert_int_eq(conv != NULL, node->op == QC_Q_CONV || node->op == QC_Q_LOGITS);
    if (node->op == QC_Q_LOGITS) return;
    const QcQTensor *out = &w->s->tensors[node->out];
    for (uint32_t t = 0; t < (uint32_t)out->height * out->width; t++)
        for (uint32_t c = 0; c < node->channels; c++) {
            uint32_t at = t * out->channels + node->out_channel + c;
            ck_assert_msg(qc_qrun_tensor(run, node->out)[at] == plane[node->out][at],
                          "node %u (op %d), position %u, channel %u: %d instead of %d", i, node->op, t, c,
                          qc_qrun_tensor(run, node->out)[at], plane[node->out][at]);
        }
    if (conv) check_masked_sums(w->s, run, node, conv);
}

START_TEST(forward_follows_the_formulas)
{
    Sample *s = sample;
    sample_new(s, _i);
    float expected[64], logits[64];
    reference(s, expected);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        void *memory = memory_for(&s->g, (uint8_t)(0xa5 + _i));
        QcQRun run;
        qc_qrun_place(&run, &s->g, *k, memory);
        Watch w = { s, 0 };
        qc_qrun_forward_seen(&run, logits, s->input, s->g.n_nodes - 1, watch, &w);
        ck_assert_uint_eq(w.next, s->g.n_nodes);
        ck_assert_mem_eq(logits, expected, s->g.classes * sizeof *logits);
        memset(logits, 0, sizeof logits);
        qc_qrun_forward(&run, logits, s->input); /* what a run leaves behind does not matter to the next */
        ck_assert_mem_eq(logits, expected, s->g.classes * sizeof *logits);
        free(memory);
    }
}
END_TEST

START_TEST(forward_stops_after_last)
{
    Sample *s = sample;
    sample_new(s, _i);
    float unused[64];
    reference(s, unused);
    void *memory = memory_for(&s->g, 0);
    QcQRun run;
    qc_qrun_place(&run, &s->g, &qc_kernels_scalar, memory);
    uint32_t last = s->g.n_nodes / 2 ? s->g.n_nodes / 2 - 1 : 0;
    Watch w = { s, 0 };
    memcpy(qc_qrun_tensor(&run, 0), s->input, (size_t)s->tensors[0].height * s->tensors[0].width * s->tensors[0].channels);
    qc_qrun_forward_seen(&run, s->nodes[last].op == QC_Q_LOGITS ? unused : NULL, qc_qrun_tensor(&run, 0), last, watch, &w);
    ck_assert_uint_eq(w.next, last + 1);
    free(memory);
}
END_TEST

START_TEST(codes_keep_what_was_set)
{
    int bits = 2 << _i;
    enum { N = 37 };
    uint8_t bytes[2 + N] = { 0 };
    bytes[0] = bytes[1 + (N * bits + 7) / 8] = 0x5a;
    QcQGraph g = { .codes = bytes, .bits = (uint8_t)bits };
    QcQNode node = { .code_byte = 1, .n_codes = N };
    int32_t expected[N] = { 0 };
    QcRng rng = qc_rng_seed(1, (uint64_t)_i);
    for (int round = 0; round < 500; round++) {
        uint32_t j = qc_rng_below(&rng, N);
        expected[j] = (int32_t)qc_rng_below(&rng, 1u << bits) - (1 << (bits - 1));
        qc_code_set(&g, &node, j, expected[j]);
        for (uint32_t i = 0; i < N; i++) ck_assert_int_eq(qc_code_get(&g, &node, i), expected[i]);
    }
    ck_assert_uint_eq(bytes[0], 0x5a);
    ck_assert_uint_eq(bytes[1 + (N * bits + 7) / 8], 0x5a);
    qc_code_set(&g, &node, 1, -1); /* the order of bits in a byte is part of the format */
    qc_code_set(&g, &node, 0, 1);
    ck_assert_uint_eq(bytes[1] & (bits == 8 ? 0xff : (1 << 2 * bits) - 1), bits == 8 ? 1 : bits == 4 ? 0xf1 : 0xd);
}
END_TEST

START_TEST(input_rounds_half_away_from_zero)
{
    QcQTensor t = { .bits = 8, .zero = 128, .scale = 0.5f };
    float x[] = { 0,      0.25f, -0.25f,  0.2499999f, -0.2499999f, 0.75f,    -0.75f,    63.5f,
                  63.75f, -64,   -64.25f, 1e30f,      -1e30f,      INFINITY, -INFINITY, NAN };
    uint8_t expected[] = { 128, 129, 127, 128, 128, 130, 126, 255, 255, 0, 0, 255, 0, 255, 0, 0 }, q[16];
    qc_q_input(q, x, 16, &t);
    ck_assert_mem_eq(q, expected, 16);
    QcQTensor narrow = { .bits = 4, .zero = 0, .scale = 1 };
    qc_q_input(q, (float[]){ -1, 0.49999997f, 7.5f, 15.4f, 15.6f }, 5, &narrow);
    ck_assert_mem_eq(q, ((uint8_t[]){ 0, 0, 8, 15, 15 }), 5);
    QcRng rng = qc_rng_seed(7, 7);
    for (int i = 0; i < 100000; i++) {
        float value = (qc_rng_unit(&rng) - 0.5f) * 200;
        t.scale = 0.01f + qc_rng_unit(&rng);
        qc_q_input(q, &value, 1, &t);
        ck_assert_int_eq(q[0], (int)fmin(fmax(round((double)(value / t.scale)) + 128, 0), 255));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qgraph");
    TCase *t = tcase_create("qgraph");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, forward_follows_the_formulas, 0, 300);
    tcase_add_loop_test(t, forward_stops_after_last, 0, 20);
    tcase_add_loop_test(t, codes_keep_what_was_set, 0, 3);
    tcase_add_test(t, input_rounds_half_away_from_zero);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
