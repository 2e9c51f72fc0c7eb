/* ONNX import as a property: a random graph of supported operators gives ONNX Runtime's logits. Each of ONNX's node
 * tests gives the output that it stores, or is refused in one sentence. */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"
#include "scratch.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/nn/run.h"
#include "../../lib/onnx/onnx.h"

enum { MOST = 4097 };
static char letters[MOST][16], *names[MOST];
static QcErr err;

typedef struct Case {
    char name[80], op[40];
    uint32_t windows, logits; /* logits of a window; 0: the output is not by window, so the model must be refused */
    uint32_t rank, dims[3]; /* of the graph's input with the batch; sizes without it */
} Case;

/* The windows as the model takes them: channels last, whether the graph has them first or last. */
static void turn_windows(float *to, const float *x, const Case *c, const QcModelFile *m, int last)
{
    uint32_t values = m->channels * m->height * m->length, positions = m->height * m->length;
    for (uint32_t w = 0; w < c->windows; w++)
        for (uint32_t p = 0; p < positions; p++)
            for (uint32_t k = 0; k < m->channels; k++) {
                uint32_t i = w * values + p * m->channels + k;
                to[i] = (x[last ? i : w * values + k * positions + p] - m->norm.mean[k]) / m->norm.deviation[k];
            }
}

/* Logits of one window as the file has its output, if a last layer was left out. */
static void finish_logits(float *to, const float *logits, const Case *c, const QcOnnxNotes *notes)
{
    float most = -INFINITY;
    double sum = 0;
    for (uint32_t k = 0; k < c->logits; k++) {
        to[k] = logits[k + (notes->two_classes != 0)];
        most = fmaxf(most, to[k]);
    }
    for (uint32_t k = 0; k < c->logits && notes->softmax; k++) sum += exp((double)(to[k] - most));
    for (uint32_t k = 0; k < c->logits && notes->softmax; k++) to[k] = (float)(exp((double)(to[k] - most)) / sum);
}

/* The largest difference of logits, relative to the largest logit. */
static double difference(const Case *c, const QcModelFile *m, const QcOnnxNotes *notes)
{
    QcGraph g;
    double largest = 0, off = 0;
    ck_assert_msg(!qc_graph_decode(&g, m, &err), "%s: %s", c->name, err.text);
    if (g.classes != c->logits + (notes->two_classes != 0)) {
        printf("%s: %u logits, not %u\n", c->name, g.classes, c->logits);
        qc_graph_release(&g);
        return INFINITY;
    }
    size_t n = (size_t)c->windows * m->channels * m->height * m->length;
    float *x = scratch_floats(c->name, "x", n), *y = scratch_floats(c->name, "y", (size_t)c->windows * c->logits),
          *turned = malloc(n * sizeof *turned), *ours = malloc(c->logits * sizeof *ours);
    turn_windows(turned, x, c, m, notes->channels_last);
    QcRun *run = qc_run_new(&g, c->windows, QC_RUN_EVAL, 1, &err);
    ck_assert_ptr_nonnull(run);
    const float *logits = qc_run_forward(run, turned, c->windows);
    for (uint32_t w = 0; w < c->windows; w++) {
        finish_logits(ours, logits + (size_t)w * g.classes, c, notes);
        for (uint32_t k = 0; k < c->logits; k++) {
            double expected = (double)y[w * c->logits + k];
            largest = fmax(largest, fabs(expected));
            off = isnan(ours[k]) ? INFINITY : fmax(off, fabs((double)ours[k] - expected));
        }
    }
    qc_run_free(run);
    qc_graph_release(&g);
    free(x);
    free(y);
    free(turned);
    free(ours);
    return largest > 0 ? off / largest : off;
}

/* 1: the model gives the logits that it must give; 0: it was refused; -1: neither. */
static int check_case(const Case *c)
{
    uint32_t n = c->logits == 1 ? 2 : c->logits; /* classes: a row as long as the window is no autoencoder */
    const QcOnnxOptions named = {.labels = names, .n_labels = n < MOST ? n : 0};
    uint8_t digest[QC_DIGEST_BYTES];
    QcModelFile m;
    QcOnnxNotes notes = {0};
    char file[160];
    snprintf(file, sizeof file, "%s.onnx", c->name);
    if (qc_onnx_load(&m, digest, scratch_path(file), &named, &notes, &err)) {
        if (err.code != QC_EUNSUPPORTED || !err.text[0] || strchr(err.text, '\n')) {
            printf("%s: %s (%d)\n", c->name, err.text, err.code);
            return -1;
        }
        if (getenv("QC_VERBOSE")) printf("refused: %s %s\n", c->name, err.text);
        return 0;
    }
    double off = difference(c, &m, &notes);
    qc_modelfile_release(&m);
    qc_onnxnotes_release(&notes);
    if (!(off < 1e-4)) {
        printf("%s: %g\n", c->name, off);
        return -1;
    }
    return 1;
}

