/* Every layer's gradients, and those of small whole networks, against central finite differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/nn/run.h"
#include "../../lib/nn/runparts.h"

enum { PROBES = 60 };

static QcErr err;

static int ok(int node)
{
    ck_assert_msg(node >= 0, "%s", err.text);
    return node;
}
#define NODE(call) ((uint32_t)ok(call))

static QcGraph start(uint32_t channels, uint32_t height, uint32_t width)
{
    QcGraph g;
    ok(qc_graph_init(&g, channels, height, width, &err));
    return g;
}

static size_t input_values(const QcGraph *g) { return (size_t)g->nodes[0].height * g->nodes[0].width * g->nodes[0].channels; }

static float *random_values(size_t n, uint64_t seed)
{
    float *values = malloc(n * sizeof *values);
    QcRng rng = qc_rng_seed(seed, 77);
    for (size_t i = 0; i < n; i++) values[i] = (float)qc_rng_normal(&rng);
    return values;
}

/* A scalar whose gradient with respect to the logits is `direction`. */
static double objective(QcRun *run, const float *x, uint32_t n, const float *direction, uint32_t classes)
{
    const float *logits = qc_run_forward(run, x, n);
    double sum = 0;
    for (uint32_t i = 0; i < n * classes; i++) sum += (double)logits[i] * (double)direction[i];
    return sum;
}

/* Nudges *value; two step sizes, of which the better counts, since a kink (ReLU, maximum) may lie within one of them. */
static double distance_to_slope(QcRun *run, float *value, double gradient, const float *x, uint32_t n, const float *direction, uint32_t classes)
{
    double best = INFINITY;
    float kept = *value;
    for (int k = 0; k < 2; k++) {
        volatile float up = kept + (k ? .001f : .006f), down = kept - (k ? .001f : .006f);
        *value = up;
        double high = objective(run, x, n, direction, classes);
        *value = down;
        double low = objective(run, x, n, direction, classes);
        double miss = fabs((high - low) / ((double)up - (double)down) - gradient);
        if (miss < best) best = miss;
    }
    *value = kept;
    return best;
}

static void check_array(QcRun *run, const char *what, float *values, const float *gradients, size_t total, float *x, uint32_t n,
                        const float *direction, uint32_t classes)
{
    double square = 0;
    for (size_t i = 0; i < total; i++) square += (double)gradients[i] * (double)gradients[i];
    double rms = sqrt(square / (double)total);
    QcRng rng = qc_rng_seed(5, 5);
    for (size_t probe = 0; probe < PROBES && probe < total; probe++) {
        size_t i = total <= PROBES ? probe : qc_rng_below(&rng, (uint32_t)total);
        double miss = distance_to_slope(run, &values[i], (double)gradients[i], x, n, direction, classes);
        ck_assert_msg(miss <= .01 * (rms + fabs((double)gradients[i])) + 2e-4, "%s %zu of %zu: gradient %g is off by %g (rms %g)", what, i, total,
                      (double)gradients[i], miss, rms);
    }
}

