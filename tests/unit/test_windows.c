/* Windows that come class after class: what is measured on a part of them is of all classes. */

#include "suite.h"
#include "tiny.h"

#include "../../lib/device/head.h"
#include "../../lib/quant/accuracy.h"
#include "../../lib/quant/quantize.h"

/* The last class is ten times as loud. */
START_TEST(ranges_are_of_all_classes)
{
    enum { MANY = 600, QUIET = 450 };
    const QcQuantizeOptions o = {.bits = 8, .activation_bits = 8, .seed = 1, .threads = 1};
    QcWindows w = {.n = MANY, .values = TINY_VALUES};
    QcQuantizeReport report;
    float most = 0;
    QcErr err;
    QcArena arena = {0};
    QcQGraph q;
    QcGraph g;
    ck_assert_ptr_nonnull(w.x = malloc(sizeof *w.x * MANY * TINY_VALUES));
    ck_assert_ptr_nonnull(w.label = malloc(sizeof *w.label * MANY));
    tiny_windows(w.x, MANY, 1, 5);
    for (uint32_t i = 0; i < MANY; i++) w.label[i] = i >= QUIET;
    for (size_t i = QUIET * TINY_VALUES; i < MANY * TINY_VALUES; i++) w.x[i] *= 10;
    for (size_t i = 0; i < MANY * TINY_VALUES; i++) most = fmaxf(most, fabsf(w.x[i]));
    tiny_graph(&g, TINY_PLAIN, 1);
    ck_assert_msg(!qc_quantize(&q, &report, &g, &w, 0, &o, &arena, &err), "%s", err.text);
    ck_assert_float_gt(127 * q.tensors[0].scale, 0.5f * most);
    qc_graph_release(&g);
    qc_arena_release(&arena);
    free(w.x);
    free(w.label);
}
END_TEST

/* A model that is right in the first windows alone. */
START_TEST(score_is_of_all_windows)
{
    enum { MANY = 3000, RIGHT = 1500 };
    QcErr err;
    QcGraph g;
    QcScore score;
    QcWindows w = {.n = MANY, .values = TINY_VALUES};
    ck_assert_ptr_nonnull(w.x = malloc(sizeof *w.x * MANY * TINY_VALUES));
    ck_assert_ptr_nonnull(w.label = malloc(sizeof *w.label * MANY));
    tiny_windows(w.x, MANY, 1, 5);
    tiny_graph(&g, TINY_PLAIN, 1);
    QcRun *run = qc_run_new(&g, MANY, QC_RUN_EVAL, 1, &err);
    ck_assert_ptr_nonnull(run);
    const float *logits = qc_run_forward(run, w.x, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        w.label[i] = (int32_t)((qc_largest(logits + i * TINY_CLASSES, TINY_CLASSES) + (i >= RIGHT)) % TINY_CLASSES);
    ck_assert_int_eq(qc_windows_score(&score, &g, &w, 1, &err), 0);
    ck_assert_uint_eq(score.n, 1024);
    ck_assert_uint_eq(score.right, 512);
    qc_score_release(&score);
    qc_run_free(run);
    qc_graph_release(&g);
    free(w.x);
    free(w.label);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("windows");
    TCase *tests = tcase_create("windows");
    tcase_add_test(tests, ranges_are_of_all_classes);
    tcase_add_test(tests, score_is_of_all_windows);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
