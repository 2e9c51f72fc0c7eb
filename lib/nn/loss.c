#include "loss.h"

#include <math.h>
#include <stddef.h>

#include "../device/head.h"

double qc_loss(float *dlogits, uint32_t *right, const float *logits, const int32_t *labels, uint32_t n,
               uint32_t classes)
{
    double total = 0;
    uint32_t hits = 0;
    for (uint32_t i = 0; i < n; i++) {
        const float *row = logits + (size_t)i * classes;
        uint32_t label = (uint32_t)labels[i], best = qc_largest(row, classes);
        double top = (double)row[best], sum = 0;
        for (uint32_t c = 0; c < classes; c++) sum += exp((double)row[c] - top);
        total += log(sum) + top - (double)row[label];
        hits += best == label;
        if (!dlogits) continue;
        for (uint32_t c = 0; c < classes; c++)
            dlogits[(size_t)i * classes + c] = (float)((exp((double)row[c] - top) / sum - (c == label)) / n);
    }
    if (right) *right = hits;
    return n ? total / n : 0;
}

void qc_ece_add(QcEce *e, double confidence, int right)
{
    double k = ceil(confidence * QC_ECE_BINS) - 1; /* bins are closed above */
    uint32_t bin = k < 0 ? 0 : k >= QC_ECE_BINS ? QC_ECE_BINS - 1 : (uint32_t)k;
    e->n++;
    e->right[bin] += (uint32_t)right;
    e->confidence[bin] += confidence;
}

double qc_ece(const QcEce *e)
{
    double error = 0;
    for (int k = 0; k < QC_ECE_BINS; k++) error += fabs(e->right[k] - e->confidence[k]); /* a bin's size cancels */
    return e->n ? error / e->n : NAN;
}
