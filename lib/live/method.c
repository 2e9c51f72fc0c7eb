#include "method.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../device/head.h"
#include "../nn/loss.h"
#include "../quant/scale.h"

/* ---- the table ---- */

const QcMethod *qc_method_find(const QcMethod *const *table, const char *name, QcErr *err)
{
    char known[320] = "";
    size_t at = 0;
    for (const QcMethod *const *m = table; *m; m++)
        if (!strcmp(name, (*m)->name)) return *m;
    for (const QcMethod *const *m = table; *m && at < sizeof known; m++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", (*m)->name);
    qc_fail(err, QC_EUSAGE, "there is no method '%.40s' (there are %s)", name, known);
    return NULL;
}

static uint32_t count_settings(const QcMethod *m)
{
    uint32_t n = 0;
    while (m->settings && m->settings[n].name) n++;
    return n;
}

static int unknown_setting(const QcMethod *m, const char *text, QcErr *err)
{
    char known[320] = "";
    size_t at = 0;
    if (!count_settings(m)) return qc_fail(err, QC_EUSAGE, "method %s has no settings (--set %.60s)", m->name, text);
    for (const QcSetting *s = m->settings; s->name && at < sizeof known; s++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", s->name);
    return qc_fail(err, QC_EUSAGE, "--set %.60s: method %s has the settings %s, each given as NAME=VALUE", text,
                   m->name, known);
}

static int read_setting(double *values, const QcMethod *m, const char *text, QcErr *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    for (uint32_t i = 0; i < count_settings(m); i++) {
        const QcSetting *s = &m->settings[i];
        char *end;
        if (!equals || strlen(s->name) != length || memcmp(s->name, text, length)) continue;
        errno = 0;
        double value = strtod(equals + 1, &end);
        if (end == equals + 1 || *end || errno || !(value >= s->low && value <= s->high) ||
            (s->whole && value != floor(value)))
            return qc_fail(err, QC_EUSAGE, "--set %.60s: %s of method %s is a %snumber from %g to %g", text, s->name,
                           m->name, s->whole ? "whole " : "", s->low, s->high);
        values[i] = value;
        return 0;
    }
    return unknown_setting(m, text, err);
}

int qc_method_settings(double *values, const QcMethod *m, const char *const *texts, int n, QcErr *err)
{
    for (uint32_t i = 0; i < QC_METHOD_SETTINGS; i++) values[i] = i < count_settings(m) ? m->settings[i].value : 0;
    for (int t = 0; t < n; t++)
        if (read_setting(values, m, texts[t], err)) return -1;
    return 0;
}

const char *qc_method_unsaved(const QcMethod *m, const double *setting)
{
    return m->unsaved ? m->unsaved(setting) : NULL;
}

/* ---- what methods work with ---- */

void *qc_method_take(QcMethodRun *l, size_t n, size_t size, QcErr *err)
{
    void *piece = qc_arena_take(&l->arena, n, size, err);
    if (piece) l->bytes += (uint64_t)n * size;
    return piece;
}

void qc_method_count(QcMethodRun *l, uint64_t bytes) { l->bytes += bytes; }

static void *copy_array(QcMethodRun *l, const void *from, size_t size, QcErr *err)
{
    void *copy = qc_method_take(l, l->g->n_channels, size, err);
    return copy ? memcpy(copy, from, l->g->n_channels * size) : NULL;
}

int qc_method_own_channels(QcMethodRun *l, QcErr *err)
{
    QcQGraph *g = l->g;
    if (l->scale) return 0;
    float *scale = copy_array(l, g->scale, sizeof *g->scale, err);
    int32_t *bias = copy_array(l, g->bias, sizeof *g->bias, err),
            *multiplier = copy_array(l, g->multiplier, sizeof *g->multiplier, err);
    uint8_t *shift = copy_array(l, g->shift, sizeof *g->shift, err);
    if (!scale || !bias || !multiplier || !shift) return -1;
    g->scale = l->scale = scale;
    g->bias = l->bias = bias;
    g->multiplier = l->multiplier = multiplier;
    g->shift = l->shift = shift;
    return 0;
}

void qc_method_set_channel(QcMethodRun *l, const QcQNode *node, uint32_t o, double scale, double bias)
{
    const QcQGraph *g = l->g;
    uint32_t c = node->channel + o;
    float narrow = (float)scale;
    double step = (double)g->tensors[node->in[0]].scale * (double)narrow, most = qc_largest_bias(g, node),
           whole = rint(bias / step);
    if (!(narrow > 0) || !isfinite(narrow) || !(step > 0) || !isfinite(bias)) return;
    if (node->op == QC_Q_CONV &&
        qc_fixed_point(&l->multiplier[c], &l->shift[c], step / (double)g->tensors[node->out].scale))
        return;
    l->scale[c] = narrow;
    l->bias[c] = (int32_t)fmax(-most, fmin(most, whole));
}

void qc_method_window(const QcMethodRun *l, float *out, const uint8_t *x)
{
    const QcQTensor *in = &l->g->tensors[0];
    for (uint32_t i = 0; i < l->window; i++) out[i] = in->scale * (float)((int32_t)x[i] - in->zero);
}

uint32_t qc_method_examples(const QcMethodRun *l, const uint8_t **x, uint16_t *labels, uint32_t *n_slots,
                            const QcBatch *batch)
{
    const QcSlots *slots = l->slots;
    uint32_t n = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        x[n] = slots->windows + (size_t)s * slots->window;
        labels[n++] = slots->label[s];
    }
    if (n_slots) *n_slots = n;
    for (uint32_t i = 0; i < batch->n; i++, n++) {
        x[n] = batch->windows + (size_t)i * l->window;
        labels[n] = batch->labels[i];
    }
    return n;
}

uint64_t qc_node_macs(const QcQGraph *g, const QcQNode *node)
{
    if (node->op == QC_Q_LOGITS) return node->n_codes;
    return node->op == QC_Q_CONV ? (uint64_t)node->n_codes * g->tensors[node->out].height * g->tensors[node->out].width
                                 : 0;
}

/* ---- a learner's life ---- */

/* Slots and a forward pass: what every method off the device works with. */
static int place_for_all(QcMethodRun *l, QcErr *err)
{
    QcPlacing count = {0};
    if ((uint64_t)l->capacity + l->batch_max > INT32_MAX)
        return qc_fail(err, QC_EUNSUPPORTED, "a coreset of %u slots is too large", l->capacity);
    qc_slots_place(&l->own_slots, l->capacity, l->window, 0, &count);
    uint64_t run_bytes = (qc_qgraph_bytes(l->g) + 63) / 64 * 64;
    l->memory = qc_aligned_new(count.used + run_bytes, "the coreset and the forward pass", err);
    if (!l->memory) return -1;
    QcPlacing placing = {.memory = l->memory};
    qc_slots_place(&l->own_slots, l->capacity, l->window, 0, &placing);
    memset(l->own_slots.flags, QC_SLOT_EMPTY, l->capacity);
    qc_qrun_place(&l->run, l->g, l->kernels, (uint8_t *)l->memory + count.used);
    l->slots = &l->own_slots;
    qc_method_count(l, count.used + run_bytes);
    return 0;
}

int qc_method_place(QcMethodRun *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    const QcQTensor *in = &g->tensors[0];
    l->window = (uint32_t)in->height * in->width * in->channels;
    for (uint32_t i = 0; i < g->n_nodes; i++) l->macs += qc_node_macs(g, &g->nodes[i]);
    l->start_scale = g->scale;
    l->start_bias = g->bias;
    l->start_multiplier = g->multiplier;
    l->start_shift = g->shift;
    l->rng = qc_rng_seed(l->seed, QC_STREAM_SLOTS);
    if (l->method->needs_flip && !l->flip)
        return qc_fail(err, QC_EFORMAT, "method %s needs a model with a bit-flip network (qc-bitflip-train makes it)",
                       l->method->name);
    return (l->method->place ? l->method->place : place_for_all)(l, err);
}

int qc_method_open(QcMethodRun *l, QcErr *err) { return l->method->open ? l->method->open(l, err) : 0; }

void qc_method_logits(QcMethodRun *l, float *logits, const uint8_t *x)
{
    if (l->method->logits) l->method->logits(l, logits, x);
    else qc_qrun_forward(&l->run, logits, x);
}

int qc_method_logits_of(QcMethodRun *l, float *logits, const uint8_t *windows, uint32_t n, QcErr *err)
{
    if (l->method->logits_together) return l->method->logits_together(l, logits, windows, n, err);
    for (uint32_t i = 0; i < n; i++)
        qc_method_logits(l, logits + (size_t)i * l->g->classes, windows + (size_t)i * l->window);
    return 0;
}

/* The class of the largest logit; *loss (may be NULL): -ln softmax[label]. */
static uint32_t answer_of(const float *logits, uint32_t classes, double *loss, uint16_t label)
{
    double sum = 0;
    uint32_t best = qc_largest(logits, classes);
    if (!loss) return best;
    for (uint32_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[best]);
    *loss = log(sum) + (double)logits[best] - (double)logits[label];
    return best;
}

uint32_t qc_method_answer(QcMethodRun *l, double *loss, float *logits, const uint8_t *x, uint16_t label)
{
    qc_method_logits(l, logits, x);
    return answer_of(logits, l->g->classes, loss, label);
}

void qc_method_close(QcMethodRun *l)
{
    if (!l) return;
    if (l->method && l->method->close) l->method->close(l);
    if (l->start_scale) {
        l->g->scale = l->start_scale;
        l->g->bias = l->start_bias;
        l->g->multiplier = l->start_multiplier;
        l->g->shift = l->start_shift;
    }
    free(l->memory);
    qc_arena_release(&l->arena);
    *l = (QcMethodRun){0};
}

/* ---- a batch, for methods that leave judging and the coreset to us ---- */

/* right [n] of the batch as the learner stands; *mean: cross-entropy, NaN if n is 0. logits [n][classes]: scratch. */
static int judge(QcMethodRun *l, uint8_t *right, uint32_t *count, float *mean, float *logits, const QcBatch *batch,
                 QcErr *err)
{
    double sum = 0, loss;
    *count = 0;
    if (qc_method_logits_of(l, logits, batch->windows, batch->n, err)) return -1;
    for (uint32_t i = 0; i < batch->n; i++) {
        uint32_t answer = answer_of(logits + (size_t)i * l->g->classes, l->g->classes, &loss, batch->labels[i]);
        sum += loss;
        *count += right[i] = answer == batch->labels[i];
    }
    *mean = batch->n ? (float)(sum / batch->n) : NAN;
    return 0;
}

/* Counts the filled slots by their origin. held [capacity]: ids before the batch; not read if the batch is empty. */
static void tell_kept(QcMethodRun *l, const QcBatch *batch, const uint64_t *held, QcAdaptReport *step)
{
    QcSlots *slots = l->slots;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        uint32_t i = 0;
        while (i < batch->n && batch->ids[i] != slots->id[s]) i++;
        if (!(slots->flags[s] & QC_SLOT_STREAM)) step->from_source++;
        else if (i == batch->n) step->from_stream++;
        else {
            step->from_batch++;
            if (l->method->kept && held[s] != slots->id[s]) l->method->kept(l, s, i);
        }
    }
}

