/* ONNX in, as a property: a random graph of supported operators gives ONNX Runtime's logits, or one sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"
#include "scratch.h"
#include "../../lib/base/file.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/nn/run.h"
#include "../../lib/onnx/onnx.h"

enum { WINDOWS = 3, CLASSES = 3 };

static QcErr err;

typedef struct Case {
    char name[64];
    uint32_t rank, dims[3]; /* of the graph's input, the batch left out */
} Case;

static float *read_floats(const char *name, const char *ending, size_t n)
{
    char file[128];
    uint8_t *bytes;
    size_t length;
    snprintf(file, sizeof file, "%s.%s", name, ending);
    ck_assert_msg(!qc_read_all(scratch_path(file), &bytes, &length, &err), "%s", err.text);
    ck_assert_uint_eq(length, n * sizeof(float));
    return (float *)(void *)bytes;
}

/* The windows as the model takes them: channels last, whether the graph has them first or last. */
static void turn_windows(float *to, const float *x, const Case *c, const QcModelFile *m)
{
    uint32_t values = m->channels * m->height * m->length, positions = m->height * m->length;
    int last = m->channels == c->dims[c->rank - 2] && m->length == c->dims[c->rank - 3];
    for (uint32_t w = 0; w < WINDOWS; w++)
        for (uint32_t p = 0; p < positions; p++)
            for (uint32_t k = 0; k < m->channels; k++) {
                uint32_t i = w * values + p * m->channels + k;
                to[i] = (x[last ? i : w * values + k * positions + p] - m->norm.mean[k]) / m->norm.deviation[k];
            }
}

/* The largest difference of logits, relative to the largest logit. */
static double difference(const Case *c, const QcModelFile *m)
{
    QcGraph g;
    double largest = 0, off = 0;
    ck_assert_msg(!qc_graph_decode(&g, m, &err), "%s: %s", c->name, err.text);
    size_t n = (size_t)WINDOWS * m->channels * m->height * m->length;
    float *x = read_floats(c->name, "x", n), *y = read_floats(c->name, "y", WINDOWS * CLASSES),
          *turned = malloc(n * sizeof *turned);
    turn_windows(turned, x, c, m);
    QcRun *run = qc_run_new(&g, WINDOWS, QC_RUN_EVAL, 1, &err);
    ck_assert_ptr_nonnull(run);
    const float *logits = qc_run_forward(run, turned, WINDOWS);
    for (int i = 0; i < WINDOWS * CLASSES; i++) {
        largest = fmax(largest, fabs((double)y[i]));
        off = fmax(off, fabs((double)logits[i] - (double)y[i]));
        if (isnan(logits[i])) off = INFINITY;
    }
    qc_run_free(run);
    qc_graph_release(&g);
    free(x);
    free(y);
    free(turned);
    return off / largest;
}

START_TEST(random_graphs_give_the_logits_of_onnx_runtime_or_a_sentence)
{
    uint8_t digest[QC_DIGEST_BYTES];
    char file[128];
    Case c;
    uint32_t cases = 0, refused = 0;
    FILE *list = fopen(scratch_path("random"), "r");
    if (!list) return;
    while (fscanf(list, "%63s %u %u %u %u", c.name, &c.rank, &c.dims[0], &c.dims[1], &c.dims[2]) == 5) {
        const QcOnnxOptions none = {0};
        QcModelFile m;
        snprintf(file, sizeof file, "%s.onnx", c.name);
        cases++;
        if (qc_onnx_load(&m, digest, scratch_path(file), &none, NULL, &err)) {
            ck_assert_msg(err.code == QC_EUNSUPPORTED && err.text[0], "%s: %s (%d)", c.name, err.text, err.code);
            if (getenv("QC_VERBOSE")) printf("refused: %s\n", err.text);
            refused++;
            continue;
        }
        double off = difference(&c, &m);
        ck_assert_msg(off < 1e-4, "%s: %g", c.name, off);
        qc_modelfile_release(&m);
    }
    fclose(list);
    printf("onnx: %u random graphs, %u refused\n", cases, refused);
    ck_assert_uint_gt(cases, 50);
    ck_assert_uint_lt(10 * refused, cases); /* refusals are exceptions */
}
END_TEST

/* 0 if the test must be skipped. */
static void make_models(void)
{
    char command[1024];
    scratch_make();
    const char *seed = getenv("QC_SEED");
    snprintf(command, sizeof command,
             "OPTIMISE=disabled exec /usr/bin/python3 tests/onnx/random_models.py '%s' %d 150 >'%s/log' 2>&1", scratch,
             seed ? atoi(seed) : 1, scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-onnx or onnxruntime-node is missing");
        remove(scratch_path("random"));
        return;
    }
    ck_assert_msg(!status, "random_models.py failed");
}

int main(void)
{
    Suite *suite = suite_create("onnxrandom");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, make_models, scratch_remove);
    tcase_add_test(all, random_graphs_give_the_logits_of_onnx_runtime_or_a_sentence);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
