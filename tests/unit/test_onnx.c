/* ONNX import: logits compared with PyTorch's, on its own exports and on the same networks from other operators;
 * refusals; damaged files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "scratch.h"
#include "../../lib/base/file.h"
#include "../../lib/base/rng.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/nn/run.h"
#include "../../lib/onnx/onnx.h"

static QcErr err;
static const QcOnnxOptions nothing;

/* Runs tests/onnx/make_models.py into the scratch folder; 0 if the test must be skipped. */
static int make_models(void)
{
    char command[1024];
    const char *data = getenv("QC_DATA");
    snprintf(command, sizeof command, "exec /usr/bin/python3 tests/onnx/make_models.py '%s' '%s/onnx' >'%s/log' 2>&1",
             scratch, data ? data : "../shared/data", scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-onnx is missing");
        return 0;
    }
    ck_assert_msg(!status, "make_models.py failed");
    return 1;
}

static float *read_floats(const char *name, const char *ending, size_t *n)
{
    char file[128];
    uint8_t *bytes;
    size_t length;
    snprintf(file, sizeof file, "%s.%s", name, ending);
    ck_assert_msg(!qc_read_all(scratch_path(file), &bytes, &length, &err), "%s", err.text);
    *n = length / sizeof(float);
    return (float *)(void *)bytes;
}

static void load_graph(QcGraph *g, QcModelFile *m, const char *name, const QcOnnxOptions *o)
{
    char file[128];
    uint8_t digest[QC_DIGEST_BYTES];
    snprintf(file, sizeof file, "%s.onnx", name);
    ck_assert_msg(!qc_onnx_load(m, digest, scratch_path(file), o, NULL, &err), "%s: %s", name, err.text);
    ck_assert_msg(!qc_graph_decode(g, m, &err), "%s: %s", name, err.text);
}

/* Normalized as every program does it. */
static void normalize(float *x, size_t n, const QcNorm *norm)
{
    for (size_t i = 0; i < n; i++) x[i] = (x[i] - norm->mean[i % norm->channels]) / norm->deviation[i % norm->channels];
}

/* The largest difference of logits, relative to the largest logit of its window. */
static double difference(const char *name, uint32_t n, const QcOnnxOptions *o)
{
    QcModelFile m;
    QcGraph g;
    size_t n_x, n_y;
    double worst = 0;
    load_graph(&g, &m, name, o);
    float *x = read_floats(name, "x", &n_x), *y = read_floats(name, "y", &n_y);
    size_t values = (size_t)g.nodes[0].height * g.nodes[0].width * g.nodes[0].channels;
    ck_assert_uint_eq(n_x, n * values);
    ck_assert_uint_eq(n_y, n * g.classes);
    normalize(x, n_x, &m.norm);
    QcRun *run = qc_run_new(&g, n, QC_RUN_EVAL, 1, &err);
    ck_assert_ptr_nonnull(run);
    const float *logits = qc_run_forward(run, x, n);
    for (uint32_t i = 0; i < n; i++) {
        double largest = 0, off = 0;
        for (uint32_t c = 0; c < g.classes; c++) {
            largest = fmax(largest, fabs((double)y[i * g.classes + c]));
            off = fmax(off, fabs((double)logits[i * g.classes + c] - (double)y[i * g.classes + c]));
        }
        worst = fmax(worst, off / largest);
    }
    qc_run_free(run);
    qc_graph_release(&g);
    qc_modelfile_release(&m);
    free(x);
    free(y);
    return worst;
}

START_TEST(logits_equal_pytorch)
{
    char name[64];
    uint32_t n, cases = 0;
    QcOnnxOptions o = {.folder = scratch};
    FILE *list = fopen(scratch_path("cases"), "r");
    if (!list) return;
    while (fscanf(list, "%63s %u %u %u %u", name, &n, &o.channels, &o.height, &o.length) == 5) {
        double off = difference(name, n, &o);
        ck_assert_msg(off < 1e-4, "%s: %g", name, off);
        cases++;
    }
    fclose(list);
    printf("onnx: %u models\n", cases);
    if (cases < 10) puts("skipped: python3-torch is missing, so only the dumps were compared");
}
END_TEST

