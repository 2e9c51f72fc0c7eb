/* Scores compared with figures computed by hand, and .npy files with NumPy's reading. The integer forward pass over
 * a data set is compared with sums of this test. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"
#include "../../lib/base/rng.h"
#include "../../lib/data/npy.h"
#include "../../lib/quant/qpredict.h"
#include "../../lib/quant/qpredict.h"
#include "../../lib/lab/results.h"
#include "../../lib/live/transfer.h"
#include "../../lib/nn/score.h"
#include "../../lib/quant/windows.h"

/* Two classes; probabilities .9 (four examples, three right) and .65 (two, one right).
 * ECE = 4/6 |3/4 - .9| + 2/6 |1/2 - .65| = .15; loss = (3 -ln .9 - ln .1 - ln .65 - ln .35) / 6. */
START_TEST(scores_equal_hand_computed_values)
{
    const float sure = logf(9), less = logf(.65f / .35f);
    const float logits[7][2] = {{sure, 0}, {0, sure}, {sure, 0}, {0, sure}, {less, 0}, {0, less}, {5, 0}};
    const int32_t label[7] = {0, 1, 0, 0, 0, 0, -1};
    QcScore s;
    ck_assert_int_eq(qc_score(&s, logits[0], label, 7, 2, NULL), 0);
    ck_assert_uint_eq(s.n, 6);
    ck_assert_uint_eq(s.unlabelled, 1);
    ck_assert_uint_eq(s.right, 4);
    ck_assert_double_eq_tol(s.accuracy, 4.0 / 6, 1e-12);
    ck_assert_double_eq_tol(s.ece, .15, 1e-6);
    ck_assert_double_eq_tol(s.loss, -(3 * log(.9) + log(.1) + log(.65) + log(.35)) / 6, 1e-6);
    ck_assert_double_eq_tol(s.recall[0], 3.0 / 5, 1e-12);
    ck_assert_double_eq_tol(s.recall[1], 1, 1e-12);
    ck_assert_double_eq_tol(s.recall_mean, .8, 1e-12);
    static const uint32_t confusion[4] = {3, 2, 0, 1};
    ck_assert_int_eq(memcmp(s.confusion, confusion, sizeof confusion), 0);
    qc_score_release(&s);
}
END_TEST

/* Probabilities at the edges of bins, classes without examples, no examples at all. */
START_TEST(scores_at_bin_edges_and_without_examples)
{
    QcScore s;
    const float one_sided[2][3] = {{1000, 0, -1000}, {-1000, 0, 1000}}; /* exp would overflow; probability 1 belongs to
                                                                           the last bin */
    const int32_t label[2] = {0, 0};
    ck_assert_int_eq(qc_score(&s, one_sided[0], label, 2, 3, NULL), 0);
    ck_assert_double_eq_tol(s.ece, .5, 1e-12);
    ck_assert_double_eq_tol(s.loss, 1000, 1e-9); /* 0 and 2000 */
    ck_assert(isnan(s.recall[1]) && isnan(s.recall[2]));
    ck_assert_double_eq_tol(s.recall_mean, .5, 1e-12);
    qc_score_release(&s);

    /* thirds: 1/3 = 5/15 lies in bin 5, ties go to the lowest class */
    const float even[3][3] = {{0}};
    const int32_t each[3] = {0, 1, 2};
    ck_assert_int_eq(qc_score(&s, even[0], each, 3, 3, NULL), 0);
    ck_assert_uint_eq(s.right, 1);
    ck_assert_double_eq_tol(s.ece, 0, 1e-12);
    ck_assert_double_eq_tol(s.loss, log(3), 1e-12);
    qc_score_release(&s);

    ck_assert_int_eq(qc_score(&s, even[0], each, 0, 3, NULL), 0);
    ck_assert(isnan(s.accuracy) && isnan(s.ece) && isnan(s.loss) && isnan(s.recall_mean));
    qc_score_release(&s);
}
END_TEST

/* Two confidences in different bins must not cancel, two in one bin must: .55 wrong with .55 right (one bin: |.5 -
 * .55|); .55 right and .75 wrong (two bins). */
START_TEST(calibration_errors_cancel_only_within_a_bin)
{
    const float a = logf(.55f / .45f), b = logf(3);
    const float together[2][2] = {{a, 0}, {a, 0}}, apart[2][2] = {{a, 0}, {b, 0}};
    const int32_t label[2] = {0, 1};
    QcScore s;
    ck_assert_int_eq(qc_score(&s, together[0], label, 2, 2, NULL), 0);
    ck_assert_double_eq_tol(s.ece, .05, 1e-6);
    qc_score_release(&s);
    ck_assert_int_eq(qc_score(&s, apart[0], label, 2, 2, NULL), 0);
    ck_assert_double_eq_tol(s.ece, (.45 + .75) / 2, 1e-6);
    qc_score_release(&s);
}
END_TEST

