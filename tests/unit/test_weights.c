/* Weights out and in: layout compared with an index computed by hand, round trips of every kind of graph, damaged
 * files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "scratch.h"
#include "tiny.h"
#include "../../lib/base/file.h"
#include "../../lib/nn/weights.h"

static QcErr err;

typedef int (*Save)(const QcWeights *w, const char *path, QcErr *err);
typedef int (*Read)(QcWeights *w, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
static const Save saves[2] = {qc_weights_save_npz, qc_weights_save_safetensors};
static const Read reads[2] = {qc_weights_read_npz, qc_weights_read_safetensors};

START_TEST(weight_layout_equals_pytorch)
{
    QcGraph g;
    QcWeights w;
    QcWindow window = {3, 2, 1, 1, 1, 1, 0, 0, 0, 0};
    static float values[4 * 2 * 3 * 2];
    ck_assert_int_eq(qc_graph_init(&g, 2, 5, 4, &err), 0);
    tiny_ok(qc_graph_conv(&g, "c", 0, 4, window, 1, 1, &err)); /* 3 x 3 positions */
    tiny_ok(qc_graph_linear(&g, "fc", 1, 3, 0, &err));
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    for (size_t i = 0; i < g.n_params; i++) g.params[i] = (float)i;
    ck_assert_int_eq(qc_weights_init(&w, &g, &err), 0);
    ck_assert_uint_eq(w.n, 3);
    ck_assert_str_eq(w.list[0].name, "c.weight");
    ck_assert_str_eq(w.list[1].name, "c.bias");
    ck_assert_uint_eq(w.list[0].rank, 4);
    qc_weight_get(values, &w.list[0]);
    for (int o = 0; o < 4; o++)
        for (int c = 0; c < 2; c++)
            for (int y = 0; y < 3; y++)
                for (int x = 0; x < 2; x++)
                    ck_assert_float_eq(values[((o * 2 + c) * 3 + y) * 2 + x], (float)(((o * 3 + y) * 2 + x) * 2 + c));
    const QcWeight *fc = &w.list[2];
    float *rows = malloc(fc->n * sizeof *rows);
    ck_assert_uint_eq(fc->dims[1], 4 * 9);
    qc_weight_get(rows, fc);
    for (int o = 0; o < 3; o++)
        for (int c = 0; c < 4; c++)
            for (int p = 0; p < 9; p++) ck_assert_float_eq(rows[o * 36 + c * 9 + p], fc->place[o * 36 + p * 4 + c]);
    free(rows);
    qc_weights_release(&w);
    qc_graph_release(&g);
}
END_TEST

START_TEST(weights_round_trip)
{
    QcGraph g, back;
    QcWeights w, v;
    uint8_t *bytes;
    size_t length;
    for (int f = 0; f < 2; f++) {
        tiny_graph(&g, (TinyKind)_i, 3);
        ck_assert_int_eq(qc_graph_clone(&back, &g, &err), 0);
        memset(back.params, 0, back.n_params * sizeof *back.params);
        memset(back.stats, 0, back.n_stats * sizeof *back.stats);
        ck_assert_int_eq(qc_weights_init(&w, &g, &err), 0);
        ck_assert_int_eq(qc_weights_init(&v, &back, &err), 0);
        ck_assert_msg(!saves[f](&w, scratch_path("w"), &err), "%s", err.text);
        ck_assert_int_eq(qc_read_all(scratch_path("w"), &bytes, &length, &err), 0);
        ck_assert_msg(!reads[f](&v, bytes, length, "w", &err), "%s", err.text);
        ck_assert_mem_eq(g.params, back.params, g.n_params * sizeof *g.params);
        ck_assert_mem_eq(g.stats, back.stats, g.n_stats * sizeof *g.stats);
        free(bytes);
        qc_weights_release(&w);
        qc_weights_release(&v);
        qc_graph_release(&g);
        qc_graph_release(&back);
    }
}
END_TEST

/* 1: refused. What is accepted may differ in values only. */
static int refuses(int format, QcWeights *w, const uint8_t *bytes, size_t length)
{
    QcErr e = {0};
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    int refused = reads[format](w, copy, length, "w", &e) != 0;
    if (refused) ck_assert_msg(e.code == QC_EFORMAT && e.text[0], "'%s' (%d)", e.text, e.code);
    free(copy);
    return refused;
}

START_TEST(damaged_weight_files_are_refused)
{
    QcGraph g;
    QcWeights w;
    uint8_t *bytes;
    size_t length;
    tiny_graph(&g, TINY_MLP, 3);
    ck_assert_int_eq(qc_weights_init(&w, &g, &err), 0);
    ck_assert_int_eq(saves[_i](&w, scratch_path("w"), &err), 0);
    ck_assert_int_eq(qc_read_all(scratch_path("w"), &bytes, &length, &err), 0);
    for (size_t i = 0; i < length; i++) ck_assert_msg(refuses(_i, &w, bytes, i), "cut at %zu of %zu", i, length);
    size_t step = length > 2000 ? length / 2000 : 1;
    for (size_t i = 0; i < length; i += i < 600 ? 1 : step)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            refuses(_i, &w, bytes, length);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    ck_assert(!refuses(_i, &w, bytes, length));
    free(bytes);
    qc_weights_release(&w);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, scratch_make, scratch_remove);
    tcase_add_test(all, weight_layout_equals_pytorch);
    tcase_add_loop_test(all, weights_round_trip, 0, TINY_KINDS);
    tcase_add_loop_test(all, damaged_weight_files_are_refused, 0, 2);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
