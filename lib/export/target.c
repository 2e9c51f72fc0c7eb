/* target.c - how much work of each kind a layer, a window and an adapt are. */
#include "target.h"

typedef struct Work {
    const QcTarget *t;
    const QcQRun *run; /* its sizes alone */
    double sum;
} Work;

static void add(Work *w, QcTargetKind kind, double amount) { w->sum += w->t->c[kind] * amount; }

static double values_of(const QcQTensor *t) { return (double)t->height * t->width * t->channels; }

static QcTargetKind by_bits(QcTargetKind kind_of_8, uint32_t bits)
{
    return kind_of_8 + (bits == 8 ? 0 : bits == 4 ? 1 : 2);
}

/* ---- convolutions ---- */

/* Bytes of a channel's inputs at one position, as the kernels multiply them: scalar and DSP by four, MVE by sixteen.
 * MVE, as DSP where inputs are not on word boundaries, puts short runs side by side first. */
typedef struct Reads {
    double run, runs; /* multiplied bytes of a run; runs */
    int gathered;
} Reads;

static double rounded(double n, double to) { return (double)(uint64_t)((n + to - 1) / to) * to; }

static Reads reads_of(const Work *w, const QcQConv *conv, const QcQNode *node)
{
    double length = conv->length, segments = conv->dot.segments;
    uint32_t channels = w->run->g->tensors[node->in[0]].channels;
    if (w->t->kernels == QC_TARGET_MVE) {
        double vectors = segments * rounded(length, 16), all = rounded(segments * length, 16);
        if (segments > 1 && 4 * vectors > 5 * all) return (Reads){all, 1, 1};
        return (Reads){rounded(length, 16), segments, 0};
    }
    if (w->t->kernels == QC_TARGET_DSP && channels % 4) return (Reads){rounded(segments * length, 4), 1, 1};
    return (Reads){conv->dot.run, segments, 0};
}

/* The share of multiply-adds that DSP leaves out: a series' zeros before and after it. */
static double share_inside(const Work *w, const QcQConv *conv, const QcQNode *node)
{
    const QcQTensor *in = &w->run->g->tensors[node->in[0]];
    if (w->t->kernels != QC_TARGET_DSP || in->height != 1 || conv->dot.segments != 1 || node->pad_top) return 1;
    double inside = 0, all = (double)node->kernel_w * conv->dot.positions;
    for (uint32_t t = 0; t < conv->dot.positions; t++)
        for (uint32_t k = 0; k < node->kernel_w; k++) {
            uint32_t at = t * node->stride_w + k;
            inside += at >= node->pad_left && at < node->pad_left + (uint32_t)in->width;
        }
    return inside / all;
}

/* The number of bands of rows: kernels prepare the weights again for each band. */
static double bands_of(const QcQConv *conv) { return (conv->rows + conv->band - 1) / conv->band; }

/* How often all weights are unpacked: once for each tile of positions. */
static double tiles_of(const Work *w, const QcQConv *conv, const Reads *r)
{
    double positions = (double)conv->rows * conv->dot.positions, row = (double)conv->dot.segments * conv->dot.run;
    if (w->t->kernels == QC_TARGET_SCALAR && row <= w->run->piece) return bands_of(conv);
    if (w->t->kernels == QC_TARGET_SCALAR)
        return conv->rows * (double)((conv->dot.positions + QC_Q_CHUNK - 1) / QC_Q_CHUNK);
    double weights = w->t->kernels == QC_TARGET_DSP ? 4 * row : row, scratch = (double)w->run->scratch_bytes,
           each = w->t->kernels == QC_TARGET_DSP ? 2 : 1,
           inputs = r->gathered ? positions * r->run : (double)conv->padded_h * conv->padded_w * conv->dot.step;
    if (weights >= scratch) return bands_of(conv);
    double tiles = rounded(inputs * each / (scratch - weights), 1);
    return tiles < bands_of(conv) ? bands_of(conv) : tiles > positions ? positions : tiles;
}

static void add_conv(Work *w, const QcQConv *conv, const QcQNode *node, uint32_t bits)
{
    Reads r = reads_of(w, conv, node);
    const QcQTensor *in = &w->run->g->tensors[node->in[0]];
    double positions = (double)conv->rows * conv->dot.positions, channels = (double)conv->groups * conv->group_channels,
           values = positions * channels, tiles = tiles_of(w, conv, &r);
    add(w, QC_TARGET_conv_multiply, values * r.runs * r.run * share_inside(w, conv, node));
    add(w, QC_TARGET_conv_value, values);
    add(w, QC_TARGET_conv_run, values * r.runs);
    add(w, QC_TARGET_conv_input, r.gathered ? positions * r.run * conv->groups : values_of(in));
    add(w, QC_TARGET_conv_channel, channels * tiles);
    add(w, by_bits(QC_TARGET_conv_unpack_8, bits), (double)node->n_codes * tiles);
}

static void add_depthwise(Work *w, const QcQConv *conv)
{
    double values = (double)conv->rows * conv->dot.positions * conv->groups, taps = conv->dot.segments;
    if (w->t->kernels == QC_TARGET_DSP) taps = rounded(taps, 2);
    add(w, QC_TARGET_depthwise_multiply, values * taps);
    add(w, QC_TARGET_depthwise_value, values);
    add(w, QC_TARGET_depthwise_weight, taps * conv->groups * bands_of(conv));
}

