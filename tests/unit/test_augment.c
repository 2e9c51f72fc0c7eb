/* Augmentation: half of the windows are under drifts, each under its own, and a model file says how it was trained. */
#include "suite.h"
#include "tiny.h"
#include "tinyfile.h"

#include "../../lib/data/augment.h"

enum { TIMES = 400 };

START_TEST(half_of_windows_are_drifted)
{
    float x[TINY_VALUES], again[TINY_VALUES], before[TINY_VALUES] = {0};
    begin(1);
    QcArena arena = {0};
    QcAugment a;
    int changed = 0, repeated = 0;
    ck_assert_int_eq(qc_augment_init(&a, 1, QC_DRIFT_INERTIAL, &model, &arena, NULL), 0);
    QcRng rng = qc_rng_seed(3, 1), same = rng;
    for (int i = 0; i < TIMES; i++) {
        memcpy(x, source_x, sizeof x);
        memcpy(again, source_x, sizeof again);
        qc_augment_window(&a, x, &rng);
        qc_augment_window(&a, again, &same);
        ck_assert_mem_eq(x, again, sizeof x);
        if (!memcmp(x, source_x, sizeof x)) continue;
        changed++;
        repeated += !memcmp(x, before, sizeof x);
        memcpy(before, x, sizeof x);
    }
    ck_assert_int_gt(changed, TIMES / 2 - 50); /* five deviations of a fair coin */
    ck_assert_int_lt(changed, TIMES / 2 + 50);
    ck_assert_int_eq(repeated, 0);
    qc_arena_release(&arena);
    end();
}
END_TEST

static void put_section(double strength, uint32_t kind, int more)
{
    QcWriter w = {0};
    QcErr err;
    qc_container_remove(&model.container, "augment");
    qc_put_f32(&w, (float)strength);
    qc_put_u32(&w, kind);
    if (more) qc_put_u8(&w, 0);
    ck_assert_int_eq(qc_container_add(&model.container, "augment", QC_SECTION_OPTIONAL, &w, &err), 0);
}

START_TEST(model_file_has_strength_and_kind)
{
    begin(1);
    QcArena arena = {0};
    QcAugment a;
    QcErr err;
    double strength = 0;
    const char *kind = NULL;
    ck_assert_int_eq(qc_augment_decode(&strength, &kind, &model, &err), 0);
    ck_assert_int_eq(qc_augment_init(&a, 2.5, QC_DRIFT_SERIES, &model, &arena, &err), 0);
    ck_assert_int_eq(qc_augment_encode(&model, &a, &err), 0);
    ck_assert_int_eq(qc_augment_decode(&strength, &kind, &model, &err), 1);
    ck_assert_double_eq(strength, 2.5);
    ck_assert_str_eq(kind, "series");
    const struct {
        double strength;
        uint32_t kind;
        int more;
    } bad[] = {{0, 0, 0}, {-1, 0, 0}, {NAN, 0, 0}, {INFINITY, 0, 0}, {11, 0, 0}, {1, QC_DRIFT_COUNT, 0},
               {1, QC_DRIFT_SERIES, 1}, {1, QC_DRIFT_IMAGE, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_section(bad[i].strength, bad[i].kind, bad[i].more);
        ck_assert_int_eq(qc_augment_decode(&strength, &kind, &model, &err), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
    }
    qc_arena_release(&arena);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augment");
    TCase *tests = tcase_create("augment");
    tcase_add_test(tests, half_of_windows_are_drifted);
    tcase_add_test(tests, model_file_has_strength_and_kind);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
