/* bnhead.c - bn, then head on the features that it makes. What the head has seen of earlier batches were features of earlier normalisations: `keep` fades them. */
#include "bn.h"
#include "ridgehead.h"
#include "rivaltable.h"

static const QcSetting settings[] = {QC_RIDGE_HEAD_SETTINGS, QC_BN_SETTINGS, {0}};

typedef struct BnHead {
    QcBn bn;
    QcRidgeHead head;
} BnHead;

static int open_both(QcMethodRun *l, QcErr *err)
{
    BnHead *b = l->state = qc_method_take(l, 1, sizeof *b, err);
    return b && !qc_bn_init(&b->bn, l, l->setting + QC_RIDGE_HEAD_COUNT, err) ? qc_ridge_head_init(&b->head, l, err) : -1;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err)
{
    BnHead *b = l->state;
    (void)err;
    qc_bn_next(&b->bn, l, report, batch);
    qc_ridge_head_next(&b->head, l, report, batch);
    return 0;
}

static void logits(QcMethodRun *l, float *to, const uint8_t *x)
{
    BnHead *b = l->state;
    qc_float_head_logits(&b->head.head, l, to, x);
}

const QcMethod qc_method_bn_head = {.name = "bn+head", .summary = "bn, then head", .settings = settings, .unsaved = qc_float_head_unsaved,
                                    .open = open_both, .next = next, .logits = logits};
