/* Every layer's gradients, and the gradients of small whole networks, against central finite differences. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "suite.h"
#include "building.h"

enum { PROBES = 60 };

/* A scalar whose gradient with respect to the logits is `direction`. */
static double objective(QcRun *run, const float *x, uint32_t n, const float *direction, uint32_t classes)
{
    const float *logits = qc_run_forward(run, x, n);
    double sum = 0;
    for (uint32_t i = 0; i < n * classes; i++) sum += (double)logits[i] * (double)direction[i];
    return sum;
}

/* Nudges *value; two step sizes, of which the better counts, since a kink (ReLU, maximum) may lie within one of
 * them. */
static double distance_to_slope(QcRun *run, float *value, double gradient, const float *x, uint32_t n,
                                const float *direction, uint32_t classes)
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

static void check_array(QcRun *run, const char *what, float *values, const float *gradients, size_t total, float *x,
                        uint32_t n, const float *direction, uint32_t classes)
{
    double square = 0;
    for (size_t i = 0; i < total; i++) square += (double)gradients[i] * (double)gradients[i];
    double rms = sqrt(square / (double)total);
    QcRng rng = qc_rng_seed(5, 5);
    for (size_t probe = 0; probe < PROBES && probe < total; probe++) {
        size_t i = total <= PROBES ? probe : qc_rng_below(&rng, (uint32_t)total);
        double miss = distance_to_slope(run, &values[i], (double)gradients[i], x, n, direction, classes);
        ck_assert_msg(miss <= .01 * (rms + fabs((double)gradients[i])) + 2e-4,
                      "%s %zu of %zu: gradient %g is off by %g (rms %g)", what, i, total, (double)gradients[i], miss,
                      rms);
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
    /* biases, gains, shifts too */
    for (size_t i = 0; i < g->n_params; i++) g->params[i] += .2f * (float)qc_rng_normal(&rng);
    for (size_t i = 0; i < g->n_stats; i++) g->stats[i] += .3f * qc_rng_unit(&rng);
    qc_run_parts = 4;
    check_mode(g, QC_RUN_TUNE, 3, 3);
    check_mode(g, QC_RUN_TUNE, 5, 2);
    check_mode(g, QC_RUN_TRAIN, 6, 6);
    check_mode(g, QC_RUN_TRAIN, 8, 5);
    qc_run_parts = 1;
    check_mode(g, QC_RUN_TRAIN, 5, 4);
    qc_graph_release(g);
}

static void close_with_head(QcGraph *g, uint32_t node)
{
    uint32_t flat = NODE(qc_graph_simple(g, "flatten", QC_OP_FLATTEN, node, &err));
    NODE(qc_graph_linear(g, "head", flat, 3, 1, &err));
    check_gradients(g);
}

static void check_conv(uint32_t channels, uint32_t height, uint32_t width, uint32_t out, QcWindow window,
                       uint32_t groups, int bias)
{
    QcGraph g = start(channels, height, width);
    close_with_head(&g, NODE(qc_graph_conv(&g, "conv", 0, out, window, groups, bias, &err)));
}

START_TEST(conv_of_series_gradient)
{
    check_conv(3, 1, 17, 5, qc_window_same_1d(9), 1, 0);
    check_conv(8, 1, 20, 16, qc_window_same_1d(19), 1, 0);
    check_conv(5, 1, 12, 4, qc_window_same_1d(6), 1, 1);
    check_conv(7, 1, 9, 3, qc_window_1d(1, 1, 1, 0, 0), 1, 1);
}
END_TEST

/* Wider than oneDNN's own backward passes reach: those that are turned into forward ones (runconvturn.c). */
START_TEST(conv_with_wide_kernel_gradient)
{
    check_conv(16, 1, 50, 16, qc_window_same_1d(39), 1, 1);
    check_conv(5, 1, 31, 7, qc_window_1d(24, 1, 1, 3, 20), 1, 1);
    check_conv(16, 1, 64, 4, qc_window_1d(41, 1, 1, 0, 0), 1, 0);
    QcWindow image = {5, 30, 1, 1, 1, 1, 2, 1, 29, 4};
    check_conv(3, 6, 40, 16, image, 1, 1);
}
END_TEST

START_TEST(conv_of_odd_window_sizes_gradient)
{
    check_conv(3, 1, 21, 4, qc_window_1d(4, 3, 1, 2, 0), 1, 1);
    check_conv(2, 1, 23, 3, qc_window_1d(3, 2, 4, 1, 5), 1, 0);
    check_conv(4, 1, 18, 3, qc_window_1d(5, 1, 2, 0, 7), 1, 1); /* padding beyond the kernel's reach */
    check_conv(1, 1, 5, 2, qc_window_1d(11, 1, 1, 5, 5), 1, 0); /* a kernel wider than the series */
    check_conv(2, 1, 10, 2, qc_window_1d(3, 4, 1, 0, 0), 1, 0); /* the last values are seen by no window */
}
END_TEST

START_TEST(conv_of_images_gradient)
{
    QcWindow w = {.kernel_h = 3,
                  .kernel_w = 2,
                  .stride_h = 2,
                  .stride_w = 1,
                  .dilation_h = 1,
                  .dilation_w = 2,
                  .pad_top = 1,
                  .pad_bottom = 0,
                  .pad_left = 0,
                  .pad_right = 2};
    check_conv(3, 7, 6, 4, w, 1, 1);
    QcWindow square = {3, 3, 2, 2, 1, 1, 1, 1, 1, 1};
    check_conv(8, 6, 5, 8, square, 1, 0);
}
END_TEST

/* 1 x 1 with a stride. */
START_TEST(conv_1x1_with_stride_gradient)
{
    QcWindow both = {1, 1, 2, 3, 1, 1, 0, 0, 0, 0}, down = {1, 1, 2, 1, 1, 1, 0, 0, 0, 0};
    check_conv(8, 64, 64, 16, both, 1, 0);
    check_conv(5, 7, 6, 4, both, 1, 1);
    check_conv(4, 6, 5, 6, down, 2, 0);
    check_conv(3, 1, 19, 5, qc_window_1d(1, 4, 1, 0, 0), 1, 1);
    check_conv(3, 1, 9, 2, qc_window_1d(1, 2, 1, 2, 5), 1, 1); /* and with padding, which is left to oneDNN */
}
END_TEST

START_TEST(conv_with_groups_gradient)
{
    check_conv(6, 1, 11, 9, qc_window_same_1d(3), 3, 1);
    check_conv(8, 1, 11, 8, qc_window_1d(5, 2, 1, 2, 1), 8, 0); /* depthwise */
    QcWindow w = {3, 2, 1, 2, 2, 1, 2, 1, 1, 0};
    check_conv(4, 6, 7, 6, w, 2, 1);
}
END_TEST

START_TEST(linear_on_image_gradient)
{
    QcGraph g = start(3, 4, 5);
    uint32_t hidden = NODE(qc_graph_linear(&g, "hidden", 0, 7, 1, &err));
    uint32_t relu = NODE(qc_graph_simple(&g, "relu", QC_OP_RELU, hidden, &err));
    NODE(qc_graph_linear(&g, "head", relu, 4, 0, &err));
    check_gradients(&g);
}
END_TEST

START_TEST(batch_norm_gradient)
{
    QcGraph g = start(70, 1, 6); /* more channels than one strip */
    close_with_head(&g, NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 0, &err)));
}
END_TEST