/* Finishes, checks and releases g: gradients of all parameters and of the input, for n windows in a run of `batch`. */
static void check_mode(QcGraph *g, QcRunMode mode, uint32_t batch, uint32_t n)
{
    QcRun *run = qc_run_new(g, batch, mode, 2, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    ok(qc_run_keep(run, 0, &err));
    size_t values = n * input_values(g);
    float *x = random_values(values, 3), *direction = random_values(n * g->classes, 4);
    float *gradients = malloc((g->n_params + 1) * sizeof *gradients), *dx = malloc(values * sizeof *dx);
    for (size_t i = 0; i < g->n_params; i++) gradients[i] = NAN; /* every one must be written */
    objective(run, x, n, direction, g->classes);
    qc_run_backward(run, gradients, direction);
    for (size_t i = 0; i < values; i++) dx[i] = qc_run_gradient(run, 0)[i];
    if (g->n_params) check_array(run, "parameter", g->params, gradients, g->n_params, x, n, direction, g->classes);
    check_array(run, "input", x, dx, values, x, n, direction, g->classes);
    free(x);
    free(direction);
    free(gradients);
    free(dx);
    qc_run_free(run);
}

static void check_gradients(QcGraph *g)
{
    ok(qc_graph_finish(g, &err));
    ok(qc_graph_check(g, &err));
    qc_graph_reset(g, 11);
    QcRng rng = qc_rng_seed(12, 0);
    for (size_t i = 0; i < g->n_params; i++) g->params[i] += .2f * (float)qc_rng_normal(&rng); /* biases, gains, shifts too */
    for (size_t i = 0; i < g->n_stats; i++) g->stats[i] += .3f * qc_rng_unit(&rng);
    check_mode(g, QC_RUN_TUNE, 3, 3);
    check_mode(g, QC_RUN_TUNE, 5, 2);
    check_mode(g, QC_RUN_TRAIN, 6, 6);
    check_mode(g, QC_RUN_TRAIN, 8, 5);
    qc_graph_release(g);
}

static void close_with_head(QcGraph *g, uint32_t node)
{
    uint32_t flat = NODE(qc_graph_simple(g, "flatten", QC_OP_FLATTEN, node, &err));
    NODE(qc_graph_linear(g, "head", flat, 3, 1, &err));
    check_gradients(g);
}

static void check_conv(uint32_t channels, uint32_t height, uint32_t width, uint32_t out, QcWindow window, uint32_t groups, int bias)
{
    QcGraph g = start(channels, height, width);
    close_with_head(&g, NODE(qc_graph_conv(&g, "conv", 0, out, window, groups, bias, &err)));
}

START_TEST(conv_series)
{
    check_conv(3, 1, 17, 5, qc_window_same_1d(9), 1, 0);
    check_conv(8, 1, 20, 16, qc_window_same_1d(19), 1, 0);
    check_conv(5, 1, 12, 4, qc_window_same_1d(6), 1, 1);
    check_conv(7, 1, 9, 3, qc_window_1d(1, 1, 1, 0, 0), 1, 1);
}
END_TEST

START_TEST(conv_odd_windows)
{
    check_conv(3, 1, 21, 4, qc_window_1d(4, 3, 1, 2, 0), 1, 1);
    check_conv(2, 1, 23, 3, qc_window_1d(3, 2, 4, 1, 5), 1, 0);
    check_conv(4, 1, 18, 3, qc_window_1d(5, 1, 2, 0, 7), 1, 1); /* padding beyond the kernel's reach */
    check_conv(1, 1, 5, 2, qc_window_1d(11, 1, 1, 5, 5), 1, 0); /* a kernel wider than the series */
    check_conv(2, 1, 10, 2, qc_window_1d(3, 4, 1, 0, 0), 1, 0); /* the last values are seen by no window */
}
END_TEST

START_TEST(conv_images)
{
    QcWindow w = {.kernel_h = 3, .kernel_w = 2, .stride_h = 2, .stride_w = 1, .dilation_h = 1, .dilation_w = 2, .pad_top = 1, .pad_bottom = 0,
                  .pad_left = 0, .pad_right = 2};
    check_conv(3, 7, 6, 4, w, 1, 1);
    QcWindow square = {3, 3, 2, 2, 1, 1, 1, 1, 1, 1};
    check_conv(8, 6, 5, 8, square, 1, 0);
}
END_TEST

/* Beyond its scratchpad is where oneDNN 2.6 would write; the heap notices, for so many windows. */
START_TEST(strides_stay_in_their_memory)
{
    enum { N = 64 };
    QcGraph g = start(8, 64, 64);
    QcWindow both = {1, 1, 2, 2, 1, 1, 0, 0, 0, 0};
    uint32_t node = NODE(qc_graph_conv(&g, "a", 0, 16, both, 1, 0, &err));
    node = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, node, &err));
    NODE(qc_graph_linear(&g, "head", node, 3, 1, &err));
    ok(qc_graph_finish(&g, &err));
    qc_graph_reset(&g, 1);
    float *x = random_values(N * input_values(&g), 3), *direction = random_values(N * 3, 4), *grads = malloc(g.n_params * sizeof *grads);
    QcRun *run = qc_run_new(&g, N, QC_RUN_TRAIN, 1, &err);
    ok(qc_run_keep(run, 0, &err));
    qc_run_forward(run, x, N);
    qc_run_backward(run, grads, direction);
    qc_run_free(run);
    free(x);
    free(direction);
    free(grads);
    qc_graph_release(&g);
}
END_TEST

