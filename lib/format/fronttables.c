#include "fronttables.h"

enum { RATE_MAX = 384000, FRAME_MIN = 16, FFT_MIN = 32, BANDS_MIN = 2 };

static const double pi = 3.14159265358979323846, step_ln = 1.85629799036562646 /* ln 6.4 */ / 27;

/* ---- functions of real numbers ---- */

/* cos(pi / 2 part), part from 0 to 1 */
static double quarter_cosine(double part)
{
    double x = pi / 2 * part, term = 1, sum = 0;
    for (int k = 1; k < 32; k += 2) {
        sum += term;
        term *= -x * x / (k * (k + 1));
    }
    return sum;
}

static double exponential(double x)
{
    double term = 1, sum = 0;
    for (int k = 1; k < 64; k++) {
        sum += term;
        term *= x / k;
    }
    return sum;
}

/* x > 0: by powers of two, then 2 artanh((x - 1) / (x + 1)) */
static double natural_log(double x)
{
    const double ln2 = 0.693147180559945309417;
    int k = 0;
    for (; x > 1.5; x /= 2) k++;
    for (; x < 0.75; x *= 2) k--;
    double s = (x - 1) / (x + 1), power = s, sum = 0;
    for (int i = 1; i < 40; i += 2) {
        sum += power / i;
        power *= s * s;
    }
    return 2 * sum + k * ln2;
}

static double square_root(double x)
{
    double y = x > 1 ? x : 1;
    for (int i = 0; i < 40; i++) y = (y + x / y) / 2;
    return y;
}

/* Slaney's scale: 3 mel per 200 Hz below 1000 Hz, 27 mel per factor of 6.4 above. */
static double mel_of(double hz) { return hz < 1000 ? hz * 3 / 200 : 15 + natural_log(hz / 1000) / step_ln; }
static double hz_of(double mel) { return mel < 15 ? mel * 200 / 3 : 1000 * exponential((mel - 15) * step_ln); }

/* ---- tables ---- */

static int32_t whole_of(double x) { return (int32_t)(x < 0 ? x - 0.5 : x + 0.5); }

static int32_t *cosines(uint32_t n, QcArena *arena, QcErr *err)
{
    int32_t *table = qc_arena_take(arena, n + 1, sizeof *table, err);
    for (uint32_t k = 0; table && k <= n; k++) table[k] = whole_of(1073741824.0 * quarter_cosine((double)k / n));
    return table;
}

static int32_t *hann(uint32_t frame, QcArena *arena, QcErr *err)
{
    int32_t *table = qc_arena_take(arena, frame / 2 + 1, sizeof *table, err);
    for (uint32_t n = 0; table && n <= frame / 2; n++) {
        double sine = quarter_cosine(1 - 2 * (double)n / frame); /* of pi n / frame */
        table[n] = whole_of(1073741824.0 * sine * sine);
    }
    return table;
}

/* Weight of a bin in the triangle from low over middle to high, Hz. */
static double triangle(double hz, const double *edge)
{
    double up = (hz - edge[0]) / (edge[1] - edge[0]), down = (edge[2] - hz) / (edge[2] - edge[1]);
    double least = up < down ? up : down;
    return least > 0 ? least * 2 / (edge[2] - edge[0]) : 0;
}

static int add_filter(QcFrontEnd *f, uint32_t band, const double *edge, uint16_t *first, uint16_t *bins,
                      uint16_t **weight, int32_t *gain, QcErr *err)
{
    double largest = 0, bin = (double)f->setup.rate / f->fft;
    for (uint32_t k = 0; k <= f->fft / 2; k++) {
        double w = triangle(k * bin, edge);
        if (w > largest) largest = w;
    }
    if (!(largest > 0))
        return qc_fail(err, QC_EUSAGE,
                       "the front-end has no frequency of its spectrum in band %u of %u: take fewer bands or a longer "
                       "frame",
                       band + 1, f->setup.bands);
    for (uint32_t k = 0; k <= f->fft / 2; k++) {
        uint16_t w = (uint16_t)whole_of(65535 * triangle(k * bin, edge) / largest);
        if (!w) continue;
        if (!bins[band]) first[band] = (uint16_t)k;
        bins[band] = (uint16_t)(k + 1 - first[band]);
        *(*weight)++ = w;
    }
    gain[band] = whole_of(65536 * 10 * natural_log(largest / 65535) / natural_log(10));
    return 0;
}

