#include "replay.h"

#include "../quant/emit.h"
#include "../quant/tune.h"

/* Reserved slots are opened where they are not to be kept. A reservoir has seen the source examples of the open slots
 * before any of the stream's. */
static void settle_slots(QcMethodRun *l)
{
    QcSlots *slots = l->slots;
    if (l->setting[QC_REPLAY_RESERVOIR] >= 1) l->parameters.update = QC_UPDATE_RESERVOIR;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & QC_SLOT_EMPTY) continue;
        if (l->setting[QC_REPLAY_KEEP] < 1) slots->flags[s] &= (uint8_t)~QC_SLOT_RESERVED;
        l->seen += !(slots->flags[s] & QC_SLOT_RESERVED);
    }
}

static int take_memory(QcReplay *r, QcMethodRun *l, QcErr *err)
{
    uint32_t rows = r->batch + r->replay;
    r->slot = qc_method_take(l, l->capacity, sizeof *r->slot, err);
    r->orders[0] = qc_method_take(l, l->batch_max, sizeof(uint32_t), err);
    r->orders[1] = qc_method_take(l, l->capacity, sizeof(uint32_t), err);
    r->from = qc_method_take(l, rows, sizeof *r->from, err);
    r->label = qc_method_take(l, rows, sizeof *r->label, err);
    r->x = qc_method_take(l, rows, l->window * sizeof *r->x, err);
    r->dlogits = qc_method_take(l, rows, l->g->classes * sizeof *r->dlogits, err);
    r->grads = qc_method_take(l, r->shadow.graph.n_params, sizeof *r->grads, err);
    r->dlatent = qc_method_take(l, r->n_moving, sizeof *r->dlatent, err);
    return r->slot && r->orders[0] && r->orders[1] && r->from && r->label && r->x && r->dlogits && r->grads &&
                   r->dlatent
               ? 0
               : -1;
}

/* At 2 bits a code is far for few steps: of .015, .04 and .08 the last but one learned UCI-DSA's person 1 best from
 * person 2. */
static double default_rate(int bits) { return bits == 2 ? 0.04 : qc_tune_rate(bits); }

int qc_replay_open(QcReplay *r, QcMethodRun *l, int apart, QcErr *err)
{
    double rate = l->setting[QC_REPLAY_RATE] < 0 ? default_rate(l->g->bits) : l->setting[QC_REPLAY_RATE];
    double bias = l->setting[QC_REPLAY_BIAS];
    r->n_moving = l->g->n_codes + (bias > 0 ? l->g->n_channels : 0);
    r->steps = (uint32_t)l->setting[QC_REPLAY_STEPS];
    r->batch = (uint32_t)l->setting[QC_REPLAY_BATCH];
    r->replay = (uint32_t)l->setting[QC_REPLAY_REPLAY];
    if (r->batch > l->batch_max) r->batch = l->batch_max;
    if (r->replay > l->capacity) r->replay = l->capacity;
    r->window = l->window;
    r->classes = l->g->classes;
    r->rng = qc_rng_seed(l->seed, QC_STREAM_REPLAY);
    settle_slots(l);
    if (qc_shadow_init(&r->shadow, l->g, err) || take_memory(r, l, err) ||
        qc_optim_init(&r->optim, QC_OPTIM_ADAM, l->g->n_codes, rate, 0, err))
        return -1;
    qc_tune_pace(&r->optim, l->g, default_rate);
    if (bias > 0 && (qc_method_own_channels(l, err) || qc_biastune_init(&r->biases, l->g, rate * bias, err))) return -1;
    uint32_t rows = !apart ? r->batch + r->replay : r->batch > r->replay ? r->batch : r->replay;
    if (!(r->run = qc_run_new(&r->shadow.graph, rows, QC_RUN_TUNE, l->threads > 0 ? l->threads : 1, err))) return -1;
    r->run_bytes = qc_run_bytes(r->run);
    if (bias > 0) qc_method_count(l, 3 * (uint64_t)l->g->n_channels * sizeof(float));
    qc_method_count(l, r->shadow.arena.bytes + r->shadow.graph.arena.bytes + 2 * r->optim.n * sizeof(float) +
                           r->run_bytes);
    return 0;
}

void qc_replay_release(QcReplay *r)
{
    if (!r) return;
    qc_run_free(r->run);
    qc_optim_release(&r->optim);
    qc_biastune_release(&r->biases);
    qc_shadow_release(&r->shadow);
}

/* ---- a batch ---- */

static QcRng split(QcRng *rng) { return qc_rng_seed(qc_rng_next(rng), QC_STREAM_REHEARSAL); }

