/* The Hebbian statistic: against straight-through back-propagation where it claims to be exact, and everywhere against the formulas of flip.h, written a second time. */

#include "suite.h"
#include "tiny.h"

#include "../../lib/device/hebb.h"
#include "../../lib/device/qmath.h"
#include "../../lib/quant/shadow.h"

enum { N = 240, FEW = 30, CODES = 4096 };

/* A graph, a set of examples with errors, and room for a statistic. */
typedef struct Case {
    Tiny t;
    QcFlip flip;
    float windows[N * TINY_VALUES], error[N * TINY_CLASSES];
    uint8_t q[N * TINY_VALUES];
    const uint8_t *x[N];
    QcExamples z;
} Case;

typedef struct Gathered {
    float sum[CODES], squares[CODES], rms_net;
    uint8_t seen[CODES];
    uint32_t codes, end;
} Gathered;

static Case c;
static Gathered got, other;

static void setup_case(TinyKind kind, int bits, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 31);
    tiny_make(&c.t, kind, bits, 8, seed);
    ck_assert_uint_le(c.t.g.n_codes, CODES);
    tiny_flip(&c.flip, &c.t, seed);
    tiny_windows(c.windows, N, 0.6, seed + 5); /* well inside the ranges: little is clipped */
    for (int i = 0; i < N * TINY_CLASSES; i++) c.error[i] = (float)(0.1 * qc_rng_normal(&rng));
    for (int i = 0; i < N; i++) {
        qc_q_input(c.q + i * TINY_VALUES, c.windows + i * TINY_VALUES, TINY_VALUES, &c.t.g.tensors[0]);
        c.x[i] = c.q + i * TINY_VALUES;
    }
    c.z = (QcExamples){FEW, c.x, c.error};
}

static void keep_piece(void *ctx, const QcPiece *piece, const QcFlipStats *stats, const QcFlipScale *scale)
{
    Gathered *g = ctx;
    uint32_t at = c.t.g.nodes[c.flip.layers[piece->layer].node].code + piece->first;
    ck_assert_uint_eq(stats->n, c.z.n);
    ck_assert(at >= g->end); /* first to last, none twice */
    g->end = at + piece->n;
    g->codes += piece->n;
    memcpy(g->sum + at, stats->sum, piece->n * sizeof *g->sum);
    memcpy(g->squares + at, stats->squares, piece->n * sizeof *g->squares);
    memset(g->seen + at, 1, piece->n);
    g->rms_net = scale->rms_net;
    float depth = c.flip.n_layers > 1 ? (float)piece->layer / (float)(c.flip.n_layers - 1) : 0;
    ck_assert_float_eq_tol(scale->depth, depth, 1e-6f);
}

static void *place(QcHebb *hebb, const QcKernels *kernels, uint32_t chunk)
{
    QcPlacing count = {0};
    tiny_place(&c.t, kernels);
    qc_hebb_place(hebb, &c.t.run, &c.flip, chunk, &count);
    QcPlacing p = {.memory = aligned_alloc(64, count.used)};
    qc_hebb_place(hebb, &c.t.run, &c.flip, chunk, &p);
    ck_assert_uint_eq(p.used, count.used);
    return p.memory;
}

static void gather(Gathered *out, const QcKernels *kernels, uint32_t chunk, uint64_t seed)
{
    QcHebb hebb;
    void *memory = place(&hebb, kernels, chunk);
    memset(out, 0, sizeof *out);
    qc_hebb_gather(&hebb, &c.z, seed, keep_piece, out);
    ck_assert_uint_eq(out->codes, hebb.pick.n);
    ck_assert_uint_le(out->codes, hebb.pick.chunk);
    free(memory);
}

/* ---- against back-propagation ---- */

/* The tensor holds a value that may be clipped, for which straight-through gradients end. */
static int clipped(const QcQRun *run, uint32_t t)
{
    const QcQTensor *q = &run->g->tensors[t];
    for (uint32_t i = 0; i < (uint32_t)q->height * q->width * q->channels; i++) {
        uint8_t code = qc_qrun_tensor(run, t)[i];
        if (code == (1 << q->bits) - 1 || (q->zero && !code)) return 1;
    }
    return 0;
}

