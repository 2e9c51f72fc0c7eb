/* test_kernels.c - every kernel table compared with scalar, byte for byte. Sizes are all small sizes, values are
 * extreme, arrays have any alignment and end at an unreadable page. test_qgraph.c tests scalar itself. */
#include "suite.h"
#include "edges.h"

#include <stdlib.h>
#include <string.h>

#define EACH_FAST(k) for (const QcKernels *const *k = qc_kernels_available() + 1; *k; k++)

/* ---- dot and unpack ---- */

static void check_dot(uint32_t positions, uint32_t blocks, uint32_t segments, uint32_t run, int bits, uint32_t fill)
{
    uint32_t offsets[4] = {pick(0, 3), pick(0, 99), pick(0, 9), pick(0, 50)}, step = pick(0, 2) ? pick(1, 40) : 0,
             last = 0;
    for (uint32_t s = 0; s < segments; s++) last = offsets[s] > last ? offsets[s] : last;
    QcKDot how = { positions, step, segments, run, offsets, blocks };
    size_t n_x = (positions ? positions - 1 : 0) * step + last + run + QC_K_SLACK,
           n_w = (size_t)blocks * QC_K_LANES * segments * run;
    size_t n_acc = (size_t)positions * blocks * QC_K_LANES;
    uint8_t *x = edge(0, n_x);
    int8_t *w = edge(1, n_w);
    fill_bytes(x, n_x, fill == 3 ? 1 : fill);
    for (size_t i = 0; i < n_w; i++) {
        int32_t least = -(1 << (bits - 1)), most = -least - 1, sign = (int32_t)pick(0, 1);
        w[i] = (int8_t)(fill == 1   ? least
                        : fill == 3 ? most
                        : fill == 2 ? (sign ? least : most)
                                    : (int32_t)pick(0, (1u << bits) - 1) + least);
    }
    int32_t *expected = edge_filled(2, n_acc * 4, 0x33);
    qc_kernels_scalar.dot(expected, x, w, &how, bits);
    EACH_FAST(k) {
        int32_t *got = edge_filled(3, n_acc * 4, 0x44);
        (*k)->dot(got, x, w, &how, bits);
        ck_assert_msg(memcmp(got, expected, n_acc * 4) == 0, "%s: %u positions, %u blocks, %u x %u, %d bits, fill %u",
                      (*k)->name, positions, blocks, segments, run, bits, fill);
    }
}

START_TEST(dot_equals_scalar)
{
    int bits = 2 << _i;
    for (uint32_t fill = 0; fill < 4; fill++) {
        for (uint32_t positions = 0; positions <= 9; positions++)
            for (uint32_t blocks = 1; blocks <= 5; blocks++)
                for (uint32_t run = 4; run <= 44; run += 4)
                    check_dot(positions, blocks, 1 + (run + blocks) % 3, run, bits, fill);
        /* around the longest 16-bit sums */
        for (uint32_t run = 116; run <= 140; run += 4) check_dot(7, 3, 2, run, bits, fill);
        check_dot(6, 3, 1, 40000, bits, fill);
        check_dot(5, 2, 4, 1248, bits, fill);
    }
}
END_TEST

START_TEST(depthwise_sum_equals_scalar)
{
    for (uint32_t fill = 0; fill < 4; fill++)
        for (uint32_t positions = 0; positions <= 9; positions++)
            for (uint32_t segments = 1; segments <= 12; segments++) {
                uint32_t offsets[12], step = pick(0, 20), last = 0;
                for (uint32_t s = 0; s < segments; s++)
                    offsets[s] = pick(0, 60), last = offsets[s] > last ? offsets[s] : last;
                QcKDot how = { positions, step, segments, 0, offsets, 0 };
                size_t n_x = (positions ? positions - 1 : 0) * step + last + QC_K_LANES,
                       n_acc = (size_t)positions * QC_K_LANES;
                uint8_t *x = edge(0, n_x);
                int8_t *w = edge(1, segments * QC_K_LANES);
                fill_bytes(x, n_x, fill == 3 ? 1 : fill);
                fill_bytes((uint8_t *)w, segments * QC_K_LANES, fill);
                int32_t *expected = edge_filled(2, n_acc * 4, 0x33);
                qc_kernels_scalar.depthwise(expected, x, w, &how);
                EACH_FAST(k) {
                    int32_t *got = edge_filled(3, n_acc * 4, 0x44);
                    (*k)->depthwise(got, x, w, &how);
                    ck_assert_msg(memcmp(got, expected, n_acc * 4) == 0, "%s: %u positions, %u segments, fill %u",
                                  (*k)->name, positions, segments, fill);
                }
            }
}
END_TEST

