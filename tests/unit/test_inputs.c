/* Data whose values stay in the file: equal to loaded data, refused with the same sentences, and read by any number
 * of threads. */
#include "suite.h"
#include "scratch.h"
#include "tiny.h"

#include <unistd.h>

#include "../../lib/quant/qpredict.h"

enum { N = 9 };

static QcErr err;

/* Windows of the tiny graphs' shape, or so long that reading one takes several pieces. */
static const char *make_file(const char *name, uint32_t length, uint32_t capacity)
{
    static const char *const labels[] = {"a", "b", "c", "d"};
    const char *path = scratch_path(name);
    QcDataset d;
    QcRng rng = qc_rng_seed(length, 3);
    ck_assert_int_eq(qc_dataset_init(&d, N, TINY_CHANNELS, 1, length, capacity, &err), 0);
    for (int k = 0; k < 4; k++) ck_assert_int_eq(qc_names_add(&d.labels, &d.arena, labels[k], NULL, &err), 0);
    for (uint32_t k = 0; k < N * TINY_CHANNELS * length; k++) d.x[k] = (float)(3 * qc_rng_normal(&rng) + 1);
    for (uint32_t i = 0; i < N; i++) d.label[i] = (int32_t)(i * 7 % 4), d.id[i] = 1000 - i;
    ck_assert_int_eq(qc_dataset_save(&d, path, &err), 0);
    qc_dataset_release(&d);
    return path;
}

START_TEST(opened_data_equals_loaded_data)
{
    const uint32_t length = _i ? 5003 : TINY_LENGTH, index[] = {8, 0, 3};
    const char *path = make_file("x.qcd", length, 0);
    QcDataset loaded, opened, part[2];
    ck_assert_int_eq(qc_dataset_load(&loaded, path, &err), 0);
    ck_assert_int_eq(qc_dataset_open(&opened, path, &err), 0);
    ck_assert_ptr_null(opened.x);
    ck_assert_uint_eq(opened.n, N);
    ck_assert_mem_eq(opened.digest, loaded.digest, sizeof loaded.digest);
    ck_assert_mem_eq(opened.label, loaded.label, N * sizeof *loaded.label);
    ck_assert_mem_eq(opened.id, loaded.id, N * sizeof *loaded.id);
    uint64_t values = qc_dataset_values(&loaded);
    float *x = malloc(values * sizeof *x);
    for (uint32_t i = 0; i < N; i++) {
        ck_assert_int_eq(qc_dataset_read(x, &opened, i, 0, values, &err), 0);
        ck_assert_mem_eq(x, qc_dataset_window(&loaded, i), values * sizeof *x);
        ck_assert_int_eq(qc_dataset_read(x, &opened, i, values - 2, 2, &err), 0);
        ck_assert_mem_eq(x, qc_dataset_window(&loaded, i) + values - 2, 2 * sizeof *x);
    }
    ck_assert_int_eq(qc_dataset_subset(&part[0], &loaded, index, 3, 0, &err), 0);
    ck_assert_int_eq(qc_dataset_subset(&part[1], &opened, index, 3, 0, &err), 0);
    ck_assert_mem_eq(part[0].x, part[1].x, 3 * values * sizeof *x);
    ck_assert_mem_eq(part[0].id, part[1].id, 3 * sizeof *part[0].id);
    for (int k = 0; k < 2; k++) qc_dataset_release(&part[k]);
    qc_dataset_release(&loaded);
    qc_dataset_release(&opened);
    free(x);
}
END_TEST

/* ---- bad files ---- */

static uint8_t *slurp(const char *path, size_t *length)
{
    uint8_t *bytes;
    ck_assert_int_eq(qc_read_all(path, &bytes, length, &err), 0);
    return bytes;
}

/* Both ways of reading say the same. */
static void assert_refused(const char *path, const char *what, size_t at)
{
    QcDataset d;
    QcErr in_memory, in_file;
    ck_assert_msg(qc_dataset_load(&d, path, &in_memory) == -1, "%s %zu", what, at);
    ck_assert_msg(qc_dataset_open(&d, path, &in_file) == -1, "%s %zu", what, at);
    ck_assert_int_eq(in_memory.code, in_file.code);
    ck_assert_msg(!strcmp(in_memory.text, in_file.text), "%s %zu: '%s' and '%s'", what, at, in_memory.text,
                  in_file.text);
}