/* 1 x 1 with a stride. */
START_TEST(conv_that_only_strides)
{
    QcWindow both = {1, 1, 2, 3, 1, 1, 0, 0, 0, 0}, down = {1, 1, 2, 1, 1, 1, 0, 0, 0, 0};
    check_conv(8, 64, 64, 16, both, 1, 0);
    check_conv(5, 7, 6, 4, both, 1, 1);
    check_conv(4, 6, 5, 6, down, 2, 0);
    check_conv(3, 1, 19, 5, qc_window_1d(1, 4, 1, 0, 0), 1, 1);
    check_conv(3, 1, 9, 2, qc_window_1d(1, 2, 1, 2, 5), 1, 1); /* and with padding, which is left to oneDNN */
}
END_TEST

START_TEST(conv_groups)
{
    check_conv(6, 1, 11, 9, qc_window_same_1d(3), 3, 1);
    check_conv(8, 1, 11, 8, qc_window_1d(5, 2, 1, 2, 1), 8, 0); /* depthwise */
    QcWindow w = {3, 2, 1, 2, 2, 1, 2, 1, 1, 0};
    check_conv(4, 6, 7, 6, w, 2, 1);
}
END_TEST

START_TEST(linear_on_an_image)
{
    QcGraph g = start(3, 4, 5);
    uint32_t hidden = NODE(qc_graph_linear(&g, "hidden", 0, 7, 1, &err));
    uint32_t relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, hidden, &err));
    NODE(qc_graph_linear(&g, "head", relu, 4, 0, &err));
    check_gradients(&g);
}
END_TEST

START_TEST(batch_norm)
{
    QcGraph g = start(70, 1, 6); /* more channels than one strip */
    close_with_head(&g, NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 0, &err)));
}
END_TEST

START_TEST(relu_with_and_without_clip)
{
    QcGraph g = start(3, 2, 5);
    uint32_t relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, 0, &err));
    close_with_head(&g, relu);
    g = start(3, 2, 5);
    relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, 0, &err));
    g.nodes[relu].clip = .7f;
    close_with_head(&g, relu);
}
END_TEST

static void check_pool(QcOp op, uint32_t height, uint32_t width, QcWindow window, int count_padding)
{
    QcGraph g = start(3, height, width);
    close_with_head(&g, NODE(qc_graph_pool(&g, "pool", op, 0, window, count_padding, &err)));
}

START_TEST(pools)
{
    QcWindow square = {3, 2, 2, 1, 1, 1, 1, 1, 1, 0}, spread = {2, 3, 1, 2, 2, 1, 1, 1, 2, 1};
    const QcOp ops[] = {QC_OP_MAXPOOL, QC_OP_AVGPOOL};
    for (int k = 0; k < 2; k++) {
        check_pool(ops[k], 1, 11, qc_window_same_1d(3), 0);
        check_pool(ops[k], 1, 12, qc_window_1d(4, 3, 1, 3, 1), 1);
        check_pool(ops[k], 6, 5, square, 0);
        check_pool(ops[k], 6, 7, spread, 1);
    }
}
END_TEST

START_TEST(global_pool)
{
    QcGraph g = start(5, 3, 4);
    uint32_t gap = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, 0, &err));
    NODE(qc_graph_linear(&g, "head", gap, 3, 1, &err));
    check_gradients(&g);
}
END_TEST

START_TEST(concat_and_add_of_shared_values)
{
    QcGraph g = start(3, 1, 8);
    uint32_t a = NODE(qc_graph_conv(&g, "a", 0, 4, qc_window_same_1d(3), 1, 0, &err));
    uint32_t b = NODE(qc_graph_conv(&g, "b", 0, 4, qc_window_same_1d(5), 1, 1, &err));
    uint32_t twice = NODE(qc_graph_add(&g, "twice", a, a, &err));
    uint32_t sum = NODE(qc_graph_add(&g, "sum", twice, b, &err));
    uint32_t inputs[] = {sum, b, sum, 0};
    close_with_head(&g, NODE(qc_graph_concat(&g, "all", inputs, 4, &err))); /* without a kink: every parameter moves many values */
}
END_TEST

