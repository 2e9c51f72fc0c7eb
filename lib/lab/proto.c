/* proto.c - the class whose mean feature is nearest (Mensink et al., 2013; iCaRL's rule, Rebuffi et al., 2017, without
 * its unit length).
 *
 * mean_k = (source m_k + sum of the stream's features of class k) / (source + their number), m_k being the mean of the
 * coreset's source examples of the class, which thus count as so many. argmin |x - mean_k|^2 is a linear head: logit_k
 * = sharp (2 mean_k x - |mean_k|^2), for |x|^2 is the same for all. */
#include "floathead.h"
#include "rivaltable.h"

enum { FOLD, SOURCE, SHARP };

static const QcSetting settings[] = {
    QC_FLOAT_HEAD_FOLD,
    {"source", 5, 0, 1000000, "stream examples that the source's mean of a class is worth", 0},
    {"sharp", 1, 0.001, 1000000, "logits are this many times the differences of squared distances (ECE, not accuracy)",
     0},
    {0},
};

typedef struct Proto {
    QcFloatHead head;
    float *source;  /* [classes][features] means */
    double *sum;    /* [classes][features] of the stream */
    uint32_t *seen; /* [classes] in the stream */
    uint32_t *had;  /* [classes] in the source */
} Proto;

static void make_head(Proto *p, QcMethodRun *l)
{
    uint32_t n = p->head.n - 1;
    double sharp = l->setting[SHARP];
    for (uint32_t k = 0; k < l->g->classes; k++) {
        float *w = p->head.w + (size_t)k * p->head.n;
        double worth = p->had[k] ? l->setting[SOURCE] : 0, count = worth + p->seen[k], square = 0;
        for (uint32_t i = 0; i < n; i++) {
            double mean =
                count > 0 ? (worth * (double)p->source[(size_t)k * n + i] + p->sum[(size_t)k * n + i]) / count : 0;
            w[i] = (float)(2 * sharp * mean);
            square += mean * mean;
        }
        w[n] = (float)(count > 0 ? -sharp * square : -1e6); /* a class without examples is never predicted */
    }
    qc_float_head_fold(&p->head, l);
}

static int open_proto(QcMethodRun *l, QcErr *err)
{
    const QcSlots *slots = l->slots;
    uint32_t classes = l->g->classes;
    Proto *p = l->state = qc_method_take(l, 1, sizeof *p, err);
    if (!p || qc_float_head_init(&p->head, l, l->setting[FOLD] > 0, err)) return -1;
    uint32_t n = p->head.n - 1;
    p->source = qc_method_take(l, (size_t)classes * n, sizeof *p->source, err);
    p->sum = qc_method_take(l, (size_t)classes * n, sizeof *p->sum, err);
    p->seen = qc_method_take(l, classes, sizeof *p->seen, err);
    p->had = qc_method_take(l, classes, sizeof *p->had, err);
    if (!p->source || !p->sum || !p->seen || !p->had) return -1;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        qc_float_head_features(&p->head, l, slots->windows + (size_t)s * slots->window);
        float *mean = p->source + (size_t)slots->label[s] * n, part = 1 / (float)++p->had[slots->label[s]];
        for (uint32_t i = 0; i < n; i++) mean[i] += (p->head.x[i] - mean[i]) * part;
    }
    return 0;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Proto *p = l->state;
    uint32_t n = p->head.n - 1;
    (void)err;
    for (uint32_t i = 0; i < batch->n; i++) {
        qc_float_head_features(&p->head, l, batch->windows + (size_t)i * l->window);
        double *sum = p->sum + (size_t)batch->labels[i] * n;
        for (uint32_t j = 0; j < n; j++) sum[j] += (double)p->head.x[j];
        p->seen[batch->labels[i]]++;
    }
    make_head(p, l);
    report->set = report->forwards = batch->n;
    report->operations = batch->n * (l->macs + n) + 3 * (uint64_t)l->g->classes * n;
    return 0;
}

static void logits(QcMethodRun *l, float *to, const uint8_t *x)
{
    qc_float_head_logits(&((Proto *)l->state)->head, l, to, x);
}

const QcMethod qc_method_proto = {.name = "proto",
                                  .summary = "nearest class mean of the last features",
                                  .settings = settings,
                                  .unsaved = qc_float_head_unsaved,
                                  .open = open_proto,
                                  .next = next,
                                  .logits = logits};
