/* optim.h - Adam (Kingma and Ba, 2015; decoupled weight decay, Loshchilov and Hutter, 2019) and SGD with momentum, over
 * one parameter array. */
#ifndef QC_NN_OPTIM_H
#define QC_NN_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

typedef enum QcOptimKind { QC_OPTIM_ADAM, QC_OPTIM_SGD } QcOptimKind;

typedef struct QcOptim {
    QcOptimKind kind;
    size_t n;
    double rate;          /* base step; the caller's schedule scales it */
    double decay;         /* decoupled weight decay */
    double momentum;      /* SGD */
    double beta1, beta2, eps; /* Adam */
    uint64_t step;        /* steps made */
    size_t paced;         /* Adam: parameters from here on move `pace` times as far; n: there are none */
    double pace;
    float *first, *second; /* [n] moments (SGD uses first only); owned */
} QcOptim;

/* momentum .9, betas .9 .999, eps 1e-8 */
int qc_optim_init(QcOptim *o, QcOptimKind kind, size_t n, double rate, double decay, QcErr *err);
/* One step; scale multiplies the rate (schedule). decays (may be NULL) [n]: 1 if weight decay applies. */
void qc_optim_step(QcOptim *o, float *params, const float *grads, double scale, const uint8_t *decays);
void qc_optim_release(QcOptim *o);
double qc_schedule_cosine(uint64_t step, uint64_t steps); /* 1 -> 0, half a cosine */

#endif