/* One module of InceptionTime with its shortcut. */
START_TEST(inception_module)
{
    QcGraph g = start(6, 1, 15);
    uint32_t bottleneck = NODE(qc_graph_conv(&g, "bottleneck", 0, 4, qc_window_same_1d(1), 1, 0, &err));
    uint32_t wide = NODE(qc_graph_conv(&g, "wide", bottleneck, 4, qc_window_same_1d(9), 1, 0, &err));
    uint32_t narrow = NODE(qc_graph_conv(&g, "narrow", bottleneck, 4, qc_window_same_1d(5), 1, 0, &err));
    uint32_t pool = NODE(qc_graph_pool(&g, "pool", QC_OP_MAXPOOL, 0, qc_window_same_1d(3), 0, &err));
    uint32_t pooled = NODE(qc_graph_conv(&g, "pooled", pool, 4, qc_window_same_1d(1), 1, 0, &err));
    uint32_t parts[] = {wide, narrow, pooled};
    uint32_t all = NODE(qc_graph_concat(&g, "all", parts, 3, &err));
    uint32_t norm = NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, all, &err));
    uint32_t relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, norm, &err));
    uint32_t shortcut = NODE(qc_graph_conv(&g, "shortcut", 0, 12, qc_window_same_1d(1), 1, 0, &err));
    uint32_t shortcut_norm = NODE(qc_graph_simple(&g, "shortcut norm", QC_OP_BATCHNORM, shortcut, &err));
    uint32_t sum = NODE(qc_graph_add(&g, "sum", relu, shortcut_norm, &err));
    uint32_t out = NODE(qc_graph_simple(&g, "out", QC_OP_RELU, sum, &err));
    uint32_t gap = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, out, &err));
    NODE(qc_graph_linear(&g, "head", gap, 4, 1, &err));
    check_gradients(&g);
}
END_TEST

/* A block of ResNet that strides, with its shortcut, and one around which the value itself goes; on images and on series. Without its ReLUs:
 * their kinks would be many, and their slopes are looked at elsewhere. */
static void check_residual(uint32_t height, uint32_t width)
{
    QcGraph g = start(3, height, width);
    QcWindow three = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, one = {1, 1, 2, 2, 1, 1, 0, 0, 0, 0};
    if (height == 1) three.kernel_h = one.stride_h = 1, three.pad_top = three.pad_bottom = 0;
    QcWindow stride = three;
    stride.stride_h = one.stride_h;
    stride.stride_w = one.stride_w;
    uint32_t a = NODE(qc_graph_conv(&g, "a", 0, 4, stride, 1, 0, &err));
    a = NODE(qc_graph_simple(&g, "a norm", QC_OP_BATCHNORM, a, &err));
    a = NODE(qc_graph_conv(&g, "a2", a, 4, three, 1, 0, &err));
    uint32_t shortcut = NODE(qc_graph_conv(&g, "shortcut", 0, 4, one, 1, 0, &err));
    shortcut = NODE(qc_graph_simple(&g, "shortcut norm", QC_OP_BATCHNORM, shortcut, &err));
    a = NODE(qc_graph_add(&g, "a sum", a, shortcut, &err));
    uint32_t b = NODE(qc_graph_conv(&g, "b", a, 4, three, 1, 0, &err));
    b = NODE(qc_graph_add(&g, "b sum", b, a, &err));
    b = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, b, &err));
    NODE(qc_graph_linear(&g, "head", b, 3, 1, &err));
    check_gradients(&g);
}

START_TEST(residual_blocks)
{
    check_residual(1, 13);
    check_residual(7, 6);
}
END_TEST

/* A layer of OS-CNN: more inputs side by side than any other network has, of even sizes too, some beyond the series. */
START_TEST(omni_scale_layer)
{
    const uint32_t kernels[] = {1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    enum { N = sizeof kernels / sizeof *kernels };
    uint32_t parts[N];
    QcGraph g = start(2, 1, 12);
    for (uint32_t k = 0; k < N; k++) {
        char name[16];
        snprintf(name, sizeof name, "conv%u", k);
        parts[k] = NODE(qc_graph_conv(&g, name, 0, 2, qc_window_same_1d(kernels[k]), 1, 0, &err));
    }
    uint32_t y = NODE(qc_graph_concat(&g, "all", parts, N, &err));
    y = NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, y, &err));
    y = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, y, &err));
    close_with_head(&g, y);
}
END_TEST

