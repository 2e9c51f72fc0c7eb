/* test_kernelconvs.c - whole convolutions of each kernel table that has its own, compared byte for byte with
 * scalar's unpack, dot and rescale. */
#include "suite.h"
#include "edges.h"

#include <stdlib.h>
#include <string.h>

/* What conv must give: scalar's unpack, dot and rescale. n_x: bytes of x. */
static void plain_conv(uint8_t *out, const QcKConv *how, size_t n_x)
{
    uint32_t channels = how->codes.channels, blocks = round_up(channels, QC_K_LANES) / QC_K_LANES,
             run = round_up(how->codes.length, 4);
    uint8_t *x = calloc(n_x + QC_K_SLACK, 1);
    int8_t *w = malloc((size_t)blocks * QC_K_LANES * how->codes.segments * run);
    int32_t *acc = malloc((size_t)blocks * QC_K_LANES * how->positions * 4),
            *bias = malloc((size_t)blocks * QC_K_LANES * 4);
    memcpy(x, how->x, n_x);
    qc_kernels_scalar.unpack(w, bias, &how->codes);
    for (uint32_t o = 0; o < channels; o++) bias[o] = how->bias[o] - how->zero_in * bias[o];
    QcKDot dot = { how->positions, how->step, how->codes.segments, run, how->segment, blocks };
    for (uint32_t row = 0; row < how->rows; row++, out += (size_t)how->positions * how->out_step) {
        qc_kernels_scalar.dot(acc, x + (size_t)row * how->row_step, w, &dot, how->codes.bits);
        qc_kernels_scalar.rescale(out, acc, bias, how->multiplier, how->shift, how->positions, channels,
                                  blocks * QC_K_LANES, how->out_step, how->zero, how->low, how->high);
    }
    free(x);
    free(w);
    free(acc);
    free(bias);
}

static uint32_t convs_done, lines_done; /* how often a set had a way of its own */

typedef struct Shape {
    uint32_t rows, positions, step, segments, length, channels;
} Shape;

/* fill: of x and of the weights; its fifth bit asks for a shift of any length. */
static void check_conv(const Shape *s, int bits, uint32_t fill)
{
    uint32_t row_step = s->rows > 1 ? pick(0, 60) : 0, segment[9], last = 0,
             row = s->segments * s->length + (pick(0, 1) ? pick(0, 70) : 0);
    for (uint32_t i = 0; i < s->segments; i++)
        segment[i] = i && s->segments > 1 ? pick(0, 80) : 0, last = segment[i] > last ? segment[i] : last;
    uint32_t first = pick(0, 1) ? pick(0, 40) : 0, out_step = s->channels + pick(0, 1) * 5;
    size_t n_x =
        (size_t)(s->rows - 1) * row_step + (size_t)(s->positions - 1) * s->step + last + round_up(s->length, 4);
    size_t n_bytes = ((size_t)(first + (s->channels - 1) * row + s->segments * s->length) * (uint32_t)bits + 7) / 8;
    size_t n_out = (size_t)(s->rows * s->positions - 1) * out_step + s->channels;
    uint8_t *x = edge(0, n_x), *bytes = edge(1, n_bytes), *shift = edge(4, s->channels);
    int32_t *bias = edge(2, s->channels * 4), *multiplier = edge(3, s->channels * 4);
    fill_bytes(x, n_x, fill & 3);
    fill_bytes(bytes, n_bytes, fill >> 2 & 3);
    uint32_t wide = 0; /* outputs that differ: 8 bits of the largest sums */
    while ((s->segments * s->length * 255ull << (bits - 1)) >> wide) wide++;
    for (uint32_t o = 0; o < s->channels; o++) {
        bias[o] = (int32_t)pick(0, 2000) - 1000;
        multiplier[o] = (int32_t)pick(1u << 30, (1u << 31) - 1);
        shift[o] = (uint8_t)(fill & 16 ? pick(1, 62) : 32 + (fill ? wide - 8 : wide / 2));
    }
    QcKConv how = {x,
                   {bytes, first, row, s->channels, s->segments, s->length, bits},
                   segment,
                   s->rows,
                   row_step,
                   s->positions,
                   s->step,
                   bias,
                   multiplier,
                   shift,
                   (int32_t)pick(0, 1) * 128,
                   0,
                   0,
                   out_step,
                   (int32_t)pick(0, 255),
                   (int32_t)pick(0, 20),
                   255 - (int32_t)pick(0, 1) * 60,
                   NULL,
                   64 * pick(0, 300)};
    how.scratch = edge(7, how.scratch_bytes); /* sometimes too little */
    if (s->rows == 1 && s->segments == 1 && pick(0, 1)) { /* of a series with a border */
        size_t most = (size_t)(s->positions - 1) * s->step + s->length;
        how.before = pick(0, (uint32_t)most / 2);
        how.after = pick(0, (uint32_t)(most - how.before));
        memset(x, how.zero_in, how.before);
        memset(x + most - how.after, how.zero_in, how.after);
    }
    uint8_t *expected = edge_filled(5, n_out, 0x55);
    plain_conv(expected, &how, n_x);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        uint8_t *got = edge_filled(6, n_out, 0x55);
        if (!(*k)->conv) continue;
        if ((*k)->conv(got, &how)) {
            convs_done++;
            ck_assert_msg(memcmp(got, expected, n_out) == 0,
                          "%s: %u x %u positions, step %u, %u x %u codes, %u channels, %d bits, fill %u", (*k)->name,
                          s->rows, s->positions, s->step, s->segments, s->length, s->channels, bits, fill);
        } else {
            for (size_t i = 0; i < n_out; i++)
                if (got[i] != 0x55) ck_abort_msg("value %zu was written", i);
        }
    }
}