START_TEST(relu_and_clipped_relu_gradient)
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

START_TEST(pooling_gradient)
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

START_TEST(global_pooling_gradient)
{
    QcGraph g = start(5, 3, 4);
    uint32_t gap = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, 0, &err));
    NODE(qc_graph_linear(&g, "head", gap, 3, 1, &err));
    check_gradients(&g);
}
END_TEST

START_TEST(standard_deviation_gradient)
{
    QcGraph g = start(5, 3, 4);
    uint32_t conv = NODE(qc_graph_conv(&g, "conv", 0, 4, qc_window_same_1d(3), 1, 1, &err));
    uint32_t both[] = {NODE(qc_graph_simple(&g, "std", QC_OP_STD, conv, &err)),
                       NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, conv, &err))};
    NODE(qc_graph_linear(&g, "head", NODE(qc_graph_concat(&g, "both", both, 2, &err)), 3, 1, &err));
    check_gradients(&g);
}
END_TEST

/* Every step of a function, two kinds of products, and an order that reads some values twice. */
START_TEST(function_product_and_permutation_gradient)
{
    static const QcStep steps[] = {
        {QC_STEP_X, 0},       {QC_STEP_TANH, 0}, {QC_STEP_NUMBER, 0.3f}, {QC_STEP_ADD, 0},      {QC_STEP_X, 0},
        {QC_STEP_SIGMOID, 0}, {QC_STEP_MUL, 0},  {QC_STEP_X, 0},         {QC_STEP_SOFTPLUS, 0}, {QC_STEP_DIV, 0},
        {QC_STEP_X, 0},       {QC_STEP_ERF, 0},  {QC_STEP_SUB, 0},       {QC_STEP_X, 0},        {QC_STEP_TANH, 0},
        {QC_STEP_EXPM1, 0},   {QC_STEP_EXP, 0},  {QC_STEP_ADD, 0},      {QC_STEP_SQRT, 0},     {QC_STEP_LOG, 0}};
    const QcLoops loops = {.n = 3, .size = {4, 2, 3}, .stride = {1, 4, 4}, .offset = 8};
    QcGraph g = start(3, 2, 4);
    uint32_t a = NODE(qc_graph_conv(&g, "a", 0, 4, qc_window_same_1d(3), 1, 1, &err));
    uint32_t f = NODE(qc_graph_function(&g, "f", a, steps, sizeof steps / sizeof *steps, &err));
    uint32_t gate = NODE(qc_graph_mul(&g, "gate", f, NODE(qc_graph_simple(&g, "mean", QC_OP_GAP, a, &err)), &err));
    uint32_t square = NODE(qc_graph_mul(&g, "square", gate, gate, &err)),
             product = NODE(qc_graph_mul(&g, "product", square, a, &err));
    NODE(qc_graph_linear(&g, "head", NODE(qc_graph_turn(&g, "turn", product, 2, 3, 4, &loops, &err)), 3, 1, &err));
    check_gradients(&g);
}
END_TEST

