#include "frontend.h"

/* 2^30 cos(pi k / (2 quarter)), k below 4 x quarter, from the first quarter of the wave. */
static int32_t cosine_of(const int32_t *table, uint32_t quarter, uint32_t k)
{
    if (k > 2 * quarter) k = 4 * quarter - k;
    return k > quarter ? -table[2 * quarter - k] : table[k];
}

static int32_t rounded(int64_t x, int bits) { return (int32_t)((x + ((int64_t)1 << (bits - 1))) >> bits); }

typedef struct Complex {
    int32_t re, im;
} Complex;

static Complex get(const int32_t *z, uint32_t k) { return (Complex){z[2 * k], z[2 * k + 1]}; }

static void put(int32_t *z, uint32_t k, int32_t re, int32_t im)
{
    z[2 * k] = re;
    z[2 * k + 1] = im;
}

/* e^(-2 pi i k / fft) of 2^30, k up to fft / 2. */
static Complex turn_of(const QcFrontEnd *f, uint32_t k)
{
    uint32_t quarter = f->fft / 4;
    return (Complex){cosine_of(f->cosine, quarter, k), -f->cosine[k > quarter ? k - quarter : quarter - k]};
}

static Complex product(Complex a, Complex b)
{
    return (Complex){rounded((int64_t)a.re * b.re - (int64_t)a.im * b.im, 30),
                     rounded((int64_t)a.re * b.im + (int64_t)a.im * b.re, 30)};
}

/* ---- the spectrum ---- */

/* Sample n of the latest frame, times 2^30 of the window. */
static int64_t sample_of(const QcFrontRun *run, uint32_t n)
{
    const QcFrontEnd *f = run->front;
    uint32_t frame = f->setup.frame, at = run->next + n < frame ? run->next + n : run->next + n - frame;
    return (int64_t)run->ring[at] * f->window[n > frame / 2 ? frame - n : n];
}

/* Loads the latest frame, scaled so that no sum of `fft` samples exceeds 2^30. Returns the binary exponent of that
 * scale. */
static int load_frame(const QcFrontRun *run)
{
    uint32_t frame = run->front->setup.frame, fft = run->front->fft;
    uint64_t largest = 0;
    int shift = 30;
    for (uint32_t n = 0; n < frame; n++) {
        int64_t x = sample_of(run, n);
        uint64_t size = (uint64_t)(x < 0 ? -x : x);
        if (size > largest) largest = size;
    }
    for (uint32_t n = fft; n > 1; n /= 2) shift--;
    for (; largest; largest >>= 1) shift--;
    for (uint32_t n = 0; n < fft; n++) {
        int64_t x = n < frame ? sample_of(run, n) : 0;
        run->spectrum[n] = shift >= 0 ? (int32_t)((uint32_t)x << shift) : rounded(x, -shift);
    }
    return shift;
}

static void reverse_order(int32_t *z, uint32_t n)
{
    for (uint32_t i = 1, j = 0; i < n; i++) {
        uint32_t bit = n / 2;
        for (; j & bit; bit /= 2) j ^= bit;
        j ^= bit;
        if (i >= j) continue;
        Complex a = get(z, i), b = get(z, j);
        put(z, i, b.re, b.im);
        put(z, j, a.re, a.im);
    }
}

/* z[fft / 2], in place: butterflies of radix 2, decimation in time. */
static void transform(const QcFrontEnd *f, int32_t *z)
{
    uint32_t n = f->fft / 2;
    reverse_order(z, n);
    for (uint32_t half = 1; half < n; half *= 2)
        for (uint32_t k = 0; k < half; k++) {
            Complex turn = turn_of(f, n / half * k);
            for (uint32_t i = k; i < n; i += 2 * half) {
                Complex a = get(z, i), b = product(get(z, i + half), turn);
                put(z, i, a.re + b.re, a.im + b.im);
                put(z, i + half, a.re - b.re, a.im - b.im);
            }
        }
}

