/* Quantized models of other tools (QDQ) keep their codes: most windows have the logits of ONNX Runtime, which
 * are not rounded to codes here. If a sum lies halfway between two codes, a feature may differ by one code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"
#include "scratch.h"
#include "tiny.h"
#include "../../lib/onnx/onnx.h"
#include "../../lib/quant/keep.h"

enum { WINDOWS = 40, LOGITS = 4 };

static QcErr err;

typedef struct Case {
    char name[64];
    double step; /* the scale that a quantizer would give the logits */
    uint32_t channels, height, width;
} Case;

typedef struct Difference {
    double most; /* largest difference of a logit, in steps */
    uint32_t same; /* windows whose logits do not differ */
} Difference;

static int read_case(FILE *list, Case *c)
{
    return fscanf(list, "%63s %lf %u %u %u", c->name, &c->step, &c->channels, &c->height, &c->width) == 5;
}

/* A window of the file in the order of the model. */
static void turn_window(float *to, const float *x, const Case *c, const QcModelFile *m, int last)
{
    uint32_t positions = m->height * m->length;
    for (uint32_t p = 0; p < positions; p++)
        for (uint32_t k = 0; k < m->channels; k++) {
            uint32_t i = p * m->channels + k;
            to[i] = (x[last ? i : k * positions + p] - m->norm.mean[k]) / m->norm.deviation[k];
        }
    ck_assert_uint_eq(m->channels * positions, c->channels * c->height * c->width);
}

static Difference compare(const Case *c, const QcModelFile *m, Tiny *t, int last)
{
    uint32_t values = c->channels * c->height * c->width;
    Difference d = {0, 0};
    float *x = scratch_floats(c->name, "x", WINDOWS * values), *y = scratch_floats(c->name, "y", WINDOWS * LOGITS),
          *window = malloc(values * sizeof *window), logits[LOGITS];
    uint8_t *q = malloc(values);
    for (uint32_t w = 0; w < WINDOWS; w++) {
        double most = 0;
        turn_window(window, x + w * values, c, m, last);
        qc_q_input(q, window, values, &t->g.tensors[0]);
        qc_qrun_forward(&t->run, logits, q);
        for (uint32_t k = 0; k < LOGITS; k++)
            most = fmax(most, fabs((double)(logits[k] - y[w * LOGITS + k])) / c->step);
        d.same += most < 1e-3;
        d.most = fmax(d.most, most);
    }
    free(x);
    free(y);
    free(window);
    free(q);
    return d;
}

/* 1: read as it is; 0: refused in a sentence. */
static int try_case(const Case *c, Difference *d)
{
    const QcOnnxOptions nothing = {0};
    uint8_t digest[QC_DIGEST_BYTES];
    char file[128];
    Tiny t = {0};
    QcModelFile m;
    QcOnnxNotes notes;
    uint32_t wide;
    snprintf(file, sizeof file, "%s.onnx", c->name);
    if (qc_onnx_load(&m, digest, scratch_path(file), &nothing, &notes, &err)) return 0;
    ck_assert_msg(notes.steps && !notes.mixed, "%s is read as a float model", c->name);
    int kept = !qc_keep(&t.g, &notes.graph, notes.steps, &wide, &t.arena, &err);
    if (kept) {
        tiny_place(&t, &qc_kernels_scalar);
        *d = compare(c, &m, &t, notes.channels_last);
    }
    qc_onnxnotes_release(&notes);
    qc_modelfile_release(&m);
    tiny_release(&t);
    return kept;
}

/* Runs a script and opens the list that it writes. NULL: the script's libraries are missing; the test is skipped. */
static FILE *make_cases(const char *script, const char *arguments)
{
    char command[512];
    snprintf(command, sizeof command,
             "OPTIMISE=disabled exec /usr/bin/python3 tests/onnx/%s '%s' %s >'%s/log' 2>&1", script, scratch, arguments,
             scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-onnx, python3-torch or onnxruntime-node is missing");
        return NULL;
    }
    ck_assert_msg(!status, "%s failed", script);
    FILE *list = fopen(scratch_path("quantized"), "r");
    ck_assert_ptr_nonnull(list);
    return list;
}

START_TEST(codes_are_kept)
{
    uint32_t cases = 0;
    FILE *list = make_cases("quantized_models.py", "");
    for (Case c; list && read_case(list, &c); cases++) {
        Difference d = {0, 0};
        ck_assert_msg(try_case(&c, &d), "%s: %s", c.name, err.text);
        ck_assert_msg(d.most < 1.3, "%s: %.2f steps apart", c.name, d.most);
        ck_assert_msg(4 * d.same >= 3 * WINDOWS, "%s: only %u of %d windows have the same logits", c.name, d.same,
                      WINDOWS);
    }
    if (!list) return;
    fclose(list);
    ck_assert_uint_gt(cases, 25);
}
END_TEST

START_TEST(random_models_keep_their_codes_or_are_refused)
{
    char numbers[40];
    const char *seed = getenv("QC_SEED");
    uint32_t cases = 0, refused = 0, wrong = 0;
    snprintf(numbers, sizeof numbers, "%d 100", seed ? atoi(seed) : 1);
    FILE *list = make_cases("random_quantized.py", numbers);
    for (Case c; list && read_case(list, &c); cases++) {
        Difference d = {0, 0};
        int kept = try_case(&c, &d);
        if (!kept) {
            ck_assert_msg(err.code == QC_EUNSUPPORTED && !strchr(err.text, '\n'), "%s: %s", c.name, err.text);
            refused++;
            if (getenv("QC_VERBOSE")) printf("refused: %s %s\n", c.name, err.text);
        } else {
            if (getenv("QC_VERBOSE")) printf("%s %.3f %u\n", c.name, d.most, d.same);
            if (2 * d.same >= WINDOWS) continue;
            printf("%s: %.2f steps apart, %u windows are alike\n", c.name, d.most, d.same);
            wrong++;
        }
    }
    if (!list) return;
    fclose(list);
    printf("onnx: %u random quantized models, %u refused\n", cases, refused);
    fflush(stdout); /* before a failure ends the process */
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(cases, 50);
    ck_assert_uint_lt(10 * refused, cases);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnxquantized");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, scratch_make, scratch_remove);
    tcase_add_test(all, codes_are_kept);
    tcase_add_test(all, random_models_keep_their_codes_or_are_refused);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
