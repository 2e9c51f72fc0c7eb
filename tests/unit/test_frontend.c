/* Sound into features: held against the published definitions in double precision, by a plain Fourier sum. */
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../lib/base/rng.h"
#include "../../lib/format/frontfile.h"
#include "../../lib/format/fronttables.h"

static const QcFrontSetup setups[] = {{8000, 200, 80, 40, 0}, {16000, 400, 160, 40, 0}, {16000, 512, 300, 64, 13},
                                      {44100, 1103, 441, 40, 40},
                                      {100, 16, 40, 2, 2}, {8000, 31, 7, 5, 0}, {48000, 4096, 480, 128, 0},
                                      {3445, 2452, 597, 219, 0}, {8000, 1700, 597, 180, 0}};
enum { SETUPS = sizeof setups / sizeof *setups, SOUNDS = 8 };

/* Sample t of a sound: silence, a loud tone, a faint tone, noise, pulses like speech, the largest square wave, clicks
 * close together and far apart, whose spectrum is a comb with faint bands between its teeth. */
static int16_t sound(int kind, uint32_t t, uint32_t rate, QcRng *rng)
{
    double at = 2 * acos(-1) * t / rate, unit = (double)qc_rng_unit(rng);
    switch (kind) {
    case 0: return 0;
    case 1: return (int16_t)lround(32000 * sin(at * rate * .11));
    case 2: return (int16_t)lround(9 * sin(at * rate * .031));
    case 3: return (int16_t)lround(65535 * unit - 32768);
    case 4: return (int16_t)lround(6000 * sin(at * rate * .02) / (1 + t % (rate / 40 + 1)) + 4 * unit);
    case 5: return t / 5 % 2 ? 32767 : -32768;
    case 6: return t % 97 == 5 ? -32768 : 0;
    default: return t % 13 == 5 ? -20000 : 0;
    }
}

static double mel_of(double f) { return f < 1000 ? f / (200. / 3) : 15 + log(f / 1000) / (log(6.4) / 27); }
static double hz_of(double m) { return m < 15 ? m * 200 / 3 : 1000 * exp(log(6.4) / 27 * (m - 15)); }

static void powers(double *power, const int16_t *x, const QcFrontSetup *s, uint32_t fft)
{
    double turn[QC_FRONT_FFT_MAX], v[QC_FRONT_FFT_MAX], pi = acos(-1);
    for (uint32_t n = 0; n < fft; n++) turn[n] = cos(2 * pi * n / fft);
    for (uint32_t n = 0; n < s->frame; n++) v[n] = x[n] / 32768. * (.5 - .5 * cos(2 * pi * n / s->frame));
    for (uint32_t k = 0; k <= fft / 2; k++) {
        double re = 0, im = 0;
        for (uint32_t n = 0; n < s->frame; n++) {
            re += v[n] * turn[k * n % fft];
            im -= v[n] * turn[(k * n + fft - fft / 4) % fft];
        }
        power[k] = re * re + im * im;
    }
}

/* level [bands], dB */
static void levels(double *level, const int16_t *x, const QcFrontSetup *s, uint32_t fft)
{
    double power[QC_FRONT_FFT_MAX / 2 + 1], top = mel_of(s->rate / 2.);
    powers(power, x, s, fft);
    for (uint32_t b = 0; b < s->bands; b++) {
        double sum = 0, low = hz_of(top * b / (s->bands + 1)), middle = hz_of(top * (b + 1) / (s->bands + 1)),
               high = hz_of(top * (b + 2) / (s->bands + 1));
        for (uint32_t k = 0; k <= fft / 2; k++) {
            double hz = (double)k * s->rate / fft;
            sum += power[k] * fmax(0, fmin((hz - low) / (middle - low), (high - hz) / (high - middle))) * 2 /
                   (high - low);
        }
        level[b] = 10 * log10(fmax(sum, 1e-10));
    }
}

static double largest(const double *x, uint32_t n)
{
    double most = x[0];
    for (uint32_t k = 1; k < n; k++) most = fmax(most, x[k]);
    return most;
}

/* Bands within 60 dB of the largest; the largest differences are collected for the manual's figure. */
static void check_bands(const float *features, const double *level, const QcFrontSetup *s, double *worst)
{
    double peak = largest(level, s->bands), most = s->frame > 2048 ? .05 : .02;
    for (uint32_t b = 0; b < s->bands; b++) {
        double difference = fabs((double)features[b] - level[b]);
        ck_assert_msg(features[b] * 256 == rintf(features[b] * 256) && features[b] >= QC_FRONT_FLOOR, "%g",
                      (double)features[b]);
        if (level[b] < peak - 60) continue;
        ck_assert_msg(difference < most, "band %u: %g is not %g", b, (double)features[b], level[b]);
        if (difference > *worst) *worst = difference;
    }
}

/* The DCT-II of the levels: each coefficient is a sum of all bands, so only frames without faint bands count. */
static uint32_t check_coefficients(const float *features, const double *level, const QcFrontSetup *s)
{
    double pi = acos(-1), least = level[0];
    for (uint32_t b = 1; b < s->bands; b++) least = fmin(least, level[b]);
    if (least < largest(level, s->bands) - 60) return 0;
    for (uint32_t c = 0; c < s->coefficients; c++) {
        double sum = 0;
        for (uint32_t b = 0; b < s->bands; b++) sum += level[b] * cos(pi * (2 * b + 1) * c / (2. * s->bands));
        sum *= sqrt((c ? 2. : 1.) / s->bands);
        ck_assert_msg(fabs((double)features[c] - sum) < .02, "coefficient %u: %g is not %g", c,
                      (double)features[c], sum);
    }
    return 1;
}