static void add_weights(Work *w, const QcQNode *node)
{
    const QcQTensor *in = &w->run->g->tensors[node->in[0]];
    QcQConv conv;
    qc_qconv_shape(&conv, w->run->g, node);
    qc_qconv_cut(&conv, node, w->run->most_padded);
    uint32_t bits = qc_code_bits(w->run->g, node);
    if (qc_is_padded(node)) add(w, QC_TARGET_pad_byte, (double)conv.padded_h * conv.padded_w * in->channels);
    if (conv.groups == 1 && (uint64_t)conv.rows * conv.dot.positions <= 1) {
        add(w, by_bits(QC_TARGET_dense_multiply_8, bits), node->n_codes);
        add(w, QC_TARGET_dense_value, node->channels);
    } else if (conv.groups > 1 && conv.group_step == 1 && conv.group_channels == 1) {
        add_depthwise(w, &conv);
    } else {
        add_conv(w, &conv, node, bits);
    }
}

/* ---- layers ---- */

static void add_node(Work *w, const QcQNode *node)
{
    const QcQTensor *in = &w->run->g->tensors[node->in[0]], *to = &w->run->g->tensors[node->out];
    double window = (double)node->kernel_h * node->kernel_w, positions = (double)to->height * to->width;
    add(w, QC_TARGET_node, 1);
    switch (node->op) {
    case QC_Q_CONV:
    case QC_Q_LOGITS: add_weights(w, node); break;
    case QC_Q_MAXPOOL:
        add(w, QC_TARGET_maximum, window * positions * in->channels);
        if (!qc_is_series_pool(w->run->g, node)) add(w, QC_TARGET_maximum_row, positions * (node->kernel_h + 1.0));
        break;
    case QC_Q_AVGPOOL:
        add(w, QC_TARGET_average, window * positions * in->channels);
        add(w, QC_TARGET_average_value, positions * in->channels);
        break;
    case QC_Q_GAP:
        add(w, QC_TARGET_mean, values_of(in));
        add(w, QC_TARGET_average_value, in->channels);
        break;
    case QC_Q_STD:
        add(w, QC_TARGET_deviation, values_of(in));
        add(w, QC_TARGET_deviation_value, in->channels);
        break;
    case QC_Q_ADD:
    case QC_Q_MUL: add(w, QC_TARGET_add, values_of(in)); break;
    case QC_Q_COPY:
        add(w, QC_TARGET_copy_layer, 1);
        add(w, QC_TARGET_copy, values_of(in));
        break;
    default: add(w, QC_TARGET_copy, values_of(in)); break;
    }
}

double qc_target_quantize(const QcTarget *t, const QcQGraph *g)
{
    return t->c[QC_TARGET_quantize] * values_of(&g->tensors[0]);
}

double qc_target_predict(const QcTarget *t, const QcQGraph *g, double *layer)
{
    QcQRun run;
    QcPlacing p = {0};
    double sum = 0;
    qc_qrun_lay_out(&run, g, NULL, 1, &p);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        Work w = {.t = t, .run = &run};
        add_node(&w, &g->nodes[i]);
        if (layer) layer[i] = w.sum;
        sum += w.sum;
    }
    return sum;
}

/* ---- a front-end (lib/device/frontend.c) ---- */

double qc_target_front(const QcTarget *t, const QcFrontEnd *f)
{
    Work w = {.t = t};
    double bins = 0, butterflies = 0, bands = f->setup.bands;
    for (uint32_t b = 0; b < f->setup.bands; b++) bins += f->bins[b];
    for (uint32_t half = 1; half < f->fft / 2; half *= 2) butterflies += f->fft / 4.0;
    add(&w, QC_TARGET_front_sample, f->setup.hop);
    add(&w, QC_TARGET_front_point, f->fft);
    add(&w, QC_TARGET_front_butterfly, butterflies);
    add(&w, QC_TARGET_front_bin, bins);
    add(&w, QC_TARGET_front_band, bands);
    add(&w, QC_TARGET_front_dct, bands * f->setup.coefficients);
    return w.sum;
}

/* ---- an adapt (lib/device/adapt.c) ---- */

enum { JUDGED = 3, TEMPERATURES = 9 }; /* sets of logits, and of losses in the last of them */
enum { ROUNDINGS = 2 };                /* of the last layer; more where classes are not apart */

double qc_target_adapt(const QcTarget *t, const QcQGraph *g, uint32_t coreset, uint32_t windows)
{
    QcHeadShape shape;
    Work w = {.t = t};
    qc_head_shape(&shape, g);
    double n = shape.features, classes = shape.classes, triangle = n * (n + 1) / 2, set = (double)coreset + windows;
    add(&w, QC_TARGET_adapt_scatter, triangle * (set + windows + classes));
    add(&w, QC_TARGET_adapt_factor, n * n * n / 3);
    add(&w, QC_TARGET_adapt_weight, classes * 2 * triangle * (1 + ROUNDINGS) + 2 * n * classes * classes * ROUNDINGS);
    add(&w, QC_TARGET_adapt_row, n * n + 2 * n * classes * (1 + ROUNDINGS));
    add(&w, QC_TARGET_adapt_logit, JUDGED * set * n * classes);
    add(&w, QC_TARGET_adapt_exponential, (JUDGED - 1 + TEMPERATURES) * set * classes);
    return w.sum;
}