/* Even samples were real parts and odd samples imaginary parts: bins 0 to fft / 2 of the real series. */
static void split(const QcFrontEnd *f, int32_t *z)
{
    uint32_t n = f->fft / 2;
    Complex first = get(z, 0);
    put(z, n, first.re - first.im, 0);
    put(z, 0, first.re + first.im, 0);
    for (uint32_t k = 1; k <= n / 2; k++) {
        Complex a = get(z, k), b = get(z, n - k);
        Complex even = {(a.re + b.re) >> 1, (a.im - b.im) >> 1};
        Complex odd = product((Complex){(a.im + b.im) >> 1, (b.re - a.re) >> 1}, turn_of(f, k));
        put(z, k, even.re + odd.re, even.im + odd.im);
        put(z, n - k, even.re - odd.re, odd.im - even.im);
    }
}

/* ---- bands ---- */

/* 2^16 log2 x, x > 0: the whole part, then bit after bit by squaring. */
static int32_t log2_of(uint64_t x)
{
    int32_t whole = 63, bits = 0;
    for (; !(x >> 63); x <<= 1) whole--;
    uint64_t m = x >> 32;
    for (int i = 0; i < 16; i++) {
        m = m * m >> 31;
        bits *= 2;
        if (m >> 32) m >>= 1, bits++;
    }
    return whole * 65536 + bits;
}

static uint64_t power_of(Complex z) { return (uint64_t)((int64_t)z.re * z.re + (int64_t)z.im * z.im); }

/* A filter's sum is 2^(2 x 30 of the window + 2 x 15 of the samples + 2 x shift - 12) times the power. It is below
 * 2^64: the powers of all bins are at most 2^60 (Parseval). */
static void measure_bands(const QcFrontRun *run, int shift)
{
    const QcFrontEnd *f = run->front;
    const uint16_t *weight = f->weight;
    for (uint32_t b = 0; b < f->setup.bands; b++) {
        uint64_t sum = 0;
        int32_t floor = QC_FRONT_FLOOR * 65536;
        for (uint32_t k = 0; k < f->bins[b]; k++)
            sum += (power_of(get(run->spectrum, f->first[b] + k)) >> 12) * *weight++;
        int32_t log2 = sum ? log2_of(sum) - (78 + 2 * shift) * 65536 : 0;
        int32_t level = rounded((int64_t)log2 * 3156529, 20) + f->gain[b]; /* 2^20 x 10 log10(2) */
        run->level[b] = !sum || level < floor ? floor : level;
    }
}

static void write_features(const QcFrontRun *run, float *features)
{
    const QcFrontEnd *f = run->front;
    uint32_t bands = f->setup.bands;
    for (uint32_t b = 0; !f->setup.coefficients && b < bands; b++)
        features[b] = (float)rounded(run->level[b], 8) / 256.0f;
    for (uint32_t c = 0; c < f->setup.coefficients; c++) {
        int64_t sum = 0;
        for (uint32_t b = 0; b < bands; b++)
            sum += (int64_t)run->level[b] * cosine_of(f->dct, bands, (2 * b + 1) * c % (4 * bands));
        features[c] = (float)rounded((int64_t)rounded(sum, 30) * f->dct_scale[c > 0], 38) / 256.0f;
    }
}

/* ---- from outside ---- */

uint32_t qc_front_features(const QcFrontSetup *s) { return s->coefficients ? s->coefficients : s->bands; }

uint32_t qc_front_words(const QcFrontEnd *f) { return f->fft + 2 + f->setup.bands + (f->setup.frame + 1) / 2; }

void qc_front_init(QcFrontRun *run, const QcFrontEnd *f, int32_t *memory)
{
    *run = (QcFrontRun){.front = f,
                        .spectrum = memory,
                        .level = memory + f->fft + 2,
                        .ring = (int16_t *)(void *)(memory + f->fft + 2 + f->setup.bands)};
    qc_front_restart(run);
}

int qc_front_push(QcFrontRun *run, int16_t sample, float *features)
{
    const QcFrontEnd *f = run->front;
    run->ring[run->next] = sample;
    run->next = run->next + 1 == f->setup.frame ? 0 : run->next + 1;
    if (--run->missing) return 0;
    run->missing = f->setup.hop;
    int shift = load_frame(run);
    transform(f, run->spectrum);
    split(f, run->spectrum);
    measure_bands(run, shift);
    write_features(run, features);
    return 1;
}

void qc_front_restart(QcFrontRun *run)
{
    run->next = 0;
    run->missing = run->front->setup.frame;
}