/* _i: setup. Frame t has the samples from t x hop on; the memory that was asked for is enough. */
START_TEST(features_equal_definitions)
{
    const QcFrontSetup *s = &setups[_i];
    QcArena arena = {0};
    QcFrontEnd f;
    QcErr err = {0};
    double worst = 0;
    ck_assert_msg(!qc_fronttables_make(&f, s, &arena, &err), "%s", err.text);
    uint32_t words = qc_front_words(&f), compared = 0;
    int32_t *memory = malloc((words + 1) * sizeof *memory);
    for (int kind = 0; kind < SOUNDS; kind++) {
        uint32_t n = s->frame + s->hop, frames = 0;
        int16_t *x = calloc(n, sizeof *x);
        QcRng rng = qc_rng_seed(3, (uint64_t)kind);
        QcFrontRun run;
        memory[words] = 0x5a5a5a5a;
        qc_front_init(&run, &f, memory);
        for (uint32_t t = 0; t < n; t++) {
            float features[QC_FRONT_BANDS_MAX];
            double level[QC_FRONT_BANDS_MAX] = {0};
            x[t] = sound(kind, t, s->rate, &rng);
            int full = qc_front_push(&run, x[t], features);
            ck_assert_int_eq(full, t + 1 == frames * s->hop + s->frame);
            if (!full) continue;
            levels(level, x + frames * s->hop, s, f.fft);
            if (s->coefficients) compared += check_coefficients(features, level, s);
            else check_bands(features, level, s, &worst);
            frames++;
        }
        ck_assert_uint_eq(frames, 2);
        ck_assert_int_eq(memory[words], 0x5a5a5a5a);
        free(x);
    }
    free(memory);
    ck_assert(compared > 2 || !s->coefficients);
    if (!s->coefficients) printf("setup %d: at most %.4f dB\n", _i, worst);
    qc_arena_release(&arena);
}
END_TEST

START_TEST(silence_gives_floor_and_gap_restarts_frames)
{
    const QcFrontSetup *s = &setups[0];
    QcArena arena = {0};
    QcFrontEnd f;
    QcFrontRun run;
    int32_t memory[1000];
    float after[40], fresh[40];
    ck_assert_int_eq(qc_fronttables_make(&f, s, &arena, NULL), 0);
    ck_assert_uint_le(qc_front_words(&f), 1000);
    qc_front_init(&run, &f, memory);
    for (uint32_t t = 0; t < s->frame; t++) qc_front_push(&run, 0, fresh);
    for (uint32_t b = 0; b < s->bands; b++) ck_assert_float_eq(fresh[b], QC_FRONT_FLOOR);
    for (uint32_t t = 0; t < 333; t++) qc_front_push(&run, 1234, after);
    qc_front_restart(&run);
    for (uint32_t t = 0; t < s->frame; t++)
        ck_assert_int_eq(qc_front_push(&run, (int16_t)(t * t), after), t + 1 == s->frame);
    qc_front_init(&run, &f, memory);
    for (uint32_t t = 0; t < s->frame; t++) qc_front_push(&run, (int16_t)(t * t), fresh);
    ck_assert_mem_eq(after, fresh, sizeof fresh);
    qc_arena_release(&arena);
}
END_TEST

START_TEST(impossible_setups_are_refused)
{
    static const struct {
        QcFrontSetup s;
        const char *words;
    } bad[] = {{{0, 200, 80, 40, 0}, "samples per second"},    {{8000, 15, 80, 40, 0}, "a frame"},
               {{8000, 4097, 80, 40, 0}, "a frame"},           {{8000, 200, 0, 40, 0}, "hop"},
               {{8000, 200, 80, 1, 0}, "bands"},               {{8000, 200, 80, 257, 0}, "bands"},
               {{8000, 200, 80, 40, 41}, "40 bands have no 41"}, {{8000, 200, 80, 250, 0}, "fewer bands"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        QcArena arena = {0};
        QcFrontEnd f;
        QcErr err = {0};
        ck_assert_int_eq(qc_fronttables_make(&f, &bad[k].s, &arena, &err), -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
        ck_assert_msg(strstr(err.text, bad[k].words) != NULL, "%s", err.text);
        qc_arena_release(&arena);
    }
}
END_TEST

/* Written and read again; a section that is of other windows, or impossible, is refused. */
START_TEST(setup_round_trip_in_file)
{
    for (int k = 0; k < 4; k++) {
        QcContainer c;
        QcFrontSetup s = setups[2], read;
        QcErr err = {0};
        qc_container_init(&c, QC_KIND_DATA);
        ck_assert_int_eq(qc_frontfile_get(&read, &c, 13, 1, &err), 0);
        ck_assert_uint_eq(read.rate, 0);
        if (k == 3) s.frame = 5000;
        ck_assert_int_eq(qc_frontfile_put(&c, &s, &err), 0);
        int status = qc_frontfile_get(&read, &c, k == 1 ? 64 : 13, k == 2 ? 2 : 1, &err);
        ck_assert_int_eq(status, k ? -1 : 0);
        if (k) ck_assert_int_eq(err.code, QC_EFORMAT);
        else ck_assert(qc_frontfile_same(&read, &s));
        read.hop++;
        ck_assert(!qc_frontfile_same(&read, &s));
        qc_container_release(&c);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frontend");
    TCase *c = tcase_create("frontend");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, features_equal_definitions, 0, SETUPS);
    tcase_add_test(c, silence_gives_floor_and_gap_restarts_frames);
    tcase_add_test(c, impossible_setups_are_refused);
    tcase_add_test(c, setup_round_trip_in_file);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
