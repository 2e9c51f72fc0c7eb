/* er, er-ace - experience replay, plain and with asymmetric cross-entropy.
 *
 * ER (Rolnick et al., NeurIPS 2019; Chaudhry et al., "tiny episodic memories", 2019): a step descends the mean
 * cross-entropy of examples of the batch and of the memory together.
 *
 * ER-ACE (Caccia et al., "New insights on reducing abrupt representation change in online continual learning", ICLR
 * 2022):
 *     L = L_ce(batch, softmax among the classes C_curr present in the arriving batch) + L_ce(memory, softmax among all
 *     classes),
 * so that the batch cannot push down the logits of classes that it has not.
 */
#include "losses.h"
#include "rivaltable.h"
#include "replay.h"

#include <string.h>

typedef struct Er {
    QcReplay replay;
    uint8_t *present; /* [classes] in the arriving batch; NULL: plain ER */
} Er;

static int open_er(QcMethodRun *l, QcErr *err)
{
    return (l->state = qc_method_take(l, 1, sizeof(Er), err)) ? qc_replay_open(&((Er *)l->state)->replay, l, 0, err)
                                                              : -1;
}

static int open_ace(QcMethodRun *l, QcErr *err)
{
    if (open_er(l, err)) return -1;
    Er *er = l->state;
    return (er->present = qc_method_take(l, l->g->classes, 1, err)) ? 0 : -1;
}

static void loss(QcReplay *r, QcMethodRun *l, const float *logits)
{
    const Er *er = l->state;
    if (!er->present) {
        qc_loss_among(r->dlogits, logits, r->label, NULL, NULL, r->n_fresh + r->n_old, r->classes);
        return;
    }
    size_t behind = (size_t)r->n_fresh * r->classes;
    qc_loss_among(r->dlogits, logits, r->label, NULL, er->present, r->n_fresh, r->classes);
    qc_loss_among(r->dlogits + behind, logits + behind, r->label + r->n_fresh, NULL, NULL, r->n_old, r->classes);
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Er *er = l->state;
    qc_replay_begin(&er->replay, l, batch);
    if (er->present) memset(er->present, 0, l->g->classes);
    for (uint32_t i = 0; er->present && i < batch->n; i++) er->present[batch->labels[i]] = 1;
    if (qc_replay_steps(&er->replay, l, er->replay.steps, loss, err)) return -1;
    qc_replay_end(&er->replay, l, report);
    return 0;
}

static void close(QcMethodRun *l) { qc_replay_release(l->state); }

static const QcSetting settings[] = {QC_REPLAY_SETTINGS, {0}};

const QcMethod qc_method_er = {
    .name = "er",
    .summary = "experience replay: cross-entropy of batch and memory",
    .settings = settings,
    .backward = 1,
    .open = open_er,
    .next = next,
    .close = close,
};

const QcMethod qc_method_er_ace = {
    .name = "er-ace",
    .summary = "replay with asymmetric cross-entropy: the batch's among its own classes",
    .settings = settings,
    .backward = 1,
    .open = open_ace,
    .next = next,
    .close = close,
};