static void check_unpack(uint32_t channels, uint32_t segments, uint32_t length, uint32_t first, int bits, uint32_t fill)
{
    uint32_t blocks = round_up(channels, QC_K_LANES) / QC_K_LANES,
             row = segments * length + (pick(0, 1) ? pick(0, 70) : 0);
    size_t n_bytes = ((size_t)(first + (channels - 1) * row + segments * length) * (uint32_t)bits + 7) / 8;
    size_t n_w = (size_t)blocks * QC_K_LANES * segments * round_up(length, 4), n_sum = (size_t)blocks * QC_K_LANES * 4;
    uint8_t *bytes = edge(0, n_bytes);
    fill_bytes(bytes, n_bytes, fill);
    QcKCodes codes = { bytes, first, row, channels, segments, length, bits };
    int8_t *w = edge_filled(1, n_w, 0x33);
    int32_t *sum = edge_filled(2, n_sum, 0x33);
    qc_kernels_scalar.unpack(w, sum, &codes);
    EACH_FAST(k) {
        int8_t *got_w = edge_filled(3, n_w, 0x44);
        int32_t *got_sum = edge_filled(4, n_sum, 0x44);
        (*k)->unpack(got_w, got_sum, &codes);
        ck_assert_msg(memcmp(got_w, w, n_w) == 0 && memcmp(got_sum, sum, n_sum) == 0,
                      "%s: %u channels, %u x %u from %u, %d bits, fill %u", (*k)->name, channels, segments, length,
                      first, bits, fill);
    }
}

START_TEST(unpack_equals_scalar)
{
    int bits = 2 << _i;
    for (uint32_t channels = 1; channels <= 17; channels++)
        for (uint32_t length = 1; length <= 70; length++) {
            check_unpack(channels, 1, length, 0, bits, length % 4);
            check_unpack(channels, 1 + length % 3, length, pick(0, 40), bits, 0);
        }
    for (uint32_t fill = 0; fill < 4; fill++)
        for (uint32_t length = 600; length <= 640; length += 4) check_unpack(16, 1, length, 16 * length, bits, fill);
    check_unpack(16, 1, 40000, 0, bits, 3);
    check_unpack(16, 1, 40000, 0, bits, 1);
}
END_TEST

/* ---- rescale and add ---- */

static uint32_t pick_shift(uint32_t kind) /* long ones are what real models have */
{
    return kind == 0   ? pick(31, 45)
           : kind == 1 ? pick(1, 62)
           : kind == 2 ? (pick(0, 1) ? pick(29, 31) : 62)
                       : pick(28, 34);
}

