/* ONNX export: read back by qc-import's reader and run by ONNX Runtime, float and quantized, on every kind of small
 * graph. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "scratch.h"
#include "tiny.h"
#include "../../lib/base/file.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/onnx/onnx.h"
#include "../../lib/onnx/onnxout.h"

enum { WINDOWS = 96 };

static QcErr err;
static char *labels[TINY_CLASSES] = {"walk", "sit \"still\"", "fall, then lie", "\xc3\xbc"};
static float mean[TINY_CHANNELS] = {1, -2, 0.5f}, deviation[TINY_CHANNELS] = {2, 0.5f, 1};

static void new_model(QcModelFile *m, const QcGraph *g)
{
    const QcNode *in = &g->nodes[0];
    QcNorm norm = {TINY_CHANNELS, mean, deviation};
    ck_assert_msg(!qc_modelfile_init(m, "tiny", in->channels, in->height, in->width, g->classes, labels, &norm, &err),
                  "%s", err.text);
}

static void save(const QcModelFile *m, const char *name, QcOnnxCodes codes)
{
    char file[64];
    snprintf(file, sizeof file, "%s.onnx", name);
    ck_assert_msg(!qc_onnx_save(m, scratch_path(file), codes, &err), "%s: %s", name, err.text);
}

/* Raw windows for x [WINDOWS][h][w][c] normalized, as [C][H][W], in NAME.x. */
static void save_raw(const float *x, const QcNode *in, const char *name)
{
    char file[64];
    float *raw = malloc(sizeof *raw * WINDOWS * TINY_VALUES);
    size_t positions = (size_t)in->height * in->width;
    for (size_t i = 0; i < WINDOWS; i++)
        for (size_t p = 0; p < positions; p++)
            for (size_t c = 0; c < TINY_CHANNELS; c++)
                raw[(i * TINY_CHANNELS + c) * positions + p] =
                    x[(i * positions + p) * TINY_CHANNELS + c] * deviation[c] + mean[c];
    snprintf(file, sizeof file, "%s.x", name);
    scratch_write(file, raw, sizeof *raw * WINDOWS * TINY_VALUES);
    free(raw);
}

/* NAME.onnx on NAME.x: the logits, or NULL if the runtime is not there. */
static float *runtime(const char *name, const QcNode *in)
{
    char command[1024], shape[64], file[64];
    uint8_t *bytes;
    size_t length;
    if (in->height > 1) snprintf(shape, sizeof shape, "%d,%u,%u,%u", WINDOWS, in->channels, in->height, in->width);
    else snprintf(shape, sizeof shape, "%d,%u,%u", WINDOWS, in->channels, in->width);
    snprintf(command, sizeof command, "exec node tests/onnx/run.js '%s/%s.onnx' '%s/%s.x' %s '%s/%s.y' 2>'%s/log'",
             scratch, name, scratch, name, shape, scratch, name, scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) return NULL;
    if (status) {
        snprintf(command, sizeof command, "cat '%s/log'", scratch);
        ck_assert_int_eq(system(command), 0);
        ck_abort_msg("ONNX Runtime refuses %s", name);
    }
    snprintf(file, sizeof file, "%s.y", name);
    ck_assert_int_eq(qc_read_all(scratch_path(file), &bytes, &length, &err), 0);
    ck_assert_uint_eq(length, sizeof(float) * WINDOWS * TINY_CLASSES);
    return (float *)(void *)bytes;
}

static double largest_difference(const float *a, const float *b)
{
    double largest = 0;
    for (int i = 0; i < WINDOWS * TINY_CLASSES; i++) largest = fmax(largest, fabs((double)a[i] - (double)b[i]));
    return largest;
}

static double largest_of(const float *a)
{
    double largest = 0;
    for (int i = 0; i < WINDOWS * TINY_CLASSES; i++) largest = fmax(largest, fabs((double)a[i]));
    return largest;
}

static void logits_of(float *logits, QcGraph *g, const float *x)
{
    QcRun *run = qc_run_new(g, WINDOWS, QC_RUN_EVAL, 1, &err);
    ck_assert_ptr_nonnull(run);
    memcpy(logits, qc_run_forward(run, x, WINDOWS), sizeof(float) * WINDOWS * TINY_CLASSES);
    qc_run_free(run);
}

