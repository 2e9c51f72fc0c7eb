/* Loss, optimizers, training. */
#include <stdlib.h>

#include "suite.h"
#include "waves.h"

#include "../../lib/nn/loss.h"
#include "../../lib/nn/score.h"
#include "../../lib/nn/trainparts.h"

START_TEST(loss_of_known_logits)
{
    const float logits[] = {1, 2, 3, 0, 0, 0};
    const int32_t labels[] = {2, 1};
    float d[6];
    uint32_t right;
    double e = exp(1), sum = e + e * e + e * e * e;
    ck_assert_double_eq_tol(qc_loss(d, &right, logits, labels, 2, 3), (log(sum) - 3 + log(3)) / 2, 1e-9);
    ck_assert_uint_eq(right, 1); /* a tie goes to the lowest index */
    ck_assert_float_eq_tol(d[0], (float)(e / sum / 2), 1e-6f);
    ck_assert_float_eq_tol(d[2], (float)((e * e * e / sum - 1) / 2), 1e-6f);
    ck_assert_float_eq_tol(d[4], (1.f / 3 - 1) / 2, 1e-6f);
    const float far[] = {1000, -1000};
    const int32_t wrong[] = {1};
    ck_assert_double_eq_tol(qc_loss(d, NULL, far, wrong, 1, 2), 2000, 1e-9); /* no overflow */
}
END_TEST

START_TEST(optimizer_steps_equal_hand_computed_values)
{
    QcOptim o;
    float p[2] = {1, 1}, g[2] = {.5f, -2};
    const uint8_t decays[2] = {1, 0};
    ck_assert_int_eq(qc_optim_init(&o, QC_OPTIM_ADAM, 2, .1, .5, &err), 0);
    qc_optim_step(&o, p, g, .5, decays); /* Adam's first step is the rate itself; decay .05 * .5 on the first only */
    ck_assert_float_eq_tol(p[0], 1 - .025f - .05f, 1e-6f);
    ck_assert_float_eq_tol(p[1], 1 + .05f, 1e-6f);
    g[0] = -.5f; /* m = .9 * .05 - .1 * .5 = -.005, / (1 - .81); v / (1 - .998001) = .25 */
    qc_optim_step(&o, p, g, 1, NULL);
    ck_assert_float_eq_tol(p[0], (1 - .025f - .05f) * .95f + .1f * (.005f / .19f) / .5f, 1e-5f);
    qc_optim_release(&o);
    float q = 1, slope = 2;
    ck_assert_int_eq(qc_optim_init(&o, QC_OPTIM_SGD, 1, .1, 0, &err), 0);
    qc_optim_step(&o, &q, &slope, 1, NULL);
    qc_optim_step(&o, &q, &slope, 1, NULL); /* momentum: 2, then 3.8 */
    ck_assert_float_eq_tol(q, 1 - .2f - .38f, 1e-6f);
    qc_optim_release(&o);
    ck_assert_double_eq(qc_schedule_cosine(0, 10), 1);
    ck_assert_double_eq_tol(qc_schedule_cosine(5, 10), .5, 1e-12);
    ck_assert_double_eq(qc_schedule_cosine(10, 10), 0);
}
END_TEST

static double accuracy(QcGraph *g, const QcDataset *d)
{
    float *logits = malloc((size_t)d->n * CLASSES * sizeof *logits);
    ck_assert_int_eq(qc_predict(g, d, &norm, 2, logits, &err), 0);
    uint32_t right;
    qc_loss(NULL, &right, logits, d->label, d->n, CLASSES);
    free(logits);
    return (double)right / d->n;
}

START_TEST(training_solves_small_problem)
{
    QcDataset d, test;
    QcGraph g;
    make_data(&d, 151, 1); /* a last batch of 7 */
    make_data(&test, 150, 2);
    const QcOptimKind kinds[] = {QC_OPTIM_ADAM, QC_OPTIM_SGD};
    for (int k = 0; k < 2; k++) {
        QcTrainOptions o = small_options();
        o.optimizer = kinds[k];
        o.epochs = 20;
        train(&g, &d, &o);
        ck_assert_double_gt(accuracy(&g, &test), .9);
        qc_graph_release(&g);
    }
    make_graph(&g, 1);
    ck_assert_double_lt(accuracy(&g, &test), .7); /* it could not before */
    qc_graph_release(&g);
    qc_dataset_release(&d);
    qc_dataset_release(&test);
}
END_TEST

