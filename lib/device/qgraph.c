/* qgraph.c - memory layout of a quantized graph: weight codes, working memory, the input of a convolution. */
#include "qgraph.h"

#include "../kernels/mem.h"

/* ---- codes ---- */

int32_t qc_code_get(const QcQGraph *g, const QcQNode *node, uint32_t j)
{
    uint32_t bits = qc_code_bits(g, node);
    uint64_t at = (uint64_t)j * bits; /* bits divides 8: no code lies in two bytes */
    int32_t sign = 1 << (bits - 1), code = (qc_layer_codes(g, node)[at / 8] >> (at % 8)) & (2 * sign - 1);
    return (code ^ sign) - sign;
}

void qc_code_set(const QcQGraph *g, const QcQNode *node, uint32_t j, int32_t value)
{
    uint32_t bits = qc_code_bits(g, node);
    uint64_t at = (uint64_t)j * bits;
    uint8_t *byte = &qc_layer_codes(g, node)[at / 8];
    uint32_t mask = (1u << bits) - 1, low = (uint32_t)(at % 8);
    *byte = (uint8_t)((*byte & ~(mask << low)) | (((uint32_t)value & mask) << low));
}

/* ---- input ---- */

/* Quantization of values in units of the scale. Values are clamped before they are rounded: the codes are the same, and
 * compilers can vectorize it. */
typedef struct Grid {
    float scale, low, high; /* low, high: values of the first and the last code */
    int32_t zero;
} Grid;

static Grid grid_of(const QcQTensor *input)
{
    int32_t zero = input->zero;
    return (Grid){input->scale, (float)-zero, (float)((1 << input->bits) - 1 - zero), zero};
}

static inline uint8_t code_of(float value, float low, float high, int32_t zero)
{
    value = value > low ? value : low; /* NaN becomes low */
    value = value < high ? value : high;
    int32_t whole = (int32_t)value;
    float rest = value - (float)whole; /* exact, unlike value + 0.5f */
    return (uint8_t)(whole + (int32_t)(rest + rest) + zero);
}

void qc_q_input(uint8_t *q, const float *x, uint32_t n, const QcQTensor *input)
{
    const Grid g = grid_of(input);
    for (uint32_t i = 0; i < n; i++) q[i] = code_of(x[i] / g.scale, g.low, g.high, g.zero);
}

void qc_q_frames(uint8_t *q, const float *x, uint32_t steps, uint32_t channels, const float *mean,
                 const float *deviation, const QcQTensor *input)
{
    const Grid g = grid_of(input);
    for (uint32_t t = 0; t < steps; t++, q += channels, x += channels)
        for (uint32_t c = 0; c < channels; c++)
            q[c] = code_of((x[c] - mean[c]) / deviation[c] / g.scale, g.low, g.high, g.zero);
}

int32_t qc_largest_bias(const QcQGraph *g, const QcQNode *node)
{
    const QcQTensor *in = &g->tensors[node->in[0]];
    uint64_t taps = node->n_codes / node->channels, widest = taps * ((1u << in->bits) - 1 + in->zero)
                                                             << (qc_code_bits(g, node) - 1);
    return (int32_t)(INT32_MAX - (int64_t)widest);
}

/* ---- convolutions ---- */

