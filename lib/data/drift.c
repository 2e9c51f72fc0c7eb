#include "drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNLIKE 30.0f /* times as much: not of one sensor */

const char *const qc_drifts_names[QC_DRIFT_COUNT] = {"inertial", "series", "image", "bands"};

/* The axes of a sensor have one unit: no axis varies many times as much as another one, and no mean is far from 0. A
 * channel that never changes has deviation 1. */
static int is_sensor(const float *mean, const float *deviation)
{
    float least = deviation[0], most = deviation[0], far = 0;
    for (int i = 0; i < 3; i++) {
        least = fminf(least, deviation[i]);
        most = fmaxf(most, deviation[i]);
        far = fmaxf(far, fabsf(mean[i]));
    }
    return most <= UNLIKE * least && far <= UNLIKE * most;
}

QcDriftKind qc_drifts_guess(const QcModelFile *m)
{
    if (m->height > 1) return QC_DRIFT_IMAGE;
    if (m->front.bands) return m->front.coefficients ? QC_DRIFT_SERIES : QC_DRIFT_BANDS;
    if (m->channels % 3) return QC_DRIFT_SERIES;
    for (uint32_t c = 0; c < m->channels; c += 3)
        if (!is_sensor(m->norm.mean + c, m->norm.deviation + c)) return QC_DRIFT_SERIES;
    return QC_DRIFT_INERTIAL;
}

int qc_drifts_fits(QcDriftKind kind, const QcModelFile *m)
{
    if (kind == QC_DRIFT_IMAGE) return m->height > 1;
    return m->height == 1 && (kind != QC_DRIFT_INERTIAL || m->channels % 3 == 0);
}

int qc_drifts_choose(QcDriftKind *kind, const char *name, const QcModelFile *m, QcErr *err)
{
    *kind = qc_drifts_guess(m);
    if (!strcmp(name, "auto")) return 0;
    for (int k = 0; k < QC_DRIFT_COUNT; k++) {
        if (strcmp(name, qc_drifts_names[k])) continue;
        *kind = (QcDriftKind)k;
        if (qc_drifts_fits(*kind, m)) return 0;
        return qc_fail(err, QC_EUSAGE, "--drift %s does not fit windows of %u channels, height %u", name, m->channels,
                       m->height);
    }
    return qc_fail(err, QC_EUSAGE, "--drift '%.40s' is unknown (auto, inertial, series, image or bands)", name);
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

int qc_drifts_init(QcDrift *d, QcDriftKind kind, const QcModelFile *m, QcArena *arena, QcErr *err)
{
    *d = (QcDrift){
        .kind = kind, .channels = m->channels, .height = m->height, .length = m->length, .norm = &m->norm, .warp = 1};
    d->gain = qc_arena_take(arena, d->channels, sizeof *d->gain, err);
    d->offset = qc_arena_take(arena, d->channels, sizeof *d->offset, err);
    d->rotation = qc_arena_take(arena, d->channels / 3 + 1, sizeof *d->rotation, err);
    return d->gain && d->offset && d->rotation ? 0 : -1;
}

/* One light for all channels, a little colour. */
static void draw_image(QcDrift *d, double strength, QcRng *rng)
{
    float contrast = (float)(1 + 0.3 * strength * qc_rng_normal(rng)),
          light = (float)(0.4 * strength * qc_rng_normal(rng));
    for (uint32_t c = 0; c < d->channels; c++) {
        d->gain[c] = contrast * (float)(1 + 0.1 * strength * qc_rng_normal(rng));
        d->offset[c] = light + (float)(0.1 * strength * qc_rng_normal(rng));
    }
    d->blur = qc_rng_unit(rng) < (float)(0.5 * fmin(strength, 1));
    d->noise = (float)(0.1 * strength * fabs(qc_rng_normal(rng)));
    d->shift_h = (int)lrint(0.05 * strength * d->height * qc_rng_normal(rng));
    d->shift_w = (int)lrint(0.05 * strength * d->length * qc_rng_normal(rng));
}

static void draw_warp(QcDrift *d, double strength, QcRng *rng)
{
    d->warp = (float)(1 + 0.15 * strength * qc_rng_normal(rng));
    d->warp = d->warp < 0.5f ? 0.5f : d->warp > 2 ? 2 : d->warp;
}

/* Loudness, then the slope and the unevenness of another voice and microphone. */
static void draw_bands(QcDrift *d, double strength, QcRng *rng)
{
    double level = 10 * strength * qc_rng_normal(rng), slope = 10 * strength * qc_rng_normal(rng);
    for (uint32_t c = 0; c < d->channels; c++) {
        double place = (2 * c + 1.0) / d->channels - 1; /* -1 to 1 */
        d->offset[c] = (float)(level + slope * place + 5 * strength * qc_rng_normal(rng));
    }
    draw_warp(d, strength, rng);
}

static void draw_series(QcDrift *d, double strength, QcRng *rng)
{
    for (uint32_t t = 0; t < d->channels / 3; t++) {
        double u[3];
        for (int i = 0; i < 3; i++) u[i] = 0.5 * strength * qc_rng_normal(rng);
        rotation_of(d->rotation[t], u);
    }
    for (uint32_t c = 0; c < d->channels; c++) {
        d->gain[c] = (float)(1 + 0.3 * strength * qc_rng_normal(rng));
        d->offset[c] = (float)(0.3 * strength * qc_rng_normal(rng));
    }
    draw_warp(d, strength, rng);
}

void qc_drifts_draw(QcDrift *d, double strength, QcRng *rng)
{
    if (d->kind == QC_DRIFT_IMAGE) draw_image(d, strength, rng);
    else if (d->kind == QC_DRIFT_BANDS) draw_bands(d, strength, rng);
    else draw_series(d, strength, rng);
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

/* In dB. Values at the front-end's floor stay there. */
static void change_bands(const QcDrift *d, float *x)
{
    size_t n = (size_t)d->length * d->channels;
    for (size_t i = 0; i < n; i++) {
        size_t c = i % d->channels;
        float mean = d->norm->mean[c], deviation = d->norm->deviation[c], level = x[i] * deviation + mean;
        if (level < QC_FRONT_FLOOR + 1) continue;
        level += d->offset[c];
        x[i] = ((level > QC_FRONT_FLOOR ? level : QC_FRONT_FLOOR) - mean) / deviation;
    }
}

static void scale(const QcDrift *d, float *x)
{
    size_t n = (size_t)d->height * d->length * d->channels;
    for (size_t i = 0; i < n; i++) x[i] = x[i] * d->gain[i % d->channels] + d->offset[i % d->channels];
}

void qc_drifts_apply(const QcDrift *d, float *out, const float *x, QcRng *rng)
{
    if (d->kind == QC_DRIFT_IMAGE) change_image(d, out, x, rng);
    else warp_series(d, out, x);
    if (d->kind == QC_DRIFT_INERTIAL) rotate(d, out);
    if (d->kind == QC_DRIFT_BANDS) change_bands(d, out);
    else scale(d, out);
}
