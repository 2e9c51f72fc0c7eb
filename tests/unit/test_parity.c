/* Forward parity with PyTorch: QcGraph with the weights of PyTorch's ONNX dumps gives PyTorch's logits. Skipped if
 * the dumps or python3-onnx are missing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/run.h"

static QcErr err;

typedef struct Tensor {
    char kind[16];
    size_t n;
    float *values;
} Tensor;

/* The next line of a dump; its values must be given back by free. */
static int next_tensor(FILE *in, Tensor *t)
{
    if (fscanf(in, "%15s %zu", t->kind, &t->n) != 2) return 0;
    t->values = malloc((t->n + 1) * sizeof *t->values);
    for (size_t i = 0; i < t->n; i++) ck_assert_int_eq(fscanf(in, "%f", &t->values[i]), 1);
    return 1;
}

static const char *dump_path(const char *name, const char *ending)
{
    static char paths[2][4096];
    static int next;
    const char *data = getenv("QC_DATA");
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/onnx/%s.%s", data ? data : "../shared/data", name, ending);
    return path;
}

/* The dump turned into text, in `file`; 0 if the test must be skipped. */
static int fetch(const char *name, const char *file)
{
    char command[16384];
    const char *model = dump_path(name, "onnx"), *arrays = dump_path(name, "npz");
    if (access(model, R_OK) || access(arrays, R_OK)) {
        printf("skipped: %s is not there (QC_DATA names the folder of real data)\n", model);
        unlink(file);
        return 0;
    }
    snprintf(command, sizeof command, "exec /usr/bin/python3 tests/model/weights.py '%s' '%s' > '%s'", model, arrays,
             file);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-onnx is missing");
        unlink(file);
        return 0;
    }
    ck_assert_int_eq(status, 0);
    return 1;
}

static void put(float *place, size_t room, const Tensor *t, const char *kind)
{
    ck_assert_str_eq(t->kind, kind);
    ck_assert_uint_eq(t->n, room);
    memcpy(place, t->values, room * sizeof *place);
}

static void fill_norm(QcGraph *g, const QcNode *norm, Tensor *gain, FILE *in)
{
    float *const places[] = {g->params + norm->weight, g->params + norm->bias, g->stats + norm->stat,
                             g->stats + norm->stat + norm->channels};
    static const char *const kinds[] = {"gain", "shift", "mean", "variance"};
    Tensor t = *gain;
    for (int k = 0; k < 4; k++) {
        if (k) ck_assert(next_tensor(in, &t));
        put(places[k], norm->channels, &t, kinds[k]);
        if (k) free(t.values);
    }
}

/* The export folded this batch norm into the convolution before it: what is left of it is the bias. */
static void fill_folded_norm(QcGraph *g, const QcNode *norm, const Tensor *bias)
{
    put(g->params + norm->bias, norm->channels, bias, "bias");
    for (uint32_t c = 0; c < norm->channels; c++) g->stats[norm->stat + norm->channels + c] = 1 - norm->eps;
}

/* Puts the dump's weights into the graph, whose layers come in the same order; leaves *t at the first tensor that is no
 * weight. */
static void fill(QcGraph *g, FILE *in, Tensor *t)
{
    ck_assert(next_tensor(in, t));
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (!node->n_weight) continue;
        if (node->op == QC_OP_BATCHNORM && !strcmp(t->kind, "bias"))
            fill_folded_norm(g, node, t);
        else if (node->op == QC_OP_BATCHNORM)
            fill_norm(g, node, t, in);
        else
            put(g->params + node->weight, node->n_weight, t, node->op == QC_OP_CONV ? "conv" : "linear");
        free(t->values);
        ck_assert(next_tensor(in, t));
        if (!node->has_bias) continue;
        put(g->params + node->bias, node->n_bias, t, "bias");
        free(t->values);
        ck_assert(next_tensor(in, t));
    }
}

