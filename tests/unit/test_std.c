/* A last layer that also reads standard deviations: its logits are unchanged while their weights are 0, and it
 * separates classes that means cannot separate. */
#include "suite.h"
#include "tiny.h"

enum { N = 20 };

static float windows[N * TINY_VALUES];

static void logits_of(float *out, QcGraph *g)
{
    QcErr err;
    QcRun *run = qc_run_new(g, N, QC_RUN_EVAL, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    memcpy(out, qc_run_forward(run, windows, N), N * TINY_CLASSES * sizeof *out);
    qc_run_free(run);
}

START_TEST(logits_are_unchanged_while_weights_are_0)
{
    static const TinyKind kinds[] = {TINY_PLAIN, TINY_RESIDUAL, TINY_INCEPTION, TINY_MIXED, TINY_IMAGE};
    float plain[N * TINY_CLASSES], both[N * TINY_CLASSES];
    QcGraph g, wider;
    QcErr err;
    tiny_graph(&g, kinds[_i], 4);
    ck_assert_msg(!qc_graph_with_std(&wider, &g, &err), "%s", err.text);
    ck_assert_msg(!qc_graph_check(&wider, &err), "%s", err.text);
    logits_of(plain, &g);
    logits_of(both, &wider);
    for (int i = 0; i < N * TINY_CLASSES; i++) ck_assert_float_eq_tol(plain[i], both[i], 1e-5f * (1 + fabsf(plain[i])));
    const QcNode *last = &wider.nodes[wider.n_nodes - 1];
    size_t features = wider.nodes[last->inputs[0]].channels;
    ck_assert_uint_eq(features, 2 * g.nodes[g.nodes[g.n_nodes - 1].inputs[0]].channels);
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        for (size_t i = features / 2; i < features; i++)
            ck_assert_float_eq(wider.params[last->weight + k * features + i], 0);
    wider.params[last->weight + features - 1] = 1; /* the last feature's deviation */
    logits_of(both, &wider);
    double apart = 0;
    for (int i = 0; i < N; i++) apart += fabs((double)plain[i * TINY_CLASSES] - (double)both[i * TINY_CLASSES]);
    ck_assert_double_gt(apart, 0.01);
    qc_graph_release(&wider);
    qc_graph_release(&g);
}
END_TEST

START_TEST(deviations_need_global_average)
{
    QcGraph g, wider;
    QcErr err;
    tiny_graph(&g, TINY_MLP, 4);
    ck_assert_int_eq(qc_graph_with_std(&wider, &g, &err), -1);
    ck_assert_int_eq(err.code, QC_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.text, "'last' is not linear after a global average"));
    qc_graph_release(&g);
    tiny_graph(&g, TINY_STD, 4); /* which reads them already */
    ck_assert_int_eq(qc_graph_with_std(&wider, &g, &err), -1);
    qc_graph_release(&g);
}
END_TEST

/* Mean 0, deviation 1 or 2, in random order. */
START_TEST(classes_of_equal_mean_are_separated)
{
    const float calm[8] = {1, -1, 1, 1, -1, -1, 1, -1};
    float x[16];
    QcGraph g;
    QcErr err;
    ck_assert_int_eq(qc_graph_init(&g, 1, 1, 8, NULL), 0);
    tiny_op(&g, "std", QC_OP_STD, 0);
    ck_assert_int_eq(qc_graph_finish(&g, NULL), 0);
    for (int i = 0; i < 8; i++) x[i] = 1000 + calm[i], x[8 + i] = 1000 + 2 * calm[i];
    QcRun *run = qc_run_new(&g, 2, QC_RUN_EVAL, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    const float *y = qc_run_forward(run, x, 2);
    ck_assert_float_eq_tol(y[0], 1, 1e-6f);
    ck_assert_float_eq_tol(y[1], 2, 1e-6f);
    qc_run_free(run);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("std");
    TCase *t = tcase_create("all");
    tiny_windows(windows, N, 1, 21);
    tcase_add_loop_test(t, logits_are_unchanged_while_weights_are_0, 0, 5);
    tcase_add_test(t, deviations_need_global_average);
    tcase_add_test(t, classes_of_equal_mean_are_separated);
    suite_add_tcase(s, t);
    return run_suite(s);
}