/* ReLU of a node's slice: on for the device where the code is above zero, on for the double where its value is; example i. */
static int masks_agree(const QcQRun *run, const QcShadow *s, const QcRun *floats, uint32_t i, uint32_t at)
{
    const QcQNode *n = &run->g->nodes[at];
    const QcQTensor *q = &run->g->tensors[n->out];
    uint32_t positions = (uint32_t)q->height * q->width;
    const float *value = qc_run_value(floats, s->node_of[at]) + (size_t)i * positions * n->channels;
    for (uint32_t p = 0; n->relu && p < positions; p++)
        for (uint32_t o = 0; o < n->channels; o++)
            if ((value[p * n->channels + o] > 0) != (qc_qrun_tensor(run, n->out)[p * q->channels + n->out_channel + o] > q->zero)) return 0;
    return 1;
}

/* Takes the error from examples on which the double's masks differ from the device's behind some exact layer: a value below half a step is on but rounds to 0, and
 * beyond a range there is no straight-through gradient. On the others both must agree to float rounding. */
static uint32_t keep_agreeing(const QcShadow *s, const QcRun *floats)
{
    QcQTensor tensors[64];
    QcQGraph apart = tiny_apart(&c.t.g, tensors);
    void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
    QcQRun run;
    uint32_t kept = 0;
    qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
    for (uint32_t i = 0; i < N; i++) {
        float logits[TINY_CLASSES];
        qc_qrun_forward(&run, logits, c.x[i]);
        int agree = !clipped(&run, apart.nodes[apart.n_nodes - 1].in[0]);
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            const QcFlipLayer *layer = &c.flip.layers[l];
            if (!layer->exact) continue;
            agree &= !clipped(&run, apart.nodes[layer->node].out) && masks_agree(&run, s, floats, i, layer->node);
            if (layer->gate != QC_NO_GATE) agree &= !clipped(&run, layer->gate) && masks_agree(&run, s, floats, i, layer->gate_node);
        }
        kept += (uint32_t)agree;
        if (!agree) memset(c.error + i * TINY_CLASSES, 0, TINY_CLASSES * sizeof *c.error);
    }
    free(memory);
    return kept;
}

static uint32_t gradient_of_shadow(float *dlatent)
{
    QcErr err;
    QcShadow s;
    ck_assert_msg(!qc_shadow_init(&s, &c.t.g, &err), "%s", err.text);
    QcRun *run = qc_run_new(&s.graph, N, QC_RUN_TUNE, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    for (uint32_t i = 0; i < c.t.g.n_nodes; i++) ck_assert_int_eq(qc_run_keep(run, s.node_of[i], &err), 0);
    float *grads = malloc(s.graph.n_params * sizeof *grads);
    qc_run_forward(run, c.windows, N);
    uint32_t kept = keep_agreeing(&s, run);
    qc_run_backward(run, grads, c.error);
    qc_shadow_gradient(&s, dlatent, grads);
    free(grads);
    qc_run_free(run);
    qc_shadow_release(&s);
    return kept;
}

static double distance(const float *a, const float *b, uint32_t n)
{
    double apart = 0, size = 0;
    for (uint32_t j = 0; j < n; j++) {
        apart += pow((double)a[j] - (double)b[j], 2);
        size += pow((double)b[j], 2);
    }
    ck_assert(size > 0);
    return sqrt(apart / size);
}

/* Which layers are exact, by name of the float model: what method.md says, for each kind of graph. */
static const char *const exact_layers[TINY_KINDS] = {"c2", "c2 short", "m2.a m2.b m2.c", "tail", "l1", "c4"};

START_TEST(exact_layers_see_the_true_gradient)
{
    static float truth[CODES];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        setup_case((TinyKind)_i, seed == 1 ? 2 : seed == 2 ? 4 : 8, seed);
        c.z.n = N;
        ck_assert_uint_ge(gradient_of_shadow(truth), 1); /* some hundred in all */
        gather(&got, &qc_kernels_scalar, 0, 1);
        uint32_t exact = 0, wanted = 1;
        for (const char *at = exact_layers[_i]; *at; at++) wanted += *at == ' ';
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            const QcQNode *node = &c.t.g.nodes[c.flip.layers[l].node];
            int last = node->op == QC_Q_LOGITS;
            if (!last && !c.flip.layers[l].exact) continue;
            exact += !last;
            double d = distance(got.sum + node->code, truth + node->code, node->n_codes);
            ck_assert_msg(d < (last ? 0.03 : 0.004), "kind %d, seed %d, layer %d: %.4f of the gradient away", _i, (int)seed, (int)l, d);
        }
        ck_assert_uint_eq(exact, wanted);
        tiny_release(&c.t);
    }
}
END_TEST

