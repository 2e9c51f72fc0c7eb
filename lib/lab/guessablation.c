/* guessablation.c - ablation of closed: windows without a label never count. */
#include "../live/devicestep.h"
#include "rivaltable.h"

static int place_labels(QcMethodRun *l, QcErr *err)
{
    l->parameters.guess_weight = 0;
    l->flip = NULL;
    return qc_devicestep_place(l, err);
}

const QcMethod qc_method_labels = {.name = "labels",
                                   .summary = "closed with labelled windows alone",
                                   .place = place_labels,
                                   QC_DEVICESTEP};
