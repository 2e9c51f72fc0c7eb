/* The lowered graph computes what the original computes, and has only nodes that the device supports. */

#include "suite.h"
#include "tiny.h"

#include "../../lib/nn/arch.h"
#include "../../lib/quant/lower.h"

enum { WINDOWS = 16 };

static void logits_of(float *out, QcGraph *g, const float *x, uint32_t n)
{
    QcErr err;
    QcRun *run = qc_run_new(g, n, QC_RUN_EVAL, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    memcpy(out, qc_run_forward(run, x, n), (size_t)n * g->classes * sizeof *out);
    qc_run_free(run);
}

static int count_op(const QcGraph *g, QcOp op)
{
    int n = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) n += g->nodes[i].op == op;
    return n;
}

/* Lowers g and holds the logits on n windows against each other; *lowered is the caller's. */
static void lower_and_compare(QcGraph *lowered, QcGraph *g, const float *x, uint32_t n)
{
    QcErr err;
    ck_assert_int_eq(qc_graph_check(g, &err), 0);
    ck_assert_msg(!qc_lower(lowered, g, &err), "%s", err.text);
    ck_assert_msg(!qc_graph_check(lowered, &err), "%s", err.text);
    ck_assert_int_eq(count_op(lowered, QC_OP_BATCHNORM), 0);
    ck_assert_uint_eq(lowered->classes, g->classes);
    float *before = malloc((size_t)n * g->classes * sizeof *before),
          *after = malloc((size_t)n * g->classes * sizeof *after);
    logits_of(before, g, x, n);
    logits_of(after, lowered, x, n);
    double size = 0, apart = 0, spread = 0;
    for (uint32_t i = 0; i < n * g->classes; i++) {
        size = fmax(size, fabs((double)before[i]));
        apart = fmax(apart, fabs((double)before[i] - (double)after[i]));
        spread = fmax(spread, fabs((double)before[i] - (double)before[i % g->classes]));
    }
    ck_assert_msg(spread > 1e-3 * size, "the logits hardly depend on the input: this compares nothing");
    ck_assert_msg(apart <= 1e-4 * size, "logits up to %g differ by %g", size, apart);
    free(before);
    free(after);
}

static void compare_finished(QcGraph *g)
{
    static float x[WINDOWS * TINY_VALUES];
    QcGraph lowered;
    tiny_windows(x, WINDOWS, 1, 5);
    lower_and_compare(&lowered, g, x, WINDOWS);
    qc_graph_release(&lowered);
}

START_TEST(lowered_graph_equals_original)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        QcGraph g;
        tiny_graph(&g, (TinyKind)_i, seed);
        compare_finished(&g);
        qc_graph_release(&g);
    }
}
END_TEST

