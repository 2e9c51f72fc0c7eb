#include "sincfilter.h"

#include <math.h>

enum { CROSSINGS = 16 }; /* on each side */

uint32_t qc_sinc_length(uint32_t n, uint32_t from, uint32_t to)
{
    uint64_t length = ((uint64_t)n * to + from / 2) / from;
    if (n && !length) length = 1;
    return length > INT32_MAX ? 0 : (uint32_t)length;
}

int qc_sinc_resample(float *out, uint32_t length, const float *x, uint32_t n, uint32_t from, uint32_t to, QcErr *err)
{
    double scale = to < from ? (double)to / from : 1, step = (double)from / to, reach = CROSSINGS / scale;
    if (reach > 100000) return qc_fail(err, QC_EUSAGE, "%u to %u samples per second is too much of a change", from, to);
    for (uint32_t i = 0; i < length; i++) {
        double centre = i * step, sum = 0;
        int64_t first = (int64_t)ceil(centre - reach), last = (int64_t)floor(centre + reach);
        if (first < 0) first = 0;
        if (last >= n) last = (int64_t)n - 1;
        for (int64_t k = first; k <= last; k++) {
            double at = (double)k - centre, turn = acos(-1) * at * scale;
            double window = .5 + .5 * cos(acos(-1) * at / reach);
            sum += (double)x[k] * (turn == 0 ? 1 : sin(turn) / turn) * window;
        }
        out[i] = (float)(sum * scale);
    }
    return 0;
}
