/* Synthetic subjects: rotations act within each sensor, bands change in dB, warps keep the window's length, and the
 * same seed gives the same subject. */
#include "suite.h"
#include "tiny.h"
#include "tinyfile.h"

#include "../../lib/data/drift.h"

START_TEST(rotation_matrices_are_orthonormal)
{
    begin(1);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        QcArena arena = {0};
        QcRng rng = qc_rng_seed(seed, 1);
        QcDrift d;
        ck_assert_int_eq(qc_drifts_init(&d, QC_DRIFT_INERTIAL, &model, &arena, NULL), 0);
        qc_drifts_draw(&d, seed > 150 ? 8 : 1, &rng);
        const float *r = d.rotation[0];
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                float dot = r[3 * i] * r[3 * j] + r[3 * i + 1] * r[3 * j + 1] + r[3 * i + 2] * r[3 * j + 2];
                ck_assert_float_eq_tol(dot, i == j, 1e-5f);
            }
        float determinant = r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) +
                            r[2] * (r[3] * r[7] - r[4] * r[6]);
        ck_assert_float_eq_tol(determinant, 1, 1e-5f);
        ck_assert(d.warp >= 0.5f && d.warp <= 2);
        qc_arena_release(&arena);
    }
    end();
}
END_TEST

START_TEST(rotation_is_applied_in_sensor_units)
{
    float out[TINY_VALUES];
    begin(1);
    QcArena arena = {0};
    QcRng rng = qc_rng_seed(3, 1);
    QcDrift d;
    ck_assert_int_eq(qc_drifts_init(&d, QC_DRIFT_INERTIAL, &model, &arena, NULL), 0);
    qc_drifts_draw(&d, 1, &rng);
    for (int c = 0; c < 3; c++) d.gain[c] = 1, d.offset[c] = 0;
    d.warp = 1;
    qc_drifts_apply(&d, out, source_x, &rng);
    double moved = 0;
    for (int t = 0; t < TINY_LENGTH; t++) {
        double before = 0, after = 0;
        for (int c = 0; c < 3; c++) {
            before += pow((double)(source_x[3 * t + c] * model.norm.deviation[c] + model.norm.mean[c]), 2);
            after += pow((double)(out[3 * t + c] * model.norm.deviation[c] + model.norm.mean[c]), 2);
            moved += fabs((double)out[3 * t + c] - (double)source_x[3 * t + c]);
        }
        ck_assert_double_eq_tol(sqrt(before), sqrt(after), 1e-4); /* the length of an acceleration does not change when
                                                                     its sensor turns */
    }
    ck_assert(moved > 1);
    qc_arena_release(&arena);
    end();
}
END_TEST

START_TEST(zero_drift_changes_nothing_and_seed_fixes_subject)
{
    float out[TINY_VALUES], again[TINY_VALUES];
    begin(1);
    for (int kind = 0; kind < QC_DRIFT_COUNT; kind++) {
        QcArena arena = {0};
        QcRng rng = qc_rng_seed(5, 1), same = rng, other = qc_rng_seed(6, 1);
        QcDrift d, e;
        ck_assert_int_eq(qc_drifts_init(&d, (QcDriftKind)kind, &model, &arena, NULL), 0);
        qc_drifts_draw(&d, 0, &rng);
        ck_assert_float_eq(d.warp, 1);
        ck_assert_int_eq(d.blur, 0);
        qc_drifts_apply(&d, out, source_x, &rng);
        for (int v = 0; v < TINY_VALUES; v++)
            ck_assert_float_eq_tol(out[v], source_x[v], kind == QC_DRIFT_SERIES ? 1e-30f : 1e-5f);
        rng = same;
        ck_assert_int_eq(qc_drifts_init(&d, (QcDriftKind)kind, &model, &arena, NULL), 0);
        qc_drifts_draw(&d, 1, &rng);
        qc_drifts_apply(&d, out, source_x, &rng);
        ck_assert_int_eq(qc_drifts_init(&e, (QcDriftKind)kind, &model, &arena, NULL), 0);
        qc_drifts_draw(&e, 1, &same);
        qc_drifts_apply(&e, again, source_x, &same);
        ck_assert_mem_eq(out, again, sizeof out);
        ck_assert_int_eq(qc_drifts_init(&e, (QcDriftKind)kind, &model, &arena, NULL), 0);
        qc_drifts_draw(&e, 1, &other);
        qc_drifts_apply(&e, again, source_x, &other);
        ck_assert_mem_ne(out, again, sizeof out);
        qc_arena_release(&arena);
    }
    ck_assert_int_eq(qc_drifts_guess(&model), QC_DRIFT_INERTIAL);
    end();
}
END_TEST

