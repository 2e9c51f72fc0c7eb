#include "method.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the table ---- */

static void list_methods(char *text, size_t room)
{
    size_t at = 0;
    for (const QcMethodEntry *e = qc_method_table; e->name && at < room; e++)
        at += e->method ? (size_t)snprintf(text + at, room - at, "%s%s", at ? ", " : "", e->name) : 0;
}

const QcMethod *qc_method_find(const char *name, QcErr *err)
{
    char known[320];
    for (const QcMethodEntry *e = qc_method_table; e->name; e++) {
        if (strcmp(name, e->name)) continue;
        if (!e->method) qc_fail(err, QC_EUSAGE, "method %s needs back-propagation, which is not in this build", name);
        return e->method;
    }
    list_methods(known, sizeof known);
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
    return qc_fail(err, QC_EUSAGE, "--set %.60s: method %s has the settings %s, each given as NAME=VALUE", text, m->name, known);
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
        if (end == equals + 1 || *end || errno || !(value >= s->low && value <= s->high))
            return qc_fail(err, QC_EUSAGE, "--set %.60s: %s of method %s is a number from %g to %g", text, s->name, m->name, s->low, s->high);
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

/* ---- what methods work with ---- */

void *qc_learner_take(QcLearner *l, size_t n, size_t size, QcErr *err)
{
    void *piece = qc_arena_take(&l->arena, n, size, err);
    if (piece) l->bytes += (uint64_t)n * size;
    return piece;
}

void qc_learner_count(QcLearner *l, uint64_t bytes) { l->bytes += bytes; }

static void *copy_array(QcLearner *l, const void *from, size_t size, QcErr *err)
{
    void *copy = qc_learner_take(l, l->g->n_channels, size, err);
    return copy ? memcpy(copy, from, l->g->n_channels * size) : NULL;
}

int qc_learner_own_channels(QcLearner *l, QcErr *err)
{
    QcQGraph *g = l->g;
    if (l->scale) return 0;
    float *scale = copy_array(l, g->scale, sizeof *g->scale, err);
    int32_t *bias = copy_array(l, g->bias, sizeof *g->bias, err), *multiplier = copy_array(l, g->multiplier, sizeof *g->multiplier, err);
    uint8_t *shift = copy_array(l, g->shift, sizeof *g->shift, err);
    if (!scale || !bias || !multiplier || !shift) return -1;
    g->scale = l->scale = scale;
    g->bias = l->bias = bias;
    g->multiplier = l->multiplier = multiplier;
    g->shift = l->shift = shift;
    return 0;
}

void qc_learner_window(const QcLearner *l, float *out, const uint8_t *x)
{
    const QcQTensor *in = &l->g->tensors[0];
    for (uint32_t i = 0; i < l->window; i++) out[i] = in->scale * (float)((int32_t)x[i] - in->zero);
}

uint32_t qc_learner_set(const QcLearner *l, const uint8_t **x, uint16_t *labels, uint32_t *n_slots, const QcMethodBatch *batch)
{
    const QcSlots *slots = l->slots;
    uint32_t n = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        x[n] = slots->x + (size_t)s * slots->window;
        labels[n++] = slots->label[s];
    }
    if (n_slots) *n_slots = n;
    for (uint32_t i = 0; i < batch->n; i++, n++) {
        x[n] = batch->x + (size_t)i * l->window;
        labels[n] = batch->labels[i];
    }
    return n;
}

uint64_t qc_node_macs(const QcQGraph *g, const QcQNode *node)
{
    if (node->op == QC_Q_LOGITS) return node->n_codes;
    return node->op == QC_Q_CONV ? (uint64_t)node->n_codes * g->tensors[node->out].height * g->tensors[node->out].width : 0;
}

/* ---- a learner's life ---- */

/* Slots and a forward pass: what every method off the device works with. */
static int place_for_all(QcLearner *l, QcErr *err)
{
    QcPlacing count = {0};
    qc_slots_place(&l->own_slots, l->capacity, l->window, &count);
    uint64_t run_bytes = (qc_qgraph_bytes(l->g) + 63) / 64 * 64;
    l->memory = aligned_alloc(64, count.used + run_bytes);
    if (!l->memory) return qc_fail_memory(err, "the coreset and the forward pass");
    QcPlacing placing = {.memory = l->memory};
    qc_slots_place(&l->own_slots, l->capacity, l->window, &placing);
    memset(l->own_slots.flags, QC_SLOT_EMPTY, l->capacity);
    qc_qrun_place(&l->run, l->g, l->kernels, (uint8_t *)l->memory + count.used);
    l->slots = &l->own_slots;
    qc_learner_count(l, count.used + run_bytes);
    return 0;
}

