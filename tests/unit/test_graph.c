/* Building graphs, and graphs in files: valid graphs are read back unchanged, invalid ones are reported. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"
#include "../../lib/base/rng.h"
#include "../../lib/nn/graphfile.h"

static QcErr err;

static void expect(int status, const char *words)
{
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' should say '%s'", err.text, words);
}

START_TEST(node_shapes)
{
    QcGraph g;
    ck_assert_int_eq(qc_graph_init(&g, 3, 10, 12, &err), 0);
    QcWindow w = {3, 4, 2, 3, 1, 2, 1, 0, 2, 1}; /* height (10+1-3)/2+1 = 5; width (12+3-7)/3+1 = 3 */
    ck_assert_int_eq(qc_graph_conv(&g, "conv", 0, 8, w, 1, 1, &err), 1);
    ck_assert_uint_eq(g.nodes[1].height, 5);
    ck_assert_uint_eq(g.nodes[1].width, 3);
    ck_assert_uint_eq(g.nodes[1].n_weight, 8 * 3 * 4 * 3);
    ck_assert_int_eq(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 1, &err), 2);
    ck_assert_int_eq(qc_graph_simple(&g, "flat", QC_OP_FLATTEN, 2, &err), 3);
    ck_assert_int_eq(qc_graph_linear(&g, "fc", 3, 2, 1, &err), 4);
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    ck_assert_uint_eq(g.n_params, 288 + 8 + 8 + 8 + 240 + 2);
    ck_assert_uint_eq(g.n_stats, 16);
    ck_assert_uint_eq(g.classes, 2);
    ck_assert_uint_eq(qc_graph_macs(&g), 288 * 15 + 240);
    ck_assert_float_eq(g.params[g.nodes[2].weight], 1);
    ck_assert_float_eq(g.stats[8], 1);
    ck_assert_int_eq(qc_graph_find(&g, "flat"), 3);
    ck_assert_int_eq(qc_graph_find(&g, "nobody"), -1);
    ck_assert_int_eq(qc_graph_check(&g, &err), 0);
    qc_graph_release(&g);
}
END_TEST

START_TEST(builder_errors_name_the_node)
{
    QcGraph g;
    ck_assert_int_eq(qc_graph_init(&g, 0, 1, 10, &err), -1);
    ck_assert_int_eq(qc_graph_init(&g, 4, 1, 10, &err), 0);
    expect(qc_graph_conv(&g, "c", 0, 8, qc_window_1d(11, 1, 1, 0, 0), 1, 0, &err),
           "'c' (conv): a 1 x 11 kernel does not fit");
    expect(qc_graph_conv(&g, "c", 0, 6, qc_window_same_1d(3), 4, 0, &err), "4 groups do not divide");
    expect(qc_graph_conv(&g, "c", 0, 0, qc_window_same_1d(3), 1, 0, &err), "1 to 65535 output channels");
    expect(qc_graph_conv(&g, "c", 0, 8, qc_window_1d(3, 0, 1, 1, 1), 1, 0, &err), "out of range");
    expect(qc_graph_conv(&g, "c", 1, 8, qc_window_same_1d(3), 1, 0, &err), "does not come before it");
    expect(qc_graph_conv(&g, "input", 0, 8, qc_window_same_1d(3), 1, 0, &err), "both named 'input'");
    expect(qc_graph_conv(&g, "", 0, 8, qc_window_same_1d(3), 1, 0, &err), "no name");
    expect(qc_graph_pool(&g, "p", QC_OP_MAXPOOL, 0, qc_window_1d(3, 1, 1, 3, 0), 0, &err), "padding alone");
    expect(qc_graph_pool(&g, "p", QC_OP_AVGPOOL, 0, qc_window_1d(2, 30, 10, 11, 12), 0, &err), "padding alone");
    expect(qc_graph_quant(&g, "q", 0, 0, 0, 8, &err), "scale");
    expect(qc_graph_quant(&g, "q", 0, NAN, 0, 8, &err), "scale");
    expect(qc_graph_quant(&g, "q", 0, 1, 256, 8, &err), "zero point");
    expect(qc_graph_quant(&g, "q", 0, 1, 0, 9, &err), "2 to 8 bits");
    ck_assert_int_eq(qc_graph_conv(&g, "narrow", 0, 4, qc_window_1d(3, 1, 1, 0, 0), 1, 0, &err), 1);
    expect(qc_graph_add(&g, "a", 0, 1, &err), "differ in shape");
    const uint32_t both[] = {0, 1};
    expect(qc_graph_concat(&g, "a", both, 2, &err), "differ in size");
    expect(qc_graph_concat(&g, "a", both, 0, &err), "wrong number of inputs");
    expect(qc_graph_finish(&g, &err), "8 positions"); /* 1 x 8 */
    ck_assert_int_eq(qc_graph_simple(&g, "gap", QC_OP_GAP, 0, &err), 2);
    expect(qc_graph_finish(&g, &err), "'narrow' is used by no other");
    qc_graph_release(&g);
}
END_TEST