START_TEST(concat_and_add_with_shared_inputs_gradient)
{
    QcGraph g = start(3, 1, 8);
    uint32_t a = NODE(qc_graph_conv(&g, "a", 0, 4, qc_window_same_1d(3), 1, 0, &err));
    uint32_t b = NODE(qc_graph_conv(&g, "b", 0, 4, qc_window_same_1d(5), 1, 1, &err));
    uint32_t twice = NODE(qc_graph_add(&g, "twice", a, a, &err));
    uint32_t sum = NODE(qc_graph_add(&g, "sum", twice, b, &err));
    uint32_t inputs[] = {sum, b, sum, 0};
    close_with_head(&g, NODE(qc_graph_concat(&g, "all", inputs, 4, &err))); /* without a kink: every parameter moves
                                                                               many values */
}
END_TEST

/* One module of InceptionTime with its shortcut. */
START_TEST(inception_module_gradient)
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

/* A block of ResNet that strides, with its shortcut, and one around which the value itself goes; on images and on
 * series. Without its ReLUs: their kinks would be many, and their slopes are looked at elsewhere. */
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

START_TEST(residual_block_gradient)
{
    check_residual(1, 13);
    check_residual(7, 6);
}
END_TEST

/* A layer of OS-CNN: more inputs side by side than any other network has, of even sizes too, some beyond the series. */
START_TEST(omni_scale_layer_gradient)
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

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *layers = tcase_create("layers");
    tcase_set_timeout(layers, 0);
    tcase_add_test(layers, conv_of_series_gradient);
    tcase_add_test(layers, conv_with_wide_kernel_gradient);
    tcase_add_test(layers, conv_of_odd_window_sizes_gradient);
    tcase_add_test(layers, conv_of_images_gradient);
    tcase_add_test(layers, conv_1x1_with_stride_gradient);
    tcase_add_test(layers, conv_with_groups_gradient);
    tcase_add_test(layers, linear_on_image_gradient);
    tcase_add_test(layers, batch_norm_gradient);
    tcase_add_test(layers, relu_and_clipped_relu_gradient);
    tcase_add_test(layers, pooling_gradient);
    tcase_add_test(layers, global_pooling_gradient);
    tcase_add_test(layers, standard_deviation_gradient);
    tcase_add_test(layers, function_product_and_permutation_gradient);
    tcase_add_test(layers, concat_and_add_with_shared_inputs_gradient);
    tcase_add_test(layers, inception_module_gradient);
    tcase_add_test(layers, residual_block_gradient);
    tcase_add_test(layers, omni_scale_layer_gradient);
    suite_add_tcase(suite, layers);
    return run_suite(suite);
}
