/* flipablation.c - ablations of qcore: the device's step with another score of a weight. flip-random: the same score
 * for all; flip-greedy: |h| relative to its layer. */
#include "../live/devicestep.h"
#include "rivaltable.h"

static int place_random(QcMethodRun *l, QcErr *err)
{
    l->score = QC_SCORE_RANDOM;
    return qc_devicestep_place(l, err);
}

static int place_greedy(QcMethodRun *l, QcErr *err)
{
    l->score = QC_SCORE_GREEDY;
    return qc_devicestep_place(l, err);
}

const QcMethod qc_method_flip_random = {.name = "flip-random",
                                        .summary =
                                            "bit flips of weights at random, their direction by the Hebbian statistic",
                                        .needs_flip = 1,
                                        .place = place_random,
                                        QC_DEVICESTEP};

const QcMethod qc_method_flip_greedy = {.name = "flip-greedy",
                                        .summary = "bit flips of the weights with the largest Hebbian statistic",
                                        .needs_flip = 1,
                                        .place = place_greedy,
                                        QC_DEVICESTEP};
