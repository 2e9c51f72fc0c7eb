#include "softmax.h"

#include <math.h>

#include "../device/head.h"

void qc_softmax(float *logits, uint32_t n)
{
    float most = logits[qc_largest(logits, n)];
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) sum += exp((double)logits[k] - (double)most);
    for (uint32_t k = 0; k < n; k++) logits[k] = (float)(exp((double)logits[k] - (double)most) / sum);
}

double qc_softmax_entropy(const float *logits, uint32_t n)
{
    double most = (double)logits[qc_largest(logits, n)], sum = 0, weighted = 0;
    for (uint32_t k = 0; k < n; k++) {
        double difference = (double)logits[k] - most, e = exp(difference);
        sum += e;
        weighted += e * difference;
    }
    return sum > 0 ? log(sum) - weighted / sum : 0;
}