START_TEST(float_models_come_back)
{
    QcGraph g, back;
    QcModelFile m, again;
    QcOnnxOptions nothing = {0};
    uint8_t digest[QC_DIGEST_BYTES];
    static float x[WINDOWS * TINY_VALUES], ours[WINDOWS * TINY_CLASSES], theirs[WINDOWS * TINY_CLASSES];
    tiny_graph(&g, (TinyKind)_i, 3);
    tiny_windows(x, WINDOWS, 1, 5);
    new_model(&m, &g);
    ck_assert_int_eq(qc_graph_encode(&m, &g, &err), 0);
    save(&m, "float", QC_ONNX_SAFE);
    logits_of(ours, &g, x);
    ck_assert_msg(!qc_onnx_load(&again, digest, scratch_path("float.onnx"), &nothing, NULL, &err), "%s", err.text);
    ck_assert_int_eq(qc_graph_decode(&back, &again, &err), 0);
    ck_assert_uint_le(back.n_nodes, g.n_nodes + 1);
    for (uint32_t c = 0; c < TINY_CHANNELS; c++) {
        ck_assert_float_eq_tol(again.norm.mean[c], mean[c], 1e-6f);
        ck_assert_float_eq_tol(again.norm.deviation[c], deviation[c], 1e-6f);
    }
    for (uint32_t k = 0; k < TINY_CLASSES; k++) ck_assert_str_eq(again.labels[k], labels[k]);
    logits_of(theirs, &back, x);
    ck_assert_double_le(largest_difference(ours, theirs), 1e-5 * largest_of(ours));
    qc_graph_release(&back);
    qc_modelfile_release(&again);
    save_raw(x, &g.nodes[0], "float");
    float *real = runtime("float", &g.nodes[0]);
    if (real) ck_assert_double_le(largest_difference(ours, real), 1e-4 * largest_of(ours));
    else puts("skipped: onnxruntime-node is missing (share/setup/install.sh --test)");
    free(real);
    qc_graph_release(&g);
    qc_modelfile_release(&m);
}
END_TEST

static uint32_t class_of(const float *logits)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < TINY_CLASSES; c++)
        if (logits[c] > logits[best]) best = c;
    return best;
}

/* One step of rounding in one place moves logits a little; a wrong window, zero point or scale moves them a lot. */
static void compare_quantized(TinyKind kind, int bits, int activation_bits, QcOnnxCodes codes)
{
    Tiny t;
    QcModelFile m;
    static float x[WINDOWS * TINY_VALUES], ours[WINDOWS * TINY_CLASSES];
    uint8_t q[TINY_VALUES];
    uint32_t other = 0;
    tiny_make(&t, kind, bits, activation_bits, 7);
    tiny_windows(x, WINDOWS, 1, 9);
    for (int i = 0; i < WINDOWS; i++) {
        qc_q_input(q, x + (size_t)i * TINY_VALUES, TINY_VALUES, &t.g.tensors[0]);
        qc_qrun_forward(&t.run, ours + i * TINY_CLASSES, q);
    }
    new_model(&m, &t.model);
    ck_assert_int_eq(qc_qgraphfile_encode(&m, &t.g, &err), 0);
    save(&m, "q", codes);
    save_raw(x, &t.model.nodes[0], "q");
    float *real = runtime("q", &t.model.nodes[0]);
    if (real) {
        for (int i = 0; i < WINDOWS; i++)
            other += class_of(ours + i * TINY_CLASSES) != class_of(real + i * TINY_CLASSES);
        double off = largest_difference(ours, real), size = largest_of(ours);
        printf("kind %d, %d and %d bits: largest difference %.3g of %.3g, %u other classes\n", (int)kind, bits,
               activation_bits, off, size, other);
        ck_assert_double_le(off, 0.05 * size);
    } else {
        puts("skipped: onnxruntime-node is missing (share/setup/install.sh --test)");
    }
    free(real);
    qc_modelfile_release(&m);
    tiny_release(&t);
}

START_TEST(quantized_models_equal_onnx_runtime)
{
    compare_quantized((TinyKind)_i, 8, 8, QC_ONNX_SAFE);
    compare_quantized((TinyKind)_i, 4, 8, QC_ONNX_INT4);
    compare_quantized((TinyKind)_i, 2, 4, QC_ONNX_SAFE);
    compare_quantized((TinyKind)_i, 4, 8, QC_ONNX_INT8);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnxout");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, scratch_make, scratch_remove);
    tcase_add_loop_test(all, float_models_come_back, 0, TINY_KINDS);
    tcase_add_loop_test(all, quantized_models_equal_onnx_runtime, 0, TINY_KINDS);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
