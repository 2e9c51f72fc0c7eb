#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/rng.h"
#include "loss.h"
#include "run.h"
#include "trainparts.h"

const QcTrainOptions qc_train_defaults = {
    .epochs = 50,
    .batch = 64,
    .optimizer = QC_OPTIM_ADAM,
    .rate = 3e-3,
    .decay = 1e-2,
    .seed = 1,
    .threads = 1,
    .checkpoint_every = 1,
};

/* ---- held-out examples ---- */

/* Marks the examples of one class that are held out. */
static void hold_out(uint8_t *held, uint32_t *members, uint32_t n, double fraction, QcRng *rng)
{
    if (n < 2) return;
    uint32_t take = (uint32_t)lround(fraction * n);
    take = take < 1 ? 1 : take > n - 1 ? n - 1 : take;
    qc_rng_shuffle(rng, members, n);
    for (uint32_t i = 0; i < take; i++) held[members[i]] = 1;
}

int qc_train_split(QcTraining *t, QcErr *err)
{
    uint32_t n = t->d->n;
    uint8_t *held = qc_arena_take(&t->arena, n, 1, err);
    uint32_t *members = held ? qc_arena_take(&t->arena, n, sizeof *members, err) : NULL;
    t->train = members ? qc_arena_take(&t->arena, n, sizeof *t->train, err) : NULL;
    t->valid = t->train ? qc_arena_take(&t->arena, n, sizeof *t->valid, err) : NULL;
    if (!t->valid) return -1;
    QcRng rng = qc_rng_seed(t->o->seed, QC_STREAM_VALIDATION);
    for (uint32_t class = 0; class < t->g->classes && t->o->valid > 0; class++) {
        uint32_t found = 0;
        for (uint32_t i = 0; i < n; i++)
            if ((uint32_t)t->map[t->d->label[i]] == class) members[found++] = i;
        hold_out(held, members, found, t->o->valid, &rng);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (held[i])
            t->valid[t->n_valid++] = i;
        else
            t->train[t->n_train++] = i;
    }
    return 0;
}

/* ---- epochs ---- */

const char *qc_train_validate(const QcTrainOptions *o)
{
    if (o->epochs < 1 || o->epochs > 1000000) return "the number of epochs must be 1 to 1000000";
    if (o->batch < 1 || o->batch > QC_MAX_DIM) return "the batch size must be 1 to 65535";
    if (!(o->rate > 0 && o->rate <= 100)) return "the rate must be above 0 and at most 100";
    if (!(o->decay >= 0) || o->rate * o->decay >= 1)
        return "the weight decay must be 0 or more and rate x decay less than 1";
    if (!(o->valid >= 0 && o->valid < 1)) return "the validation share must be at least 0 and less than 1";
    if (o->patience && !(o->valid > 0)) return "stopping early by --patience needs a validation share (--valid)";
    if (o->threads < 1 || o->threads > 1024) return "the number of threads must be 1 to 1024";
    if (o->resume && !o->checkpoint) return "resuming needs the name of a checkpoint";
    if (o->checkpoint && !o->checkpoint_every) return "a checkpoint must be written every 1 or more epochs";
    return NULL;
}

/* Memory of a pass over batches. */
typedef struct Workspace {
    QcRun *run;
    float *x;         /* [batch][values] */
    int32_t *classes; /* [batch] */
    float *dlogits;   /* [batch][classes] */
    float *grads;     /* [n_params] */
    uint8_t *decays;  /* [n_params] */
    uint32_t *order;  /* [n_train] */
} Workspace;

static void mark_decays(uint8_t *decays, const QcGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_OP_CONV || g->nodes[i].op == QC_OP_LINEAR)
            memset(decays + g->nodes[i].weight, 1, g->nodes[i].n_weight);
}