START_TEST(damage_is_refused_with_same_message)
{
    size_t length;
    const char *path = make_file("x.qcd", TINY_LENGTH, 0);
    uint8_t *bytes = slurp(path, &length);
    for (size_t at = 0; at < length; at += at < 600 || at + 600 > length ? 1 : 23) {
        bytes[at] ^= 0x10;
        assert_refused(scratch_write("bad.qcd", bytes, length), "byte", at);
        bytes[at] ^= 0x10;
        assert_refused(scratch_write("bad.qcd", bytes, at), "cut at", at);
    }
    bytes = realloc(bytes, length + 1);
    bytes[length] = 7;
    assert_refused(scratch_write("bad.qcd", bytes, length + 1), "longer by", 1);
    free(bytes);
}
END_TEST

START_TEST(invalid_values_are_refused_with_same_message)
{
    const float wrong[] = {NAN, INFINITY, -2e30f};
    for (uint32_t k = 0; k < 3; k++) {
        QcDataset d;
        ck_assert_int_eq(qc_dataset_load(&d, make_file("x.qcd", 5003, 0), &err), 0);
        d.x[(4 + k) * 5003 * TINY_CHANNELS + 4097 + k] = wrong[k];
        ck_assert_int_eq(qc_dataset_save(&d, scratch_path("bad.qcd"), &err), 0);
        qc_dataset_release(&d);
        assert_refused(scratch_path("bad.qcd"), "value", k);
        ck_assert_int_eq(qc_dataset_open(&d, scratch_path("bad.qcd"), &err), -1);
        char sentence[64];
        snprintf(sentence, sizeof sentence, "value %u of example %u is", 4097 + k, 4 + k);
        ck_assert_msg(strstr(err.text, sentence) != NULL, "%s", err.text);
    }
}
END_TEST

