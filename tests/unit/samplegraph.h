/* samplegraph.h - random integer graphs with every operation, and an input for each graph. Include after check.h. */
#ifndef QC_TESTS_SAMPLEGRAPH_H
#define QC_TESTS_SAMPLEGRAPH_H

#include <math.h>
#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/device/qgraph.h"

enum { MAX_NODES = 12, MAX_TENSORS = 12, MAX_CHANNELS = 4000, MAX_CODE_BYTES = 1 << 18, MAX_VALUES = 1 << 17 };

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

static inline uint32_t pick(Sample *s, uint32_t low, uint32_t high)
{
    return low + qc_rng_below(&s->rng, high - low + 1);
}

static inline uint16_t tensor_new(Sample *s, uint32_t height, uint32_t width, uint32_t channels)
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
                                 .zero = pick(s, 0, 2) ? (uint8_t)pick(s, 0, (1 << bits) - 1) : 0,
                                 .scale = 0.01f + qc_rng_unit(&s->rng),
                                 .offset = s->g.activation_bytes };
    s->g.activation_bytes += height * width * channels + pick(s, 0, 5);
    return (uint16_t)i;
}

static inline QcQNode *node_new(Sample *s, QcQOp op, uint16_t in)
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
static inline void entry_new(Sample *s, double spread)
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

static inline void window_new(Sample *s, QcQNode *node, uint32_t largest, int dilated)
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

static inline uint32_t out_height(const QcQNode *node, const QcQTensor *in)
{
    return (node->pad_top + (uint32_t)in->height + node->pad_bottom - (node->kernel_h - 1u) * node->dilation_h - 1) /
               node->stride_h +
           1;
}

static inline uint32_t out_width(const QcQNode *node, const QcQTensor *in)
{
    return (node->pad_left + (uint32_t)in->width + node->pad_right - (node->kernel_w - 1u) * node->dilation_w - 1) /
               node->stride_w +
           1;
}

static inline void weights_new(Sample *s, QcQNode *node)
{
    const QcQTensor *in = &s->tensors[node->in[0]];
    uint32_t n = (uint32_t)node->kernel_h * node->kernel_w * in->channels / node->groups;
    node->n_codes = n * node->channels;
    node->code_bits = pick(s, 0, 3) ? 0 : (uint8_t)(2 << pick(s, 0, 2)); /* now and then a layer's own */
    const uint32_t bits = qc_code_bits(&s->g, node);
    node->code = s->g.n_codes;
    node->code_byte = s->g.n_code_bytes;
    s->g.n_codes += node->n_codes;
    s->g.n_code_bytes += (node->n_codes * bits + 7) / 8;
    ck_assert_uint_le(s->g.n_code_bytes, MAX_CODE_BYTES);
    for (uint32_t i = node->code_byte; i < s->g.n_code_bytes; i++) s->codes[i] = (uint8_t)qc_rng_next(&s->rng);
    double spread = sqrt(n) * (1 << (in->bits - 1)) * (1 << (bits - 1)) / 2;
    for (uint32_t o = 0; o < node->channels; o++) entry_new(s, spread);
}

static inline void finish_into_new(Sample *s, QcQNode *node, uint32_t height, uint32_t width)
{
    uint32_t before = pick(s, 0, 2) ? 0 : pick(s, 1, 9),
             after = pick(s, 0, 2) ? 0 : pick(s, 1, 9); /* a slice of something wider */
    node->out = tensor_new(s, height, width, before + node->channels + after);
    node->out_channel = (uint16_t)before;
}

static inline void conv_new(Sample *s, uint16_t in)
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

static inline void pool_new(Sample *s, QcQOp op, uint16_t in)
{
    QcQNode *node = node_new(s, op, in);
    window_new(s, node, 4, 0);
    node->count_padding = (uint8_t)pick(s, 0, 1);
    if (op == QC_Q_AVGPOOL) entry_new(s, 64. * node->kernel_h * node->kernel_w);
    finish_into_new(s, node, out_height(node, &s->tensors[in]), out_width(node, &s->tensors[in]));
}

static inline void pointwise_new(Sample *s, QcQOp op, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, op, in);
    if (op == QC_Q_ADD)
        for (uint16_t t = 0; t < s->g.n_tensors; t++) /* any other tensor of this shape will do */
            if (s->tensors[t].height == x->height && s->tensors[t].width == x->width &&
                s->tensors[t].channels == x->channels)
                node->in[1] = t;
    entry_new(s, 60);
    entry_new(s, 60);
    s->shift[s->g.n_channels - 1] = s->shift[s->g.n_channels - 2];
    finish_into_new(s, node, x->height, x->width);
}

