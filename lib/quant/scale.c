#include "scale.h"

#include <math.h>
#include <string.h>

enum { CANDIDATES = 80 };

int32_t qc_scale_to_code(float w, float scale, int bits)
{
    float q = roundf(w / scale);
    float low = (float)qc_code_low(bits), high = (float)qc_code_high(bits);
    return (int32_t)(q < low ? low : q > high ? high : q);
}

static double loss_of_scale(const float *w, uint32_t n, float scale, int bits)
{
    double loss = 0;
    for (uint32_t i = 0; i < n; i++) {
        double d = w[i] - scale * (float)qc_scale_to_code(w[i], scale, bits);
        loss += d * d;
    }
    return loss;
}

float qc_scale_of_weights(const float *w, uint32_t n, int bits)
{
    float top = 0;
    for (uint32_t i = 0; i < n; i++) top = fmaxf(top, fabsf(w[i]));
    if (!(top > 0)) return 1;
    float best = 0;
    double least = INFINITY;
    for (int k = 1; k <= CANDIDATES; k++) {
        float scale = top * (float)k / (float)CANDIDATES / (float)qc_code_high(bits);
        if (!(scale > 0x1p-100f)) continue;
        double loss = loss_of_scale(w, n, scale, bits);
        if (loss < least) least = loss, best = scale;
    }
    return best > 0 ? best : 0x1p-100f;
}

void qc_scale_of_values(float *scale, uint32_t *zero, const float *values, uint64_t n, int bits)
{
    float top = 0, bottom = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (values[i] > top) top = values[i];
        if (values[i] < bottom) bottom = values[i];
    }
    *zero = bottom < 0 ? 1u << (bits - 1) : 0;
    float low = -(float)*zero, high = (float)((1u << bits) - 1 - *zero);
    float largest = fmaxf(top / high, *zero ? bottom / low : 0); /* the scale that clips nothing */
    *scale = 1;
    if (!(largest > 0x1p-100f)) return;
    *scale = largest; /* values so large that their squares overflow a float */
    double least = INFINITY;
    for (int k = CANDIDATES / 4; k <= CANDIDATES; k++) {
        float s = largest * (float)k / (float)CANDIDATES, inverse = 1 / s;
        double loss = 0;
        for (uint64_t i = 0; i < n; i++) {
            float q = rintf(values[i] * inverse);
            q = q < low ? low : q > high ? high : q;
            float d = values[i] - s * q;
            loss += (double)(d * d);
        }
        if (loss < least) least = loss, *scale = s;
    }
}

void qc_snap_weights(QcGraph *g, int bits, float *saved)
{
    if (saved) memcpy(saved, g->params, g->n_params * sizeof *saved);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op != QC_OP_CONV && node->op != QC_OP_LINEAR) continue;
        uint32_t row = (uint32_t)(node->n_weight / node->channels);
        for (uint32_t o = 0; o < node->channels; o++) {
            float *w = g->params + node->weight + (size_t)o * row, scale = qc_scale_of_weights(w, row, bits);
            for (uint32_t j = 0; j < row; j++) w[j] = scale * (float)qc_scale_to_code(w[j], scale, bits);
        }
    }
}

int qc_fixed_point(int32_t *multiplier, uint8_t *shift, double real)
{
    int exponent;
    if (!(real > 0) || !(real < 0x1p30)) return -1;
    int64_t m = llround(frexp(real, &exponent) * 0x1p31);
    int s = 31 - exponent;
    if (m == (int64_t)1 << 31) m >>= 1, s--;
    if (s < 1) return -1; /* rounded up to 2^30 */
    if (s > 62) { /* fewer bits are enough */
        m = s - 62 < 31 ? m >> (s - 62) : 0;
        s = 62;
    }
    *multiplier = (int32_t)m;
    *shift = (uint8_t)s;
    return 0;
}