static int read_case(FILE *list, Case *c)
{
    return fscanf(list, "%79s %39s %u %u %u %u %u %u", c->name, c->op, &c->windows, &c->logits, &c->rank, &c->dims[0],
                  &c->dims[1], &c->dims[2]) == 8;
}

START_TEST(random_graphs_equal_onnx_runtime_or_are_refused)
{
    Case c;
    uint32_t cases = 0, taken = 0, wrong = 0;
    FILE *list = fopen(scratch_path("random"), "r");
    if (!list) return;
    for (; read_case(list, &c); cases++) {
        int status = check_case(&c);
        taken += status == 1;
        wrong += status < 0;
    }
    fclose(list);
    printf("onnx: %u random graphs, %u refused\n", cases, cases - taken);
    fflush(stdout); /* before a failure ends the process */
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(cases, 50);
    ck_assert_uint_lt(10 * (cases - taken), cases); /* refusals are exceptions */
}
END_TEST

START_TEST(onnx_node_tests_equal_stored_output_or_are_refused)
{
    /* At least one node test of each of these is read, so that refusing everything does not pass. */
    static const char *const read[] = {
        "Abs",        "Add",         "AveragePool", "BatchNormalization", "Cast",          "Celu",      "Clip",
        "Concat",     "Conv",        "Div",         "Dropout",            "Elu",           "Erf",       "Exp",
        "Flatten",    "Gemm",        "HardSigmoid", "GlobalAveragePool",  "GlobalMaxPool", "HardSwish", "Identity",
        "LeakyRelu",  "LogSoftmax",  "MatMul",      "Max",                "MaxPool",       "Min",       "Mul",
        "Neg",        "PRelu",       "Pow",         "Reciprocal",         "ReduceMax",     "Relu",      "ReduceMean",
        "ReduceSum",  "Reshape",     "Selu",        "Sigmoid",            "Slice",         "Softmax",   "Softplus",
        "Softsign",   "Split",       "Squeeze",     "Sub",                "Sum",           "Tanh",      "Transpose",
        "Unsqueeze",  "Expand",      "Log",         "Sqrt",               "ReduceMin",     "ReduceL2"};
    enum { N = sizeof read / sizeof *read };
    Case c;
    uint32_t cases = 0, taken = 0, wrong = 0, seen[N] = {0};
    FILE *list = fopen(scratch_path("nodes"), "r");
    if (!list) return;
    for (; read_case(list, &c); cases++) {
        int status = check_case(&c);
        taken += status == 1;
        wrong += status < 0;
        for (int k = 0; k < N && status == 1; k++) seen[k] += !strcmp(c.op, read[k]);
    }
    fclose(list);
    printf("onnx: %u models of node tests, %u refused\n", cases, cases - taken);
    fflush(stdout); /* before a failure ends the process */
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(cases, 1000);
    for (int k = 0; k < N; k++) ck_assert_msg(seen[k], "no node test of %s was read", read[k]);
}
END_TEST

/* Runs a script that writes models and their list; without the list the test is skipped. */
static void make_models(const char *script, const char *arguments, const char *list, const char *needs)
{
    char command[1024];
    snprintf(command, sizeof command, "OPTIMISE=disabled exec /usr/bin/python3 tests/onnx/%s '%s' %s >'%s/log' 2>&1",
             script, scratch, arguments, scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        printf("skipped: %s is missing\n", needs);
        remove(scratch_path(list));
        return;
    }
    ck_assert_msg(!status, "%s failed", script);
}

static void prepare(void)
{
    char numbers[40];
    const char *seed = getenv("QC_SEED");
    scratch_make();
    for (int k = 0; k < MOST; k++) {
        snprintf(letters[k], sizeof letters[k], "c%d", k);
        names[k] = letters[k];
    }
    snprintf(numbers, sizeof numbers, "%d 150", seed ? atoi(seed) : 1);
    make_models("random_models.py", numbers, "random", "python3-onnx or onnxruntime-node");
    make_models("node_tests.py", "", "nodes", "python3-onnx");
}

int main(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30); /* thousands of graphs take the same pages: half the time */
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    Suite *suite = suite_create("onnxrandom");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, prepare, scratch_remove);
    tcase_add_test(all, random_graphs_equal_onnx_runtime_or_are_refused);
    tcase_add_test(all, onnx_node_tests_equal_stored_output_or_are_refused);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