/* Slots are filled by the device's rule. */
static void keep(QcMethodRun *l, const QcBatch *batch, const uint16_t *misses, const uint8_t *ever, uint64_t *held,
                 float *keys, QcAdaptReport *step)
{
    for (uint32_t s = 0; s < l->capacity; s++)
        held[s] = l->slots->flags[s] & QC_SLOT_STREAM ? l->slots->id[s] : UINT64_MAX;
    if (!l->method->keeps)
        qc_slots_update(l->slots, batch, misses, ever, l->seen, (QcUpdate)l->parameters.update, &l->rng, keys);
    l->seen += batch->n;
    tell_kept(l, batch, held, step);
}

static uint32_t count_flips(const QcQGraph *g, const uint8_t *before)
{
    QcQGraph old = *g;
    uint32_t n = 0;
    old.codes = (uint8_t *)before;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t j = 0; j < g->nodes[i].n_codes; j++)
            n += qc_code_get(g, &g->nodes[i], j) != qc_code_get(&old, &g->nodes[i], j);
    return n;
}

static int learn(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, double *ms, QcErr *err)
{
    uint64_t start = qc_nanoseconds();
    int status = l->method->next(l, report, batch, err);
    if (ms) *ms = 1e-6 * (double)(qc_nanoseconds() - start);
    return status;
}

