/* The quantizer's output: its logits are near the float model's and near the fake-quantized model's. Its plan of
 * memory overwrites nothing that is still needed. */

#include "suite.h"
#include "tiny.h"

#include "../../lib/device/head.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/nn/loss.h"
#include "../../lib/quant/quantize.h"
#include "../../lib/quant/scale.h"
#include "../../lib/quant/fakequant.h"

enum { N = 48 };

static float windows[N * TINY_VALUES];

static void float_logits(float *out, QcGraph *g, uint32_t classes)
{
    QcErr err;
    QcRun *run = qc_run_new(g, N, QC_RUN_EVAL, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    memcpy(out, qc_run_forward(run, windows, N), N * classes * sizeof *out);
    qc_run_free(run);
}

static void integer_logits(float *out, Tiny *t)
{
    uint8_t q[TINY_VALUES];
    for (uint32_t i = 0; i < N; i++) {
        qc_q_input(q, windows + i * TINY_VALUES, TINY_VALUES, &t->g.tensors[0]);
        qc_qrun_forward(&t->run, out + i * t->g.classes, q);
    }
}

/* Root mean square of a - b, in parts of the deviation of a's logits from their means over the windows. */
static double difference(const float *a, const float *b, uint32_t classes)
{
    double apart = 0, spread = 0;
    for (uint32_t k = 0; k < classes; k++) {
        double mean = 0;
        for (uint32_t i = 0; i < N; i++) mean += (double)a[i * classes + k] / N;
        for (uint32_t i = 0; i < N; i++) {
            apart += pow((double)a[i * classes + k] - (double)b[i * classes + k], 2);
            spread += pow((double)a[i * classes + k] - mean, 2);
        }
    }
    ck_assert(spread > 0);
    return sqrt(apart / spread);
}

/* By how much the largest logit leads, for a window. */
static double margin(const float *logits, uint32_t classes)
{
    uint32_t best = qc_largest(logits, classes);
    double lead = INFINITY;
    for (uint32_t k = 0; k < classes; k++)
        if (k != best) lead = fmin(lead, (double)logits[best] - (double)logits[k]);
    return lead;
}

static double error_of(TinyKind kind, int bits, int activation_bits, uint64_t seed)
{
    static float exact[N * TINY_CLASSES], ours[N * TINY_CLASSES];
    Tiny t;
    tiny_make(&t, kind, bits, activation_bits, seed);
    tiny_windows(windows, N, 1, seed + 1); /* the first of those that tiny_make measured on */
    float_logits(exact, &t.model, TINY_CLASSES);
    integer_logits(ours, &t);
    tiny_release(&t);
    return difference(exact, ours, TINY_CLASSES);
}

/* On windows that the ranges were measured on. A rounding to 8 bits errs by 1/sqrt(12) of a step, a step is about 1/40
 * of a tensor's deviation (the range is some 6 deviations): 1 % of the signal a rounding, twice that where half the
 * range or a clipped tail counts. Four to eight roundings in a row, averaged by sums over channels and positions: 7 %
 * is what may come out; more is a mistake in a scale or a bias. Fewer bits must cost more. */
START_TEST(quantization_error_is_small_at_8_bits_and_grows_with_fewer)
{
    double eight = 0, four = 0, two = 0, narrow = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        double e = error_of((TinyKind)_i, 8, 8, seed);
        ck_assert_msg(e < 0.07, "kind %d, seed %d: off by %.3f of the logits' deviation", _i, (int)seed, e);
        eight += e;
        four += error_of((TinyKind)_i, 4, 8, seed);
        two += error_of((TinyKind)_i, 2, 8, seed);
        narrow += error_of((TinyKind)_i, 8, 4, seed);
    }
    ck_assert_msg(eight < four && four < two, "8 bits %.3f, 4 bits %.3f, 2 bits %.3f", eight / 4, four / 4, two / 4);
    ck_assert_msg(eight < narrow, "activations of 8 bits %.3f, of 4 bits %.3f", eight / 4, narrow / 4);
}
END_TEST

/* The float copy rounds at the same places as the device. They differ only if a value lies so near a half that float
 * and fixed-point rounding differ, and then by one step of one tensor. So almost all logits agree to float rounding,
 * and all to a few steps of the last tensor. */