void qc_qconv_shape(QcQConv *conv, const QcQGraph *g, const QcQNode *node)
{
    const QcQTensor *in = &g->tensors[node->in[0]];
    const QcQTensor *out = node->op == QC_Q_LOGITS ? NULL : &g->tensors[node->out]; /* logits: one position */
    uint32_t channels = in->channels;
    uint32_t padded_h = node->pad_top + (uint32_t)in->height + node->pad_bottom;
    uint32_t padded_w = node->pad_left + (uint32_t)in->width + node->pad_right;
    memset(conv, 0, sizeof *conv);
    conv->padded_h = padded_h;
    conv->padded_w = padded_w;
    conv->groups = node->groups;
    conv->group_step = channels / node->groups;
    conv->group_channels = (uint32_t)node->channels / node->groups;
    conv->rows = !out ? 1 : out->height;
    conv->row_step = node->stride_h * padded_w * channels;
    conv->dot.positions = !out ? 1 : out->width;
    conv->dot.step = node->stride_w * channels;
    conv->dot.blocks = (conv->group_channels + QC_K_LANES - 1) / QC_K_LANES;

    /* a kernel row is one run of bytes */
    int whole_rows = node->groups == 1 && (node->dilation_w == 1 || node->kernel_w == 1);
    conv->length = whole_rows ? node->kernel_w * channels : conv->group_step;
    conv->dot.segments = whole_rows ? node->kernel_h : (uint32_t)node->kernel_h * node->kernel_w;
    if (whole_rows && node->dilation_h == 1 && node->kernel_w == padded_w) { /* and so is the whole kernel */
        conv->length *= node->kernel_h;
        conv->dot.segments = 1;
    }
    conv->dot.run = (conv->length + 3) & ~3u;

    int is_point = node->kernel_h == 1 && node->kernel_w == 1 && node->stride_h == 1 && node->stride_w == 1;
    if (is_point && !qc_is_padded(node) && out) {
        conv->dot.positions *= conv->rows; /* rows follow each other without a seam */
        conv->rows = 1;
    }
    conv->band = conv->rows;
}

/* How many rows of the padded input n rows of output read. */
static uint32_t rows_read(const QcQNode *node, uint32_t n)
{
    return (n - 1) * node->stride_h + (node->kernel_h - 1u) * node->dilation_h + 1;
}

void qc_qconv_cut(QcQConv *conv, const QcQNode *node, uint32_t most)
{
    uint32_t fit = most / (conv->row_step / node->stride_h);
    if (!qc_is_padded(node)) return;
    for (uint32_t bands = 2; rows_read(node, conv->band) > fit && conv->band > 1; bands++)
        conv->band = (conv->rows + bands - 1) / bands;
}

const uint8_t *qc_qconv_pad(QcQRun *run, const QcQNode *node, uint32_t row, uint32_t n)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    const size_t bytes = (size_t)in->width * in->channels, left = (size_t)node->pad_left * in->channels,
                 right = (size_t)node->pad_right * in->channels;
    const uint8_t fill = in->zero, *x = qc_qrun_tensor(run, node->in[0]);
    uint8_t *to = run->padded;
    if (!qc_is_padded(node)) return x;
    /* rows above the image wrap to large numbers */
    uint32_t h = row * node->stride_h - node->pad_top, end = h + rows_read(node, n);
    for (; h != end; h++) {
        if (h < in->height) {
            memset(to, fill, left);
            memcpy(to + left, x + h * bytes, bytes);
            memset(to + left + bytes, fill, right);
        } else {
            memset(to, fill, left + bytes + right);
        }
        to += left + bytes + right;
    }
    return run->padded;
}

void qc_qconv_open(QcQConv *conv, QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    qc_qconv_shape(conv, run->g, node);
    qc_qconv_cut(conv, node, run->most_padded);
    conv->x = qc_qconv_pad(run, node, 0, conv->band);
    conv->dot.segment = run->segments;
    uint32_t row = conv->padded_w * in->channels * node->dilation_h, n = conv->dot.segments;
    uint32_t columns = n > node->kernel_h ? node->kernel_w : 1; /* segments in a kernel row */
    for (uint32_t s = 0; s < n; s++)
        run->segments[s] = s / columns * row + s % columns * node->dilation_w * in->channels;
}

/* ---- memory ---- */

/* What the largest node needs of each kind. */
typedef struct Sizes {
    uint64_t padded, weights, sums, part, segments;
} Sizes;

static void grow(uint64_t *size, uint64_t need)
{
    if (*size < need) *size = need;
}

/* Most bytes of padded input of a band. More bands save memory, but kernels prepare the weights again for each band. */
static uint32_t most_padded(const QcQGraph *g, int inference_only)
{
    uint32_t some = g->inference_bytes / 8;
    return !inference_only ? UINT32_MAX : some > 5120 ? some : 5120;
}

/* Unpacked weights of one channel: long ones are cut, so that a small model's weights are not unpacked into more than
 * its activations take. */
static uint32_t piece_of(const QcQGraph *g, int inference_only)
{
    uint32_t some = (inference_only ? g->inference_bytes : g->activation_bytes) / 12 / QC_Q_PANEL & ~15u;
    return some > 256 ? some : 256;
}