START_TEST(gates_are_where_a_relu_follows_the_sum)
{
    setup_case((TinyKind)_i, 8, 1);
    for (uint32_t l = 0; l < c.flip.n_layers; l++) {
        const QcFlipLayer *layer = &c.flip.layers[l];
        if (_i == TINY_RESIDUAL && layer->exact) {
            ck_assert_uint_ne(layer->gate, QC_NO_GATE);
            const QcQNode *sum = &c.t.g.nodes[layer->gate_node];
            ck_assert(sum->op == QC_Q_ADD && sum->relu && sum->out == layer->gate && !layer->masked);
        } else {
            ck_assert_uint_eq(layer->gate, QC_NO_GATE);
            ck_assert_uint_eq(layer->gate_node, layer->node);
        }
    }
    tiny_release(&c.t);
}
END_TEST

/* ---- against the formulas ---- */

static double error_at(uint32_t l, uint32_t o, const float *e)
{
    const QcQGraph *g = &c.t.g;
    const QcFlipLayer *layer = &c.flip.layers[l];
    const QcQNode *node = &g->nodes[layer->node], *last = &g->nodes[g->n_nodes - 1];
    double sum = 0;
    if (node->op == QC_Q_LOGITS) return (double)e[o];
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        uint32_t width = last->n_codes / TINY_CLASSES;
        if (layer->exact)
            sum += (double)e[k] * (double)g->scale[last->channel + k] * qc_code_get(g, last, k * width + node->out_channel + o) /
                   (g->tensors[node->out].height * g->tensors[node->out].width);
        else
            sum += (double)e[k] * (double)c.flip.feedback_scale[l] * c.flip.feedback[layer->feedback + o * TINY_CLASSES + k];
    }
    return sum;
}

/* Adds one example's share; size: the same of absolute values. All tensors lie in `run`. */
static void add_naive(double *h, double *size, const QcQRun *run, uint32_t l, const float *e)
{
    const QcQGraph *g = run->g;
    const QcFlipLayer *layer = &c.flip.layers[l];
    const QcQNode *n = &g->nodes[layer->node];
    const QcQTensor *in = &g->tensors[n->in[0]], *out = n->op == QC_Q_LOGITS ? NULL : &g->tensors[n->out];
    const uint8_t *x = qc_qrun_tensor(run, n->in[0]);
    uint32_t height = out ? out->height : 1, width = out ? out->width : 1, columns = in->channels / n->groups;
    for (uint32_t p = 0; p < height * width; p++)
        for (uint32_t o = 0; o < n->channels; o++) {
            if (out && n->relu && qc_qrun_tensor(run, n->out)[p * out->channels + n->out_channel + o] <= out->zero) continue;
            if (layer->gate != QC_NO_GATE && qc_qrun_tensor(run, layer->gate)[p * g->tensors[layer->gate].channels + o] <= g->tensors[layer->gate].zero) continue;
            double d = error_at(l, o, e) * (double)in->scale * (double)g->scale[n->channel + o];
            for (uint32_t k = 0; k < (uint32_t)n->kernel_h * n->kernel_w; k++) {
                int y = (int)(p / width * n->stride_h + k / n->kernel_w * n->dilation_h) - n->pad_top;
                int z = (int)(p % width * n->stride_w + k % n->kernel_w * n->dilation_w) - n->pad_left;
                if (y < 0 || y >= in->height || z < 0 || z >= in->width) continue;
                for (uint32_t i = 0; i < columns; i++) {
                    double value = d * (x[((uint32_t)y * in->width + (uint32_t)z) * in->channels + o / (n->channels / n->groups) * columns + i] - in->zero);
                    uint32_t j = (o * n->kernel_h * n->kernel_w + k) * columns + i;
                    h[j] += value;
                    size[j] += fabs(value);
                }
            }
        }
}