static void check_rescale(uint32_t positions, uint32_t channels, uint32_t kind)
{
    uint32_t acc_step = channels + pick(0, 2) * 4, out_step = channels + pick(0, 2) * 5;
    size_t n_acc = positions ? (size_t)(positions - 1) * acc_step + channels : 0,
           n_out = positions ? (size_t)(positions - 1) * out_step + channels : 0;
    int32_t *acc = edge(0, n_acc * 4), *bias = edge(1, channels * 4), *multiplier = edge(2, channels * 4);
    uint8_t *shift = edge(3, channels);
    for (uint32_t o = 0; o < channels; o++) {
        bias[o] = (int32_t)pick(0, 2000) - 1000;
        multiplier[o] = kind == 2 && pick(0, 3) == 0 ? 0
                        : kind == 2                  ? INT32_MAX
                                                     : (int32_t)pick(1u << 30, (1u << 31) - 1);
        shift[o] = (uint8_t)pick_shift(kind);
    }
    for (size_t i = 0; i < n_acc; i++) {
        uint32_t wide = pick(0, 20);
        acc[i] = (int32_t)(pick(0, (1u << wide) - 1) << 10) - (1 << (wide + 9));
        if (kind == 2) acc[i] = pick(0, 1) ? INT32_MAX - 2000 : -INT32_MAX + 2000;
    }
    int32_t low = (int32_t)pick(0, 1) * (int32_t)pick(0, 200), high = low + (int32_t)pick(0, 255 - (uint32_t)low),
            zero = (int32_t)pick(0, 255);
    uint8_t *expected = edge_filled(4, n_out, 0x55);
    qc_kernels_scalar.rescale(expected, acc, bias, multiplier, shift, positions, channels, acc_step, out_step, zero,
                              low, high);
    EACH_FAST(k) {
        uint8_t *got = edge_filled(5, n_out, 0x55);
        (*k)->rescale(got, acc, bias, multiplier, shift, positions, channels, acc_step, out_step, zero, low, high);
        ck_assert_msg(memcmp(got, expected, n_out) == 0, "%s: %u positions, %u channels, kind %u", (*k)->name,
                      positions, channels, kind);
    }
}

START_TEST(rescale_equals_scalar)
{
    for (uint32_t round = 0; round < 20; round++)
        for (uint32_t positions = 0; positions <= 5; positions++)
            for (uint32_t channels = 1; channels <= 26; channels++) check_rescale(positions, channels, (uint32_t)_i);
}
END_TEST

START_TEST(rescaling_rounds_half_up)
{
    int32_t acc[8] = { 1, -1, 3, -3, 2, -2, 1000000, -1000000 }, bias[8] = { 0 }, multiplier[8];
    uint8_t shift[8], expected[8] = { 11, 10, 12, 9, 11, 9, 200, 5 }, got[8]; /* .5 -> 1, -.5 -> 0, 1.5 -> 2, -1.5 ->
                                                                                 -1 */
    for (int i = 0; i < 8; i++) multiplier[i] = 1 << 30, shift[i] = 31;
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        (*k)->rescale(got, acc, bias, multiplier, shift, 1, 8, 8, 8, 10, 5, 200);
        ck_assert_mem_eq(got, expected, 8);
    }
}
END_TEST

START_TEST(add_equals_scalar)
{
    for (uint32_t round = 0; round < 30; round++)
        for (uint32_t n = 0; n <= 70; n++) {
            uint8_t *a = edge(0, n), *b = edge(1, n), *expected = edge_filled(2, n, 1);
            fill_bytes(a, n, round % 4);
            fill_bytes(b, n, round / 4 % 4);
            int32_t low = (int32_t)pick(0, 128);
            QcKAdd how = { (int32_t)pick(0, 1) * 128,
                           (int32_t)pick(0, 255),
                           INT32_MAX - (int32_t)pick(0, 1u << (round + 1)),
                           INT32_MAX - (int32_t)pick(0, 9),
                           (int32_t)(round % 5 ? pick(28, 34) : pick(1, 62)),
                           (int32_t)pick(0, 255),
                           low,
                           (int32_t)pick((uint32_t)low, 255) };
            qc_kernels_scalar.add(expected, a, b, n, &how);
            EACH_FAST(k) {
                uint8_t *got = edge_filled(3, n, 2);
                (*k)->add(got, a, b, n, &how);
                ck_assert_msg(memcmp(got, expected, n) == 0, "%s: %u values, shift %d", (*k)->name, n, how.shift);
            }
        }
}
END_TEST

/* ---- masked sums, maxima ---- */

