/* Checkpoints of a training with a miss log, whose checksums are made right again: options that must be the training's
 * own, its state, the hook's. */
#include <math.h>

#include "fuzz.h"
#include "resealed.h"

#include "../../lib/coreset/misslog.h"
#include "../../lib/nn/trainparts.h"

enum { EXAMPLES = 6, CLASSES = 2, CHANNELS = 2, LENGTH = 8, EPOCHS = 4 };

static float mean[CHANNELS], deviation[CHANNELS] = {1, 1};
static const QcNorm norm = {CHANNELS, mean, deviation};
static const int32_t map[CLASSES] = {0, 1};

typedef struct Subject {
    QcDataset d;
    QcGraph g;
    QcMissLog log;
    QcMissWatch watch;
    QcTrainOptions o;
    QcTraining t;
} Subject;

static void make(Subject *s, const char *path)
{
    QcErr err = {0};
    uint32_t k;
    const uint8_t bits[2] = {2, 8};
    *s = (Subject){.o = qc_train_defaults};
    fuzz_demand(!qc_dataset_init(&s->d, EXAMPLES, CHANNELS, 1, LENGTH, 0, &err) &&
                    !qc_names_add(&s->d.labels, &s->d.arena, "a", &k, &err) &&
                    !qc_names_add(&s->d.labels, &s->d.arena, "b", &k, &err),
                err.text);
    for (uint32_t i = 0; i < EXAMPLES; i++) {
        s->d.id[i] = i;
        s->d.label[i] = (int32_t)(i % CLASSES);
        for (uint32_t v = 0; v < CHANNELS * LENGTH; v++)
            s->d.x[i * CHANNELS * LENGTH + v] = (float)((i * 7 + v * 5) % 11) - 5;
    }
    fuzz_demand(!qc_graph_init(&s->g, CHANNELS, 1, LENGTH, &err) &&
                    qc_graph_conv(&s->g, "conv", 0, 2, qc_window_same_1d(3), 1, 0, &err) == 1 &&
                    qc_graph_simple(&s->g, "norm", QC_OP_BATCHNORM, 1, &err) == 2 &&
                    qc_graph_simple(&s->g, "gap", QC_OP_GAP, 2, &err) == 3 &&
                    qc_graph_linear(&s->g, "fc", 3, CLASSES, 1, &err) == 4 && !qc_graph_finish(&s->g, &err) &&
                    !qc_misslog_init(&s->log, s->d.id, EXAMPLES, bits, 2, &err),
                err.text);
    qc_graph_reset(&s->g, 1);
    s->watch = (QcMissWatch){.log = &s->log, .data = &s->d, .norm = &norm, .map = map, .every = 2, .threads = 1};
    s->o.epochs = EPOCHS;
    s->o.checkpoint = path;
    s->o.resume = 1;
    s->o.save_hook = qc_misslog_save_hook;
    s->o.load_hook = qc_misslog_load_hook;
    s->o.ctx = &s->watch;
    s->t = (QcTraining){.g = &s->g, .d = &s->d, .norm = &norm, .map = map, .o = &s->o, .best_loss = INFINITY};
    s->t.best = qc_arena_take(&s->t.arena, s->g.n_params + s->g.n_stats, sizeof *s->t.best, &err);
    fuzz_demand(s->t.best && !qc_optim_init(&s->t.optim, s->o.optimizer, s->g.n_params, .01, .01, &err), err.text);
}

static void release(Subject *s)
{
    qc_optim_release(&s->t.optim);
    qc_arena_release(&s->t.arena);
    qc_misswatch_release(&s->watch);
    qc_misslog_release(&s->log);
    qc_graph_release(&s->g);
    qc_dataset_release(&s->d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    QcErr err = {0};
    Subject s;
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    reseal_container(copy, length);
    int file = fuzz_open(path, copy, length);
    make(&s, path);
    int found = qc_checkpoint_load(&s.t, &err);
    if (found < 0) fuzz_refused(&err);
    else {
        fuzz_demand(found == 1 && s.t.epoch <= EPOCHS, "more epochs than there are");
        fuzz_demand(!qc_graph_check(&s.g, &err), err.text);
        fuzz_demand(s.log.n == EXAMPLES && s.log.n_bits == 2, "a log of other examples");
    }
    release(&s);
    close(file);
    free(copy);
    return 0;
}
