/* The training hook: rounds the graph at every bit-width, classifies all examples, and restores it. */
#include "misslog.h"

#include <stdlib.h>
#include <string.h>

#include "../device/head.h"
#include "../nn/loss.h"
#include "../nn/score.h"
#include "../quant/scale.h"

static int take_memory(QcMissWatch *watch, const QcGraph *g, QcErr *err)
{
    if (watch->saved) return 0;
    watch->saved = malloc(g->n_params * sizeof *watch->saved + 1);
    watch->logits = malloc((size_t)watch->data->n * g->classes * sizeof *watch->logits + 1);
    watch->right = malloc((size_t)watch->data->n + 1);
    if (watch->saved && watch->logits && watch->right) return 0;
    qc_misswatch_release(watch);
    return qc_fail_memory(err, "observing misses");
}

void qc_misswatch_release(QcMissWatch *watch)
{
    if (!watch) return;
    free(watch->saved);
    free(watch->logits);
    free(watch->right);
    watch->saved = watch->logits = NULL;
    watch->right = NULL;
}

static void mark_right(QcMissWatch *watch, uint32_t classes)
{
    const QcDataset *d = watch->data;
    for (uint32_t i = 0; i < d->n; i++) {
        int32_t label = d->label[i] < 0 ? -1 : watch->map[d->label[i]];
        watch->right[i] = label >= 0 && qc_largest(watch->logits + (size_t)i * classes, classes) == (uint32_t)label;
    }
}

int qc_misslog_look(QcMissWatch *watch, QcGraph *g, QcErr *err)
{
    if (take_memory(watch, g, err)) return -1;
    for (uint32_t b = 0; b < watch->log->n_bits; b++) {
        qc_snap_weights(g, watch->log->bits[b], watch->saved);
        int status = qc_predict(g, watch->data, watch->norm, watch->threads, watch->logits, err);
        memcpy(g->params, watch->saved, g->n_params * sizeof *g->params);
        if (status) return -1;
        mark_right(watch, g->classes);
        qc_misslog_observe(watch->log, b, watch->right);
    }
    return 0;
}

int qc_misslog_after_epoch(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *err)
{
    QcMissWatch *watch = ctx;
    if (epoch->epoch % watch->every && epoch->epoch != epoch->epochs) return 0;
    return qc_misslog_look(watch, g, err);
}

int qc_misslog_save_hook(void *ctx, QcWriter *w, QcErr *err)
{
    const QcMissWatch *watch = ctx;
    qc_misslog_put(w, watch->log);
    return qc_writer_check(w, err);
}

int qc_misslog_load_hook(void *ctx, QcCursor *c, QcErr *err)
{
    QcMissLog *log = ((QcMissWatch *)ctx)->log, kept;
    if (qc_misslog_get(&kept, c, err)) return -1;
    if (kept.n != log->n || kept.n_bits != log->n_bits || memcmp(kept.bits, log->bits, log->n_bits) ||
        memcmp(kept.id, log->id, log->n * sizeof *log->id)) {
        qc_misslog_release(&kept);
        return qc_fail(err, QC_EFORMAT, "the checkpoint counted misses of other examples or at other bit-widths");
    }
    size_t cells = (size_t)log->n * log->n_bits; /* into the log's own arrays: it keeps its provenance */
    memcpy(log->observations, kept.observations, sizeof log->observations);
    memcpy(log->misses, kept.misses, cells * sizeof *log->misses);
    memcpy(log->last, kept.last, cells);
    qc_misslog_release(&kept);
    return 0;
}

int qc_misslog_by_tuning(QcMissWatch *watch, const QcGraph *g, uint32_t epochs, double rate, uint64_t seed, QcErr *err)
{
    QcGraph clone;
    if (qc_graph_clone(&clone, g, err)) return -1;
    QcTrainOptions o = qc_train_defaults;
    o.epochs = epochs;
    o.rate = rate;
    o.valid = 0; /* every example may be lost, so every one is trained on */
    o.patience = 0;
    o.seed = seed;
    o.threads = watch->threads;
    o.checkpoint = NULL;
    o.after_epoch = qc_misslog_after_epoch;
    o.ctx = watch;
    watch->every = 1;
    int status = qc_misslog_look(watch, &clone, err) ||
                         (epochs && qc_train(&clone, watch->data, watch->norm, watch->map, &o, err))
                     ? -1
                     : 0;
    qc_graph_release(&clone);
    return status;
}
