/* Quantized models of other tools (QDQ) keep their codes: most windows have ONNX Runtime's logits, which are not rounded
 * here. Where a sum lies between two codes, one feature may be the other code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"
#include "scratch.h"
#include "tiny.h"
#include "../../lib/onnx/onnx.h"
#include "../../lib/quant/keep.h"

enum { WINDOWS = 40, CHANNELS = 3, LENGTH = 16, VALUES = CHANNELS * LENGTH, LOGITS = 4 };

static QcErr err;

/* The largest difference in steps; *same: windows whose logits have none. */
static double steps_apart(const char *name, double step, uint32_t *same)
{
    const QcOnnxOptions nothing = {0};
    uint8_t digest[QC_DIGEST_BYTES], q[VALUES];
    char file[128];
    float window[VALUES], logits[LOGITS];
    double off = 0;
    Tiny t = {0};
    QcModelFile m;
    QcOnnxNotes notes;
    uint32_t wide;
    snprintf(file, sizeof file, "%s.onnx", name);
    ck_assert_msg(!qc_onnx_load(&m, digest, scratch_path(file), &nothing, &notes, &err), "%s", err.text);
    ck_assert_msg(notes.steps && !notes.mixed, "%s is read as a float model", name);
    ck_assert_msg(!qc_keep(&t.g, &notes.graph, notes.steps, &wide, &t.arena, &err), "%s: %s", name, err.text);
    tiny_place(&t, &qc_kernels_scalar);
    float *x = scratch_floats(name, "x", WINDOWS * VALUES), *y = scratch_floats(name, "y", WINDOWS * LOGITS);
    for (int w = 0; w < WINDOWS; w++) {
        for (int i = 0; i < VALUES; i++) window[i % LENGTH * CHANNELS + i / LENGTH] = x[w * VALUES + i];
        qc_q_input(q, window, VALUES, &t.g.tensors[0]);
        qc_qrun_forward(&t.run, logits, q);
        double most = 0;
        for (int k = 0; k < LOGITS; k++) most = fmax(most, fabs((double)(logits[k] - y[w * LOGITS + k])) / step);
        *same += most < 1e-3;
        off = fmax(off, most);
    }
    free(x);
    free(y);
    qc_onnxnotes_release(&notes);
    qc_modelfile_release(&m);
    tiny_release(&t);
    return off;
}

START_TEST(codes_are_kept)
{
    char command[512], name[64];
    double step;
    uint32_t cases = 0;
    snprintf(command, sizeof command,
             "OPTIMISE=disabled exec /usr/bin/python3 tests/onnx/quantized_models.py '%s' >'%s/log' 2>&1", scratch,
             scratch);
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-onnx or onnxruntime-node is missing");
        return;
    }
    ck_assert_msg(!status, "quantized_models.py failed");
    FILE *list = fopen(scratch_path("quantized"), "r");
    ck_assert_ptr_nonnull(list);
    for (; fscanf(list, "%63s %lf", name, &step) == 2; cases++) {
        uint32_t same = 0;
        double off = steps_apart(name, step, &same);
        ck_assert_msg(off < 1.3, "%s: %.2f steps apart", name, off);
        ck_assert_msg(4 * same >= 3 * WINDOWS, "%s: only %u of %d windows have the same logits", name, same, WINDOWS);
    }
    fclose(list);
    ck_assert_uint_gt(cases, 12);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnxquantized");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_unchecked_fixture(all, scratch_make, scratch_remove);
    tcase_add_test(all, codes_are_kept);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