/* Filters overlap by half, so a bin is in two of them at most. */
static int make_filters(QcFrontEnd *f, QcArena *arena, QcErr *err)
{
    uint32_t bands = f->setup.bands;
    uint16_t *first = qc_arena_take(arena, bands, sizeof *first, err),
             *bins = qc_arena_take(arena, bands, sizeof *bins, err),
             *weight = qc_arena_take(arena, f->fft + 2, sizeof *weight, err);
    int32_t *gain = qc_arena_take(arena, bands, sizeof *gain, err);
    double *edge = qc_arena_take(arena, bands + 2, sizeof *edge, err), top = mel_of(f->setup.rate / 2.0);
    if (!first || !bins || !weight || !gain || !edge) return -1;
    f->first = first, f->bins = bins, f->weight = weight, f->gain = gain;
    for (uint32_t k = 0; k < bands + 2; k++) edge[k] = hz_of(top * k / (bands + 1));
    for (uint32_t b = 0; b < bands; b++)
        if (add_filter(f, b, edge + b, first, bins, &weight, gain, err)) return -1;
    return 0;
}

int qc_fronttables_check(const QcFrontSetup *s, QcErr *err)
{
    if (s->rate < 1 || s->rate > RATE_MAX)
        return qc_fail(err, QC_EUSAGE, "the front-end takes 1 to %d samples per second, not %u", RATE_MAX, s->rate);
    if (s->frame < FRAME_MIN || s->frame > QC_FRONT_FFT_MAX)
        return qc_fail(err, QC_EUSAGE, "a frame of the front-end has %d to %d samples, not %u", FRAME_MIN,
                       QC_FRONT_FFT_MAX, s->frame);
    if (s->hop < 1 || s->hop > 1 << 24)
        return qc_fail(err, QC_EUSAGE, "the front-end's hop is 1 to %d samples, not %u", 1 << 24, s->hop);
    if (s->bands < BANDS_MIN || s->bands > QC_FRONT_BANDS_MAX)
        return qc_fail(err, QC_EUSAGE, "the front-end has %d to %d bands, not %u", BANDS_MIN, QC_FRONT_BANDS_MAX,
                       s->bands);
    if (s->coefficients > s->bands)
        return qc_fail(err, QC_EUSAGE, "%u bands have no %u coefficients", s->bands, s->coefficients);
    return 0;
}

int qc_fronttables_make(QcFrontEnd *f, const QcFrontSetup *setup, QcArena *arena, QcErr *err)
{
    *f = (QcFrontEnd){.setup = *setup, .fft = FFT_MIN};
    if (qc_fronttables_check(setup, err)) return -1;
    while (f->fft < setup->frame) f->fft *= 2;
    f->cosine = cosines(f->fft / 4, arena, err);
    f->window = hann(setup->frame, arena, err);
    f->dct = cosines(setup->bands, arena, err);
    f->dct_scale[0] = whole_of(1073741824.0 * square_root(1.0 / setup->bands));
    f->dct_scale[1] = whole_of(1073741824.0 * square_root(2.0 / setup->bands));
    return !f->cosine || !f->window || !f->dct ? -1 : make_filters(f, arena, err);
}

uint32_t qc_fronttables_weights(const QcFrontEnd *f)
{
    uint32_t n = 0;
    for (uint32_t b = 0; b < f->setup.bands; b++) n += f->bins[b];
    return n;
}

uint64_t qc_fronttables_bytes(const QcFrontEnd *f)
{
    const QcFrontSetup *s = &f->setup;
    return 4 * (f->fft / 4 + 1) + 4 * (s->frame / 2 + 1) + 8 * s->bands + 2 * qc_fronttables_weights(f) +
           (s->coefficients ? 4 * (s->bands + 1) : 0) + sizeof *f;
}