/* The straight-through gradient is no slope: it is 1 inside the range, 0 outside. */
START_TEST(quant_is_straight_through)
{
    QcGraph g = start(1, 1, 6);
    uint32_t quant = NODE(qc_graph_quant(&g, "quant", 0, .5f, 2, 2, &err)); /* values -1, -.5, 0, .5 */
    NODE(qc_graph_simple(&g, "flatten", QC_OP_FLATTEN, quant, &err));
    ok(qc_graph_finish(&g, &err));
    QcRun *run = qc_run_new(&g, 1, QC_RUN_TUNE, 1, &err);
    ok(qc_run_keep(run, 0, &err));
    const float x[] = {-1.3f, -1.1f, -.3f, .2f, .7f, .9f}, dy[] = {1, 2, 3, 4, 5, 6};
    const float y[] = {-1, -1, -.5f, 0, .5f, .5f}, dx[] = {0, 2, 3, 4, 5, 0};
    /* -1.3 -> -3 + 2 is below 0; .9 -> 2 + 2 is above 3; .7 -> 1 + 2 is the top itself */
    const float *out = qc_run_forward(run, x, 1);
    for (int i = 0; i < 6; i++) ck_assert_float_eq(out[i], y[i]);
    qc_run_backward(run, NULL, dy);
    for (int i = 0; i < 6; i++) ck_assert_float_eq(qc_run_gradient(run, 0)[i], dx[i]);
    qc_run_free(run);
    qc_graph_release(&g);
}
END_TEST

/* By the C library's rounding, value by value: halves, values around them, far ones and what is no number, with and without room of its own. */
START_TEST(quant_rounds_as_roundf)
{
    enum { N = 4 * 64 + 9 };
    const QcNode node = {.scale = 0.37f, .zero = 5, .bits = 4};
    float x[N], y[N], dy[N], dx[N];
    QcRng rng = qc_rng_seed(7, 0);
    for (int i = 0; i < N; i++) {
        float half = node.scale * ((float)i / 8 - 16 + 0.5f);
        x[i] = i % 8 == 0 ? half : i % 8 == 1 ? nextafterf(half, 0) : i % 8 == 2 ? nextafterf(half, 100) : (float)(5 * qc_rng_normal(&rng));
        dy[i] = (float)qc_rng_normal(&rng);
    }
    x[3] = 1e30f, x[4] = -1e30f, x[5] = 3e9f, x[6] = NAN;
    qc_quant_forward(y, x, &node, N);
    qc_quant_backward(dx, dy, x, &node, N);
    for (int i = 0; i < N; i++) {
        float q = roundf(x[i] / node.scale) + 5;
        if (i == 6) ck_assert(isnan(y[i]) && dx[i] == 0);
        else ck_assert_float_eq(y[i], node.scale * (fminf(fmaxf(q, 0), 15) - 5));
        ck_assert_float_eq(dx[i], q >= 0 && q <= 15 ? dy[i] : 0);
    }
    qc_quant_backward(dy, dy, x, &node, N);
    qc_quant_forward(x, x, &node, N);
    ck_assert_mem_eq(dy, dx, sizeof dx);
    ck_assert_mem_eq(x, y, sizeof y);
}
END_TEST

