#include "quantize.h"

#include <string.h>

#include "emit.h"
#include "qpredict.h"
#include "tune.h"

enum { RANGE_WINDOWS = 256 }; /* windows that measure the ranges of activations, at most */

/* The best codes and biases so far, by loss on the held-out windows. */
typedef struct Best {
    QcQGraph *g;
    const QcWindows *held;
    const QcQuantizeOptions *o;
    QcQuantizeReport *report;
    uint8_t *codes;
    int32_t *bias, *trial;
    uint32_t steps_an_epoch;
} Best;

static int judge(Best *best, uint32_t epoch, double *loss, double *accuracy, QcErr *err)
{
    uint32_t right = 0;
    if (qc_windows_loss(loss, &right, best->held, best->g, best->o->threads, err)) return -1;
    *accuracy = best->held->n ? (double)right / best->held->n : 0;
    if (best->o->progress) best->o->progress(epoch, best->o->epochs, *loss, *accuracy);
    return 0;
}

static void keep(Best *best, uint32_t epoch, double loss, double accuracy)
{
    best->report->loss = loss;
    best->report->accuracy = accuracy;
    best->report->kept_epoch = epoch;
    memcpy(best->codes, best->g->codes, best->g->n_code_bytes);
    memcpy(best->bias, best->g->bias, best->g->n_channels * sizeof *best->bias);
}

static int watch(void *ctx, QcFakeQuant *s, uint32_t step, QcErr *err)
{
    Best *best = ctx;
    uint32_t epoch = step / best->steps_an_epoch;
    double loss, accuracy;
    qc_pack_masters(best->g, s->master);
    qc_fakequant_biases(s, best->trial);
    best->g->bias = best->trial;
    best->report->epochs = epoch;
    if (judge(best, epoch, &loss, &accuracy, err)) return -1;
    if (loss < best->report->loss) keep(best, epoch, loss, accuracy);
    return 0;
}

static int calibrate(Best *best, const float *master, const QcWindows *kept, QcErr *err)
{
    const QcQuantizeOptions *o = best->o;
    QcFakeQuant fakequant;
    uint32_t batch = kept->n < o->batch ? kept->n : o->batch;
    best->steps_an_epoch = (kept->n + batch - 1) / batch;
    if (qc_fakequant_init(&fakequant, best->g, err)) return -1;
    memcpy(fakequant.master, master, best->g->n_codes * sizeof *master);
    qc_fakequant_clamp(&fakequant);
    QcTuneOptions tune = {.steps = best->steps_an_epoch * o->epochs,
                          .batch = batch,
                          .rate = o->rate > 0 ? o->rate : qc_tune_rate(o->bits),
                          .bias_rate = 1,
                          .cosine = 1,
                          .augment = o->augment,
                          .seed = o->seed,
                          .threads = o->threads,
                          .watch = watch,
                          .ctx = best,
                          .every = best->steps_an_epoch};
    int status = qc_tune(&fakequant, kept->x, kept->label, kept->n, &tune, err);
    qc_fakequant_release(&fakequant);
    return status;
}

int qc_quantize(QcQGraph *g, QcQuantizeReport *report, const QcGraph *model, const QcWindows *source, int coreset_only,
                const QcQuantizeOptions *o, QcArena *arena, QcErr *err)
{
    QcArena scratch = {0};
    QcWindows kept = {0}, held = {0}, ranged = {0};
    uint32_t n_kept;
    float *master;
    int status = -1;
    *report = (QcQuantizeReport){0};
    uint32_t *order = qc_arena_take(&scratch, source->n, sizeof *order, err);
    if (!order || qc_windows_hold_out(order, &n_kept, source, coreset_only ? 1.0 / 3 : 0.1, o->seed, err)) goto end;
    if (qc_windows_pick(&kept, source, order, n_kept, err) ||
        qc_windows_pick(&held, source, order + n_kept, source->n - n_kept, err) ||
        qc_windows_thin(&ranged, &kept, RANGE_WINDOWS, err) ||
        qc_emit(g, &master, model, ranged.x, ranged.n, o->bits, o->last_bits, o->activation_bits, o->threads, arena,
                err))
        goto end;
    Best best = {.g = g, .held = &held, .o = o, .report = report};
    best.codes = qc_arena_take(&scratch, g->n_code_bytes, 1, err);
    best.bias = qc_arena_take(arena, g->n_channels, sizeof *best.bias, err); /* not freed: the graph takes it */
    best.trial = qc_arena_take(&scratch, g->n_channels, sizeof *best.trial, err);
    if (!best.codes || !best.bias || !best.trial) goto end;
    report->held_out = held.n;
    if (judge(&best, 0, &report->rounded_loss, &report->rounded_accuracy, err)) goto end;
    keep(&best, 0, report->rounded_loss, report->rounded_accuracy);
    if (o->epochs && held.n && calibrate(&best, master, &kept, err)) goto end;
    memcpy(g->codes, best.codes, g->n_code_bytes);
    g->bias = best.bias;
    status = 0;
end:
    qc_windows_release(&ranged);
    qc_windows_release(&kept);
    qc_windows_release(&held);
    qc_arena_release(&scratch);
    return status;
}
