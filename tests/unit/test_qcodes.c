/* Weights packed as codes, and floats that become the codes of an input. Reading gives what was set, halves round
 * away from zero, values that are no number do no harm. */
#include <math.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/device/qgraph.h"

START_TEST(packed_codes_round_trip)
{
    int bits = 2 << _i;
    enum { N = 37 };
    uint8_t bytes[2 + N] = { 0 };
    bytes[0] = bytes[1 + (N * bits + 7) / 8] = 0x5a;
    QcQGraph g = { .codes = bytes, .bits = (uint8_t)bits };
    QcQNode node = { .code_byte = 1, .n_codes = N };
    int32_t expected[N] = { 0 };
    QcRng rng = qc_rng_seed(1, (uint64_t)_i);
    for (int round = 0; round < 500; round++) {
        uint32_t j = qc_rng_below(&rng, N);
        expected[j] = (int32_t)qc_rng_below(&rng, 1u << bits) - (1 << (bits - 1));
        qc_code_set(&g, &node, j, expected[j]);
        for (uint32_t i = 0; i < N; i++) ck_assert_int_eq(qc_code_get(&g, &node, i), expected[i]);
    }
    ck_assert_uint_eq(bytes[0], 0x5a);
    ck_assert_uint_eq(bytes[1 + (N * bits + 7) / 8], 0x5a);
    qc_code_set(&g, &node, 1, -1); /* the order of bits in a byte is part of the format */
    qc_code_set(&g, &node, 0, 1);
    ck_assert_uint_eq(bytes[1] & (bits == 8 ? 0xff : (1 << 2 * bits) - 1), bits == 8 ? 1 : bits == 4 ? 0xf1 : 0xd);
}
END_TEST

START_TEST(input_rounds_half_away_from_zero)
{
    QcQTensor t = { .bits = 8, .zero = 128, .scale = 0.5f };
    float x[] = { 0,      0.25f, -0.25f,  0.2499999f, -0.2499999f, 0.75f,    -0.75f,    63.5f,
                  63.75f, -64,   -64.25f, 1e30f,      -1e30f,      INFINITY, -INFINITY, NAN };
    uint8_t expected[] = { 128, 129, 127, 128, 128, 130, 126, 255, 255, 0, 0, 255, 0, 255, 0, 0 }, q[16];
    qc_q_input(q, x, 16, &t);
    ck_assert_mem_eq(q, expected, 16);
    QcQTensor narrow = { .bits = 4, .zero = 0, .scale = 1 };
    qc_q_input(q, (float[]){ -1, 0.49999997f, 7.5f, 15.4f, 15.6f }, 5, &narrow);
    ck_assert_mem_eq(q, ((uint8_t[]){ 0, 0, 8, 15, 15 }), 5);
    QcRng rng = qc_rng_seed(7, 7);
    for (int i = 0; i < 100000; i++) {
        float value = (qc_rng_unit(&rng) - 0.5f) * 200;
        t.scale = 0.01f + qc_rng_unit(&rng);
        qc_q_input(q, &value, 1, &t);
        ck_assert_int_eq(q[0], (int)fmin(fmax(round((double)(value / t.scale)) + 128, 0), 255));
    }
}
END_TEST

START_TEST(frames_are_normalized_before_quantization) /* of channels that fill vectors and that do not */
{
    enum { STEPS = 5, MOST = 11 };
    QcQTensor t = {.bits = 8, .zero = 128, .scale = 0.07f};
    QcRng rng = qc_rng_seed(7, 8);
    float x[STEPS * MOST], mean[MOST], deviation[MOST];
    uint8_t q[STEPS * MOST + 1], expected;
    for (uint32_t channels = 1; channels <= MOST; channels++) {
        for (uint32_t c = 0; c < channels; c++)
            mean[c] = qc_rng_unit(&rng) * 10 - 5, deviation[c] = 0.1f + qc_rng_unit(&rng);
        for (uint32_t i = 0; i < STEPS * channels; i++) x[i] = qc_rng_unit(&rng) * 20 - 10;
        x[0] = NAN;
        q[STEPS * channels] = 0x5a;
        qc_q_frames(q, x, STEPS, channels, mean, deviation, &t);
        for (uint32_t i = 0; i < STEPS * channels; i++) {
            float normal = (x[i] - mean[i % channels]) / deviation[i % channels];
            qc_q_input(&expected, &normal, 1, &t);
            ck_assert_uint_eq(q[i], expected);
        }
        ck_assert_uint_eq(q[STEPS * channels], 0x5a);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qcodes");
    TCase *t = tcase_create("qcodes");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, packed_codes_round_trip, 0, 3);
    tcase_add_test(t, input_rounds_half_away_from_zero);
    tcase_add_test(t, frames_are_normalized_before_quantization);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
