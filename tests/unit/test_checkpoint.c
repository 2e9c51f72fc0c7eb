/* Checkpoints of a training: a training that is killed and resumed ends in the same bytes, and checkpoints that do
 * not fit are refused. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"
#include "waves.h"

#include "../../lib/base/file.h"

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

START_TEST(resumed_training_gives_same_bytes)
{
    QcDataset d;
    QcGraph whole, resumed;
    Hook hook = {.die_at = 6};
    QcTrainOptions o = hooked_options(&hook);
    QcAugment a;
    QcArena arena = {0};
    const QcModelFile shape = {.channels = CHANNELS, .height = 1, .length = LENGTH, .norm = norm};
    ck_assert_int_eq(qc_augment_init(&a, 1, QC_DRIFT_SERIES, &shape, &arena, &err), 0);
    o.augment = &a;
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
    qc_arena_release(&arena);
}
END_TEST

START_TEST(mismatched_checkpoints_are_refused)
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
    changed = o;
    QcAugment a = {.strength = 2, .drift.kind = QC_DRIFT_BANDS};
    changed.augment = &a;
    expect(qc_train(&g, &d, &norm, map, &changed, &err),
           "made without augmentation by drifts of kind bands, strength 2");
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

int main(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    tcase_add_test(all, resumed_training_gives_same_bytes);
    tcase_add_test(all, mismatched_checkpoints_are_refused);
    suite_add_tcase(suite, all);
    int failed = run_suite(suite);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