static void check_masked(uint32_t positions, uint32_t run, uint32_t channels, uint32_t fill)
{
    uint32_t step = pick(0, 3) ? pick(1, 40) : 0, mask_step = pick(0, 5) ? channels + pick(0, 1) * 3 : 0;
    size_t n_x = (positions ? (size_t)(positions - 1) * step + run : 0) + QC_K_SLACK,
           n_mask = positions ? (size_t)(positions - 1) * mask_step + channels : 0;
    uint8_t *x = edge(0, n_x), *mask = edge(1, n_mask);
    fill_bytes(x, n_x, fill);
    fill_bytes(mask, n_mask, fill == 0 ? 2 : fill);
    if (fill == 0)
        for (size_t i = 0; i < n_mask; i++) mask[i] = mask[i] ? (uint8_t)pick(1, 255) : 0;
    size_t n_sums = (size_t)channels * run * 4;
    int32_t *expected = edge_filled(2, n_sums, 0x33);
    qc_kernels_scalar.masked_sum(expected, x, mask, positions, step, mask_step, run, channels);
    EACH_FAST(k) {
        int32_t *got = edge_filled(3, n_sums, 0x44);
        (*k)->masked_sum(got, x, mask, positions, step, mask_step, run, channels);
        ck_assert_msg(memcmp(got, expected, n_sums) == 0, "%s: %u positions, run %u, %u channels, fill %u", (*k)->name,
                      positions, run, channels, fill);
    }
}

START_TEST(masked_sum_equals_scalar)
{
    uint32_t fill = (uint32_t)_i;
    for (uint32_t run = 1; run <= 100; run++)
        for (uint32_t channels = 1; channels <= 9; channels++) check_masked(pick(0, 9), run, channels, fill);
    for (uint32_t positions = 120; positions <= 135; positions++)
        check_masked(positions, 70, 5, fill); /* around the longest 16-bit sums */
    for (uint32_t positions = 0; positions <= 20; positions++) check_masked(positions, 33, 17, fill);
    for (uint32_t positions = 254; positions <= 259; positions++) check_masked(positions, 33, 5, fill);
    check_masked(1000, 40, 6, fill);
    check_masked(125, 624, 16, fill);
}
END_TEST

START_TEST(maximum_equals_scalar)
{
    for (uint32_t rows = 1; rows <= 5; rows++)
        for (uint32_t n = 0; n <= 100; n++) {
            uint32_t step = pick(0, 50);
            size_t n_x = (size_t)(rows - 1) * step + n;
            uint8_t *x = edge(0, n_x), *expected = edge_filled(1, n, 1);
            fill_bytes(x, n_x, n % 3);
            qc_kernels_scalar.max_rows(expected, x, rows, step, n);
            EACH_FAST(k) {
                uint8_t *got = edge_filled(2, n, 2);
                (*k)->max_rows(got, x, rows, step, n);
                ck_assert_mem_eq(got, expected, n);
            }
        }
}
END_TEST

START_TEST(moments_equal_formula)
{
    for (uint32_t positions = 1; positions <= 9; positions++)
        for (uint32_t n = 1; n <= 70; n += positions) {
            uint32_t step = pick(0, 50);
            size_t n_x = (size_t)(positions - 1) * step + n;
            uint8_t *x = edge(0, n_x);
            fill_bytes(x, n_x, n % 3);
            for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
                uint32_t *sum = edge_filled(1, n * 4, 1), *squares = edge_filled(2, n * 4, 2);
                (*k)->moments(sum, squares, x, positions, step, n);
                for (uint32_t i = 0; i < n; i++) {
                    uint32_t first = 0, second = 0;
                    for (uint32_t t = 0; t < positions; t++) {
                        first += x[t * step + i];
                        second += (uint32_t)x[t * step + i] * x[t * step + i];
                    }
                    ck_assert_uint_eq(sum[i], first);
                    ck_assert_uint_eq(squares[i], second);
                }
            }
        }
}
END_TEST