static int is_in_place(const QcQGraph *g, const QcQNode *node)
{
    const QcQTensor *in = &g->tensors[node->in[0]], *out = &g->tensors[node->out];
    return out->offset == in->offset || out->inference_offset == in->inference_offset;
}

static Sizes sizes_of(const QcQGraph *g, int inference_only)
{
    uint64_t most = piece_of(g, inference_only);
    Sizes size = {QC_K_SLACK, 0, QC_Q_CHUNK * QC_Q_PANEL * sizeof(int32_t), 0, 0};
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        const QcQTensor *in = &g->tensors[node->in[0]];
        if (node->op == QC_Q_CONV || node->op == QC_Q_LOGITS) {
            QcQConv conv;
            qc_qconv_shape(&conv, g, node);
            qc_qconv_cut(&conv, node, most_padded(g, inference_only));
            if (qc_is_padded(node))
                grow(&size.padded, (uint64_t)rows_read(node, conv.band) * conv.padded_w * in->channels + QC_K_SLACK);
            uint64_t panel = conv.group_channels <= QC_K_LANES ? QC_K_LANES : QC_Q_PANEL,
                     run = (uint64_t)conv.dot.segments * conv.dot.run;
            grow(&size.weights, (run < most ? run : most) * panel);
            if (run > most) grow(&size.part, QC_Q_PART * panel * sizeof(int32_t));
            grow(&size.segments, conv.dot.segments * sizeof(uint32_t));
        } else if (node->op == QC_Q_MAXPOOL) {
            uint64_t columns = QC_Q_POOL + (uint64_t)(node->kernel_w - 1) * node->dilation_w;
            if (is_in_place(g, node)) grow(&size.padded, columns * in->channels + QC_K_SLACK);
            grow(&size.sums, (uint64_t)node->kernel_h * in->channels);
        } else if (node->op == QC_Q_AVGPOOL || node->op == QC_Q_GAP) {
            grow(&size.sums, in->channels * sizeof(int32_t));
        }
    }
    return size;
}

void qc_qrun_lay_out(QcQRun *run, const QcQGraph *g, const QcKernels *k, int inference_only, QcPlacing *p)
{
    inference_only = inference_only && g->inference_bytes; /* if there is such a plan */
    Sizes size = sizes_of(g, inference_only);
    run->g = g;
    run->k = k;
    run->inference_only = inference_only;
    run->piece = piece_of(g, inference_only);
    run->most_padded = most_padded(g, inference_only);
    qc_placing_part(p, "activations");
    /* the memory after the activations is the slack of convolutions that read a tensor in place */
    run->activations = qc_placing_take(p, inference_only ? g->inference_bytes : g->activation_bytes);
    qc_placing_part(p, "padded input");
    run->padded = qc_placing_take(p, size.padded);
    qc_placing_part(p, "unpacked weights");
    uint64_t before = p->used;
    run->weights = qc_placing_take(p, size.weights);
    qc_placing_part(p, "sums");
    run->sums = qc_placing_take(p, size.sums);
    run->part = qc_placing_take(p, size.part);
    run->scratch_bytes = (size_t)(p->used - before);
    run->segments = qc_placing_take(p, size.segments);
}

static uint64_t bytes(const QcQGraph *g, int inference_only)
{
    QcQRun run;
    QcPlacing p = { 0 };
    qc_qrun_lay_out(&run, g, NULL, inference_only, &p);
    return p.used;
}

uint64_t qc_qgraph_bytes(const QcQGraph *g) { return bytes(g, 0); }
uint64_t qc_qgraph_inference_bytes(const QcQGraph *g) { return bytes(g, 1); }

void qc_qrun_place(QcQRun *run, const QcQGraph *g, const QcKernels *k, void *memory)
{
    QcPlacing p = { .memory = memory };
    qc_qrun_lay_out(run, g, k, 0, &p);
}

void qc_qrun_place_inference(QcQRun *run, const QcQGraph *g, const QcKernels *k, void *memory)
{
    QcPlacing p = { .memory = memory };
    qc_qrun_lay_out(run, g, k, 1, &p);
}