static void check_linear(uint32_t segments, uint32_t length, uint32_t channels, int bits, uint32_t fill)
{
    uint32_t segment[9], last = 0, first = pick(0, 1) * pick(0, 40),
                         row = segments * length + (pick(0, 1) ? pick(0, 20) : 0), run = round_up(length, 4);
    for (uint32_t i = 0; i < segments; i++)
        segment[i] = pick(0, 1) ? i * length : pick(0, 80), last = segment[i] > last ? segment[i] : last;
    size_t n_x = last + length,
           n_bytes = ((size_t)(first + (channels - 1) * row + segments * length) * (uint32_t)bits + 7) / 8,
           n_w = (size_t)round_up(channels, QC_K_LANES) * segments * run;
    uint8_t *x = edge(0, n_x), *bytes = edge(1, n_bytes), *padded = edge_filled(2, n_x + QC_K_SLACK, 0);
    fill_bytes(x, n_x, fill & 3);
    fill_bytes(bytes, n_bytes, fill >> 2 & 3);
    memcpy(padded, x, n_x);
    QcKConv how = {.x = x,
                   .codes = {bytes, first, row, channels, segments, length, bits},
                   .segment = segment,
                   .rows = 1,
                   .positions = 1,
                   .zero_in = (int32_t)pick(0, 255),
                   .scratch_bytes = 64 * pick(0, 100)};
    QcKDot dot = {1, 0, segments, run, segment, round_up(channels, QC_K_LANES) / QC_K_LANES};
    how.scratch = edge(3, how.scratch_bytes);
    int8_t *w = edge(4, n_w);
    int32_t *sum = edge(5, round_up(channels, QC_K_LANES) * 4), *expected = edge(6, round_up(channels, QC_K_LANES) * 4);
    qc_kernels_scalar.unpack(w, sum, &how.codes);
    qc_kernels_scalar.dot(expected, padded, w, &dot, bits);
    for (uint32_t o = 0; o < channels; o++) expected[o] -= how.zero_in * sum[o];
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        int32_t *got = edge_filled(7, channels * 4, 0x44);
        if (!(*k)->linear) continue;
        if (!(*k)->linear(got, &how)) {
            for (uint32_t o = 0; o < channels; o++)
                if (got[o] != 0x44444444) ck_abort_msg("sum %u was written", o);
            continue;
        }
        lines_done++;
        ck_assert_msg(memcmp(got, expected, channels * 4) == 0, "%s: %u x %u codes, %u channels, %d bits, fill %u",
                      (*k)->name, segments, length, channels, bits, fill);
    }
}

static void check_series(uint32_t positions, uint32_t inputs, uint32_t taps, uint32_t channels, int bits, uint32_t fill)
{
    Shape s = { 1, positions, inputs, 1, inputs * taps, channels };
    check_conv(&s, bits, fill);
}

#if defined QC_PLAIN_BARE
enum { SPARSE = 7 }; /* an emulator takes one size of so many, all remainders of powers of two among them */
#elif defined QC_TESTS_PLAIN_CHECK_H
enum { SPARSE = 3 };
#else
enum { SPARSE = 1 };
#endif