START_TEST(shrinking_file_is_detected)
{
    QcDataset d;
    float x[TINY_VALUES];
    const char *path = make_file("x.qcd", TINY_LENGTH, 0);
    ck_assert_int_eq(qc_dataset_open(&d, path, &err), 0);
    ck_assert_int_eq(truncate(path, (off_t)(d.at + 3 * TINY_VALUES * sizeof *x + 5)), 0);
    ck_assert_int_eq(qc_dataset_read(x, &d, 2, 0, TINY_VALUES, &err), 0);
    ck_assert_int_eq(qc_dataset_read(x, &d, 3, 0, TINY_VALUES, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_ptr_nonnull(strstr(err.text, "became shorter"));
    qc_dataset_release(&d);
}
END_TEST

START_TEST(coreset_is_distinguished_from_data)
{
    QcDataset d;
    ck_assert_int_eq(qc_dataset_open_coreset(&d, make_file("core.qcd", TINY_LENGTH, N), &err), 0);
    ck_assert_uint_eq(d.capacity, N);
    qc_dataset_release(&d);
    ck_assert_int_eq(qc_dataset_open_coreset(&d, make_file("x.qcd", TINY_LENGTH, 0), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "not a coreset"));
    ck_assert_int_eq(qc_dataset_open(&d, scratch_path("none.qcd"), &err), -1);
    ck_assert_int_eq(err.code, QC_EIO);
}
END_TEST

START_TEST(input_larger_than_limit_is_refused)
{
    const char *path = make_file("x.qcd", TINY_LENGTH, 0);
    qc_max_bytes = 100;
    assert_refused(path, "limit", 100);
    qc_max_bytes = QC_MAX_BYTES_DEFAULT;
}
END_TEST

/* ---- as a model reads it ---- */

START_TEST(opened_and_loaded_windows_quantize_equally)
{
    const uint32_t length = _i ? 5003 : TINY_LENGTH, values = TINY_CHANNELS * length;
    static const QcQTensor inputs[] = {{.bits = 8, .zero = 128, .scale = .02f}, {.bits = 4, .zero = 8, .scale = .5f}};
    float mean[TINY_CHANNELS] = {0, 1, -2}, deviation[TINY_CHANNELS] = {1, .3f, 5};
    const QcNorm norm = {TINY_CHANNELS, mean, deviation};
    const char *path = make_file("x.qcd", length, 0);
    QcDataset loaded, opened;
    float *x = malloc(values * sizeof *x);
    uint8_t *q[2] = {malloc(values), malloc(values)};
    ck_assert_int_eq(qc_dataset_load(&loaded, path, &err), 0);
    ck_assert_int_eq(qc_dataset_open(&opened, path, &err), 0);
    for (uint32_t i = 0; i < N; i++)
        for (int k = 0; k < 4; k++) {
            qc_dataset_batch_window(x, &loaded, i, &norm);
            qc_q_input(q[0], x, values, &inputs[k / 2]);
            ck_assert_int_eq(qc_inputs_quantize(q[1], k % 2 ? &opened : &loaded, i, &norm, &inputs[k / 2], &err), 0);
            ck_assert_mem_eq(q[0], q[1], values);
        }
    qc_dataset_release(&loaded);
    qc_dataset_release(&opened);
    free(x);
    free(q[0]);
    free(q[1]);
}
END_TEST

START_TEST(logits_are_equal_from_file_and_memory)
{
    Tiny t;
    QcDataset d[2];
    float mean[TINY_CHANNELS] = {1, 1, 1}, deviation[TINY_CHANNELS] = {3, 3, 3}, logits[3][N * TINY_CLASSES],
          one[TINY_CLASSES], x[TINY_VALUES];
    uint8_t q[TINY_VALUES];
    const QcNorm norm = {TINY_CHANNELS, mean, deviation};
    const char *path = make_file("x.qcd", TINY_LENGTH, 0);
    tiny_make(&t, TINY_MIXED, 4, 8, 5);
    ck_assert_int_eq(qc_dataset_load(&d[0], path, &err), 0);
    ck_assert_int_eq(qc_dataset_open(&d[1], path, &err), 0);
    for (int k = 0; k < 3; k++)
        ck_assert_int_eq(qc_qpredict(&t.g, &d[k > 0], &norm, k == 1 ? 4 : 1, logits[k], &err), 0);
    ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
    ck_assert_mem_eq(logits[0], logits[2], sizeof logits[0]);
    for (uint32_t i = 0; i < N; i++) { /* and they are as in the plan that serves the flipper too */
        qc_dataset_batch_window(x, &d[0], i, &norm);
        qc_q_input(q, x, TINY_VALUES, &t.g.tensors[0]);
        qc_qrun_forward(&t.run, one, q);
        ck_assert_mem_eq(one, logits[0] + i * TINY_CLASSES, sizeof one);
    }
    ck_assert_int_eq(truncate(path, (off_t)(d[1].at + 100)), 0);
    ck_assert_int_eq(qc_qpredict(&t.g, &d[1], &norm, 3, logits[0], &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "became shorter"));
    for (int k = 0; k < 2; k++) qc_dataset_release(&d[k]);
    tiny_release(&t);
}
END_TEST

START_TEST(plan_equals_placed_memory)
{
    Tiny t;
    QcPlan plan = {0};
    tiny_make(&t, (TinyKind)_i, 2, 8, 5);
    uint64_t bytes = qc_qpredict_bytes(&plan, &t.g);
    ck_assert_uint_eq(qc_plan_bytes(&plan), bytes);
    ck_assert_uint_eq(bytes, qc_qgraph_inference_bytes(&t.g));
    tiny_release(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inputs");
    TCase *t = tcase_create("inputs");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, opened_data_equals_loaded_data, 0, 2);
    tcase_add_test(t, damage_is_refused_with_same_message);
    tcase_add_test(t, invalid_values_are_refused_with_same_message);
    tcase_add_test(t, shrinking_file_is_detected);
    tcase_add_test(t, coreset_is_distinguished_from_data);
    tcase_add_test(t, input_larger_than_limit_is_refused);
    tcase_add_loop_test(t, opened_and_loaded_windows_quantize_equally, 0, 2);
    tcase_add_test(t, logits_are_equal_from_file_and_memory);
    tcase_add_loop_test(t, plan_equals_placed_memory, 0, TINY_KINDS);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
