#include "optim.h"

#include <math.h>
#include <stdlib.h>

int qc_optim_init(QcOptim *o, QcOptimKind kind, size_t n, double rate, double decay, QcErr *err)
{
    *o = (QcOptim){.kind = kind,
                   .n = n,
                   .paced = n,
                   .pace = 1,
                   .rate = rate,
                   .decay = decay,
                   .momentum = .9,
                   .beta1 = .9,
                   .beta2 = .999,
                   .eps = 1e-8};
    o->first = calloc(n + 1, sizeof *o->first);
    o->second = kind == QC_OPTIM_ADAM ? calloc(n + 1, sizeof *o->second) : NULL;
    if (o->first && (o->second || kind != QC_OPTIM_ADAM)) return 0;
    qc_optim_release(o);
    return qc_fail_memory(err, "the optimizer's moments");
}

static void step_adam(QcOptim *o, float *params, const float *grads, double rate, size_t from, size_t end)
{
    float beta1 = (float)o->beta1, beta2 = (float)o->beta2, eps = (float)o->eps;
    float step = (float)(rate / (1 - pow(o->beta1, (double)o->step)));
    float correct = (float)(1 / sqrt(1 - pow(o->beta2, (double)o->step)));
    for (size_t i = from; i < end; i++) {
        o->first[i] = beta1 * o->first[i] + (1 - beta1) * grads[i];
        o->second[i] = beta2 * o->second[i] + (1 - beta2) * grads[i] * grads[i];
        params[i] -= step * o->first[i] / (sqrtf(o->second[i]) * correct + eps);
    }
}

static void step_sgd(QcOptim *o, float *params, const float *grads, double rate)
{
    float momentum = (float)o->momentum, step = (float)rate;
    for (size_t i = 0; i < o->n; i++) {
        o->first[i] = momentum * o->first[i] + grads[i];
        params[i] -= step * o->first[i];
    }
}

void qc_optim_step(QcOptim *o, float *params, const float *grads, double scale, const uint8_t *decays)
{
    double rate = o->rate * scale;
    float keep = (float)(1 - rate * o->decay);
    o->step++;
    if (o->decay > 0)
        for (size_t i = 0; i < o->n; i++)
            if (!decays || decays[i]) params[i] *= keep;
    if (o->kind == QC_OPTIM_ADAM) {
        step_adam(o, params, grads, rate, 0, o->paced);
        step_adam(o, params, grads, rate * o->pace, o->paced, o->n);
    } else {
        step_sgd(o, params, grads, rate);
    }
}

void qc_optim_release(QcOptim *o)
{
    if (!o) return;
    free(o->first);
    free(o->second);
    *o = (QcOptim){0};
}

double qc_schedule_cosine(uint64_t step, uint64_t steps)
{
    if (!steps || step >= steps) return 0;
    return .5 * (1 + cos(3.14159265358979323846 * (double)step / (double)steps));
}