/* A graph that begins; finish_and_compare puts a classifier after `at`. */
static void begin(QcGraph *g) { ck_assert_int_eq(qc_graph_init(g, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0); }

static void finish_and_compare(QcGraph *g, uint32_t at)
{
    tiny_ok(qc_graph_linear(g, "last", tiny_op(g, "gap", QC_OP_GAP, at), TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
    tiny_settle(g, 9);
    compare_finished(g);
    qc_graph_release(g);
}

START_TEST(batch_norm_without_convolution_is_lowered)
{
    QcGraph g;
    begin(&g); /* on the input, and one on the sum after it */
    uint32_t norm = tiny_op(&g, "n1", QC_OP_BATCHNORM, 0), a = tiny_conv(&g, "a", norm, 4, 3, 1),
             b = tiny_conv(&g, "b", norm, 4, 1, 0);
    finish_and_compare(&g, tiny_bn_relu(&g, "sum", tiny_ok(qc_graph_add(&g, "add", a, b, NULL))));
    begin(&g); /* after a pool, after a ReLU, and one after another */
    uint32_t relu = tiny_op(&g, "r", QC_OP_RELU, tiny_conv(&g, "a", 0, 5, 3, 1));
    uint32_t pool = tiny_ok(qc_graph_pool(&g, "p", QC_OP_MAXPOOL, tiny_op(&g, "n1", QC_OP_BATCHNORM, relu),
                                          qc_window_1d(3, 2, 1, 1, 1), 0, NULL));
    finish_and_compare(&g, tiny_op(&g, "n3", QC_OP_BATCHNORM, tiny_op(&g, "n2", QC_OP_BATCHNORM, pool)));
    begin(&g); /* the last layer itself is normed */
    uint32_t fc = tiny_ok(qc_graph_linear(&g, "fc", 0, TINY_CLASSES, 0, NULL));
    tiny_op(&g, "n", QC_OP_BATCHNORM, fc);
    ck_assert_int_eq(qc_graph_finish(&g, NULL), 0);
    tiny_settle(&g, 3);
    compare_finished(&g);
    qc_graph_release(&g);
}
END_TEST

START_TEST(convolution_with_other_readers_is_not_folded)
{
    QcGraph g;
    begin(&g);
    uint32_t conv = tiny_conv(&g, "c", 0, 4, 3, 1), normed = tiny_bn_relu(&g, "n", conv),
             raw = tiny_op(&g, "raw", QC_OP_RELU, conv);
    finish_and_compare(&g, tiny_ok(qc_graph_add(&g, "sum", normed, raw, NULL)));
    begin(&g); /* the same of a concat and its inputs */
    uint32_t parts[2] = {tiny_conv(&g, "a", 0, 4, 3, 1), tiny_conv(&g, "b", 0, 3, 5, 0)};
    uint32_t join = tiny_ok(qc_graph_concat(&g, "join", parts, 2, NULL)), first = tiny_bn_relu(&g, "first", join);
    uint32_t both[3] = {first, tiny_op(&g, "second", QC_OP_BATCHNORM, join), parts[0]};
    finish_and_compare(&g, tiny_ok(qc_graph_concat(&g, "all", both, 3, NULL)));
    begin(&g); /* one value twice */
    uint32_t conv2 = tiny_bn_relu(&g, "c", tiny_conv(&g, "c", 0, 4, 3, 0)), twice[2] = {conv2, conv2};
    uint32_t doubled = tiny_ok(qc_graph_add(&g, "doubled", conv2, conv2, NULL));
    finish_and_compare(
        &g, tiny_ok(qc_graph_add(&g, "sum",
                                 tiny_conv(&g, "d", tiny_ok(qc_graph_concat(&g, "twice", twice, 2, NULL)), 4, 3, 0),
                                 doubled, NULL)));
}
END_TEST

START_TEST(repeated_and_clipped_relus_are_merged)
{
    QcGraph g;
    for (int outer = 0; outer < 2; outer++)
        for (int inner = 0; inner < 2; inner++) {
            begin(&g);
            uint32_t a = tiny_op(&g, "r1", QC_OP_RELU, tiny_conv(&g, "a", 0, 6, 3, 1)),
                     b = tiny_op(&g, "r2", QC_OP_RELU, a);
            g.nodes[a].clip = inner ? 0.5f : 0;
            g.nodes[b].clip = outer ? 0.3f : 0;
            finish_and_compare(&g, tiny_op(&g, "r3", QC_OP_RELU, b));
        }
    begin(&g); /* each branch of a concat with its own, then a norm and one for all */
    uint32_t parts[3] = {tiny_op(&g, "ra", QC_OP_RELU, tiny_conv(&g, "a", 0, 4, 3, 1)),
                         tiny_op(&g, "rb", QC_OP_RELU, tiny_conv(&g, "b", 0, 3, 5, 1)), 0};
    g.nodes[parts[0]].clip = 0.4f;
    uint32_t all = tiny_bn_relu(&g, "all", tiny_ok(qc_graph_concat(&g, "join", parts, 3, NULL)));
    g.nodes[all].clip = 0.7f;
    finish_and_compare(&g, all);
    begin(&g); /* a clip for all branches, each of which has a ReLU already */
    uint32_t pair[2] = {tiny_op(&g, "ra", QC_OP_RELU, tiny_conv(&g, "a", 0, 4, 3, 1)),
                        tiny_op(&g, "rb", QC_OP_RELU, tiny_conv(&g, "b", 0, 3, 5, 1))};
    uint32_t clip_all = tiny_op(&g, "all", QC_OP_RELU, tiny_ok(qc_graph_concat(&g, "join", pair, 2, NULL)));
    g.nodes[clip_all].clip = 0.3f;
    finish_and_compare(&g, clip_all);
    begin(&g); /* a clipped one after a sum, and a norm between two */
    uint32_t sum =
        tiny_ok(qc_graph_add(&g, "sum", tiny_conv(&g, "a", 0, 4, 3, 1), tiny_conv(&g, "b", 0, 4, 1, 1), NULL));
    uint32_t clipped = tiny_op(&g, "r", QC_OP_RELU, sum);
    g.nodes[clipped].clip = 0.6f;
    finish_and_compare(&g, tiny_bn_relu(&g, "n", clipped));
}
END_TEST

START_TEST(node_readers_are_counted)
{
    QcGraph g;
    uint32_t readers[64];
    tiny_graph(&g, TINY_MIXED, 1);
    qc_count_readers(readers, &g);
    ck_assert_uint_eq(readers[qc_graph_find(&g, "shared")], 5); /* pool, conv, sum, and twice the concat */
    ck_assert_uint_eq(readers[qc_graph_find(&g, "join")], 1);
    ck_assert_uint_eq(readers[g.n_nodes - 1], 0);
    qc_graph_release(&g);
}
END_TEST

static const struct Shipped {
    const char *name;
    double width;
    uint32_t height, length;
    int concats;
} shipped[] = {
    {"inceptiontime-16x3", 1, 1, 30, 3}, {"omniscale", .02, 1, 30, 3}, {"resnet18", .1, 20, 33, 0},
    {"resnet18-small", .1, 9, 12, 0},    {"resnet18", .1, 1, 50, 0},   {"vgg16", .1, 33, 40, 0},
};

START_TEST(narrow_backbones_are_lowered)
{
    enum { CHANNELS = 6, N = 4 };
    const struct Shipped *s = &shipped[_i];
    QcErr err;
    QcGraph g, lowered;
    char name[QC_NAME_MAX + 1], path[300], file[100];
    static float x[N * 33 * 40 * CHANNELS];
    QcRng rng = qc_rng_seed(3, 3);
    snprintf(file, sizeof file, getenv("QC_SHARE") ? "%s" : "share/arch/%s.yaml", s->name);
    if (qc_arch_find(path, sizeof path, file, &err)) {
        printf("skipped: %s\n", err.text);
        return;
    }
    ck_assert_msg(!qc_arch_load(&g, name, path, s->width, CHANNELS, s->height, s->length, 5, &err), "%s", err.text);
    tiny_settle(&g, 4);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)qc_rng_normal(&rng);
    lower_and_compare(&lowered, &g, x, N);
    ck_assert_int_eq(count_op(&lowered, QC_OP_CONCAT), s->concats);
    for (uint32_t i = 0; i < lowered.n_nodes; i++) { /* ReLU has gone in front of the concats, and all norms into
                                                        convolutions: a device tensor is written by those */
        if (lowered.nodes[i].op == QC_OP_RELU) ck_assert(lowered.nodes[lowered.nodes[i].inputs[0]].op != QC_OP_CONCAT);
        ck_assert_ptr_null(strstr(lowered.nodes[i].name, ".scale"));
    }
    ck_assert_int_eq(count_op(&lowered, QC_OP_CONV), count_op(&g, QC_OP_CONV));
    qc_graph_release(&lowered);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lower");
    TCase *tests = tcase_create("lower");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, lowered_graph_equals_original, 0, TINY_KINDS);
    tcase_add_test(tests, batch_norm_without_convolution_is_lowered);
    tcase_add_test(tests, convolution_with_other_readers_is_not_folded);
    tcase_add_test(tests, repeated_and_clipped_relus_are_merged);
    tcase_add_test(tests, node_readers_are_counted);
    tcase_add_loop_test(tests, narrow_backbones_are_lowered, 0, sizeof shipped / sizeof *shipped);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