START_TEST(same_seed_gives_same_bytes)
{
    QcDataset d;
    QcGraph a, b;
    QcTrainOptions o = small_options();
    make_data(&d, 75, 1);
    train(&a, &d, &o);
    train(&b, &d, &o);
    ck_assert(same_bytes(&a, &b));
    qc_graph_release(&b);
    make_graph(&b, o.seed); /* the same start, other shuffles */
    o.seed = 2;
    ck_assert_int_eq(qc_train(&b, &d, &norm, map, &o, &err), 0);
    ck_assert(!same_bytes(&a, &b));
    qc_graph_release(&a);
    qc_graph_release(&b);
    qc_dataset_release(&d);
}
END_TEST

static const QcModelFile shape = {
    .channels = CHANNELS, .height = 1, .length = LENGTH, .norm = {CHANNELS, mean, deviation}};

/* Accuracy on 150 windows under each of 20 drifts. */
static double accuracy_under_drifts(QcGraph *g)
{
    QcDataset d;
    QcDrift drift;
    QcArena arena = {0};
    float window[LENGTH * CHANNELS], drifted[LENGTH * CHANNELS];
    double sum = 0;
    ck_assert_int_eq(qc_drifts_init(&drift, QC_DRIFT_SERIES, &shape, &arena, &err), 0);
    QcRng rng = qc_rng_seed(7, 0);
    for (int k = 0; k < 20; k++) {
        qc_drifts_draw(&drift, 1, &rng);
        make_data(&d, 150, 2);
        for (uint32_t i = 0; i < d.n; i++) {
            qc_dataset_batch_window(window, &d, i, &norm);
            qc_drifts_apply(&drift, drifted, window, &rng);
            for (uint32_t v = 0; v < LENGTH * CHANNELS; v++) {
                uint32_t c = v % CHANNELS;
                d.x[(i * CHANNELS + c) * LENGTH + v / CHANNELS] = drifted[v] * deviation[c] + mean[c];
            }
        }
        sum += accuracy(g, &d) / 20;
        qc_dataset_release(&d);
    }
    qc_arena_release(&arena);
    return sum;
}

START_TEST(augmentation_helps_under_drifts)
{
    QcDataset d, test;
    QcGraph plain, augmented, again;
    QcAugment a;
    QcArena arena = {0};
    QcTrainOptions o = small_options();
    o.epochs = 30;
    make_data(&d, 151, 1);
    make_data(&test, 150, 2);
    train(&plain, &d, &o);
    ck_assert_int_eq(qc_augment_init(&a, 1, QC_DRIFT_SERIES, &shape, &arena, &err), 0);
    o.augment = &a;
    train(&augmented, &d, &o);
    o.threads = 1;
    train(&again, &d, &o);
    ck_assert(same_bytes(&augmented, &again));
    ck_assert_double_gt(accuracy(&augmented, &test), .9);
    ck_assert_double_gt(accuracy_under_drifts(&augmented), accuracy_under_drifts(&plain) + .05);
    qc_graph_release(&plain);
    qc_graph_release(&augmented);
    qc_graph_release(&again);
    qc_arena_release(&arena);
    qc_dataset_release(&d);
    qc_dataset_release(&test);
}
END_TEST

/* ---- validation, early stop, complaints */

