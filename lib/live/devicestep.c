/* devicestep.c - the device's own step (lib/device/calibrate.h) as a method: with the bit-flip network, without flips, and not at all. */
#include "devicestep.h"

#include <stdlib.h>

#include "methodtable.h"

int qc_devicestep_place(QcMethodRun *l, QcErr *err)
{
    QcCalibrateOptions *o = &l->device;
    uint64_t bytes = qc_calibrator_bytes(l->g, l->flip, o, l->capacity, l->batch_max);
    if (bytes > UINT32_MAX) return qc_fail(err, QC_EUNSUPPORTED, "the device would need %llu bytes", (unsigned long long)bytes);
    QcCalibrator *c = l->state = qc_arena_take(&l->arena, 1, sizeof *c, err);
    if (!c) return -1;
    l->memory = qc_room_new(bytes, "the device's working memory", err);
    if (!l->memory) return -1;
    qc_calibrator_place(c, l->g, l->flip, l->kernels, o, l->capacity, l->batch_max, l->memory);
    l->slots = &c->slots;
    l->run = c->run;
    qc_method_count(l, bytes);
    return 0;
}

static int place_closed(QcMethodRun *l, QcErr *err)
{
    static const QcFlip none;
    l->flip = &none;
    if (!l->device.second && !(l->device.scarce > 0)) return qc_fail(err, QC_EUSAGE, "without flips only the last layer learns, and --second 0 --scarce 0 keep it from that");
    if (!qc_calibrator_solves(l->g, &l->device))
        return qc_fail(err, QC_EUNSUPPORTED, "the last layer is too large for a closed form (more than %d features or %d classes): without a bit-flip network nothing would learn", QC_LDA_MAX_FEATURES,
                       QC_LDA_MAX_CLASSES);
    return qc_devicestep_place(l, err);
}

int qc_devicestep_next(QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err)
{
    QcCalibrator *c = l->state;
    (void)err;
    qc_calibrate_batch(c, &report->step, batch->x, batch->labels, batch->ids, batch->n);
    report->set = c->n;
    report->forwards = report->step.forwards;
    /* a Hebbian statistic sums a weight's inputs wherever its mask is on: at most as many additions as a pass has multiply-adds */
    report->operations = l->macs * (report->forwards + (uint64_t)report->step.gathers * c->n) + report->step.algebra;
    return 0;
}

const QcMethod qc_method_qcore = {.name = "qcore", .summary = "bit flips chosen by the bit-flip network", .needs_flip = 1, .on_device = 1, .place = qc_devicestep_place, .next = qc_devicestep_next};

const QcMethod qc_method_closed = {.name = "closed", .summary = "no flips: the last layer in closed form, in the model's own codes", .on_device = 1, .place = place_closed, .next = qc_devicestep_next};

/* ---- no adaptation ---- */

static int do_nothing(QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err)
{
    (void)l, (void)report, (void)batch, (void)err;
    return 0;
}

const QcMethod qc_method_none = {.name = "none", .summary = "no adaptation", .next = do_nothing};
