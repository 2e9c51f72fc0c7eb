#include "drift.h"

#include <math.h>
#include <stdlib.h>

const char *const qc_drifts_names[QC_DRIFT_COUNT] = {"inertial", "series", "image"};

QcDriftKind qc_drifts_guess(const QcModelFile *m)
{
    if (m->height > 1) return QC_DRIFT_IMAGE;
    return m->channels % 3 == 0 ? QC_DRIFT_INERTIAL : QC_DRIFT_SERIES;
}

/* exp([u]x): Rodrigues' formula, row by row. */
static void rotation_of(float r[9], const double u[3])
{
    double angle = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]), a = angle > 1e-9 ? sin(angle) / angle : 1;
    double b = angle > 1e-9 ? (1 - cos(angle)) / (angle * angle) : 0.5, c = cos(angle);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) r[3 * i + j] = (float)((i == j ? c : 0) + b * u[i] * u[j]);
    r[1] -= (float)(a * u[2]), r[2] += (float)(a * u[1]);
    r[3] += (float)(a * u[2]), r[5] -= (float)(a * u[0]);
    r[6] -= (float)(a * u[1]), r[7] += (float)(a * u[0]);
}

int qc_drifts_init(QcDrift *d, QcDriftKind kind, const QcModelFile *m, double strength, QcRng *rng, QcArena *arena,
                   QcErr *err)
{
    *d = (QcDrift){
        .kind = kind, .channels = m->channels, .height = m->height, .length = m->length, .norm = &m->norm, .warp = 1};
    d->gain = qc_arena_take(arena, d->channels, sizeof *d->gain, err);
    d->offset = qc_arena_take(arena, d->channels, sizeof *d->offset, err);
    d->rotation = qc_arena_take(arena, d->channels / 3 + 1, sizeof *d->rotation, err);
    if (!d->gain || !d->offset || !d->rotation) return -1;
    if (kind == QC_DRIFT_IMAGE) { /* one light for all channels, a little colour */
        float contrast = (float)(1 + 0.3 * strength * qc_rng_normal(rng)),
              light = (float)(0.4 * strength * qc_rng_normal(rng));
        for (uint32_t c = 0; c < d->channels; c++) {
            d->gain[c] = contrast * (float)(1 + 0.1 * strength * qc_rng_normal(rng));
            d->offset[c] = light + (float)(0.1 * strength * qc_rng_normal(rng));
        }
        d->blur = qc_rng_unit(rng) < 0.5f;
        d->noise = (float)(0.1 * strength * fabs(qc_rng_normal(rng)));
        d->shift_h = (int)lrint(0.05 * strength * d->height * qc_rng_normal(rng));
        d->shift_w = (int)lrint(0.05 * strength * d->length * qc_rng_normal(rng));
        return 0;
    }
    for (uint32_t t = 0; t < d->channels / 3; t++) {
        double u[3];
        for (int i = 0; i < 3; i++) u[i] = 0.5 * strength * qc_rng_normal(rng);
        rotation_of(d->rotation[t], u);
    }
    for (uint32_t c = 0; c < d->channels; c++) {
        d->gain[c] = (float)(1 + 0.3 * strength * qc_rng_normal(rng));
        d->offset[c] = (float)(0.3 * strength * qc_rng_normal(rng));
    }
    d->warp = (float)(1 + 0.15 * strength * qc_rng_normal(rng));
    d->warp = d->warp < 0.5f ? 0.5f : d->warp > 2 ? 2 : d->warp;
    return 0;
}

/* A position outside 0 .. n-1 reflected into it. */
static uint32_t reflect(int64_t i, uint32_t n)
{
    int64_t period = n > 1 ? 2 * ((int64_t)n - 1) : 1;
    i = (i % period + period) % period;
    return (uint32_t)(i < n ? i : period - i);
}

static void warp_series(const QcDrift *d, float *out, const float *x)
{
    uint32_t c = d->channels;
    float middle = ((float)d->length - 1) / 2;
    for (uint32_t t = 0; t < d->length; t++) {
        float at = middle + ((float)t - middle) * d->warp, low = floorf(at), part = at - low;
        const float *a = x + (size_t)reflect((int64_t)low, d->length) * c,
                    *b = x + (size_t)reflect((int64_t)low + 1, d->length) * c;
        for (uint32_t k = 0; k < c; k++) out[t * c + k] = a[k] + part * (b[k] - a[k]);
    }
}

/* Each triple of channels, in the sensor's own units. */
static void rotate(const QcDrift *d, float *x)
{
    const float *mean = d->norm->mean, *deviation = d->norm->deviation;
    for (uint32_t t = 0; t < d->length; t++, x += d->channels) {
        for (uint32_t g = 0; g < d->channels / 3; g++) {
            float raw[3], *v = x + 3 * g;
            const float *r = d->rotation[g];
            for (uint32_t i = 0; i < 3; i++) raw[i] = v[i] * deviation[3 * g + i] + mean[3 * g + i];
            for (uint32_t i = 0; i < 3; i++)
                v[i] = (r[3 * i] * raw[0] + r[3 * i + 1] * raw[1] + r[3 * i + 2] * raw[2] - mean[3 * g + i]) /
                       deviation[3 * g + i];
        }
    }
}

static void change_image(const QcDrift *d, float *out, const float *x, QcRng *rng)
{
    uint32_t c = d->channels;
    for (uint32_t h = 0; h < d->height; h++) {
        for (uint32_t w = 0; w < d->length; w++) {
            for (uint32_t k = 0; k < c; k++) {
                float sum = 0, weights = 0;
                for (int dh = -d->blur; dh <= d->blur; dh++)
                    for (int dw = -d->blur; dw <= d->blur; dw++) {
                        float weight = (float)((2 - abs(dh)) * (2 - abs(dw)));
                        size_t at = (size_t)reflect((int64_t)h + d->shift_h + dh, d->height) * d->length +
                                    reflect((int64_t)w + d->shift_w + dw, d->length);
                        sum += weight * x[at * c + k];
                        weights += weight;
                    }
                out[((size_t)h * d->length + w) * c + k] = sum / weights + d->noise * (float)qc_rng_normal(rng);
            }
        }
    }
}

void qc_drifts_apply(const QcDrift *d, float *out, const float *x, QcRng *rng)
{
    if (d->kind == QC_DRIFT_IMAGE) change_image(d, out, x, rng);
    else warp_series(d, out, x);
    if (d->kind == QC_DRIFT_INERTIAL) rotate(d, out);
    size_t n = (size_t)d->height * d->length * d->channels;
    for (size_t i = 0; i < n; i++) out[i] = out[i] * d->gain[i % d->channels] + d->offset[i % d->channels];
}
