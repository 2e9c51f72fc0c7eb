/* Loss, optimizers, training, checkpoints. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"
#include "../../lib/base/rng.h"
#include "../../lib/nn/loss.h"
#include "../../lib/nn/trainparts.h"

enum { CLASSES = 3, LENGTH = 24, CHANNELS = 2 };

static QcErr err;
static const int32_t map[CLASSES] = {0, 1, 2};
static float mean[CHANNELS] = {1, -2}, deviation[CHANNELS] = {.8f, .8f};
static const QcNorm norm = {CHANNELS, mean, deviation};

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

START_TEST(optimizer_steps_by_hand)
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

/* ---- a small problem: the class is the number of waves in the window, under noise and a random phase */

static void make_data(QcDataset *d, uint32_t n, uint64_t seed)
{
    ck_assert_int_eq(qc_dataset_init(d, n, CHANNELS, 1, LENGTH, 0, &err), 0);
    QcRng rng = qc_rng_seed(seed, 0);
    for (uint32_t i = 0; i < n; i++) {
        d->label[i] = (int32_t)(i % CLASSES);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            double phase = 6.28 * (double)qc_rng_unit(&rng);
            for (uint32_t t = 0; t < LENGTH; t++)
                d->x[(i * CHANNELS + c) * LENGTH + t] =
                    (float)(sin(phase + 6.28 * (double)(t * (i % CLASSES + 1)) / LENGTH) + .3 * qc_rng_normal(&rng)) + mean[c];
        }
    }
    const char *const names[] = {"one", "two", "three"};
    uint32_t index;
    for (int k = 0; k < CLASSES; k++) ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, names[k], &index, &err), 0);
}

static void make_graph(QcGraph *g, uint64_t seed)
{
    ck_assert_int_eq(qc_graph_init(g, CHANNELS, 1, LENGTH, &err), 0);
    ck_assert_int_eq(qc_graph_conv(g, "conv", 0, 8, qc_window_same_1d(9), 1, 0, &err), 1);
    ck_assert_int_eq(qc_graph_simple(g, "norm", QC_OP_BATCHNORM, 1, &err), 2);
    ck_assert_int_eq(qc_graph_simple(g, "relu", QC_OP_RELU, 2, &err), 3);
    ck_assert_int_eq(qc_graph_simple(g, "gap", QC_OP_GAP, 3, &err), 4);
    ck_assert_int_eq(qc_graph_linear(g, "fc", 4, CLASSES, 1, &err), 5);
    ck_assert_int_eq(qc_graph_finish(g, &err), 0);
    qc_graph_reset(g, seed);
}

static QcTrainOptions small_options(void)
{
    QcTrainOptions o = qc_train_defaults;
    o.epochs = 8;
    o.batch = 16;
    o.rate = .02;
    o.threads = 2;
    return o;
}

static void train(QcGraph *g, const QcDataset *d, const QcTrainOptions *o)
{
    make_graph(g, o->seed);
    ck_assert_msg(qc_train(g, d, &norm, map, o, &err) == 0, "%s", err.text);
}

static int same_bytes(const QcGraph *a, const QcGraph *b)
{
    return !memcmp(a->params, b->params, a->n_params * sizeof *a->params) && !memcmp(a->stats, b->stats, a->n_stats * sizeof *a->stats);
}

static double accuracy(QcGraph *g, const QcDataset *d)
{
    float *logits = malloc((size_t)d->n * CLASSES * sizeof *logits);
    ck_assert_int_eq(qc_predict(g, d, &norm, 2, logits, &err), 0);
    uint32_t right;
    qc_loss(NULL, &right, logits, d->label, d->n, CLASSES);
    free(logits);
    return (double)right / d->n;
}

START_TEST(learns_a_small_problem)
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

START_TEST(same_seed_same_bytes)
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

/* ---- checkpoints */

static char folder[] = "/tmp/qc-train-XXXXXX";

typedef struct Hook {
    uint32_t die_at, seen;
} Hook;

static int count_epochs(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *e)
{
    Hook *hook = ctx;
    (void)g;
    (void)e;
    if (hook->die_at == epoch->epoch) raise(SIGKILL);
    hook->seen++;
    return 0;
}

static int save_count(void *ctx, QcWriter *w, QcErr *e)
{
    (void)e;
    qc_put_u32(w, ((Hook *)ctx)->seen);
    return 0;
}