static void small_graph(QcGraph *g)
{
    uint32_t parts[] = {1, 2};
    ck_assert_int_eq(qc_graph_init(g, 4, 1, 10, &err), 0);
    ck_assert_int_eq(qc_graph_conv(g, "a", 0, 6, qc_window_1d(3, 2, 1, 1, 1), 2, 1, &err), 1);
    ck_assert_int_eq(qc_graph_pool(g, "b", QC_OP_AVGPOOL, 0, qc_window_1d(2, 2, 1, 0, 0), 1, &err), 2);
    ck_assert_int_eq(qc_graph_concat(g, "both", parts, 2, &err), 3);
    ck_assert_int_eq(qc_graph_simple(g, "norm", QC_OP_BATCHNORM, 3, &err), 4);
    ck_assert_int_eq(qc_graph_simple(g, "relu", QC_OP_RELU, 4, &err), 5);
    g->nodes[5].clip = 6;
    ck_assert_int_eq(qc_graph_quant(g, "quant", 5, .1f, 3, 4, &err), 6);
    ck_assert_int_eq(qc_graph_simple(g, "gap", QC_OP_GAP, 6, &err), 7);
    ck_assert_int_eq(qc_graph_linear(g, "fc", 7, 3, 1, &err), 8);
    ck_assert_int_eq(qc_graph_finish(g, &err), 0);
    qc_graph_reset(g, 9);
}

START_TEST(check_finds_corrupted_fields)
{
    QcGraph g, clone;
    small_graph(&g);
    ck_assert_int_eq(qc_graph_clone(&clone, &g, &err), 0);
    ck_assert_mem_eq(clone.params, g.params, g.n_params * sizeof *g.params);
    ck_assert_int_eq(qc_graph_check(&clone, &err), 0);
    clone.nodes[8].inputs[0] = 8;
    expect(qc_graph_check(&clone, &err), "does not come before it");
    clone.nodes[8].inputs[0] = 5;
    ck_assert_int_eq(qc_graph_check(&clone, &err), -1);
    clone.nodes[8] = g.nodes[8];
    clone.nodes[1].weight++;
    expect(qc_graph_check(&clone, &err), "'a'");
    clone.nodes[1] = g.nodes[1];
    clone.nodes[3].channels++;
    expect(qc_graph_check(&clone, &err), "'both'");
    clone.nodes[3] = g.nodes[3];
    clone.params[clone.n_params - 1] = NAN;
    expect(qc_graph_check(&clone, &err), "'fc' has a parameter that is not finite");
    clone.params[clone.n_params - 1] = 0;
    clone.stats[clone.n_stats - 1] = -1;
    expect(qc_graph_check(&clone, &err), "variance");
    qc_graph_release(&clone);
    qc_graph_release(&g);
}
END_TEST

START_TEST(initial_weights_follow_seed_and_fan_in)
{
    QcGraph g, other;
    small_graph(&g);
    small_graph(&other);
    ck_assert_mem_eq(g.params, other.params, g.n_params * sizeof *g.params);
    qc_graph_reset(&other, 10);
    ck_assert_mem_ne(g.params, other.params, g.n_params * sizeof *g.params);
    qc_graph_release(&g);
    qc_graph_release(&other);
    /* He: variance 2 / fan-in, here 2 / 400, of 40000 draws: the estimate's deviation is .7 % */
    ck_assert_int_eq(qc_graph_init(&g, 400, 1, 1, &err), 0);
    ck_assert_int_eq(qc_graph_linear(&g, "fc", 0, 100, 1, &err), 1);
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    qc_graph_reset(&g, 1);
    double square = 0;
    for (size_t i = 0; i < 40000; i++) square += (double)g.params[i] * (double)g.params[i];
    ck_assert_double_eq_tol(square / 40000, 2. / 400, .03 * 2 / 400);
    ck_assert_float_eq(g.params[40000], 0);
    qc_graph_release(&g);
}
END_TEST