START_TEST(npy_files_are_read_by_numpy)
{
    char path[] = "/tmp/qc-npy-XXXXXX", command[400];
    close(mkstemp(path));
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null")) {
        printf("skipped: python3-numpy is not installed\n");
        unlink(path);
        return;
    }
    const float values[3][2] = {{1.5f, -2}, {0, 1e-30f}, {3e30f, -.125f}};
    ck_assert_int_eq(qc_npy_save(path, values[0], 3, 2, NULL), 0);
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 -c \"import numpy as n; a = n.load('%s'); assert a.dtype == n.float32 and a.shape == (3, 2); "
        "assert (a == n.array([[1.5, -2], [0, 1e-30], [3e30, -.125]], n.float32)).all()\"",
        path);
    ck_assert_int_eq(system(command), 0);
    uint8_t *bytes;
    size_t length;
    ck_assert_int_eq(qc_read_all(path, &bytes, &length, NULL), 0);
    ck_assert_uint_eq(length, 128 + 24); /* the values start at a multiple of 64 bytes, as the format asks */
    ck_assert_uint_eq(bytes[127], '\n');
    free(bytes);
    unlink(path);
}
END_TEST

/* A linear model of 4 inputs and 3 classes in 8-bit codes on windows of length 1. */
enum { INPUTS = 4, OUTPUTS = 3, WINDOWS = 37 };

typedef struct Linear {
    QcQTensor input;
    QcQNode node;
    uint8_t codes[INPUTS * OUTPUTS];
    float scale[OUTPUTS];
    int32_t bias[OUTPUTS], multiplier[OUTPUTS];
    uint8_t shift[OUTPUTS];
    QcQGraph graph;
} Linear;

static const int8_t weights[OUTPUTS][INPUTS] = {{1, -2, 3, -128}, {127, 0, -5, 6}, {-7, 8, 9, 10}};

static void linear(Linear *m)
{
    *m = (Linear){.input = {.height = 1, .width = 1, .channels = INPUTS, .bits = 8, .zero = 128, .scale = .03125f}};
    m->node = (QcQNode){.op = QC_Q_LOGITS,
                        .role = QC_ROLE_LINEAR,
                        .channels = OUTPUTS,
                        .groups = 1,
                        .kernel_h = 1,
                        .kernel_w = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1,
                        .n_codes = INPUTS * OUTPUTS};
    memcpy(m->codes, weights, sizeof m->codes);
    for (int o = 0; o < OUTPUTS; o++) m->scale[o] = .5f * (float)(o + 1), m->bias[o] = 10 * o - 7, m->shift[o] = 1;
    m->graph = (QcQGraph){.n_tensors = 1,
                          .n_nodes = 1,
                          .classes = OUTPUTS,
                          .n_codes = INPUTS * OUTPUTS,
                          .n_code_bytes = INPUTS * OUTPUTS,
                          .n_channels = OUTPUTS,
                          .bits = 8,
                          .tensors = &m->input,
                          .nodes = &m->node,
                          .codes = m->codes,
                          .scale = m->scale,
                          .bias = m->bias,
                          .multiplier = m->multiplier,
                          .shift = m->shift,
                          .activation_bytes = 64};
}

START_TEST(integer_forward_equals_direct_sums)
{
    Linear m;
    QcDataset d;
    float mean[INPUTS] = {0, 1, 2, 3}, deviation[INPUTS] = {1, 2, .5f, 1}, logits[3][WINDOWS * OUTPUTS];
    const QcNorm norm = {INPUTS, mean, deviation};
    QcRng rng = qc_rng_seed(1, 0);
    linear(&m);
    ck_assert_int_eq(qc_dataset_init(&d, WINDOWS, INPUTS, 1, 1, 0, NULL), 0);
    for (uint32_t i = 0; i < WINDOWS * INPUTS; i++)
        d.x[i] = mean[i % INPUTS] + deviation[i % INPUTS] * (6 * qc_rng_unit(&rng) - 3);
    const int threads[3] = {1, 3, 64};
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(qc_qpredict(&m.graph, &d, &norm, threads[k], logits[k], NULL), 0);
        ck_assert_int_eq(memcmp(logits[0], logits[k], sizeof logits[0]), 0); /* whatever the threads */
    }
    for (uint32_t i = 0; i < WINDOWS; i++) {
        for (uint32_t o = 0; o < OUTPUTS; o++) {
            int sum = m.bias[o];
            for (uint32_t c = 0; c < INPUTS; c++)
                sum += weights[o][c] * (int)roundf((d.x[i * INPUTS + c] - mean[c]) / deviation[c] / m.input.scale);
            ck_assert_float_eq_tol(logits[0][i * OUTPUTS + o], (float)sum * m.input.scale * m.scale[o], 1e-3f);
        }
    }
    qc_dataset_release(&d);
}
END_TEST