/* Memory is shared where lives do not meet: a kept node's value and gradient must still equal those of a run that keeps everything. */
START_TEST(keeping_changes_nothing)
{
    QcGraph g = start(4, 1, 10);
    uint32_t a = NODE(qc_graph_conv(&g, "a", 0, 6, qc_window_same_1d(3), 1, 1, &err));
    uint32_t norm = NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, a, &err));
    uint32_t relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, norm, &err));
    uint32_t b = NODE(qc_graph_conv(&g, "b", relu, 6, qc_window_same_1d(3), 1, 1, &err));
    uint32_t sum = NODE(qc_graph_add(&g, "sum", b, relu, &err));
    uint32_t gap = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, sum, &err));
    NODE(qc_graph_linear(&g, "head", gap, 3, 1, &err));
    ok(qc_graph_finish(&g, &err));
    qc_graph_reset(&g, 2);
    float *x = random_values(4 * input_values(&g), 3), *direction = random_values(12, 4);
    float *grads[2] = {malloc(g.n_params * sizeof(float)), malloc(g.n_params * sizeof(float))};
    QcRun *all = qc_run_new(&g, 4, QC_RUN_TUNE, 2, &err);
    for (uint32_t i = 0; i < g.n_nodes; i++) ok(qc_run_keep(all, i, &err));
    qc_run_forward(all, x, 4);
    qc_run_backward(all, grads[0], direction);
    for (uint32_t node = 1; node < g.n_nodes; node++) {
        QcRun *one = qc_run_new(&g, 4, QC_RUN_TUNE, 2, &err);
        ok(qc_run_keep(one, node, &err));
        qc_run_forward(one, x, 4);
        qc_run_backward(one, grads[1], direction);
        size_t bytes = 4 * (size_t)g.nodes[node].width * g.nodes[node].channels * sizeof(float);
        ck_assert_mem_eq(qc_run_value(all, node), qc_run_value(one, node), bytes);
        ck_assert_mem_eq(qc_run_gradient(all, node), qc_run_gradient(one, node), bytes);
        ck_assert_mem_eq(grads[0], grads[1], g.n_params * sizeof(float));
        ck_assert_ptr_null(qc_run_value(one, node == 1 ? 2 : 1));
        qc_run_free(one);
    }
    free(x);
    free(direction);
    free(grads[0]);
    free(grads[1]);
    qc_run_free(all);
    qc_graph_release(&g);
}
END_TEST

/* Batch norm sees the n windows that are there, whatever the run has room for, and keeps PyTorch's running statistics. */
START_TEST(norm_statistics)
{
    QcGraph g = start(1, 1, 2);
    uint32_t norm = NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 0, &err));
    NODE(qc_graph_simple(&g, "flatten", QC_OP_FLATTEN, norm, &err));
    ok(qc_graph_finish(&g, &err));
    QcRun *run = qc_run_new(&g, 7, QC_RUN_TRAIN, 2, &err);
    const float big[14] = {1e6f, 1e6f, 1e6f, 1e6f}, x[] = {1001, 1003, 1005, 1007}; /* mean 1004, variance 5, unbiased 20/3 */
    qc_run_forward(run, big, 7);
    g.stats[0] = 10;
    g.stats[1] = 2;
    const float *y = qc_run_forward(run, x, 2);
    for (int i = 0; i < 4; i++) ck_assert_float_eq_tol(y[i], (float)(2 * i - 3) / sqrtf(5 + 1e-5f), 1e-4f);
    ck_assert_float_eq_tol(g.stats[0], 9 + 100.4f, 1e-3f);
    ck_assert_float_eq_tol(g.stats[1], 1.8f + 2.f / 3, 1e-5f);
    qc_run_free(run);
    run = qc_run_new(&g, 2, QC_RUN_EVAL, 2, &err);
    g.stats[0] = 1;
    g.stats[1] = 4;
    y = qc_run_forward(run, x, 1);
    ck_assert_float_eq_tol(y[0], 500, 1e-2f);
    ck_assert_float_eq_tol(y[1], 501, 1e-2f);
    qc_run_free(run);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *layers = tcase_create("layers");
    tcase_set_timeout(layers, 0);
    tcase_add_test(layers, conv_series);
    tcase_add_test(layers, conv_odd_windows);
    tcase_add_test(layers, conv_images);
    tcase_add_test(layers, conv_that_only_strides);
    tcase_add_test(layers, strides_stay_in_their_memory);
    tcase_add_test(layers, conv_groups);
    tcase_add_test(layers, linear_on_an_image);
    tcase_add_test(layers, batch_norm);
    tcase_add_test(layers, relu_with_and_without_clip);
    tcase_add_test(layers, pools);
    tcase_add_test(layers, global_pool);
    tcase_add_test(layers, concat_and_add_of_shared_values);
    tcase_add_test(layers, inception_module);
    tcase_add_test(layers, residual_blocks);
    tcase_add_test(layers, omni_scale_layer);
    tcase_add_test(layers, quant_is_straight_through);
    tcase_add_test(layers, quant_rounds_as_roundf);
    tcase_add_test(layers, keeping_changes_nothing);
    tcase_add_test(layers, norm_statistics);
    suite_add_tcase(suite, layers);
    return run_suite(suite);
}