/* Sizes that end anywhere in a tile, in a group of outputs or taps, in a vector, in a piece. */
START_TEST(conv_of_series_equals_scalar)
{
    int bits = 2 << _i;
    convs_done = 0;
    for (uint32_t taps = 1; taps <= 45; taps += SPARSE) check_series(pick(24, 60), 32, taps, 8, bits, taps % 16);
    for (uint32_t taps = 1; taps <= 100; taps += 9)
        check_series(pick(24, 200), pick(1, 70), taps, pick(1, 20), bits, taps % 16);
    for (uint32_t positions = 1; positions <= 60; positions += SPARSE)
        check_series(positions, 4, 9 + positions % 6, 8, bits, 0);
    for (uint32_t positions = 120; positions <= 136; positions += SPARSE)
        check_series(positions, 8, 9 + positions % 6, 9, bits, positions % 16);
    for (uint32_t inputs = 1; inputs <= 70; inputs += SPARSE)
        check_series(pick(24, 40), inputs, 7 + inputs % 5, 8, bits, inputs % 16);
    for (uint32_t channels = 1; channels <= 34; channels += SPARSE)
        check_series(30, 16, 9 + channels % 4, channels, bits, channels % 16);
    for (uint32_t fill = 0; fill < 16; fill += SPARSE) /* extreme sums */
        check_series(64, 32, 39 - fill % 3, 8, bits, fill);
    check_series(500, 32, 39, 32, bits, 0);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
        if (strcmp((*k)->name, "avx2") == 0) ck_assert_uint_ge(convs_done, 100 / SPARSE);
}
END_TEST

/* All sizes around a tile of positions, a vector of channels, a step of four and a load of 16 bytes of codes. */
START_TEST(conv_equals_scalar)
{
    int bits = 2 << _i;
    convs_done = 0;
    for (uint32_t positions = 1; positions <= 26; positions++)
        for (uint32_t channels = 3 + positions % SPARSE; channels <= 51; channels += SPARSE + positions % 3) {
            Shape s = { 1, positions, pick(0, 40), 1, pick(1, 80), channels };
            check_conv(&s, bits, positions % 32);
        }
    for (uint32_t length = 1; length <= 200; length += SPARSE) {
        Shape s = { 1 + length % 3, pick(1, 14), pick(1, 40), 1 + length % 4, length, pick(1, 40) };
        check_conv(&s, bits, length % 32);
        /* codes that begin and end with whole bytes */
        s = (Shape){ 1, pick(1, 14), 4, 1, 4 * length, 16 + length % 2 * 16 };
        check_conv(&s, bits, length % 16);
    }
    for (uint32_t steps = 382; steps <= 386; steps += SPARSE) { /* around what is unpacked at once of 32 channels, and
                                                                   of 16 */
        Shape s = { 1, 13, 32, 1, steps * 4, 33 };
        check_conv(&s, bits, steps % 16);
        s.length *= 2;
        check_conv(&s, bits, steps % 16);
    }
    for (uint32_t fill = 0; fill < 32; fill += SPARSE) {
        Shape s = { 2, 12, 32, 2, 600 / SPARSE, 32 };
        check_conv(&s, bits, fill);
    }
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
        if (strcmp((*k)->name, "avx512vnni") == 0) ck_assert_uint_ge(convs_done, 500 / SPARSE);
}
END_TEST

/* What depthwise_conv must give: scalar's unpack, depthwise and rescale. n_x: bytes of x. */
static void plain_depthwise(uint8_t *out, const QcKConv *how, size_t n_x)
{
    uint32_t taps = how->codes.segments;
    uint8_t *x = calloc(n_x + QC_K_LANES, 1);
    int8_t *w = malloc((size_t)taps * 4 * QC_K_LANES);
    int32_t *acc = malloc((size_t)how->positions * QC_K_LANES * 4), sum[QC_K_LANES], bias[QC_K_LANES];
    memcpy(x, how->x, n_x);
    for (uint32_t o = 0, n; o < how->codes.channels; o += n) {
        QcKCodes codes = how->codes;
        n = codes.channels - o < QC_K_LANES ? codes.channels - o : QC_K_LANES;
        codes.first += o * codes.row;
        codes.channels = n;
        qc_kernels_scalar.unpack(w, sum, &codes);
        for (uint32_t i = 0; i < taps * QC_K_LANES; i++) w[i] = w[4 * i];
        for (uint32_t i = 0; i < n; i++) bias[i] = how->bias[o + i] - how->zero_in * sum[i];
        QcKDot dot = {how->positions, how->step, taps, 0, how->segment, 0};
        for (uint32_t row = 0; row < how->rows; row++) {
            qc_kernels_scalar.depthwise(acc, x + (size_t)row * how->row_step + o, w, &dot);
            qc_kernels_scalar.rescale(out + (size_t)row * how->positions * how->out_step + o, acc, bias,
                                      how->multiplier + o, how->shift + o, how->positions, n, QC_K_LANES, how->out_step,
                                      how->zero, how->low, how->high);
        }
    }
    free(x);
    free(w);
    free(acc);
}