static char folder[] = "/tmp/qc-graph-XXXXXX";

static void write_model(const char *path, const QcGraph *g)
{
    QcModelFile m;
    float mean[4] = {0}, deviation[4] = {1, 1, 1, 1};
    char *labels[] = {"a", "b", "c"};
    QcNorm norm = {4, mean, deviation};
    ck_assert_msg(qc_modelfile_init(&m, "small", 4, 1, 10, 3, labels, &norm, &err) == 0, "%s", err.text);
    ck_assert_msg(qc_graph_encode(&m, g, &err) == 0, "%s", err.text);
    ck_assert_msg(qc_modelfile_save(&m, path, &err) == 0, "%s", err.text);
    qc_modelfile_release(&m);
}

START_TEST(graph_round_trip_gives_same_bytes)
{
    QcGraph g, back;
    QcModelFile m;
    char first[64], second[64];
    uint8_t *a, *b;
    size_t na, nb;
    small_graph(&g);
    snprintf(first, sizeof first, "%s/a.qcm", folder);
    snprintf(second, sizeof second, "%s/b.qcm", folder);
    write_model(first, &g);
    ck_assert_int_eq(qc_modelfile_load(&m, first, &err), 0);
    ck_assert_msg(qc_graph_decode(&back, &m, &err) == 0, "%s", err.text);
    ck_assert_mem_eq(back.params, g.params, g.n_params * sizeof *g.params);
    ck_assert_float_eq(back.nodes[5].clip, 6);
    write_model(second, &back);
    ck_assert_int_eq(qc_read_all(first, &a, &na, &err), 0);
    ck_assert_int_eq(qc_read_all(second, &b, &nb, &err), 0);
    ck_assert_uint_eq(na, nb);
    ck_assert_mem_eq(a, b, na);
    free(a);
    free(b);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
    qc_graph_release(&back);
}
END_TEST

/* The section's bytes changed after the checksums' back: whatever comes out must be an error or a graph that holds. */
START_TEST(mutated_sections_are_refused_or_valid)
{
    QcGraph g;
    QcModelFile m;
    QcCursor section;
    char path[64];
    small_graph(&g);
    snprintf(path, sizeof path, "%s/m.qcm", folder);
    write_model(path, &g);
    ck_assert_int_eq(qc_modelfile_load(&m, path, &err), 0);
    ck_assert_int_eq(qc_container_find(&m.container, "graph", &section), 1);
    size_t length = section.length, refused = 0, rounds = 4000;
    uint8_t *bytes = malloc(length);
    memcpy(bytes, section.bytes, length);
    QcRng rng = qc_rng_seed(3, 3);
    for (size_t round = 0; round < rounds; round++) {
        QcWriter w = {0};
        QcGraph back;
        size_t at = round < 800 ? round % length : qc_rng_below(&rng, (uint32_t)length);
        qc_put_bytes(&w, bytes, round % 7 ? length : at); /* now and then cut short */
        if (round % 7) w.bytes[at] ^= (uint8_t)(1 + qc_rng_below(&rng, 255));
        ck_assert_int_eq(qc_container_add(&m.container, "graph", 0, &w, &err), 0);
        if (qc_graph_decode(&back, &m, &err)) {
            refused++;
            ck_assert_int_gt(strlen(err.text), 0);
            continue;
        }
        ck_assert_int_eq(qc_graph_check(&back, &err), 0);
        qc_graph_release(&back);
    }
    ck_assert_uint_gt(refused, rounds / 7);
    free(bytes);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    tcase_add_test(all, node_shapes);
    tcase_add_test(all, builder_errors_name_the_node);
    tcase_add_test(all, check_finds_corrupted_fields);
    tcase_add_test(all, initial_weights_follow_seed_and_fan_in);
    tcase_add_test(all, graph_round_trip_gives_same_bytes);
    tcase_add_test(all, mutated_sections_are_refused_or_valid);
    suite_add_tcase(suite, all);
    int failed = run_suite(suite);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
