/* test_qgraph.c - the integer forward pass on random graphs compared with a second, plain implementation of the
 * formulas of qgraph.h. */
#include "suite.h"
#include "samplegraph.h"

#include <stdlib.h>
#include <string.h>

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
    const uint32_t bits = node->code_bits ? node->code_bits : s->g.bits;
    for (uint32_t b = 0; b < bits; b++) {
        uint64_t at = j * bits + b;
        int64_t bit = s->codes[node->code_byte + at / 8] >> at % 8 & 1;
        v += b + 1u == bits ? -(bit << b) : bit << b;
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
            int64_t y = (int64_t)h * node->stride_h + kh - node->pad_top,
                    x = (int64_t)w * node->stride_w + kw - node->pad_left;
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
    int64_t q =
        floor_divide(product + ((int64_t)1 << (s->shift[entry] - 1)), (int64_t)1 << s->shift[entry]) + out->zero;
    int64_t low = node->relu ? out->zero : 0, high = (1 << out->bits) - 1;
    return (uint8_t)(q < low ? low : q > high ? high : q);
}

/* 256 n standard deviations of n pixels, cut to a whole number: n^2 variances are the sum of (v - w)^2 over all pairs
 * of pixels. */
static int64_t deviations(const Sample *s, const QcQNode *node, uint32_t c)
{
    const QcQTensor *in = &s->tensors[node->in[0]];
    int64_t n = in->height * in->width, pairs = 0;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < a; b++) {
            int64_t d = value(s, node->in[0], a / in->width, a % in->width, c) -
                        value(s, node->in[0], b / in->width, b % in->width, c);
            pairs += d * d;
        }
    pairs *= 65536;
    int64_t root = llround(sqrt((double)pairs));
    while (root * root > pairs) root--;
    while ((root + 1) * (root + 1) <= pairs) root++;
    return root;
}

/* Number n of the output, found by its digits in the loops. */
static uint8_t turned(const Sample *s, const QcQNode *node, uint32_t n)
{
    uint32_t at = node->code;
    for (uint32_t k = node->groups; k-- > 0; n /= (uint32_t)s->bias[node->channel + k])
        at += n % (uint32_t)s->bias[node->channel + k] * (uint32_t)s->multiplier[node->channel + k];
    return plane[node->in[0]][at];
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
    case QC_Q_STD: return rescaled(s, node, deviations(s, node, c) * m, entry);
    case QC_Q_TABLE: return s->codes[node->code_byte + (uint32_t)(value(s, node->in[0], h, w, c) + in->zero)];
    case QC_Q_TURN: return turned(s, node, (h * out->width + w) * out->channels + c);
    case QC_Q_MUL:
        if (s->tensors[node->in[1]].height == 1 && s->tensors[node->in[1]].width == 1)
            return rescaled(s, node, value(s, node->in[0], h, w, c) * value(s, node->in[1], 0, 0, c) * m, entry);
        return rescaled(s, node, value(s, node->in[0], h, w, c) * value(s, node->in[1], h, w, c) * m, entry);
    case QC_Q_ADD:
        return rescaled(s, node,
                        value(s, node->in[0], h, w, c) * m + value(s, node->in[1], h, w, c) * s->multiplier[entry + 1],
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
                    plane[node->out][(h * out->width + w) * out->channels + node->out_channel + c] =
                        pixel(s, node, h, w, c);
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

/* Sees each node just after it ran: compares its output with the reference's tensor, and the sums that bit-flipping
 * takes of it with sums taken from the formulas. */
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
                run->k->masked_sum(
                    part, conv->x + (size_t)row * conv->row_step + group * conv->group_step + conv->dot.segment[k],
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
                        sum +=
                            value(s, node->in[0], (int64_t)h * node->stride_h + kh * node->dilation_h - node->pad_top,
                                  (int64_t)w * node->stride_w + kw * node->dilation_w - node->pad_left, i) +
                            in->zero;
            if (sum != got[(size_t)o * n + j]) ck_assert_int_eq(sum, got[(size_t)o * n + j]);
        }
    free(got);
    free(part);
}

static void watch(void *ctx, QcQRun *run, uint32_t i, const QcQConv *conv)
{
    Watch *w = ctx;
    const QcQNode *node = &w->s->nodes[i];
    ck_assert_uint_eq(i, w->next++);
    ck_assert_int_eq(conv != NULL, !run->inference_only && (node->op == QC_Q_CONV || node->op == QC_Q_LOGITS));
    if (node->op == QC_Q_LOGITS) return;
    const QcQTensor *out = &w->s->tensors[node->out];
    for (uint32_t t = 0; t < (uint32_t)out->height * out->width; t++)
        for (uint32_t c = 0; c < node->channels; c++) {
            uint32_t at = t * out->channels + node->out_channel + c;
            if (qc_qrun_tensor(run, node->out)[at] != plane[node->out][at])
                ck_abort_msg("node %u (op %d), position %u, channel %u: %d instead of %d", i, node->op, t, c,
                             qc_qrun_tensor(run, node->out)[at], plane[node->out][at]);
        }
    if (conv) check_masked_sums(w->s, run, node, conv);
}

START_TEST(forward_equals_formulas)
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
        qc_qrun_forward(&run, logits, s->input); /* what a run leaves after does not matter to the next */
        ck_assert_mem_eq(logits, expected, s->g.classes * sizeof *logits);
        free(memory);
    }
}
END_TEST

/* The inference-only plan pads images in bands of rows, in less memory. */
START_TEST(bands_equal_formulas)
{
    Sample *s = sample;
    uint32_t with_bands = 0;
    for (int seed = 0; seed < 20; seed++) {
        image_new(s, 20 * _i + seed);
        reference(s, NULL);
        const size_t bytes = (size_t)qc_qgraph_inference_bytes(&s->g);
        with_bands += bytes < qc_qgraph_bytes(&s->g);
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
            void *memory = aligned_alloc(64, bytes);
            QcQRun run;
            memset(memory, seed, bytes);
            memset(memory, 0, s->g.activation_bytes);
            qc_qrun_place_inference(&run, &s->g, *k, memory);
            qc_qrun_forward_seen(&run, NULL, s->input, 0, NULL, NULL);
            Watch w = { s, 0 };
            watch(&w, &run, 0, NULL);
            free(memory);
        }
    }
    ck_assert_uint_ge(with_bands, 5);
}
END_TEST

START_TEST(forward_stops_after_requested_node)
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
    memcpy(qc_qrun_tensor(&run, 0), s->input,
           (size_t)s->tensors[0].height * s->tensors[0].width * s->tensors[0].channels);
    qc_qrun_forward_seen(&run, s->nodes[last].op == QC_Q_LOGITS ? unused : NULL, qc_qrun_tensor(&run, 0), last, watch,
                         &w);
    ck_assert_uint_eq(w.next, last + 1);
    free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qgraph");
    TCase *t = tcase_create("qgraph");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, forward_equals_formulas, 0, 300);
    tcase_add_loop_test(t, bands_equal_formulas, 0, 10);
    tcase_add_loop_test(t, forward_stops_after_requested_node, 0, 20);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