void qc_replay_begin(QcReplay *r, const QcMethodRun *l, const QcBatch *batch)
{
    r->arrived = batch;
    r->forwards = r->backwards = 0;
    r->n_slots = 0;
    for (uint32_t s = 0; s < l->slots->capacity; s++)
        if (!(l->slots->flags[s] & QC_SLOT_EMPTY)) r->slot[r->n_slots++] = s;
    qc_replay_among(r, NULL, batch->n);
    qc_sampler_begin(&r->old, r->orders[1], r->n_slots, split(&r->rng));
    r->n_old = r->replay < r->n_slots ? r->replay : r->n_slots;
}

void qc_replay_among(QcReplay *r, const uint32_t *fresh, uint32_t n)
{
    r->among = fresh;
    qc_sampler_begin(&r->fresh, r->orders[0], n, split(&r->rng));
    r->n_fresh = r->batch < n ? r->batch : n;
}

void qc_replay_draw(QcReplay *r, const QcMethodRun *l)
{
    for (uint32_t row = 0; row < r->n_fresh + r->n_old; row++) {
        int is_fresh = row < r->n_fresh;
        uint32_t i = qc_sampler_next(is_fresh ? &r->fresh : &r->old);
        r->from[row] = is_fresh ? (r->among ? r->among[i] : i) : r->slot[i];
        const uint8_t *x = is_fresh ? r->arrived->windows : l->slots->windows;
        r->label[row] = is_fresh ? r->arrived->labels[r->from[row]] : l->slots->label[r->from[row]];
        qc_method_window(l, r->x + (size_t)row * l->window, x + (size_t)r->from[row] * l->window);
    }
}

/* ---- a step ---- */

static int moves_biases(const QcReplay *r) { return r->n_moving > r->optim.n; }

const float *qc_replay_forward(QcReplay *r, uint32_t first, uint32_t n, QcErr *err)
{
    qc_shadow_round(&r->shadow);
    const float *logits = qc_run_forward(r->run, r->x + (size_t)first * r->window, n);
    if (!logits) qc_fail_memory(err, "a forward pass");
    r->forwards += n;
    r->passed = n;
    return logits;
}

void qc_replay_backward(QcReplay *r)
{
    qc_run_backward(r->run, r->grads, r->dlogits);
    qc_shadow_gradient(&r->shadow, r->dlatent, r->grads);
    if (moves_biases(r)) qc_biastune_gradient(&r->shadow, r->dlatent + r->optim.n, r->grads);
    r->backwards += r->passed;
}

void qc_replay_step(QcReplay *r)
{
    qc_optim_step(&r->optim, r->shadow.latent, r->dlatent, 1, NULL);
    qc_shadow_clamp(&r->shadow);
    if (moves_biases(r)) qc_biastune_step(&r->biases, &r->shadow, r->dlatent + r->optim.n, 1);
}

int qc_replay_steps(QcReplay *r, QcMethodRun *l, uint32_t steps, QcReplayLoss loss, QcErr *err)
{
    for (uint32_t step = 0; step < steps; step++) {
        qc_replay_draw(r, l);
        const float *logits = qc_replay_forward(r, 0, r->n_fresh + r->n_old, err);
        if (!logits) return -1;
        loss(r, l, logits);
        qc_replay_backward(r);
        qc_replay_step(r);
    }
    return 0;
}

static void write_biases(const QcReplay *r, QcMethodRun *l)
{
    for (uint32_t i = 0; i < l->g->n_nodes; i++) {
        const QcQNode *n = &l->g->nodes[i];
        const float *bias =
            n->n_codes ? r->shadow.graph.params + r->shadow.graph.nodes[r->shadow.node_of[i]].bias : NULL;
        for (uint32_t o = 0; bias && o < n->channels; o++)
            qc_method_set_channel(l, n, o, (double)l->scale[n->channel + o], (double)bias[o]);
    }
}

void qc_replay_end(QcReplay *r, QcMethodRun *l, QcMethodReport *report)
{
    qc_pack_latents(l->g, r->shadow.latent);
    if (moves_biases(r)) write_biases(r, l);
    report->set = (uint64_t)r->n_slots + r->arrived->n;
    report->forwards = r->forwards;
    report->backwards = r->backwards;
    report->operations = l->macs * (r->forwards + 2 * r->backwards);
    size_t run_bytes = qc_run_bytes(r->run); /* it has primitives for two sizes of pass, made when first wanted */
    if (run_bytes > r->run_bytes) qc_method_count(l, run_bytes - r->run_bytes);
    if (run_bytes > r->run_bytes) r->run_bytes = run_bytes;
}