static int desk_init(Workspace *workspace, QcTraining *t, QcRunMode mode, QcErr *err)
{
    QcArena *a = &t->arena;
    uint32_t most = mode == QC_RUN_TRAIN ? t->n_train : t->n_valid, batch = most < t->o->batch ? most : t->o->batch;
    *workspace = (Workspace){.run = qc_run_new(t->g, batch, mode, t->o->threads, err)};
    if (!workspace->run ||
        !(workspace->x = qc_arena_take(a, batch * (size_t)qc_dataset_values(t->d), sizeof *workspace->x, err)) ||
        !(workspace->classes = qc_arena_take(a, batch, sizeof *workspace->classes, err)))
        return -1;
    if (mode != QC_RUN_TRAIN) return 0;
    if (!(workspace->dlogits = qc_arena_take(a, (size_t)batch * t->g->classes, sizeof *workspace->dlogits, err)) ||
        !(workspace->grads = qc_arena_take(a, t->g->n_params, sizeof *workspace->grads, err)) ||
        !(workspace->decays = qc_arena_take(a, t->g->n_params, 1, err)) ||
        !(workspace->order = qc_arena_take(a, t->n_train, sizeof *workspace->order, err)))
        return -1;
    mark_decays(workspace->decays, t->g);
    return 0;
}

/* rng: of drifts; NULL: no window is augmented. */
static const float *forward(Workspace *workspace, const QcTraining *t, const uint32_t *index, uint32_t n, QcRng *rng)
{
    size_t values = (size_t)qc_dataset_values(t->d);
    for (uint32_t i = 0; i < n; i++) {
        qc_dataset_batch_window(workspace->x + i * values, t->d, index[i], t->norm);
        if (rng && t->o->augment) qc_augment_window(t->o->augment, workspace->x + i * values, rng);
        workspace->classes[i] = t->map[t->d->label[index[i]]];
    }
    return qc_run_forward(workspace->run, workspace->x, n);
}

static int train_epoch(Workspace *workspace, QcTraining *t, QcEpoch *epoch, QcErr *err)
{
    uint32_t batch = t->o->batch, right, hits = 0;
    uint64_t per_epoch = (t->n_train + batch - 1) / batch;
    double loss = 0;
    memcpy(workspace->order, t->train, t->n_train * sizeof *workspace->order);
    QcRng rng = qc_rng_seed(t->o->seed, QC_STREAM_EPOCH0 + epoch->epoch); /* depends on nothing that a checkpoint would
                                                                             have to remember */
    qc_rng_shuffle(&rng, workspace->order, t->n_train);
    for (uint32_t from = 0; from < t->n_train; from += batch) {
        uint32_t n = t->n_train - from < batch ? t->n_train - from : batch;
        const float *logits = forward(workspace, t, workspace->order + from, n, &rng);
        if (!logits) return qc_fail_memory(err, "a mini-batch");
        loss += n * qc_loss(workspace->dlogits, &right, logits, workspace->classes, n, t->g->classes);
        hits += right;
        if (!isfinite(loss))
            return qc_fail(err, QC_EFAIL,
                           "training diverged in epoch %u: the loss is not a number (a lower rate may help)",
                           epoch->epoch);
        qc_run_backward(workspace->run, workspace->grads, workspace->dlogits);
        qc_optim_step(&t->optim, t->g->params, workspace->grads,
                      qc_schedule_cosine(t->optim.step, per_epoch * t->o->epochs), workspace->decays);
    }
    epoch->loss = loss / t->n_train;
    epoch->accuracy = (double)hits / t->n_train;
    return 0;
}

static int validate(Workspace *workspace, const QcTraining *t, QcEpoch *epoch, QcErr *err)
{
    uint32_t right, hits = 0;
    double loss = 0;
    epoch->valid_loss = epoch->valid_accuracy = NAN;
    if (!t->n_valid) return 0;
    for (uint32_t from = 0; from < t->n_valid; from += t->o->batch) {
        uint32_t n = t->n_valid - from < t->o->batch ? t->n_valid - from : t->o->batch;
        const float *logits = forward(workspace, t, t->valid + from, n, NULL);
        if (!logits) return qc_fail_memory(err, "a mini-batch");
        loss += n * qc_loss(NULL, &right, logits, workspace->classes, n, t->g->classes);
        hits += right;
    }
    epoch->valid_loss = loss / t->n_valid;
    epoch->valid_accuracy = (double)hits / t->n_valid;
    return 0;
}

static void remember_best(QcTraining *t, double valid_loss)
{
    t->waited++;
    if (!(valid_loss < t->best_loss)) return;
    t->best_loss = valid_loss;
    t->waited = 0;
    memcpy(t->best, t->g->params, t->g->n_params * sizeof *t->best);
    memcpy(t->best + t->g->n_params, t->g->stats, t->g->n_stats * sizeof *t->best);
}

