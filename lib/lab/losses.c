#include "losses.h"

#include <math.h>
#include <stddef.h>

static double one_among(float *d, const float *y, uint32_t label, double weight, const uint8_t *allowed,
                        uint32_t classes)
{
    double top = -INFINITY, sum = 0;
    for (uint32_t k = 0; k < classes; k++)
        if ((!allowed || allowed[k]) && (double)y[k] > top)
            top = (double)y[k]; /* fmax here is an internal error of gcc 12.2 for aarch64 */
    for (uint32_t k = 0; k < classes; k++)
        if (!allowed || allowed[k]) sum += exp((double)y[k] - top);
    for (uint32_t k = 0; k < classes; k++)
        d[k] = !allowed || allowed[k] ? (float)(weight * (exp((double)y[k] - top) / sum - (k == label))) : 0;
    return log(sum) + top - (double)y[label];
}

double qc_loss_among(float *dlogits, const float *logits, const int32_t *labels, const float *weight,
                     const uint8_t *allowed, uint32_t n, uint32_t classes)
{
    double loss = 0;
    for (uint32_t i = 0; i < n; i++) {
        double w = (weight ? (double)weight[i] : 1) / n;
        loss += w * one_among(dlogits + (size_t)i * classes, logits + (size_t)i * classes, (uint32_t)labels[i], w,
                              allowed, classes);
    }
    return loss;
}

double qc_loss_recall(float *dlogits, const float *logits, const float *remembered, uint32_t n, uint32_t classes)
{
    size_t values = (size_t)n * classes;
    double loss = 0;
    for (size_t i = 0; i < values; i++) {
        double far = (double)logits[i] - (double)remembered[i];
        loss += far * far / (double)values;
        dlogits[i] = (float)(2 * far / (double)values);
    }
    return loss;
}