START_TEST(validation_split_is_stratified)
{
    QcDataset d;
    QcGraph g;
    QcTrainOptions o = small_options();
    o.valid = .2;
    make_data(&d, 61, 1);
    for (uint32_t i = 0; i < d.n; i++) d.label[i] = i < 40 ? 0 : i < 59 ? 1 : 2; /* 40, 19, 2 */
    make_graph(&g, 1);
    QcTraining t = {.g = &g, .d = &d, .norm = &norm, .map = map, .o = &o};
    ck_assert_int_eq(qc_train_split(&t, &err), 0);
    uint32_t held[CLASSES] = {0}, seen[61] = {0};
    for (uint32_t i = 0; i < t.n_valid; i++) held[d.label[t.valid[i]]]++;
    for (uint32_t i = 0; i < t.n_valid; i++) seen[t.valid[i]]++;
    for (uint32_t i = 0; i < t.n_train; i++) seen[t.train[i]]++;
    for (uint32_t i = 0; i < d.n; i++) ck_assert_uint_eq(seen[i], 1);
    ck_assert_uint_eq(held[0], 8);
    ck_assert_uint_eq(held[1], 4);
    ck_assert_uint_eq(held[2], 1);
    qc_arena_release(&t.arena);
    qc_graph_release(&g);
    qc_dataset_release(&d);
}
END_TEST

typedef struct Best {
    double loss;
    float params[2048];
    uint32_t epochs;
} Best;

static int remember(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *e)
{
    Best *best = ctx;
    (void)e;
    best->epochs++;
    if (epoch->valid_loss >= best->loss) return 0;
    best->loss = epoch->valid_loss;
    memcpy(best->params, g->params, g->n_params * sizeof *g->params);
    return 0;
}

START_TEST(early_stop_keeps_best_epoch)
{
    QcDataset d;
    QcGraph g;
    Best best = {.loss = INFINITY};
    QcTrainOptions o = small_options();
    o.valid = .3;
    o.patience = 4;
    o.epochs = 1000;
    o.rate = .2; /* restless */
    o.after_epoch = remember;
    o.ctx = &best;
    make_data(&d, 45, 1);
    for (uint32_t i = 0; i < d.n; i += 4) d.label[i] = (int32_t)((i / 4) % CLASSES); /* labels that cannot be learned */
    train(&g, &d, &o);
    ck_assert_uint_lt(best.epochs, 1000);
    ck_assert_mem_eq(best.params, g.params, g.n_params * sizeof *g.params);
    qc_graph_release(&g);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(invalid_options_and_labels_are_refused)
{
    QcDataset d;
    QcGraph g;
    QcTrainOptions o = small_options();
    make_data(&d, 30, 1);
    make_graph(&g, 1);
    o.epochs = 0;
    expect(qc_train(&g, &d, &norm, map, &o, &err), "epochs");
    o = small_options();
    o.patience = 3;
    expect(qc_train(&g, &d, &norm, map, &o, &err), "--valid");
    o = small_options();
    o.optimizer = QC_OPTIM_SGD;
    o.rate = 100;
    o.decay = 0;
    o.epochs = 200;
    for (size_t i = 0; i < g.n_params; i++) g.params[i] = 1e37f;
    expect(qc_train(&g, &d, &norm, map, &o, &err), "not a number");
    o = small_options();
    d.label[7] = -1;
    expect(qc_train(&g, &d, &norm, map, &o, &err), "example 7 has no label");
    qc_dataset_release(&d);
    ck_assert_int_eq(qc_dataset_init(&d, 3, CHANNELS, 1, LENGTH + 1, 0, &err), 0);
    d.label[0] = d.label[1] = d.label[2] = 0;
    expect(qc_train(&g, &d, &norm, map, &o, &err), "do not fit the model's input");
    qc_graph_release(&g);
    qc_dataset_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    tcase_add_test(all, loss_of_known_logits);
    tcase_add_test(all, optimizer_steps_equal_hand_computed_values);
    tcase_add_test(all, training_solves_small_problem);
    tcase_add_test(all, same_seed_gives_same_bytes);
    tcase_add_test(all, augmentation_helps_under_drifts);
    tcase_add_test(all, validation_split_is_stratified);
    tcase_add_test(all, early_stop_keeps_best_epoch);
    tcase_add_test(all, invalid_options_and_labels_are_refused);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
