/* Values in another unit are reported once, with channel and factor; values of another person are not. */
#include <math.h>
#include <string.h>

#include "suite.h"

#include "../../lib/live/plausible.h"
#include "../../lib/quant/rangefit.h"

enum { CHANNELS = 4, LENGTH = 10, WINDOWS = 120 };

static float value(uint32_t frame, uint32_t c) { return (float)c + sinf((float)(frame * (c + 1))); }

/* A model file with the range of windows of value(); its normalization is not trivial. */
static void make_model(QcModelFile *m, uint32_t windows, int fits)
{
    static char *labels[] = {"a", "b"};
    static float mean[CHANNELS] = {0, 1, 2, 3}, deviation[CHANNELS] = {1, .5f, 2, 1}, x[WINDOWS][LENGTH][CHANNELS];
    QcNorm norm = {CHANNELS, mean, deviation};
    QcInputRange r;
    QcErr err;
    QcWindows w = {.n = windows, .values = LENGTH * CHANNELS, .x = x[0][0]};
    ck_assert_int_eq(qc_modelfile_init(m, "test", CHANNELS, 1, LENGTH, 2, labels, &norm, &err), 0);
    for (uint32_t i = 0; i < windows * LENGTH; i++)
        for (uint32_t c = 0; c < CHANNELS; c++)
            x[i / LENGTH][i % LENGTH][c] = (value(i, c) - mean[c]) / deviation[c];
    ck_assert_int_eq(qc_range_fit(&r, &w, &norm, &m->arena, &err), fits);
    if (!fits) return;
    for (uint32_t c = 0; c < CHANNELS; c++) {
        ck_assert_float_eq_tol(r.low[c], (float)c - 1, .01f);
        ck_assert_float_eq_tol(r.high[c], (float)c + 1, .01f);
        ck_assert_float_eq_tol(r.rms[c], sqrtf((float)(c * c) + .5f), .01f);
    }
    ck_assert_int_eq(qc_inputrange_encode(m, &r, &err), 0);
}

/* Streams `windows` windows, of which each `every`-th has channel 2 (from 0) times `factor`; returns how often
 * something was said, and the words. */
static int stream(char *words, uint32_t windows, uint32_t every, float factor)
{
    QcModelFile m;
    QcPlausible p;
    QcErr err;
    int said = 0;
    make_model(&m, WINDOWS, 1);
    ck_assert_int_eq(qc_plausible_init(&p, &m, &err), 0);
    *words = 0;
    for (uint32_t i = 0; i < windows; i++) {
        for (uint32_t t = 0; t < LENGTH; t++) {
            float x[CHANNELS];
            for (uint32_t c = 0; c < CHANNELS; c++) x[c] = value(i * LENGTH + t, c);
            if (i % every == 0) x[2] *= factor;
            qc_plausible_frame(&p, x);
        }
        qc_plausible_window(&p, LENGTH);
        said += qc_plausible_report(&p, words, i + 1 == windows);
    }
    qc_plausible_release(&p);
    qc_modelfile_release(&m);
    return said;
}

START_TEST(values_in_another_unit_are_reported_once)
{
    char words[QC_PLAUSIBLE_WORDS];
    ck_assert_int_eq(stream(words, 100, 1, 1000), 1);
    ck_assert_str_eq(words, "channel 3 is 1000 times the training range: mg instead of g?");
    ck_assert_int_eq(stream(words, 100, 1, 0.001f), 1);
    ck_assert_str_eq(words, "channel 3 is 0.001 times the training range: g instead of mg?");
    ck_assert_int_eq(stream(words, 100, 1, 9.8f), 1);
    ck_assert_ptr_nonnull(strstr(words, "m/s2 instead of g?"));
    ck_assert_int_eq(stream(words, 100, 1, 100), 1);
    ck_assert_str_eq(words, "channel 3 is 100 times the training range: another unit or sensor?");
    ck_assert_int_eq(stream(words, 3, 1, 1000), 1); /* a stream that ends soon */
    ck_assert_int_eq(stream(words, 100, 9, 1000), 1); /* a ninth of the windows */
    ck_assert_int_eq(stream(words, 100, 1, -1), 1); /* upside down */
    ck_assert_str_eq(words, "channel 3 is out of the training range, 1 to 3, in 100 % of the windows");
}
END_TEST

START_TEST(values_of_another_subject_are_not_reported)
{
    char words[QC_PLAUSIBLE_WORDS];
    ck_assert_int_eq(stream(words, 100, 1, 1), 0);
    ck_assert_int_eq(stream(words, 100, 1, 1.2f), 0);
    ck_assert_int_eq(stream(words, 100, 1, 0.3f), 0); /* within the range, at a third */
    ck_assert_int_eq(stream(words, 100, 11, 1000), 0); /* fewer than a tenth of the windows */
}
END_TEST

/* A window is out of range as long as it holds such a frame. */
START_TEST(implausible_frame_counts_in_each_window)
{
    QcModelFile m;
    QcPlausible p;
    QcErr err;
    make_model(&m, WINDOWS, 1);
    ck_assert_int_eq(qc_plausible_init(&p, &m, &err), 0);
    for (uint32_t i = 0; i < 3 * LENGTH; i++) {
        float x[CHANNELS] = {0, 1, 2, i == LENGTH ? 1e9f : 3};
        qc_plausible_frame(&p, x);
        if (i + 1 >= LENGTH) qc_plausible_window(&p, LENGTH);
    }
    ck_assert_uint_eq(p.outside[3], LENGTH);
    ck_assert_uint_eq(p.outside[2], 0);
    char *names[CHANNELS] = {"ax", "ay", "az", "gx"}, words[QC_PLAUSIBLE_WORDS];
    p.name = names;
    ck_assert_int_eq(qc_plausible_report(&p, words, 1), 1);
    ck_assert_msg(!strncmp(words, "channel 4, column gx ", 21), "%s", words);
    qc_plausible_release(&p);
    qc_modelfile_release(&m);
}
END_TEST

/* Few windows say too little; a model without the section finds nothing implausible; a section of nonsense is
 * refused. */
START_TEST(models_without_value_range)
{
    QcModelFile m;
    QcPlausible p;
    QcErr err;
    char words[QC_PLAUSIBLE_WORDS];
    make_model(&m, 99, 0);
    ck_assert_int_eq(qc_plausible_init(&p, &m, &err), 0);
    qc_plausible_frame(&p, (float[CHANNELS]){1e9f, 1e9f, 1e9f, 1e9f});
    qc_plausible_window(&p, 1);
    ck_assert_int_eq(qc_plausible_report(&p, words, 1), 0);
    float low[CHANNELS] = {0}, high[CHANNELS] = {0, 0, -1, 0}, rms[CHANNELS] = {0};
    QcInputRange r = {CHANNELS, low, high, rms};
    ck_assert_int_eq(qc_inputrange_encode(&m, &r, &err), 0);
    ck_assert_int_eq(qc_plausible_init(&p, &m, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    r.channels = CHANNELS - 1;
    ck_assert_int_eq(qc_inputrange_encode(&m, &r, &err), 0);
    ck_assert_int_eq(qc_plausible_init(&p, &m, &err), -1);
    qc_plausible_release(&p);
    qc_modelfile_release(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plausible");
    TCase *tests = tcase_create("");
    tcase_add_test(tests, values_in_another_unit_are_reported_once);
    tcase_add_test(tests, values_of_another_subject_are_not_reported);
    tcase_add_test(tests, implausible_frame_counts_in_each_window);
    tcase_add_test(tests, models_without_value_range);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
