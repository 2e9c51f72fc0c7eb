#include "rangefit.h"

#include <math.h>

enum { LEAST = 100 };

int qc_range_fit(QcInputRange *r, const QcWindows *w, const QcNorm *norm, QcArena *arena, QcErr *err)
{
    uint32_t channels = norm->channels;
    *r = (QcInputRange){0};
    if (w->n < LEAST) return 0;
    r->low = qc_arena_take(arena, channels, sizeof *r->low, err);
    r->high = qc_arena_take(arena, channels, sizeof *r->high, err);
    r->rms = qc_arena_take(arena, channels, sizeof *r->rms, err);
    if (!r->low || !r->high || !r->rms) return -1;
    uint64_t frames = w->n * (w->values / channels);
    for (uint32_t c = 0; c < channels; c++) {
        double squares = 0;
        float low = INFINITY, high = -INFINITY;
        for (uint64_t i = 0; i < frames; i++) {
            float x = w->x[i * channels + c] * norm->deviation[c] + norm->mean[c];
            low = fminf(low, x);
            high = fmaxf(high, x);
            squares += (double)x * (double)x;
        }
        r->low[c] = low;
        r->high[c] = high;
        r->rms[c] = (float)sqrt(squares / (double)frames);
    }
    r->channels = channels;
    return 1;
}

int qc_range_add(QcModelFile *m, const QcWindows *w, QcArena *arena, QcErr *err)
{
    QcInputRange range;
    int fits = qc_range_fit(&range, w, &m->norm, arena, err);
    return fits > 0 ? qc_inputrange_encode(m, &range, err) : fits;
}