uint8_t *qc_method_input(QcMethodRun *l) { return l->method->observe ? qc_qrun_tensor(&l->run, 0) : NULL; }

void qc_method_observe(QcMethodRun *l, const uint8_t *window, int32_t label, uint64_t id)
{
    uint64_t start = qc_nanoseconds();
    l->method->observe(l, window, label, id);
    l->observed++;
    l->observe_ms += 1e-6 * (double)(qc_nanoseconds() - start);
}

void qc_method_fill(QcMethodRun *l, uint32_t slot, const uint8_t *window, uint16_t label, uint16_t misses,
                    uint8_t flags, uint64_t id)
{
    QcSlots *s = l->slots;
    if (l->method->fill) {
        l->method->fill(l, slot, window, label, misses, flags, id);
        return;
    }
    memcpy(qc_slot_window(s, slot), window, s->window);
    s->label[slot] = label;
    s->misses[slot] = misses;
    s->flags[slot] = flags;
    s->id[slot] = id;
}

/* The windows were predicted one by one. */
static int adapt(QcMethodRun *l, QcMethodReport *report, double *ms, QcErr *err)
{
    int status = learn(l, report, NULL, ms, err);
    report->predict_ms = l->observe_ms;
    if (ms) *ms += l->observe_ms;
    l->observe_ms = 0;
    l->observed = 0;
    report->before = (QcTally){report->step.n, report->step.right_before};
    report->after = (QcTally){report->step.n, report->step.right_after};
    return status;
}