START_TEST(every_layer_follows_the_formula)
{
    static double h[CODES], sum[CODES], squares[CODES], size[CODES];
    QcQTensor tensors[64];
    setup_case((TinyKind)_i, 4, 7);
    gather(&got, &qc_kernels_scalar, 0, 1);
    QcQGraph apart = tiny_apart(&c.t.g, tensors);
    void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
    QcQRun run;
    qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    memset(size, 0, sizeof size);
    for (uint32_t i = 0; i < FEW; i++) {
        float logits[TINY_CLASSES];
        qc_qrun_forward(&run, logits, c.x[i]);
        memset(h, 0, sizeof h);
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            uint32_t first = apart.nodes[c.flip.layers[l].node].code;
            add_naive(h + first, size + first, &run, l, c.error + i * TINY_CLASSES);
        }
        for (uint32_t j = 0; j < apart.n_codes; j++) sum[j] += h[j], squares[j] += h[j] * h[j];
    }
    uint32_t zero = 0;
    for (uint32_t j = 0; j < apart.n_codes; j++) {
        ck_assert_msg(fabs((double)got.sum[j] - sum[j]) <= 1e-5 * size[j] + 1e-12, "h[%d] is %g, not %g", (int)j, (double)got.sum[j], sum[j]);
        ck_assert_msg(fabs((double)got.squares[j] - squares[j]) <= 3e-5 * size[j] * size[j] + 1e-20, "squares of %d", (int)j);
        zero += sum[j] == 0;
    }
    ck_assert_uint_lt(zero, apart.n_codes / 3); /* there is something to compare */
    free(memory);
    tiny_release(&c.t);
}
END_TEST

/* A sample's statistic is the same as that of the same weights among all, and in the end every weight has its turn. */
START_TEST(samples_and_kernels_change_no_bit)
{
    setup_case((TinyKind)_i, _i % 2 ? 2 : 8, 3);
    gather(&got, &qc_kernels_scalar, 0, 1);
    ck_assert_uint_eq(got.codes, c.t.g.n_codes);
    uint8_t turn[CODES] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        gather(&other, &qc_kernels_scalar, seed % 2 ? 1 : c.t.g.n_codes / 3, seed);
        ck_assert(other.codes > 0 && other.codes < c.t.g.n_codes);
        for (uint32_t j = 0; j < c.t.g.n_codes; j++) {
            turn[j] |= other.seen[j];
            ck_assert(!other.seen[j] || (other.sum[j] == got.sum[j] && other.squares[j] == got.squares[j]));
        }
    }
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) ck_assert_msg(turn[j], "weight %d was never looked at", (int)j);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        gather(&other, *k, c.t.g.n_codes, 5);
        ck_assert_msg(!memcmp(&got, &other, sizeof got), "%s", (*k)->name);
    }
    double squares = 0;
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) squares += (double)got.sum[j] * (double)got.sum[j];
    ck_assert_float_eq_tol(got.rms_net, (float)sqrt(squares / c.t.g.n_codes), 1e-4f * got.rms_net);
    tiny_release(&c.t);
}
END_TEST

START_TEST(no_error_no_direction)
{
    setup_case(TINY_RESIDUAL, 4, 3);
    memset(c.error, 0, sizeof c.error);
    gather(&got, &qc_kernels_scalar, 0, 1);
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) ck_assert(got.sum[j] == 0 && got.squares[j] == 0);
    tiny_release(&c.t);
}
END_TEST

/* The last example's error just below the share of the mean that is neglected, and just above it. */
START_TEST(next_to_no_error_is_left_out)
{
    for (int above = 0; above < 2; above++) {
        setup_case(TINY_RESIDUAL, 4, 3);
        float *last = c.error + (FEW - 1) * TINY_CLASSES, others = 0;
        for (int i = 0; i < (FEW - 1) * TINY_CLASSES; i++) others += fabsf(c.error[i]);
        memset(last, 0, TINY_CLASSES * sizeof *last);
        last[1] = QC_HEBB_NEGLECT * others / (FEW - QC_HEBB_NEGLECT) * (above ? 1.01f : 0.99f);
        gather(&got, &qc_kernels_scalar, 0, 1);
        last[1] = 0;
        gather(&other, &qc_kernels_scalar, 0, 1);
        ck_assert_int_eq(above, memcmp(&got, &other, sizeof got) != 0);
        tiny_release(&c.t);
    }
}
END_TEST