START_TEST(fakequant_model_equals_integer_model)
{
    static float device[N * TINY_CLASSES], fakequant[N * TINY_CLASSES];
    const int bits[] = {2, 4, 8};
    for (int b = 0; b < 3; b++) {
        QcErr err;
        Tiny t;
        QcFakeQuant s;
        tiny_make(&t, (TinyKind)_i, bits[b], b == 1 ? 4 : 8, 20 + (uint64_t)b);
        ck_assert_msg(!qc_fakequant_init(&s, &t.g, &err), "%s", err.text);
        float_logits(fakequant, &s.graph, TINY_CLASSES);
        integer_logits(device, &t);
        const QcQNode *last = &t.g.nodes[t.g.n_nodes - 1];
        double step = 0; /* of the last tensor, as it shows in a logit: times the largest weight */
        for (uint32_t j = 0; j < last->n_codes; j++)
            step = fmax(step, fabs((double)t.g.scale[last->channel + j / (last->n_codes / last->channels)] *
                                   qc_code_get(&t.g, last, j)));
        step *= (double)t.g.tensors[last->in[0]].scale;
        int apart = 0;
        for (uint32_t i = 0; i < N; i++) {
            double worst = 0;
            for (uint32_t k = 0; k < TINY_CLASSES; k++)
                worst = fmax(worst, fabs((double)device[i * 4 + k] - (double)fakequant[i * 4 + k]));
            ck_assert_msg(worst <= 4 * step, "kind %d, %d bits, window %d: %g apart, a step is %g", _i, bits[b], (int)i,
                          worst, step);
            if (worst > 0.01 * step) apart++;
            if (margin(device + i * 4, 4) > 2 * worst)
                ck_assert_uint_eq(qc_largest(device + i * 4, 4), qc_largest(fakequant + i * 4, 4));
        }
        ck_assert_msg(apart <= N / 2, "kind %d, %d bits: %d of %d windows differ", _i, bits[b], apart, N);
        qc_fakequant_release(&s);
        tiny_release(&t);
    }
}
END_TEST

START_TEST(codes_and_biases_round_trip)
{
    const int bits[] = {2, 4, 8};
    for (int b = 0; b < 3; b++) {
        Tiny t;
        QcFakeQuant s;
        tiny_make(&t, (TinyKind)_i, bits[b], 8, 3);
        ck_assert_uint_eq(t.g.bits, (uint32_t)bits[b]);
        ck_assert_int_eq(qc_fakequant_init(&s, &t.g, NULL), 0);
        uint32_t n = 0;
        for (uint32_t i = 0; i < t.g.n_nodes; i++) {
            const QcQNode *node = &t.g.nodes[i];
            for (uint32_t j = 0; j < node->n_codes; j++, n++) {
                ck_assert_uint_eq(node->code + j, n);
                ck_assert_int_eq(qc_code_get(&t.g, node, j),
                                 qc_scale_to_code(t.master[n], 1, (int)qc_code_bits(&t.g, node)));
                ck_assert_float_eq(s.master[n], (float)qc_code_get(&t.g, node, j));
            }
        }
        ck_assert_uint_eq(n, t.g.n_codes);
        uint8_t *codes = malloc(t.g.n_code_bytes);
        int32_t *bias = malloc(t.g.n_channels * sizeof *bias);
        memcpy(codes, t.g.codes, t.g.n_code_bytes);
        memset(t.g.codes, 0x99, t.g.n_code_bytes);
        qc_pack_masters(&t.g, s.master);
        for (uint32_t i = 0; i < t.g.n_nodes; i++) { /* all bits that belong to a code are back */
            const QcQNode *node = &t.g.nodes[i];
            QcQGraph before = t.g;
            before.codes = codes;
            for (uint32_t j = 0; j < node->n_codes; j++)
                ck_assert_int_eq(qc_code_get(&t.g, node, j), qc_code_get(&before, node, j));
        }
        qc_fakequant_biases(&s, bias);
        for (uint32_t c = 0; c < t.g.n_channels; c++) /* a bias beyond 24 bits is no float */
            ck_assert_msg(abs(bias[c] - t.g.bias[c]) <= abs(t.g.bias[c]) / (1 << 22), "bias %d became %d", t.g.bias[c],
                          bias[c]);
        for (uint32_t j = 0; j < n; j++) s.master[j] = j % 2 ? 1e9f : -1e9f;
        qc_fakequant_clamp(&s);
        for (uint32_t i = 0; i < t.g.n_nodes; i++) {
            const QcQNode *node = &t.g.nodes[i];
            const int own = (int)qc_code_bits(&t.g, node);
            for (uint32_t j = node->code; j < node->code + node->n_codes; j++)
                ck_assert_int_eq((int)roundf(s.master[j]), j % 2 ? qc_code_high(own) : qc_code_low(own));
        }
        free(codes);
        free(bias);
        qc_fakequant_release(&s);
        tiny_release(&t);
    }
}
END_TEST