static int load_count(void *ctx, QcCursor *c, QcErr *e)
{
    ((Hook *)ctx)->seen = qc_get_u32(c);
    return qc_cursor_end(c, "the count", e);
}

static const char *checkpoint_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/c.qck", folder);
    return path;
}

static QcTrainOptions hooked_options(Hook *hook)
{
    QcTrainOptions o = small_options();
    o.valid = .2;
    o.after_epoch = count_epochs;
    o.save_hook = save_count;
    o.load_hook = load_count;
    o.ctx = hook;
    return o;
}

START_TEST(killed_and_resumed_same_bytes)
{
    QcDataset d;
    QcGraph whole, resumed;
    Hook hook = {.die_at = 6};
    QcTrainOptions o = hooked_options(&hook);
    make_data(&d, 90, 1);
    o.checkpoint = checkpoint_path();
    o.checkpoint_every = 2;
    o.resume = 1; /* no checkpoint yet: begins */
    pid_t child = fork();
    if (!child) {
        make_graph(&whole, o.seed);
        _exit(qc_train(&whole, &d, &norm, map, &o, &err) ? 1 : 0);
    }
    int how;
    ck_assert_int_eq(waitpid(child, &how, 0), child);
    ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    hook = (Hook){0};
    train(&resumed, &d, &o);
    ck_assert_uint_eq(hook.seen, o.epochs); /* 4 out of the checkpoint, 4 of its own */
    o.checkpoint = NULL;
    o.resume = 0;
    hook = (Hook){0};
    train(&whole, &d, &o);
    ck_assert(same_bytes(&whole, &resumed));
    qc_graph_release(&whole);
    qc_graph_release(&resumed);
    qc_dataset_release(&d);
}
END_TEST

static void expect(int status, const char *words)
{
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' should say '%s'", err.text, words);
}

START_TEST(checkpoints_that_do_not_fit_are_refused)
{
    QcDataset d, other;
    QcGraph g;
    Hook hook = {0};
    QcTrainOptions o = hooked_options(&hook);
    make_data(&d, 60, 1);
    make_data(&other, 60, 2);
    o.checkpoint = checkpoint_path();
    o.epochs = 2;
    train(&g, &d, &o);
    o.resume = 1;
    ck_assert_int_eq(qc_train(&g, &d, &norm, map, &o, &err), 0); /* it was done: nothing is left to do */
    ck_assert_uint_eq(hook.seen, 2);
    QcTrainOptions changed = o;
    changed.rate = .03;
    expect(qc_train(&g, &d, &norm, map, &changed, &err), "made with rate 0.02");
    changed = o;
    changed.seed = 5;
    expect(qc_train(&g, &d, &norm, map, &changed, &err), "made with seed 1, not with seed 5");
    expect(qc_train(&g, &other, &norm, map, &o, &err), "other data");
    uint8_t *bytes;
    size_t length;
    ck_assert_int_eq(qc_read_all(checkpoint_path(), &bytes, &length, &err), 0);
    ck_assert_int_eq(qc_write_all(checkpoint_path(), bytes, length / 2, &err), 0);
    expect(qc_train(&g, &d, &norm, map, &o, &err), "c.qck");
    bytes[length / 2] ^= 1;
    ck_assert_int_eq(qc_write_all(checkpoint_path(), bytes, length, &err), 0);
    expect(qc_train(&g, &d, &norm, map, &o, &err), "c.qck");
    free(bytes);
    qc_graph_release(&g);
    qc_dataset_release(&d);
    qc_dataset_release(&other);
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

START_TEST(early_stop_keeps_the_best_epoch)
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

START_TEST(complaints)
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
    expect(qc_train(&g, &d, &norm, map, &o, &err), "no longer a number");
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
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    tcase_add_test(all, loss_of_known_logits);
    tcase_add_test(all, optimizer_steps_by_hand);
    tcase_add_test(all, learns_a_small_problem);
    tcase_add_test(all, same_seed_same_bytes);
    tcase_add_test(all, killed_and_resumed_same_bytes);
    tcase_add_test(all, checkpoints_that_do_not_fit_are_refused);
    tcase_add_test(all, validation_split_is_stratified);
    tcase_add_test(all, early_stop_keeps_the_best_epoch);
    tcase_add_test(all, complaints);
    suite_add_tcase(suite, all);
    int failed = run_suite(suite);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