START_TEST(unknown_kernels_are_reported)
{
    QcErr err = {0};
    setenv("QC_ISA", "abacus", 1);
    ck_assert_ptr_null(qc_need_kernels(&err));
    ck_assert_int_eq(err.code, QC_EUSAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "abacus"));
    unsetenv("QC_ISA");
}
END_TEST

/* Half the interval of n values whose deviation is sqrt(n) is the .975 quantile of Student's t; quantiles of a printed
 * table. */
START_TEST(intervals_use_student_t_quantiles)
{
    const struct {
        uint32_t n;
        double t;
    } printed[] = {{2, 12.706}, {3, 4.303},  {6, 2.571},  {11, 2.228}, {12, 2.201},
                   {16, 2.131}, {21, 2.086}, {31, 2.042}, {61, 2.000}, {121, 1.980}};
    static QcRunResult runs[128];
    const QcRunResult *all[128];
    double mean, half;
    for (uint32_t i = 0; i < 128; i++) all[i] = &runs[i];
    for (size_t k = 0; k < sizeof printed / sizeof *printed; k++) {
        uint32_t n = printed[k].n;
        for (uint32_t i = 0; i < n; i++)
            runs[i].figure[QC_FIGURE_MS] =
                n % 2 && i == n - 1 ? 5 : 5 + (i % 2 ? 1 : -1) * sqrt((double)n * (n - 1) / (n % 2 ? n - 1 : n));
        qc_results_figure(&mean, &half, &(QcRow){.n = n, .runs = all}, QC_FIGURE_MS);
        ck_assert_double_eq_tol(mean, 5, 1e-9);
        ck_assert_double_eq_tol(half, printed[k].t, 6e-4);
    }
    qc_results_figure(&mean, &half, &(QcRow){.n = 1, .runs = all}, QC_FIGURE_MS);
    ck_assert(mean == runs[0].figure[QC_FIGURE_MS] && isnan(half));
}
END_TEST

/* Two streams and the source, worked out by hand from the definitions. */
START_TEST(transfer_scores_equal_hand_computed_values)
{
    QcTransfer t = {2, 3, {{.4, .3, .9}, {.8, .5, .7}, {.6, .9, .8}}};
    QcTransferFigures f = qc_transfer_figures(&t);
    ck_assert_double_eq_tol(f.acc, (.6 + .9 + .8) / 3, 1e-12);
    ck_assert_double_eq_tol(f.bwt, ((.6 - .8) + (.8 - .9)) / 2, 1e-12);  /* stream 1 was learned at row 1, the source at
                                                                            row 0 */
    ck_assert_double_eq_tol(f.fwt, .5 - .3, 1e-12);                      /* stream 2 at row 1 */
    ck_assert_double_eq_tol(f.forgetting, ((.8 - .6) + (.9 - .8)) / 2, 1e-12);
    t.n_tests = 2;
    f = qc_transfer_figures(&t);
    ck_assert_double_eq_tol(f.bwt, .6 - .8, 1e-12);
    t = (QcTransfer){1, 1, {{.4}, {.8}}};
    f = qc_transfer_figures(&t);
    ck_assert(f.acc == .8 && isnan(f.bwt) && isnan(f.fwt) && isnan(f.forgetting));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eval");
    TCase *scores = tcase_create("scores"), *files = tcase_create("files"), *integers = tcase_create("integers");
    tcase_add_test(scores, scores_equal_hand_computed_values);
    tcase_add_test(scores, intervals_use_student_t_quantiles);
    tcase_add_test(scores, transfer_scores_equal_hand_computed_values);
    tcase_add_test(scores, scores_at_bin_edges_and_without_examples);
    tcase_add_test(scores, calibration_errors_cancel_only_within_a_bin);
    tcase_add_test(files, npy_files_are_read_by_numpy);
    tcase_add_test(integers, integer_forward_equals_direct_sums);
    tcase_add_test(integers, unknown_kernels_are_reported);
    suite_add_tcase(suite, scores);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, integers);
    return run_suite_apart(suite);
}