/* Bands of two frames, -100 dB and -60 dB: a drift adds its offsets to the louder, and silence stays silent. */
START_TEST(bands_are_changed_in_decibels)
{
    float out[TINY_VALUES];
    begin(1);
    QcArena arena = {0};
    QcRng rng = qc_rng_seed(5, 1);
    QcDrift d;
    double spread = 0;
    for (int v = 0; v < TINY_VALUES; v++)
        source_x[v] = ((v / 3 % 2 ? QC_FRONT_FLOOR : -60.0f) - model.norm.mean[v % 3]) / model.norm.deviation[v % 3];
    ck_assert_int_eq(qc_drifts_init(&d, QC_DRIFT_BANDS, &model, &arena, NULL), 0);
    for (int k = 0; k < 300; k++) {
        qc_drifts_draw(&d, 1, &rng);
        d.warp = 1;
        qc_drifts_apply(&d, out, source_x, &rng);
        for (int v = 0; v < TINY_VALUES; v++) {
            float level = out[v] * model.norm.deviation[v % 3] + model.norm.mean[v % 3],
                  expected = v / 3 % 2 ? QC_FRONT_FLOOR : fmaxf(QC_FRONT_FLOOR, -60 + d.offset[v % 3]);
            ck_assert_float_eq_tol(level, expected, 1e-3f);
        }
        spread += (double)d.offset[1] * (double)d.offset[1] / 300;
    }
    /* of the middle band: 10 and 5 dB */
    ck_assert_double_eq_tol(sqrt(spread), sqrt(125), 2);
    qc_arena_release(&arena);
    end();
}
END_TEST

START_TEST(kinds_go_by_data_or_are_refused)
{
    QcDriftKind kind;
    QcErr err;
    float mean[6] = {0, 9.8f, 0, 20, 15, 10}, deviation[6] = {1, 2, 1, 1, 20, 2};
    QcModelFile m = {.channels = 6, .height = 1, .length = 20, .norm = {6, mean, deviation}};
    ck_assert_int_eq(qc_drifts_choose(&kind, "auto", &m, &err), 0);
    ck_assert_int_eq(kind, QC_DRIFT_INERTIAL);
    ck_assert_int_eq(qc_drifts_choose(&kind, "series", &m, &err), 0);
    ck_assert_int_eq(kind, QC_DRIFT_SERIES);
    ck_assert_int_eq(qc_drifts_choose(&kind, "image", &m, &err), -1);
    ck_assert_int_eq(qc_drifts_choose(&kind, "person", &m, &err), -1);
    m.front.bands = 6;
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_BANDS);
    m.front.coefficients = 6; /* MFCC are no bands */
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_SERIES);
    m.front.bands = m.front.coefficients = 0;
    mean[3] = 1013; /* temperature, air pressure, humidity */
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_SERIES);
    mean[3] = 20;
    deviation[1] = 3000; /* two axes in raw units, and a channel that never changes */
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_SERIES);
    deviation[1] = 2;
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_INERTIAL);
    m.channels = 4;
    ck_assert_int_eq(qc_drifts_choose(&kind, "inertial", &m, &err), -1);
    ck_assert_msg(strstr(err.text, "does not fit windows of 4 channels") != NULL, "%s", err.text);
    m.height = 8;
    ck_assert_int_eq(qc_drifts_guess(&m), QC_DRIFT_IMAGE);
    ck_assert_int_eq(qc_drifts_choose(&kind, "series", &m, &err), -1);
}
END_TEST

START_TEST(time_warps_stay_within_window)
{
    float ramp[TINY_VALUES], out[TINY_VALUES];
    const float warps[] = {0.5f, 0.8f, 1.3f, 2};
    begin(1);
    QcArena arena = {0};
    QcRng rng = qc_rng_seed(5, 1);
    QcDrift d;
    ck_assert_int_eq(qc_drifts_init(&d, QC_DRIFT_SERIES, &model, &arena, NULL), 0);
    qc_drifts_draw(&d, 0, &rng);
    for (int v = 0; v < TINY_VALUES; v++) ramp[v] = (float)(v / 3 + 100 * (v % 3));
    for (int k = 0; k < 4; k++) {
        d.warp = warps[k];
        qc_drifts_apply(&d, out, ramp, &rng);
        for (int v = 0; v < TINY_VALUES; v++) {
            double at = (TINY_LENGTH - 1) / 2.0 + (v / 3 - (TINY_LENGTH - 1) / 2.0) * (double)warps[k],
                   last = TINY_LENGTH - 1;
            at = at < 0 ? -at : at > last ? 2 * last - at : at; /* mirrored at the ends */
            ck_assert_double_eq_tol((double)out[v], at + 100 * (v % 3), 1e-4);
        }
    }
    qc_arena_release(&arena);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drift");
    TCase *tests = tcase_create("drift");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, rotation_matrices_are_orthonormal);
    tcase_add_test(tests, rotation_is_applied_in_sensor_units);
    tcase_add_test(tests, zero_drift_changes_nothing_and_seed_fixes_subject);
    tcase_add_test(tests, bands_are_changed_in_decibels);
    tcase_add_test(tests, kinds_go_by_data_or_are_refused);
    tcase_add_test(tests, time_warps_stay_within_window);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