/* ---- the choice ---- */

START_TEST(float_loops_equal_scalar) /* to the bit, and near a sum in double */
{
    static float w[16 * 19], bias[16], in[19 * QC_K_LANES], out[16 * QC_K_LANES], first[16 * QC_K_LANES];
    static float sum[2][100], squares[2][100];
    static int32_t sums[100];
    for (uint32_t n_out = 1; n_out <= 16; n_out++) {
        uint32_t n_in = 1 + qc_rng_below(&rng, 19);
        int relu = (int)n_out & 1;
        for (uint32_t i = 0; i < n_out * n_in; i++) w[i] = (float)qc_rng_normal(&rng);
        for (uint32_t i = 0; i < n_out; i++) bias[i] = (float)qc_rng_normal(&rng);
        for (uint32_t i = 0; i < n_in * QC_K_LANES; i++) in[i] = (float)qc_rng_normal(&rng);
        qc_kernels_scalar.dense(first, in, w, bias, n_out, n_in, relu);
        for (uint32_t o = 0; o < n_out; o++)
            for (uint32_t k = 0; k < QC_K_LANES; k++) {
                double expected = (double)bias[o];
                for (uint32_t i = 0; i < n_in; i++)
                    expected += (double)w[o * n_in + i] * (double)in[i * QC_K_LANES + k];
                ck_assert_double_eq_tol((double)first[o * QC_K_LANES + k], relu && expected < 0 ? 0 : expected, 1e-5);
            }
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
            (*k)->dense(out, in, w, bias, n_out, n_in, relu);
            ck_assert_mem_eq(out, first, n_out * QC_K_LANES * sizeof *out);
        }
    }
    for (uint32_t n = 0; n <= 100; n++) {
        for (uint32_t i = 0; i < n; i++) sums[i] = (int32_t)qc_rng_below(&rng, 64000);
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
            int which = *k != &qc_kernels_scalar;
            for (uint32_t i = 0; i < n; i++) sum[which][i] = 0.5f, squares[which][i] = (float)i;
            (*k)->fold(sum[which], squares[which], sums, 31000, 0.37f, n);
            if (!which)
                for (uint32_t i = 0; i < n; i++) ck_assert_float_eq(sum[0][i], 0.5f + 0.37f * (float)(sums[i] - 31000));
            ck_assert_mem_eq(sum[which], sum[0], n * sizeof(float));
            ck_assert_mem_eq(squares[which], squares[0], n * sizeof(float));
        }
    }
}
END_TEST

/* Symmetric matrices as upper triangles: scalar against the plain definition in double precision, all others against
 * scalar, bit for bit. */