static void check_depthwise(uint32_t rows, uint32_t positions, uint32_t taps, uint32_t channels, int bits,
                            uint32_t fill)
{
    uint32_t segment[32], last = 0, first = pick(0, 1) * pick(0, 40), row = taps + pick(0, 1) * 3,
                          step = pick(0, 3) * channels, row_step = pick(0, 60), out_step = channels + pick(0, 1) * 5;
    for (uint32_t s = 0; s < taps; s++) segment[s] = pick(0, 80), last = segment[s] > last ? segment[s] : last;
    size_t n_x = (size_t)(rows - 1) * row_step + (size_t)(positions - 1) * step + last + channels,
           n_bytes = ((size_t)(first + (channels - 1) * row + taps) * (uint32_t)bits + 7) / 8;
    size_t n_out = (size_t)(rows * positions - 1) * out_step + channels;
    uint8_t *x = edge(0, n_x), *bytes = edge(1, n_bytes), *shift = edge(4, channels),
            *expected = edge_filled(5, n_out, 0x55);
    int32_t *bias = edge(2, channels * 4), *multiplier = edge(3, channels * 4);
    fill_bytes(x, n_x, fill & 3);
    fill_bytes(bytes, n_bytes, fill >> 2 & 3);
    for (uint32_t o = 0; o < channels; o++) {
        bias[o] = (int32_t)pick(0, 2000) - 1000;
        multiplier[o] = (int32_t)pick(1u << 30, (1u << 31) - 1);
        shift[o] = (uint8_t)(fill & 16 ? pick(1, 62) : 31 + (uint32_t)bits / 2 + pick(0, 2));
    }
    QcKConv how = {x,
                   {bytes, first, row, channels, taps, 1, bits},
                   segment,
                   rows,
                   row_step,
                   positions,
                   step,
                   bias,
                   multiplier,
                   shift,
                   (int32_t)pick(0, 1) * 128,
                   0,
                   0,
                   out_step,
                   (int32_t)pick(0, 255),
                   (int32_t)pick(0, 20),
                   255 - (int32_t)pick(0, 1) * 60,
                   NULL,
                   64 * pick(0, 300)};
    how.scratch = edge(7, how.scratch_bytes);
    plain_depthwise(expected, &how, n_x);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        uint8_t *got = edge_filled(6, n_out, 0x55);
        if (!(*k)->depthwise_conv) continue;
        if ((*k)->depthwise_conv(got, &how)) {
            convs_done++;
            ck_assert_msg(memcmp(got, expected, n_out) == 0,
                          "%s: %u x %u positions, step %u, %u taps, %u channels, %d bits, fill %u", (*k)->name, rows,
                          positions, step, taps, channels, bits, fill);
        } else {
            for (size_t i = 0; i < n_out; i++)
                if (got[i] != 0x55) ck_abort_msg("value %zu was written", i);
        }
    }
}

START_TEST(depthwise_conv_equals_scalar)
{
    int bits = 2 << _i, is_there = 0;
    convs_done = 0;
    for (uint32_t channels = 1; channels <= 70; channels++)
        check_depthwise(1 + channels % 3, pick(1, 9), pick(1, 12), channels, bits, channels % 32);
    for (uint32_t taps = 1; taps <= 32; taps++) check_depthwise(pick(1, 3), pick(1, 9), taps, pick(1, 40), bits, taps);
    for (uint32_t fill = 0; fill < 16; fill++) check_depthwise(2, 7, 9, 16, bits, fill);
    /* side by side now and then */
    for (uint32_t positions = 1; positions <= 40; positions++) check_depthwise(2, positions, 9, 8, bits, 0);
    for (uint32_t positions = 1; positions <= 40; positions += SPARSE) /* vectors of one, two, four, eight positions */
        for (uint32_t channels = 8; channels <= 128; channels *= 2) {
            check_depthwise(2, positions, 1 + positions % 13, channels, bits, positions % 32);
            check_depthwise(1, positions, 9, channels + channels / 2, bits, positions % 16);
        }
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) is_there |= (*k)->depthwise_conv != NULL;
    if (is_there) ck_assert_uint_ge(convs_done, 20);
}
END_TEST

START_TEST(linear_equals_scalar) /* of all lengths around a word of codes, and rows that begin anywhere in a byte */
{
    int bits = 2 << _i;
    lines_done = 0;
    for (uint32_t length = 1; length <= 100; length += SPARSE) check_linear(1, length, pick(1, 20), bits, length % 16);
    for (uint32_t channels = 1; channels <= 20; channels++)
        check_linear(1 + channels % 4, pick(1, 70), channels, bits, channels % 16);
    for (uint32_t fill = 0; fill < 16; fill++) check_linear(1, 640, 9, bits, fill);
    check_linear(1, 5000, 5, bits, 5);
    ck_assert_uint_ge(lines_done, 30);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernelconvs");
    TCase *t = tcase_create("kernelconvs");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, conv_of_series_equals_scalar, 0, 3);
    tcase_add_loop_test(t, conv_equals_scalar, 0, 3);
    tcase_add_loop_test(t, depthwise_conv_equals_scalar, 0, 3);
    tcase_add_loop_test(t, linear_equals_scalar, 0, 3);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