/* Logits within 1e-4 of PyTorch's, relative to the largest of each window. */
static void compare(QcGraph *g, const char *file, uint32_t batch)
{
    FILE *in = fopen(file, "r");
    Tensor x, logits;
    fill(g, in, &x);
    ck_assert_str_eq(x.kind, "x");
    ck_assert(next_tensor(in, &logits));
    ck_assert_str_eq(logits.kind, "logits");
    size_t values = (size_t)g->nodes[0].height * g->nodes[0].width * g->nodes[0].channels;
    uint32_t n = (uint32_t)(x.n / values);
    ck_assert_uint_eq(logits.n, n * g->classes);
    QcRun *run = qc_run_new(g, batch, QC_RUN_EVAL, 2, &err);
    for (uint32_t from = 0; from < n; from += batch) {
        uint32_t some = n - from < batch ? n - from : batch;
        const float *ours = qc_run_forward(run, x.values + from * values, some);
        for (uint32_t i = 0; i < some; i++) {
            const float *a = ours + i * g->classes, *b = logits.values + (from + i) * g->classes;
            float largest = 0;
            for (uint32_t c = 0; c < g->classes; c++) largest = fmaxf(largest, fabsf(b[c]));
            for (uint32_t c = 0; c < g->classes; c++) ck_assert_float_le(fabsf(a[c] - b[c]), 1e-4f * largest);
        }
    }
    printf("parity: %u windows\n", n);
    qc_run_free(run);
    free(x.values);
    free(logits.values);
    fclose(in);
    unlink(file);
}

START_TEST(inceptiontime_logits_equal_pytorch)
{
    char file[] = "/tmp/qc-parity-XXXXXX", path[4096], name[QC_NAME_MAX + 1];
    QcGraph g;
    close(mkstemp(file));
    if (!fetch("inceptiontime-nf16-d3-dsa-p1", file)) return;
    setenv("QC_SHARE", "share", 0);
    ck_assert_int_eq(qc_arch_find(path, sizeof path, "inceptiontime-16x3", &err), 0);
    ck_assert_int_eq(qc_arch_load(&g, name, path, 0, 45, 1, 125, 19, &err), 0);
    compare(&g, file, 24); /* 64 windows: two full batches and a part */
    qc_graph_release(&g);
}
END_TEST

static uint32_t conv(QcGraph *g, const char *name, uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride)
{
    uint32_t pad = kernel / 2;
    QcWindow w = {kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad};
    int node = qc_graph_conv(g, name, in, out, w, 1, 1, &err);
    ck_assert_msg(node > 0, "%s", err.text);
    return (uint32_t)node;
}

static uint32_t simple(QcGraph *g, const char *name, QcOp op, uint32_t in)
{
    int node = qc_graph_simple(g, name, op, in, &err);
    ck_assert_msg(node > 0, "%s", err.text);
    return (uint32_t)node;
}

/* conv relu conv + (a strided 1 x 1 convolution of) the input, relu */
static uint32_t residual(QcGraph *g, int block, uint32_t in, uint32_t out, uint32_t stride)
{
    char names[6][32];
    for (int k = 0; k < 6; k++) snprintf(names[k], sizeof names[k], "block%d.%d", block, k);
    uint32_t y = conv(g, names[0], in, out, 3, stride);
    y = simple(g, names[1], QC_OP_RELU, y);
    y = conv(g, names[2], y, out, 3, 1);
    uint32_t shortcut = stride > 1 ? conv(g, names[3], in, out, 1, stride) : in;
    int sum = qc_graph_add(g, names[4], y, shortcut, &err);
    ck_assert_int_gt(sum, 0);
    return simple(g, names[5], QC_OP_RELU, (uint32_t)sum);
}

START_TEST(resnet_logits_equal_pytorch)
{
    char file[] = "/tmp/qc-parity-XXXXXX";
    QcGraph g;
    QcWindow half = {2, 2, 2, 2, 1, 1, 0, 0, 0, 0};
    close(mkstemp(file));
    if (!fetch("resnet2d-tiny-random", file)) return;
    ck_assert_int_eq(qc_graph_init(&g, 3, 32, 32, &err), 0);
    uint32_t y = simple(&g, "relu", QC_OP_RELU, conv(&g, "stem", 0, 16, 3, 1));
    int pool = qc_graph_pool(&g, "pool", QC_OP_MAXPOOL, y, half, 0, &err);
    ck_assert_int_gt(pool, 0);
    y = residual(&g, 0, (uint32_t)pool, 16, 1);
    y = residual(&g, 1, y, 32, 2);
    y = residual(&g, 2, y, 64, 2);
    ck_assert_int_gt(qc_graph_linear(&g, "fc", simple(&g, "gap", QC_OP_GAP, y), 10, 1, &err), 0);
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    compare(&g, file, 5);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parity");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_test(all, inceptiontime_logits_equal_pytorch);
    tcase_add_test(all, resnet_logits_equal_pytorch);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