START_TEST(triangular_updates_equal_scalar_and_definition)
{
    enum { MOST = 70 };
    static float rows[4 * MOST], w[MOST], first[MOST * (MOST + 1) / 2], triangle[MOST * (MOST + 1) / 2],
        start[MOST * (MOST + 1) / 2], one[MOST], out[MOST], scaled[MOST];
    static int8_t codes[MOST];
    const float weight[4] = {0.5f, 2, 0, -1.25f};
    float first_dot = 0, first_of_codes = 0;
    for (uint32_t n = 0; n <= MOST; n += n < 20 ? 1 : 25) {
        uint32_t size = n * (n + 1) / 2;
        for (uint32_t i = 0; i < 4 * n; i++) rows[i] = (float)qc_rng_normal(&rng);
        for (uint32_t i = 0; i < n; i++) w[i] = (float)qc_rng_normal(&rng);
        for (uint32_t i = 0; i < n; i++) codes[i] = (int8_t)qc_rng_below(&rng, 256);
        for (uint32_t i = 0; i < size; i++) start[i] = (float)qc_rng_normal(&rng);
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
            int scalar = *k == &qc_kernels_scalar;
            float *sum = scalar ? first : triangle, *product = scalar ? one : out;
            memcpy(sum, start, size * sizeof *sum);
            (*k)->add_outer(sum, rows, weight, n);
            ck_assert_mem_eq(sum, first, size * sizeof *sum);
            for (uint32_t i = 0, at = 0; scalar && i < n; i++)
                for (uint32_t j = i; j < n; j++, at++) {
                    double expected = (double)start[at];
                    for (uint32_t r = 0; r < 4; r++)
                        expected += (double)weight[r] * (double)rows[r * n + i] * (double)rows[r * n + j];
                    ck_assert_double_eq_tol((double)sum[at], expected, 1e-4);
                }
            (*k)->multiply_triangle(product, start, w, n);
            ck_assert_mem_eq(product, one, n * sizeof *product);
            for (uint32_t i = 0; scalar && i < n; i++) {
                double expected = 0;
                for (uint32_t j = 0; j < n; j++) {
                    uint32_t low = i < j ? i : j, high = i < j ? j : i;
                    expected += (double)start[low * (2 * n - low + 1) / 2 + high - low] * (double)w[j];
                }
                ck_assert_double_eq_tol((double)product[i], expected, 1e-4);
            }
            float dot = (*k)->dot_floats(rows, w, n), of_codes = (*k)->dot_codes(codes, w, n);
            if (scalar) {
                double expected = 0, with_codes = 0;
                for (uint32_t i = 0; i < n; i++)
                    expected += (double)rows[i] * (double)w[i], with_codes += codes[i] * (double)w[i];
                ck_assert_double_eq_tol((double)dot, expected, 1e-4);
                ck_assert_double_eq_tol((double)of_codes, with_codes, 1e-2);
                first_dot = dot, first_of_codes = of_codes;
            }
            ck_assert(dot == first_dot && of_codes == first_of_codes);
            memcpy(scaled, rows, n * sizeof *scaled);
            (*k)->add_scaled(scaled, w, 0.3f, n);
            for (uint32_t i = 0; i < n; i++) ck_assert_float_eq(scaled[i], rows[i] + 0.3f * w[i]);
        }
    }
}
END_TEST

START_TEST(environment_selects_kernels) /* a process of its own each: the choice is made once */
{
    static const char *const names[] = { "scalar", "", "sse9", NULL };
    const char *wrong = NULL;
    uint32_t n = 0;
    const QcKernels *const *all = qc_kernels_available();
    while (all[n]) n++;
    ck_assert_ptr_eq(all[0], &qc_kernels_scalar);
    if (names[_i]) setenv("QC_ISA", names[_i], 1);
    else unsetenv("QC_ISA");
    const QcKernels *chosen = qc_kernels_choose(&wrong);
    if (_i == 2) {
        ck_assert_ptr_null(chosen);
        ck_assert_str_eq(wrong, "sse9");
        return;
    }
    ck_assert_ptr_null(wrong);
    ck_assert_ptr_eq(chosen, _i == 0 ? all[0] : all[n - 1]);
    setenv("QC_ISA", "sse9", 1);
    ck_assert_ptr_eq(qc_kernels_choose(&wrong), chosen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernels");
    TCase *t = tcase_create("kernels");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, dot_equals_scalar, 0, 3);
    tcase_add_test(t, depthwise_sum_equals_scalar);
    tcase_add_loop_test(t, unpack_equals_scalar, 0, 3);
    tcase_add_loop_test(t, rescale_equals_scalar, 0, 4);
    tcase_add_test(t, rescaling_rounds_half_up);
    tcase_add_test(t, add_equals_scalar);
    tcase_add_loop_test(t, masked_sum_equals_scalar, 0, 4);
    tcase_add_test(t, maximum_equals_scalar);
    tcase_add_test(t, moments_equal_formula);
    tcase_add_test(t, float_loops_equal_scalar);
    tcase_add_test(t, triangular_updates_equal_scalar_and_definition);
    tcase_add_loop_test(t, environment_selects_kernels, 0, 4);
    suite_add_tcase(suite, t);
    return run_suite_apart(suite);
}