int qc_method_next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, double *ms, QcErr *err)
{
    QcAdaptReport *step = &report->step;
    QcArena arena = {0}; /* of judging, which is not the method's */
    int status = -1;
    *report = (QcMethodReport){0};
    if (ms) *ms = 0;
    if (l->method->observe) return adapt(l, report, ms, err);
    step->loss_before = step->loss_after = NAN;
    if (!batch->n && !l->n_unlabelled) {
        tell_kept(l, batch, NULL, step);
        return 0;
    }
    report->step.n = batch->n;
    uint8_t *before = qc_arena_take(&arena, batch->n, 1, err), *after = qc_arena_take(&arena, batch->n, 1, err);
    uint8_t *codes = qc_arena_take(&arena, l->g->n_code_bytes, 1, err);
    float *logits = qc_arena_take(&arena, (size_t)batch->n * l->g->classes, sizeof *logits, err),
          *keys = qc_arena_take(&arena, l->capacity + batch->n, sizeof *keys, err);
    uint64_t *held = qc_arena_take(&arena, l->capacity, sizeof *held, err);
    uint16_t *misses = qc_arena_take(&arena, batch->n, sizeof *misses, err);
    if (!before || !after || !codes || !logits || !keys || !held || !misses) goto end;

    memcpy(codes, l->g->codes, l->g->n_code_bytes);
    if (judge(l, before, &step->right_before, &step->loss_before, logits, batch, err) ||
        learn(l, report, batch, ms, err) || judge(l, after, &step->right_after, &step->loss_after, logits, batch, err))
        goto end;
    report->before = (QcTally){batch->n, step->right_before};
    report->after = (QcTally){batch->n, step->right_after};
    step->flips = count_flips(l->g, codes);
    for (uint32_t i = 0; i < batch->n; i++) { /* a miss: right before it was learned from, and not after */
        misses[i] = before[i] && !after[i];
        before[i] |= after[i]; /* ever right */
    }
    keep(l, batch, misses, before, held, keys, step);
    status = 0;
end:
    qc_arena_release(&arena);
    return status;
}