static inline void table_new(Sample *s, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, QC_Q_TABLE, in);
    node->relu = 0;
    node->code_byte = s->g.n_code_bytes;
    s->g.n_code_bytes += QC_Q_TABLE_BYTES;
    ck_assert_uint_le(s->g.n_code_bytes, MAX_CODE_BYTES);
    finish_into_new(s, node, x->height, x->width);
    for (uint32_t k = 0; k < QC_Q_TABLE_BYTES; k++)
        s->codes[node->code_byte + k] = (uint8_t)(qc_rng_next(&s->rng) & ((1u << s->tensors[node->out].bits) - 1));
}

static inline void mul_new(Sample *s, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, QC_Q_MUL, in);
    node->in[1] = in;
    for (uint16_t t = 0; t < s->g.n_tensors; t++) { /* any other tensor that fits will do */
        const QcQTensor *y = &s->tensors[t];
        if (y->channels == x->channels &&
            ((y->height == x->height && y->width == x->width) || (y->height == 1 && y->width == 1)))
            node->in[1] = t;
    }
    entry_new(s, 4000);
    finish_into_new(s, node, x->height, x->width);
}

/* Columns in front of rows, and perhaps only every second of them. */
static inline void turn_new(Sample *s, uint16_t in)
{
    const QcQTensor *x = &s->tensors[in];
    QcQNode *node = node_new(s, QC_Q_TURN, in);
    node->relu = 0;
    uint32_t step = pick(s, 1, 2), first = pick(s, 0, (x->width - 1) % step),
             width = (x->width - first + step - 1) / step;
    const uint32_t size[3] = {width, x->height, x->channels},
                   stride[3] = {step * x->channels, (uint32_t)x->width * x->channels, 1};
    node->groups = 3;
    node->code = first * x->channels;
    for (int k = 0; k < 3; k++) {
        entry_new(s, 60);
        s->bias[s->g.n_channels - 1] = (int32_t)size[k];
        s->multiplier[s->g.n_channels - 1] = (int32_t)stride[k];
    }
    node->out = tensor_new(s, width, x->height, x->channels);
    s->tensors[node->out].bits = x->bits, s->tensors[node->out].zero = x->zero, s->tensors[node->out].scale = x->scale;
}

static inline void sample_start(Sample *s, int seed)
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
}

static inline void input_new(Sample *s, uint32_t height, uint32_t width, uint32_t channels)
{
    const QcQTensor *input = &s->tensors[tensor_new(s, height, width, channels)];
    for (uint32_t i = 0; i < height * width * channels; i++)
        s->input[i] = (uint8_t)(qc_rng_next(&s->rng) & ((1u << input->bits) - 1));
}

/* One convolution of an image of several KB: plain, grouped or depthwise. */
static inline void image_new(Sample *s, int seed)
{
    sample_start(s, seed);
    uint32_t channels = pick(s, 0, 1) ? pick(s, 1, 24) : 8 * pick(s, 1, 3);
    input_new(s, pick(s, 18, 50), pick(s, 10, 50), channels);
    QcQNode *node = node_new(s, QC_Q_CONV, 0);
    window_new(s, node, 4, pick(s, 0, 1));
    node->groups = (uint16_t)(pick(s, 0, 1) ? channels : channels % 2 == 0 && pick(s, 0, 1) ? 2 : 1);
    node->channels = (uint16_t)(node->groups == channels ? channels : node->groups * pick(s, 1, 9));
    weights_new(s, node);
    finish_into_new(s, node, out_height(node, &s->tensors[0]), out_width(node, &s->tensors[0]));
    for (uint32_t t = 0; t < 2; t++) s->tensors[t].inference_offset = s->tensors[t].offset;
    s->g.inference_bytes = s->g.activation_bytes;
}

static inline void sample_new(Sample *s, int seed)
{
    sample_start(s, seed);
    int series = pick(s, 0, 1);
    uint32_t height = series ? 1 : pick(s, 1, 9), width = series ? pick(s, 1, 70) : pick(s, 1, 9);
    input_new(s, height, width, pick(s, 0, 1) ? pick(s, 1, 9) : 4 * pick(s, 1, 8));
    for (uint32_t n = pick(s, 1, 8); n > 0; n--) {
        uint16_t in = (uint16_t)(s->g.n_tensors - 1);
        switch (pick(s, 0, 10)) {
        case 0: pool_new(s, QC_Q_MAXPOOL, in); break;
        case 1: pool_new(s, QC_Q_AVGPOOL, in); break;
        case 2: pointwise_new(s, QC_Q_ADD, in); break;
        case 3: pointwise_new(s, QC_Q_COPY, in); break;
        case 4: table_new(s, in); break;
        case 5: mul_new(s, in); break;
        case 6: turn_new(s, in); break;
        default: conv_new(s, in);
        }
    }
    uint16_t in = (uint16_t)(s->g.n_tensors - 1);
    if (pick(s, 0, 1)) {
        QcQNode *gap = node_new(s, pick(s, 0, 1) ? QC_Q_GAP : QC_Q_STD, in);
        entry_new(s, (gap->op == QC_Q_STD ? 70. * QC_Q_STD_UNIT : 40.) * s->tensors[in].height * s->tensors[in].width);
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

#endif