static void take_best(const QcTraining *t)
{
    if (!isfinite(t->best_loss)) return;
    memcpy(t->g->params, t->best, t->g->n_params * sizeof *t->best);
    memcpy(t->g->stats, t->best + t->g->n_params, t->g->n_stats * sizeof *t->best);
}

static int enough(const QcTraining *t)
{
    return t->epoch >= t->o->epochs || (t->o->patience && t->waited >= t->o->patience);
}

static int epochs(QcTraining *t, Workspace *workspace, Workspace *valid, QcErr *err)
{
    double start = qc_seconds();
    while (!enough(t)) {
        QcEpoch epoch = {.epoch = t->epoch + 1, .epochs = t->o->epochs};
        if (train_epoch(workspace, t, &epoch, err) || validate(valid, t, &epoch, err)) return -1;
        epoch.seconds = qc_seconds() - start;
        t->epoch++;
        if (t->n_valid) remember_best(t, epoch.valid_loss);
        if (t->o->after_epoch && t->o->after_epoch(t->o->ctx, t->g, &epoch, err)) return -1;
        int due = t->o->checkpoint && (enough(t) || t->epoch % t->o->checkpoint_every == 0);
        if (due && qc_checkpoint_save(t, err)) return -1;
    }
    return 0;
}

static int check_examples(const QcTraining *t, QcErr *err)
{
    if (!t->d->n) return qc_fail(err, QC_EFORMAT, "there is no example to train on");
    for (uint32_t i = 0; i < t->d->n; i++)
        if (t->d->label[i] < 0 || (uint32_t)t->map[t->d->label[i]] >= t->g->classes)
            return qc_fail(err, QC_EFORMAT, "example %u has no label that the model knows", i);
    const QcNode *in = &t->g->nodes[0];
    if (t->d->channels != in->channels || t->d->height != in->height || t->d->length != in->width)
        return qc_fail(err, QC_EFORMAT, "the data's windows (%u x %u x %u) do not fit the model's input (%u x %u x %u)",
                       t->d->channels, t->d->height, t->d->length, in->channels, in->height, in->width);
    return 0;
}

int qc_train(QcGraph *g, const QcDataset *d, const QcNorm *norm, const int32_t *map, const QcTrainOptions *o,
             QcErr *err)
{
    const char *wrong = qc_train_validate(o);
    if (wrong) return qc_fail(err, QC_EUSAGE, "%s", wrong);
    QcTraining t = {.g = g, .d = d, .norm = norm, .map = map, .o = o, .best_loss = INFINITY};
    Workspace workspace = {0}, valid = {0};
    int status = -1;
    if (check_examples(&t, err) || qc_train_split(&t, err)) goto end;
    t.best = qc_arena_take(&t.arena, g->n_params + g->n_stats, sizeof *t.best, err);
    if (!t.best || qc_optim_init(&t.optim, o->optimizer, g->n_params, o->rate, o->decay, err)) goto end;
    if (o->resume && qc_checkpoint_load(&t, err) < 0) goto end;
    if (desk_init(&workspace, &t, QC_RUN_TRAIN, err) || (t.n_valid && desk_init(&valid, &t, QC_RUN_EVAL, err)))
        goto end;
    if (epochs(&t, &workspace, &valid, err)) goto end;
    take_best(&t);
    status = 0;
end:
    qc_run_free(workspace.run);
    qc_run_free(valid.run);
    qc_optim_release(&t.optim);
    qc_arena_release(&t.arena);
    return status;
}

int qc_train_check_classes(const QcDataset *d, const char *name, QcErr *err)
{
    if (!d->n) return qc_fail(err, QC_EFORMAT, "%.200s has no examples", name);
    if (!d->labels.n) return qc_fail(err, QC_EFORMAT, "%.200s has no labels", name);
    if (d->labels.n < 2)
        return qc_fail(err, QC_EFORMAT, "%.200s has one class, '%.100s', and two are needed", name, d->labels.names[0]);
    int64_t empty = qc_dataset_empty_class(d, err);
    if (empty < 0 || empty == d->labels.n) return empty < 0 ? -1 : 0;
    return qc_fail(err, QC_EFORMAT,
                   "%.200s has no example of class '%.100s': take more groups or recordings, or import without it",
                   name, d->labels.names[empty]);
}
