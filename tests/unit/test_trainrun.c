/* A training run beside its gradients: straight-through gradients of quantization, statistics of norms, memory that
 * is shared safely. */
#include <math.h>
#include <stdlib.h>

#include "suite.h"
#include "building.h"

#include "../../lib/nn/runparts.h"

/* The straight-through gradient is no slope: it is 1 inside the range, 0 outside. */
START_TEST(quantization_gradient_is_straight_through)
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

/* By the C library's rounding, value by value: halves, values around them, far ones and what is no number, with and
 * without room of its own. */
START_TEST(quantization_rounds_as_roundf)
{
    enum { N = 4 * 64 + 9 };
    const QcNode node = {.scale = 0.37f, .zero = 5, .bits = 4};
    float x[N], y[N], dy[N], dx[N];
    QcRng rng = qc_rng_seed(7, 0);
    for (int i = 0; i < N; i++) {
        float half = node.scale * ((float)i / 8 - 16 + 0.5f);
        x[i] = i % 8 == 0   ? half
               : i % 8 == 1 ? nextafterf(half, 0)
               : i % 8 == 2 ? nextafterf(half, 100)
                            : (float)(5 * qc_rng_normal(&rng));
        dy[i] = (float)qc_rng_normal(&rng);
    }
    x[3] = 1e30f, x[4] = -1e30f, x[5] = 3e9f, x[6] = NAN;
    qc_run_quant_forward(y, x, &node, N);
    qc_run_quant_backward(dx, dy, x, &node, N);
    for (int i = 0; i < N; i++) {
        float q = roundf(x[i] / node.scale) + 5;
        if (i == 6) ck_assert(isnan(y[i]) && dx[i] == 0);
        else ck_assert_float_eq(y[i], node.scale * (fminf(fmaxf(q, 0), 15) - 5));
        ck_assert_float_eq(dx[i], q >= 0 && q <= 15 ? dy[i] : 0);
    }
    qc_run_quant_backward(dy, dy, x, &node, N);
    qc_run_quant_forward(x, x, &node, N);
    ck_assert_mem_eq(dy, dx, sizeof dx);
    ck_assert_mem_eq(x, y, sizeof y);
}
END_TEST

/* Tensors that are not needed at the same time share memory: a kept node's value and gradient must equal the values
 * of a run that keeps everything. */
START_TEST(shared_memory_gives_same_values_as_separate_memory)
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
    qc_run_parts = 4;
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

/* Batch norm sees the n windows that are there, whatever the run has room for, and keeps PyTorch's running
 * statistics. */
START_TEST(batch_norm_statistics_equal_definition)
{
    QcGraph g = start(1, 1, 2);
    uint32_t norm = NODE(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 0, &err));
    NODE(qc_graph_simple(&g, "flatten", QC_OP_FLATTEN, norm, &err));
    ok(qc_graph_finish(&g, &err));
    qc_run_parts = 4;
    QcRun *run = qc_run_new(&g, 7, QC_RUN_TRAIN, 2, &err);
    /* mean 1004, variance 5, unbiased 20/3 */
    const float big[14] = {1e6f, 1e6f, 1e6f, 1e6f}, x[] = {1001, 1003, 1005, 1007};
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

/* Beyond its scratchpad is where oneDNN 2.6 would write; the heap notices, for so many windows. */
START_TEST(strided_convolutions_stay_in_their_memory)
{
    enum { N = 64 };
    QcGraph g = start(8, 64, 64);
    QcWindow both = {1, 1, 2, 2, 1, 1, 0, 0, 0, 0};
    uint32_t node = NODE(qc_graph_conv(&g, "a", 0, 16, both, 1, 0, &err));
    node = NODE(qc_graph_simple(&g, "gap", QC_OP_GAP, node, &err));
    NODE(qc_graph_linear(&g, "head", node, 3, 1, &err));
    ok(qc_graph_finish(&g, &err));
    qc_graph_reset(&g, 1);
    float *x = random_values(N * input_values(&g), 3), *direction = random_values(N * 3, 4),
          *grads = malloc(g.n_params * sizeof *grads);
    QcRun *run = qc_run_new(&g, N, QC_RUN_TRAIN, 1, &err);
    ok(qc_run_keep(run, 0, &err));
    for (size_t i = 0; i < g.n_params; i++) grads[i] = NAN;
    qc_run_forward(run, x, N);
    qc_run_backward(run, grads, direction);
    for (size_t i = 0; i < g.n_params; i++)
        ck_assert_msg(isfinite(grads[i]), "gradient %d is %g", (int)i, (double)grads[i]);
    qc_run_free(run);
    free(x);
    free(direction);
    free(grads);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trainrun");
    TCase *runs = tcase_create("runs");
    tcase_set_timeout(runs, 0);
    tcase_add_test(runs, quantization_gradient_is_straight_through);
    tcase_add_test(runs, quantization_rounds_as_roundf);
    tcase_add_test(runs, shared_memory_gives_same_values_as_separate_memory);
    tcase_add_test(runs, batch_norm_statistics_equal_definition);
    tcase_add_test(runs, strided_convolutions_stay_in_their_memory);
    suite_add_tcase(suite, runs);
    return run_suite(suite);
}