/* ---- the memory plan ---- */

typedef struct Watch {
    QcQRun *apart; /* of the plan in which nothing shares; complete */
    const QcFlipLayer *layers;
    uint32_t n_layers, compared, gated;
} Watch;

static void compare_slices(const Watch *w, const QcQRun *run, uint32_t t, uint32_t first, uint32_t channels)
{
    const QcQTensor *tensor = &run->g->tensors[t];
    for (uint32_t p = 0; p < (uint32_t)tensor->height * tensor->width; p++)
        ck_assert_mem_eq(qc_qrun_tensor(run, t) + p * tensor->channels + first,
                         qc_qrun_tensor(w->apart, t) + p * tensor->channels + first, channels);
}

static void see_all_there(void *ctx, QcQRun *run, uint32_t at, const QcQConv *conv)
{
    Watch *w = ctx;
    (void)conv;
    for (uint32_t l = 0; l < w->n_layers; l++) {
        const QcFlipLayer *layer = &w->layers[l];
        if (layer->gate_node != at) continue;
        const QcQNode *node = &run->g->nodes[layer->node];
        compare_slices(w, run, node->in[0], 0, run->g->tensors[node->in[0]].channels);
        if (node->op == QC_Q_CONV && (layer->masked || layer->gate == QC_NO_GATE))
            compare_slices(w, run, node->out, node->out_channel, node->channels);
        if (layer->gate != QC_NO_GATE)
            compare_slices(w, run, layer->gate, 0, run->g->tensors[layer->gate].channels), w->gated++;
        w->compared++;
    }
}

START_TEST(gate_inputs_are_not_overwritten_by_plan)
{
    Tiny t;
    QcFlipLayer layers[QC_FLIP_MAX_LAYERS];
    uint32_t n_feedback;
    tiny_make(&t, (TinyKind)_i, 4, 8, 6);
    QcQTensor tensors[64];
    ck_assert_uint_le(t.g.n_tensors, 64);
    QcQGraph apart = tiny_apart(&t.g, tensors);
    ck_assert_uint_le(t.g.activation_bytes, apart.activation_bytes);
    void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
    QcQRun run;
    qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
    Watch w = {.apart = &run, .layers = layers, .n_layers = qc_flip_describe(&t.g, layers, &n_feedback)};
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t q[TINY_VALUES];
        float logits[2][TINY_CLASSES];
        qc_q_input(q, windows + i * TINY_VALUES, TINY_VALUES, &t.g.tensors[0]);
        qc_qrun_forward(&run, logits[0], q);
        memset(t.memory, 0xa5, t.g.activation_bytes);
        qc_qrun_forward_seen(&t.run, logits[1], q, t.g.n_nodes - 1, see_all_there, &w);
        ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
    }
    ck_assert_uint_eq(w.compared, 4 * w.n_layers);
    /* the convolution, or the three branches, and the shortcut; there is no ReLU after the sum of TINY_MIXED */
    ck_assert_uint_eq(w.gated, _i == TINY_RESIDUAL ? 8 : _i == TINY_JOINED ? 16 : 0);
    free(memory);
    tiny_release(&t);
}
END_TEST

static void see_output(void *ctx, QcQRun *run, uint32_t at, const QcQConv *conv)
{
    Watch *w = ctx;
    const QcQNode *node = &run->g->nodes[at];
    if (node->op != QC_Q_LOGITS) compare_slices(w, run, node->out, node->out_channel, node->channels);
    if (conv) compare_slices(w, run, node->in[0], 0, run->g->tensors[node->in[0]].channels);
    w->compared++;
}

/* Sums and pools write over what they read, nothing is kept for the flipper, and every integer of every layer is what
 * it is where no two tensors share. */
START_TEST(inference_only_plan_gives_same_bits)
{
    Tiny t;
    QcQTensor tensors[64];
    tiny_make(&t, (TinyKind)_i, 4, 8, 8);
    QcQGraph apart = tiny_apart(&t.g, tensors);
    ck_assert_uint_gt(t.g.inference_bytes, 0);
    ck_assert_uint_le(t.g.inference_bytes, t.g.activation_bytes);
    if (_i == TINY_RESIDUAL) ck_assert_uint_lt(t.g.inference_bytes, t.g.activation_bytes); /* no gate waits */
    void *memory[2] = {aligned_alloc(64, (size_t)qc_qgraph_bytes(&apart)),
                       aligned_alloc(64, (size_t)qc_qgraph_inference_bytes(&t.g))};
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        QcQRun run, lean;
        qc_qrun_place(&run, &apart, *k, memory[0]);
        qc_qrun_place_inference(&lean, &t.g, *k, memory[1]);
        Watch w = {.apart = &run};
        for (uint32_t i = 0; i < 4; i++) {
            uint8_t q[TINY_VALUES];
            float logits[2][TINY_CLASSES];
            qc_q_input(q, windows + i * TINY_VALUES, TINY_VALUES, &t.g.tensors[0]);
            qc_qrun_forward(&run, logits[0], q);
            memset(memory[1], 0xa5, t.g.inference_bytes);
            qc_qrun_forward_seen(&lean, logits[1], q, t.g.n_nodes - 1, see_output, &w);
            ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
        }
        ck_assert_uint_eq(w.compared, 4 * t.g.n_nodes);
    }
    free(memory[0]);
    free(memory[1]);
    tiny_release(&t);
}
END_TEST