/* ---- features ---- */

/* The pieces of a layer, one after another: their statistic and rows follow each other, so that of the first leads to all. */
static void check_features(void *ctx, const QcPiece *piece, const QcFlipStats *stats, const QcFlipScale *s)
{
    const QcQGraph *g = &c.t.g;
    uint32_t l = piece->layer;
    const QcQNode *n = &g->nodes[c.flip.layers[l].node];
    if (piece->channel) return;
    uint32_t columns = g->tensors[n->in[0]].channels / n->groups, row = n->n_codes / n->channels, *seen = ctx;
    double all = 0, of_row[16] = {0}, of_column[64] = {0};
    for (uint32_t j = 0; j < n->n_codes; j++) {
        double square = pow((double)stats->sum[j], 2);
        all += square / n->n_codes;
        of_row[j / row] += square / row;
        of_column[j % columns] += square / (n->n_codes / columns);
    }
    ck_assert_float_eq_tol(s->rms, (float)sqrt(all), 1e-4f * s->rms);
    for (uint32_t j = 0; j < n->n_codes; j++, ++*seen) {
        float f[1][QC_FLIP_FEATURES], score;
        int dir;
        double h = (double)stats->sum[j], mean = h / FEW, deviation = sqrt(fmax((double)stats->squares[j] / FEW - mean * mean, 0));
        double z = fabs(h) / sqrt(all), code = (double)qc_code_get(g, n, j) / (1 << (g->bits - 1));
        qc_flip_features(f[0], &dir, g, &c.flip.layers[l], stats, s, j, j);
        ck_assert_int_eq(dir, (h < 0) - (h > 0));
        if (!dir) continue;
        const double expected[] = {log(z + 0.001), fmin(z, 6) / 3, -1, -1, dir * code, fabs(code), log(sqrt(of_row[j / row] / all)),
                                   log(sqrt(of_column[j % columns] / all)), log(sqrt(all) / (double)s->rms_net), (double)s->depth};
        for (int k = 0; k < 10; k++)
            if (expected[k] != -1 || k > 3) ck_assert_msg(fabs((double)f[0][k] - expected[k]) < 2e-3, "feature %d is %g, not %g", k, (double)f[0][k], expected[k]);
        if (deviation > 0.2 * fabs(mean)) /* else the spread is rounding */
            ck_assert(fabs((double)f[0][2] - log(fabs(mean) / deviation + 0.01)) < 2e-2 && fabs((double)f[0][3] - fmin(fabs(mean) / deviation, 6) / 3) < 4e-2);
        for (int r = 0; r < 4; r++) ck_assert_float_eq(f[0][10 + r], n->role == r ? 1 : 0);
        qc_flip_scores(&c.flip, &qc_kernels_scalar, &score, f, 1);
        ck_assert(score >= 0 && score <= 1);
    }
}

START_TEST(features_are_those_of_the_method)
{
    setup_case((TinyKind)_i, 4, 12);
    QcHebb hebb;
    uint32_t seen = 0;
    void *memory = place(&hebb, &qc_kernels_scalar, c.t.g.n_codes);
    qc_hebb_gather(&hebb, &c.z, 1, check_features, &seen);
    ck_assert_uint_eq(seen, c.t.g.n_codes);
    free(memory);
    tiny_release(&c.t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hebb");
    TCase *tests = tcase_create("hebb");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, exact_layers_see_the_true_gradient, 0, TINY_KINDS);
    tcase_add_loop_test(tests, gates_are_where_a_relu_follows_the_sum, 0, TINY_KINDS);
    tcase_add_loop_test(tests, every_layer_follows_the_formula, 0, TINY_KINDS);
    tcase_add_loop_test(tests, samples_and_kernels_change_no_bit, 0, TINY_KINDS);
    tcase_add_test(tests, no_error_no_direction);
    tcase_add_test(tests, next_to_no_error_is_left_out);
    tcase_add_loop_test(tests, features_are_those_of_the_method, 0, TINY_KINDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