int qc_learner_place(QcLearner *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    const QcQTensor *in = &g->tensors[0];
    l->window = (uint32_t)in->height * in->width * in->channels;
    for (uint32_t i = 0; i < g->n_nodes; i++) l->macs += qc_node_macs(g, &g->nodes[i]);
    l->start_scale = g->scale;
    l->start_bias = g->bias;
    l->start_multiplier = g->multiplier;
    l->start_shift = g->shift;
    l->rng = qc_rng_seed(l->seed, 71);
    if (l->method->needs_flip && !l->flip)
        return qc_fail(err, QC_EFORMAT, "method %s needs a model with a bit-flip network (qc-bitflip-train makes it)", l->method->name);
    return (l->method->place ? l->method->place : place_for_all)(l, err);
}

int qc_learner_open(QcLearner *l, QcErr *err) { return l->method->open ? l->method->open(l, err) : 0; }

void qc_learner_logits(QcLearner *l, float *logits, const uint8_t *x)
{
    if (l->method->logits) l->method->logits(l, logits, x);
    else qc_qrun_forward(&l->run, logits, x);
}

uint32_t qc_learner_answer(QcLearner *l, double *loss, float *logits, const uint8_t *x, uint16_t label)
{
    uint32_t best = 0;
    double sum = 0;
    qc_learner_logits(l, logits, x);
    for (uint32_t k = 1; k < l->g->classes; k++) best = logits[k] > logits[best] ? k : best;
    if (!loss) return best;
    for (uint32_t k = 0; k < l->g->classes; k++) sum += exp((double)logits[k] - (double)logits[best]);
    *loss = log(sum) + (double)logits[best] - (double)logits[label];
    return best;
}

void qc_learner_close(QcLearner *l)
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
    *l = (QcLearner){0};
}

/* ---- a batch, for methods that leave judging and the coreset to us ---- */

/* right [n] of the batch as the learner stands; returns the mean cross-entropy. */
static float judge(QcLearner *l, uint8_t *right, uint32_t *count, float *logits, const QcMethodBatch *batch)
{
    double sum = 0, loss;
    *count = 0;
    for (uint32_t i = 0; i < batch->n; i++) {
        uint32_t answer = qc_learner_answer(l, &loss, logits, batch->x + (size_t)i * l->window, batch->labels[i]);
        sum += loss;
        *count += right[i] = answer == batch->labels[i];
    }
    return (float)(sum / batch->n);
}

static void tell_kept(QcLearner *l, const QcMethodBatch *batch, const uint64_t *held, QcCalibrateReport *step)
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

/* Slots are filled by the device's rule; a miss is an example of the batch that was right before it was learned from and is not after. */
static void keep(QcLearner *l, const QcMethodBatch *batch, const uint8_t *before, const uint8_t *after, void *scratch, QcCalibrateReport *step)
{
    uint64_t *held = scratch;
    float *keys = (float *)(held + l->capacity);
    uint16_t *misses = (uint16_t *)(keys + l->capacity + l->batch_max);
    uint8_t *ever = (uint8_t *)(misses + l->batch_max);
    for (uint32_t s = 0; s < l->capacity; s++) held[s] = l->slots->flags[s] & QC_SLOT_STREAM ? l->slots->id[s] : UINT64_MAX;
    for (uint32_t i = 0; i < batch->n; i++) {
        misses[i] = before[i] && !after[i];
        ever[i] = before[i] || after[i];
    }
    QcArrivals arrivals = {batch->n, batch->x, batch->labels, batch->ids, misses, ever, l->seen};
    qc_slots_update(l->slots, &arrivals, l->device.update, &l->rng, keys);
    l->seen += batch->n;
    tell_kept(l, batch, held, step);
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

int qc_learner_next(QcLearner *l, QcMethodReport *report, const QcMethodBatch *batch, double *ms, QcErr *err)
{
    QcCalibrateReport *step = &report->step;
    uint32_t all = l->capacity + l->batch_max;
    *report = (QcMethodReport){.step.n = batch->n};
    size_t room = l->capacity * sizeof(uint64_t) + all * sizeof(float) + (size_t)l->batch_max * (sizeof(uint16_t) + 1), judging = 2 * (size_t)l->batch_max;
    uint8_t *scratch = l->method->on_device ? NULL : malloc(room + judging + l->g->classes * sizeof(float) + sizeof(float));
    if (!l->method->on_device && !scratch) return qc_fail_memory(err, "judging a batch");
    uint8_t *before = scratch ? scratch + room : NULL, *after = scratch ? before + l->batch_max : NULL;
    float *logits = scratch ? (float *)(scratch + (room + judging + 3) / 4 * 4) : NULL;

    if (scratch) step->loss_before = judge(l, before, &step->right_before, logits, batch);
    double start = milliseconds();
    int status = l->method->next(l, report, batch, err);
    if (ms) *ms = milliseconds() - start;
    if (scratch && !status) {
        step->loss_after = judge(l, after, &step->right_after, logits, batch);
        keep(l, batch, before, after, scratch, step);
    }
    free(scratch);
    return status;
}