/* ---- graphs of one's own ---- */

static void emit_own(Tiny *t, int bits)
{
    QcErr err;
    ck_assert_msg(!qc_emit(&t->g, &t->master, &t->model, windows, N, bits, 0, 8, 1, &t->arena, &err), "%s", err.text);
    ck_assert_int_eq(qc_qgraphfile_check(&t->g, &err), 0);
    tiny_place(t, &qc_kernels_scalar);
}

static double own_error(Tiny *t)
{
    static float exact[N * TINY_CLASSES], ours[N * TINY_CLASSES];
    emit_own(t, 8);
    float_logits(exact, &t->model, TINY_CLASSES);
    integer_logits(ours, t);
    return difference(exact, ours, TINY_CLASSES);
}

static void end_own(Tiny *t, uint32_t at)
{
    tiny_ok(qc_graph_linear(&t->model, "last", tiny_op(&t->model, "gap", QC_OP_GAP, at), TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(&t->model, NULL), 0);
    tiny_settle(&t->model, 8);
}

START_TEST(clipped_relu_keeps_its_limit)
{
    for (int joined = 0; joined < 2; joined++) {
        Tiny t = {0};
        ck_assert_int_eq(qc_graph_init(&t.model, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
        uint32_t parts[2] = {tiny_op(&t.model, "r1", QC_OP_RELU, tiny_conv(&t.model, "a", 0, 6, 3, 1)), 0};
        t.model.nodes[parts[0]].clip = 0.3f;
        /* reaches much higher in the same tensor */
        if (joined) parts[1] = tiny_op(&t.model, "r2", QC_OP_RELU, tiny_conv(&t.model, "b", 0, 2, 3, 1));
        end_own(&t, joined ? tiny_ok(qc_graph_concat(&t.model, "join", parts, 2, NULL)) : parts[0]);
        double e = own_error(&t);
        ck_assert_msg(e < 0.1, "%s: off by %.3f", joined ? "in a concat" : "alone", e);
        tiny_release(&t);
    }
}
END_TEST

/* A filter that training has disabled has weights of almost zero, but its bias still reaches the next layer. */
START_TEST(dead_channels_keep_their_bias)
{
    const float sizes[] = {0, 1e-6f, 1e-12f, 1e-20f, 1e-30f};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        static float exact[N * TINY_CLASSES], ours[N * TINY_CLASSES];
        Tiny t = {0};
        tiny_graph(&t.model, TINY_PLAIN, 2);
        const QcNode *conv = &t.model.nodes[qc_graph_find(&t.model, "c2")], *last = &t.model.nodes[t.model.n_nodes - 1];
        for (size_t j = 0; j < 24; j++) t.model.params[conv->weight + j] *= sizes[i];
        t.model.params[conv->bias] = 0.8f;
        t.model.params[last->weight] = 2;
        emit_own(&t, 8);
        float_logits(exact, &t.model, TINY_CLASSES);
        integer_logits(ours, &t);
        double shift = 0; /* a lost bias shifts logit 0 by 1.6 */
        for (uint32_t k = 0; k < N; k++) shift += ((double)ours[k * 4] - (double)exact[k * 4]) / N;
        ck_assert_msg(fabs(shift) < 0.1, "weights x %g: logit 0 is off by %.3f", (double)sizes[i], shift);
        tiny_release(&t);
    }
}
END_TEST

/* SiLU, a squeeze-and-excite gate, columns as channels, and a batch norm of a flat row. */
START_TEST(silu_gate_permutation_and_flat_norm)
{
    static const QcStep silu[] = {{QC_STEP_X, 0}, {QC_STEP_SIGMOID, 0}, {QC_STEP_X, 0}, {QC_STEP_MUL, 0}},
                        gate[] = {{QC_STEP_X, 0}, {QC_STEP_SIGMOID, 0}};
    static float device[N * TINY_CLASSES], fakequant[N * TINY_CLASSES];
    const QcLoops columns = {.n = 2, .size = {6, 12}, .stride = {1, 12}, .offset = 6}; /* of every second position */
    Tiny t = {0};
    QcFakeQuant s;
    QcErr err;
    QcGraph *g = &t.model;
    ck_assert_int_eq(qc_graph_init(g, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
    uint32_t a = tiny_ok(qc_graph_function(g, "silu", tiny_conv(g, "a", 0, 6, 3, 1), silu, 4, NULL));
    uint32_t open = tiny_ok(qc_graph_function(
        g, "gate", tiny_conv(g, "squeeze", tiny_op(g, "mean", QC_OP_GAP, a), 6, 1, 1), gate, 2, NULL));
    uint32_t product = tiny_ok(qc_graph_mul(g, "product", a, open, NULL)),
             square = tiny_ok(qc_graph_mul(g, "square", product, a, NULL));
    uint32_t turned = tiny_ok(qc_graph_turn(g, "turned", square, 1, 6, 12, &columns, NULL));
    uint32_t row = tiny_op(g, "norm", QC_OP_BATCHNORM, tiny_op(g, "flat", QC_OP_FLATTEN, turned));
    tiny_ok(qc_graph_linear(g, "last", row, TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
    tiny_settle(g, 8);
    double e = own_error(&t);
    ck_assert_msg(e < 0.07, "off by %.3f", e);
    integer_logits(device, &t);
    ck_assert_msg(!qc_fakequant_init(&s, &t.g, &err), "%s", err.text);
    float_logits(fakequant, &s.graph, TINY_CLASSES);
    ck_assert_msg((e = difference(fakequant, device, TINY_CLASSES)) < 0.01, "the fake-quantized model is off by %.3f",
                  e);
    qc_fakequant_release(&s);
    tiny_release(&t);
}
END_TEST

START_TEST(unsupported_graphs_are_refused_with_message)
{
    QcErr err;
    QcArena arena = {0};
    QcQGraph q;
    float *master;
    QcGraph g;
    tiny_graph(&g, TINY_PLAIN, 1);
    ck_assert_int_eq(qc_emit(&q, &master, &g, windows, 0, 8, 0, 8, 1, &arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no window"));
    ck_assert_int_eq(err.code, QC_EFORMAT);
    qc_graph_release(&g);
    for (int relu = 0; relu < 2; relu++) { /* the last layer is a pool, or a ReLU after the classifier */
        ck_assert_int_eq(qc_graph_init(&g, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
        uint32_t at = tiny_op(&g, "mean", QC_OP_GAP, tiny_conv(&g, "c", 0, TINY_CLASSES, 3, 1));
        if (relu) tiny_op(&g, "top", QC_OP_RELU, tiny_ok(qc_graph_linear(&g, "fc", at, TINY_CLASSES, 1, NULL)));
        ck_assert_int_eq(qc_graph_finish(&g, NULL), 0);
        tiny_settle(&g, 1);
        ck_assert_int_eq(qc_emit(&q, &master, &g, windows, N, 8, 0, 8, 1, &arena, &err), -1);
        ck_assert_int_eq(err.code, QC_EUNSUPPORTED);
        ck_assert_msg(strstr(err.text, relu ? "'fc.relu' (relu)" : "'mean' (gap)") &&
                          strstr(err.text, "only a linear last layer"),
                      "%s", err.text);
        qc_graph_release(&g);
    }
    qc_arena_release(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emit");
    TCase *tests = tcase_create("emit");
    tcase_set_timeout(tests, 120);
    tiny_windows(windows, N, 1, 77);
    tcase_add_loop_test(tests, quantization_error_is_small_at_8_bits_and_grows_with_fewer, 0, TINY_KINDS);
    tcase_add_loop_test(tests, fakequant_model_equals_integer_model, 0, TINY_KINDS);
    tcase_add_loop_test(tests, codes_and_biases_round_trip, 0, TINY_KINDS);
    tcase_add_loop_test(tests, gate_inputs_are_not_overwritten_by_plan, 0, TINY_KINDS);
    tcase_add_loop_test(tests, inference_only_plan_gives_same_bits, 0, TINY_KINDS);
    tcase_add_test(tests, clipped_relu_keeps_its_limit);
    tcase_add_test(tests, dead_channels_keep_their_bias);
    tcase_add_test(tests, silu_gate_permutation_and_flat_norm);
    tcase_add_test(tests, unsupported_graphs_are_refused_with_message);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