START_TEST(refusals_name_the_reason)
{
    char name[64], words[128];
    unsigned status, refusals = 0;
    uint8_t digest[QC_DIGEST_BYTES];
    QcModelFile m;
    FILE *list = fopen(scratch_path("refused"), "r");
    if (!list) return;
    while (fscanf(list, "%63s %u %127[^\n]", name, &status, words) == 3) {
        QcOnnxOptions o = {.folder = strcmp(name, "r-outside") ? scratch : NULL};
        char file[128];
        snprintf(file, sizeof file, "%s.onnx", name);
        ck_assert_msg(qc_onnx_load(&m, digest, scratch_path(file), &o, NULL, &err), "%s was accepted", name);
        ck_assert_msg(strstr(err.text, words) && err.code == status, "%s: %s (%d)", name, err.text, err.code);
        refusals++;
    }
    ck_assert_msg(feof(list), "after %s: a line that is not read", name);
    fclose(list);
    ck_assert_uint_gt(refusals, 20);
}
END_TEST

static void must_not_crash(const uint8_t *bytes, size_t length, size_t at)
{
    QcModelFile m;
    QcErr e = {0};
    uint8_t *copy = malloc(length ? length : 1); /* of its own size, so that a sanitizer sees a byte too far */
    memcpy(copy, bytes, length);
    if (!qc_onnx_decode(&m, copy, length, &nothing, NULL, &e)) qc_modelfile_release(&m);
    else
        ck_assert_msg(e.text[0] && (e.code == QC_EFORMAT || e.code == QC_EUNSUPPORTED || e.code == QC_EUSAGE),
                      "at %zu: '%s' (%d)", at, e.text, e.code);
    free(copy);
}

START_TEST(damaged_files_are_refused)
{
    uint8_t *bytes;
    size_t length;
    QcModelFile m;
    if (access(scratch_path("small.onnx"), R_OK)) return;
    ck_assert_int_eq(qc_read_all(scratch_path("small.onnx"), &bytes, &length, &err), 0);
    ck_assert_msg(!qc_onnx_decode(&m, bytes, length, &nothing, NULL, &err), "%s", err.text);
    qc_modelfile_release(&m);
    for (size_t i = 0; i < length; i++) must_not_crash(bytes, i, i);
    for (size_t i = 0; i < length; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            must_not_crash(bytes, length, i);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    QcRng rng = qc_rng_seed(3, 1);
    for (int round = 0; round < 2000; round++) { /* several at once */
        uint8_t *copy = malloc(length);
        memcpy(copy, bytes, length);
        for (int k = 0; k < 6; k++) copy[qc_rng_below(&rng, (uint32_t)length)] = (uint8_t)qc_rng_next(&rng);
        must_not_crash(copy, length, 0);
        free(copy);
    }
    free(bytes);
}
END_TEST

/* Puts tag and length in front of what starts at `at`; gives the new start. */
static size_t wrap(uint8_t *bytes, size_t at, size_t end, uint8_t field)
{
    uint8_t head[8];
    size_t n = 0, length = end - at;
    head[n++] = (uint8_t)(field << 3 | 2);
    for (; length > 127; length >>= 7) head[n++] = (uint8_t)(length | 128);
    head[n++] = (uint8_t)length;
    memcpy(bytes + at - n, head, n);
    return at - n;
}

START_TEST(nested_graphs_are_bounded)
{
    enum { ROOM = 1 << 21, DEPTH = 100000 };
    static uint8_t bytes[ROOM];
    QcModelFile m;
    size_t at = ROOM;
    for (int i = 0; i < DEPTH; i++) /* a node (1) with an attribute (5) that is a graph (6) */
        at = wrap(bytes, wrap(bytes, wrap(bytes, at, ROOM, 6), ROOM, 5), ROOM, 1);
    at = wrap(bytes, at, ROOM, 7);
    ck_assert_int_eq(qc_onnx_decode(&m, bytes + at, ROOM - at, &nothing, NULL, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
}
END_TEST

START_TEST(many_empty_nodes_do_not_fill_memory)
{
    enum { ROOM = 1 << 21 };
    static uint8_t bytes[ROOM];
    QcModelFile m;
    size_t at = ROOM;
    while (at > 16) bytes[--at] = 0, bytes[--at] = 1 << 3 | 2;
    at = wrap(bytes, at, ROOM, 7);
    ck_assert_int_eq(qc_onnx_decode(&m, bytes + at, ROOM - at, &nothing, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "MB"));
}
END_TEST

static void prepare(void)
{
    scratch_make();
    make_models();
}

int main(void)
{
    Suite *suite = suite_create("onnx");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, prepare, scratch_remove);
    tcase_add_test(all, logits_equal_pytorch);
    tcase_add_test(all, refusals_name_the_reason);
    tcase_add_test(all, damaged_files_are_refused);
    tcase_add_test(all, nested_graphs_are_bounded);
    tcase_add_test(all, many_empty_nodes_do_not_fill_memory);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
