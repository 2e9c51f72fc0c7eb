/* t3a.c - T3A and OFTTA: a classifier of supports (supports.h) that windows without a label extend.
 *
 * T3A (Iwasawa and Matsuo, 2021) leaves the layers below as they are. OFTTA (Wang et al., 2023) first normalizes each
 * layer by the batch, less so in deeper layers (bn.h); it classifies as T3A does. Supports of earlier batches stay
 * features of earlier normalizations, as in its authors' program.
 */
#include "bn.h"
#include "rivaltable.h"
#include "supports.h"

#define SUPPORTS(n) {"supports", n, 1, 1000, "supports that a class keeps, by least entropy", 1}

static int open_t3a(QcMethodRun *l, QcErr *err)
{
    QcSupports *s = l->state = qc_method_take(l, 1, sizeof *s, err);
    return s ? qc_supports_init(s, l, (uint32_t)l->setting[0], err) : -1;
}

static int next_t3a(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    (void)err;
    qc_supports_learn(l->state, l, report, batch);
    return 0;
}

static void logits_t3a(QcMethodRun *l, float *logits, const uint8_t *x) { qc_supports_logits(l->state, l, logits, x); }

static const QcSetting t3a_settings[] = {SUPPORTS(1), {0}};

const QcMethod qc_method_t3a = {.name = "t3a",
                                .summary = "weights of the last layer from supports of low entropy",
                                .settings = t3a_settings,
                                .unlabelled = 1,
                                .unsaved = qc_lab_unsaved,
                                .open = open_t3a,
                                .next = next_t3a,
                                .logits = logits_t3a};

/* ---- OFTTA ---- */

typedef struct Oftta {
    QcBn bn;
    QcSupports supports;
} Oftta;

static int open_oftta(QcMethodRun *l, QcErr *err)
{
    Oftta *o = l->state = qc_method_take(l, 1, sizeof *o, err);
    return o && !qc_supports_init(&o->supports, l, (uint32_t)l->setting[0], err)
               ? qc_bn_init(&o->bn, l, l->setting + 1, err)
               : -1;
}

static int next_oftta(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Oftta *o = l->state;
    (void)err;
    qc_bn_next(&o->bn, l, report, batch);
    qc_supports_learn(&o->supports, l, report, batch);
    return 0;
}

static void logits_oftta(QcMethodRun *l, float *logits, const uint8_t *x)
{
    qc_supports_logits(&((Oftta *)l->state)->supports, l, logits, x);
}

static const QcSetting oftta_settings[] = {SUPPORTS(1), QC_BN_SETTINGS, {0}};

const QcMethod qc_method_oftta = {.name = "oftta",
                                  .summary = "normalization by the stream, then t3a",
                                  .settings = oftta_settings,
                                  .unlabelled = 1,
                                  .unsaved = qc_lab_unsaved,
                                  .open = open_oftta,
                                  .next = next_oftta,
                                  .logits = logits_oftta};
