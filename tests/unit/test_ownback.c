/* Our own exports of quantized models come back: as ONNX and as TensorFlow Lite, with the same logits to the last
 * bit, or with a sentence. */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "tiny.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/onnx/onnx.h"
#include "../../lib/onnx/onnxout.h"
#include "../../lib/onnx/tflite.h"
#include "../../lib/onnx/tfliteout.h"
#include "../../lib/quant/keep.h"

enum { WINDOWS = 48, TFLITE = -1, FUNCTIONS = TINY_KINDS, KINDS };

static QcErr err;
static const QcOnnxOptions nothing;
static char *labels[TINY_CLASSES] = {"walk", "sit", "fall", "run"};

/* SiLU, a squeeze-and-excite gate, deviations of a turned value, columns as channels. */
static void functions(QcGraph *g)
{
    static const QcStep silu[] = {{QC_STEP_X, 0}, {QC_STEP_SIGMOID, 0}, {QC_STEP_X, 0}, {QC_STEP_MUL, 0}},
                        gate[] = {{QC_STEP_X, 0}, {QC_STEP_SIGMOID, 0}};
    const QcLoops columns = {.n = 2, .size = {6, 12}, .stride = {1, 12}, .offset = 6}, /* of every second position */
        pairs = {.n = 3, .size = {2, 6, 3}, .stride = {3, 12, 1}, .offset = 6};
    ck_assert_int_eq(qc_graph_init(g, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
    uint32_t a = tiny_ok(qc_graph_function(g, "silu", tiny_conv(g, "a", 0, 6, 3, 1), silu, 4, NULL));
    uint32_t open = tiny_ok(qc_graph_function(
        g, "gate", tiny_conv(g, "squeeze", tiny_op(g, "mean", QC_OP_GAP, a), 6, 1, 1), gate, 2, NULL));
    uint32_t product = tiny_ok(qc_graph_mul(g, "product", a, open, NULL));
    uint32_t turned = tiny_ok(qc_graph_turn(g, "turned", product, 1, 6, 12, &columns, NULL)),
             other = tiny_ok(qc_graph_turn(g, "other", product, 1, 2, 18, &pairs, NULL));
    uint32_t parts[3] = {tiny_op(g, "means", QC_OP_GAP, turned), tiny_op(g, "spread", QC_OP_STD, turned),
                         tiny_op(g, "far", QC_OP_STD, other)};
    tiny_ok(qc_graph_linear(g, "last", tiny_ok(qc_graph_concat(g, "all", parts, 3, NULL)), TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
    tiny_settle(g, 8);
}

static void make(Tiny *t, int kind, int bits, int activation_bits)
{
    static float x[TINY_RANGE_WINDOWS * TINY_VALUES];
    if (kind < TINY_KINDS) {
        tiny_make(t, (TinyKind)kind, bits, activation_bits, 7);
        return;
    }
    *t = (Tiny){0};
    functions(&t->model);
    tiny_windows(x, TINY_RANGE_WINDOWS, 1, 3);
    ck_assert_msg(!qc_emit(&t->g, &t->master, &t->model, x, TINY_RANGE_WINDOWS, bits, 0, activation_bits, 1, &t->arena,
                           &err),
                  "%s", err.text);
    tiny_place(t, &qc_kernels_scalar);
}

static void run(float *logits, Tiny *t, const float *x)
{
    uint8_t q[TINY_VALUES];
    for (int i = 0; i < WINDOWS; i++) {
        qc_q_input(q, x + (size_t)i * TINY_VALUES, TINY_VALUES, &t->g.tensors[0]);
        qc_qrun_forward(&t->run, logits + i * TINY_CLASSES, q);
    }
}

static int has(const QcQGraph *g, QcQOp op)
{
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == op) return 1;
    return 0;
}

static int near(const float *a, const float *b)
{
    double largest = 0, off = 0;
    for (int i = 0; i < WINDOWS * TINY_CLASSES; i++) {
        largest = fmax(largest, fabs((double)a[i]));
        off = fmax(off, fabs((double)a[i] - (double)b[i]));
    }
    return off < 0.02 * largest;
}

static int is_fit_for_tflite(const QcQGraph *g)
{
    if (has(g, QC_Q_STD) || has(g, QC_Q_TABLE)) return 0;
    for (uint32_t i = 0; i < g->n_tensors; i++)
        if (g->tensors[i].bits < 8) return 0;
    return 1;
}

/* codes: TFLITE or a QcOnnxCodes */
static void comes_back(int kind, int bits, int activation_bits, int codes)
{
    static float x[WINDOWS * TINY_VALUES], ours[WINDOWS * TINY_CLASSES], theirs[WINDOWS * TINY_CLASSES];
    static const float zeros[TINY_CHANNELS], ones[TINY_CHANNELS] = {1, 1, 1};
    Tiny t, back = {0};
    QcModelFile m, again;
    QcOnnxNotes notes = {0};
    uint8_t *bytes;
    size_t length;
    make(&t, kind, bits, activation_bits);
    tiny_windows(x, WINDOWS, 1, 9);
    run(ours, &t, x);
    const QcNode *in = &t.model.nodes[0];
    QcNorm norm = {TINY_CHANNELS, (float *)(uintptr_t)zeros, (float *)(uintptr_t)ones};
    ck_assert_int_eq(
        qc_modelfile_init(&m, "own", in->channels, in->height, in->width, TINY_CLASSES, labels, &norm, &err), 0);
    ck_assert_int_eq(qc_qgraphfile_encode(&m, &t.g, &err), 0);
    int status = codes == TFLITE ? qc_tflite_encode(&bytes, &length, &m, &err)
                                 : qc_onnx_encode(&bytes, &length, &m, (QcOnnxCodes)codes, &err);
    qc_modelfile_release(&m);
    if (codes == TFLITE && !is_fit_for_tflite(&t.g)) {
        ck_assert(status && err.code == QC_EUNSUPPORTED && *err.text);
        tiny_release(&t);
        return;
    }
    ck_assert_msg(!status, "kind %d: %s", kind, err.text);
    status = codes == TFLITE ? qc_tflite_decode(&again, bytes, length, &nothing, &notes, &err)
                             : qc_onnx_decode(&again, bytes, length, &nothing, &notes, &err);
    free(bytes);
    ck_assert_msg(!status, "kind %d: %s", kind, err.text);
    ck_assert_msg(notes.steps && !notes.mixed, "kind %d came back as a float model", kind);
    for (uint32_t k = 0; k < TINY_CLASSES; k++) ck_assert_str_eq(again.labels[k], labels[k]);
    uint32_t wide;
    ck_assert_msg(!qc_keep(&back.g, &notes.graph, notes.steps, &wide, &back.arena, &err), "kind %d: %s", kind,
                  err.text);
    tiny_place(&back, &qc_kernels_scalar);
    run(theirs, &back, x);
    int exact = !memcmp(ours, theirs, sizeof ours);
    if (codes == TFLITE && has(&t.g, QC_Q_AVGPOOL)) exact = near(ours, theirs); /* which it rounds twice */
    ck_assert_msg(exact, "kind %d, %d and %d bits, form %d: other logits", kind, bits, activation_bits, codes);
    ck_assert_uint_le(back.g.n_nodes, t.g.n_nodes + (codes == TFLITE && has(&t.g, QC_Q_AVGPOOL)));
    qc_onnxnotes_release(&notes);
    qc_modelfile_release(&again);
    tiny_release(&back);
    tiny_release(&t);
}

START_TEST(as_onnx)
{
    comes_back(_i, 8, 8, QC_ONNX_SAFE);
    comes_back(_i, 8, 8, QC_ONNX_INT8);
    comes_back(_i, 4, 8, QC_ONNX_INT4);
    comes_back(_i, 2, 4, QC_ONNX_SAFE);
    comes_back(_i, 4, 4, QC_ONNX_INT4);
}
END_TEST

START_TEST(as_tensorflow_lite)
{
    comes_back(_i, 8, 8, TFLITE);
    comes_back(_i, 2, 8, TFLITE);
    comes_back(_i, 4, 4, TFLITE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ownback");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_loop_test(all, as_onnx, 0, KINDS);
    tcase_add_loop_test(all, as_tensorflow_lite, 0, KINDS);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
