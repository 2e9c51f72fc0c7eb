/* What the device calculates with, against libm; and its coreset: what is reserved stays, what is drawn is drawn with the promised odds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/device/qmath.h"
#include "../../lib/device/slots.h"

/* ---- arithmetic ---- */

static double worst_of(float (*ours)(float), double (*theirs)(double), float (*next)(QcRng *rng), int n)
{
    QcRng rng = qc_rng_seed(1, 1);
    double worst = 0;
    for (int i = 0; i < n; i++) {
        float x = next(&rng);
        double exact = theirs((double)x);
        if (exact != 0) worst = fmax(worst, fabs((double)ours(x) / exact - 1));
    }
    return worst;
}

static float any_size(QcRng *rng) { return ldexpf(1 + qc_rng_unit(rng), (int)qc_rng_below(rng, 252) - 126); }
static float about_one(QcRng *rng) { return 0.3f + 3 * qc_rng_unit(rng); }
static float next_to_one(QcRng *rng) { return 1 + 0x1p-23f * (float)((int)qc_rng_below(rng, 4000) - 1000); }
static float exponent(QcRng *rng) { return 174 * qc_rng_unit(rng) - 87; }
static float small_exponent(QcRng *rng) { return 2 * qc_rng_unit(rng) - 1; }
static float own_ln(float x) { return qc_ln(x); }
static float own_exp(float x) { return qc_exp(x); }
static float own_sqrt(float x) { return qc_sqrt(x); }
static float unit_above_zero(QcRng *rng) { return ((float)(qc_rng_next(rng) >> 41) + 0.5f) * 0x1p-23f; }

START_TEST(arithmetic_is_that_of_libm)
{
    const struct {
        const char *what;
        float (*ours)(float);
        double (*theirs)(double);
        float (*next)(QcRng *rng);
    } cases[] = {
        {"ln of any size", own_ln, log, any_size},          {"ln about 1", own_ln, log, about_one}, {"ln next to 1", own_ln, log, next_to_one},
        {"ln of a unit draw", own_ln, log, unit_above_zero}, {"exp", own_exp, exp, exponent},        {"exp about 0", own_exp, exp, small_exponent},
        {"sqrt about 1", own_sqrt, sqrt, about_one},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double worst = worst_of(cases[i].ours, cases[i].theirs, cases[i].next, 200000);
        ck_assert_msg(worst < 3e-7, "%s: off by %g", cases[i].what, worst);
    }
    for (int e = -99; e < 128; e++) ck_assert(fabs((double)qc_sqrt(ldexpf(1.3f, e)) / sqrt(ldexp((double)1.3f, e)) - 1) < 3e-7);
    ck_assert_float_eq(qc_ln(1), 0);
    ck_assert_float_eq(qc_exp(0), 1);
    ck_assert_float_eq(qc_exp(-88), 0);
    ck_assert_float_eq(qc_exp(-INFINITY), 0);
    ck_assert_float_eq(qc_exp(1e30f), qc_exp(87));
    ck_assert_float_eq(qc_sqrt(0), 0);
    ck_assert_float_eq(qc_sqrt(-1), 0);
    ck_assert_float_eq(qc_sqrt(4), 2);
    ck_assert(qc_ln(1 - 0x1p-24f) < 0); /* the largest draw still has a key above zero */
}
END_TEST

/* ---- slots ---- */

enum { CAPACITY = 12, WINDOW = 5, BATCH = 9 };

typedef struct Device {
    _Alignas(64) uint8_t memory[4096];
    QcSlots slots;
    float keys[CAPACITY + BATCH];
    uint8_t x[BATCH * WINDOW];
    uint16_t label[BATCH], misses[BATCH];
    uint64_t id[BATCH], next_id;
    uint8_t ever[BATCH];
    QcRng rng;
} Device;

static Device d;

/* A window says which example it is. */
static void window_of(uint8_t *x, uint64_t id)
{
    for (int i = 0; i < WINDOW; i++) x[i] = (uint8_t)(id * 7 + (uint64_t)i);
}

static void fill_slot(uint32_t s, uint8_t flags, uint16_t misses)
{
    d.slots.flags[s] = flags;
    d.slots.id[s] = d.next_id;
    d.slots.label[s] = (uint16_t)(d.next_id % 4);
    d.slots.misses[s] = misses;
    window_of(d.slots.x + s * WINDOW, d.next_id++);
}

static void device_begin(uint64_t seed)
{
    QcPlacing p = {.memory = d.memory};
    qc_slots_place(&d.slots, CAPACITY, WINDOW, &p);
    ck_assert_uint_le(p.used, sizeof d.memory);
    d.rng = qc_rng_seed(seed, 2);
    d.next_id = 100;
    memset(d.slots.flags, QC_SLOT_EMPTY, CAPACITY);
}

static QcArrivals arrive(uint32_t n, uint64_t seen)
{
    for (uint32_t i = 0; i < n; i++) {
        d.id[i] = d.next_id++;
        d.label[i] = (uint16_t)(d.id[i] % 4);
        d.misses[i] = (uint16_t)qc_rng_below(&d.rng, 5);
        d.ever[i] = (uint8_t)qc_rng_below(&d.rng, 2);
        window_of(d.x + i * WINDOW, d.id[i]);
    }
    return (QcArrivals){n, d.x, d.label, d.id, d.misses, d.ever, seen};
}

static uint32_t check_slots(void)
{
    uint32_t filled = 0;
    for (uint32_t s = 0; s < CAPACITY; s++) {
        uint8_t x[WINDOW];
        if (d.slots.flags[s] & QC_SLOT_EMPTY) continue;
        filled++;
        window_of(x, d.slots.id[s]);
        ck_assert_mem_eq(d.slots.x + s * WINDOW, x, WINDOW); /* the window, label and id of one example stay together */
        ck_assert_uint_eq(d.slots.label[s], d.slots.id[s] % 4);
        for (uint32_t o = 0; o < s; o++) ck_assert((d.slots.flags[o] & QC_SLOT_EMPTY) || d.slots.id[o] != d.slots.id[s]);
    }
    return filled;
}

START_TEST(reserved_slots_outlive_every_batch)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        device_begin(seed);
        for (uint32_t s = 0; s < 10; s++) fill_slot(s, s % 3 ? QC_SLOT_RESERVED : 0, (uint16_t)(s % 4)); /* 6 reserved, 4 open, 2 empty */
        uint64_t before[CAPACITY], seen = 0;
        memcpy(before, d.slots.id, sizeof before);
        for (int batch = 0; batch < 12; batch++) {
            QcArrivals a = arrive(batch == 5 ? 0 : 1 + qc_rng_below(&d.rng, BATCH), seen);
            uint32_t was = check_slots();
            qc_slots_update(&d.slots, &a, (QcUpdate)_i, &d.rng, d.keys);
            uint32_t filled = check_slots();
            ck_assert_msg(_i == QC_UPDATE_RESERVOIR || filled == (was + a.n < CAPACITY ? was + a.n : CAPACITY), "%d slots of %d", (int)filled, CAPACITY);
            for (uint32_t s = 0; s < 10; s++)
                if (s % 3) ck_assert(d.slots.id[s] == before[s] && d.slots.flags[s] == QC_SLOT_RESERVED && d.slots.misses[s] == s % 4);
            for (uint32_t s = 0; s < CAPACITY; s++) /* what came with this batch kept its record */
                for (uint32_t i = 0; i < a.n; i++) {
                    if ((d.slots.flags[s] & QC_SLOT_EMPTY) || d.slots.id[s] != d.id[i]) continue;
                    ck_assert_uint_eq(d.slots.flags[s], QC_SLOT_STREAM | (d.ever[i] ? 0 : QC_SLOT_NEVER_RIGHT));
                    ck_assert_uint_eq(d.slots.misses[s], d.misses[i]);
                }
            seen += a.n;
        }
        uint32_t stream = 0;
        for (uint32_t s = 0; s < CAPACITY; s++) stream += !(d.slots.flags[s] & QC_SLOT_EMPTY) && (d.slots.flags[s] & QC_SLOT_STREAM);
        ck_assert_uint_ge(stream, _i == QC_UPDATE_RESERVOIR ? 6 : 3);
        ck_assert_uint_eq(check_slots(), CAPACITY); /* more came than there is room for: none stays empty */
    }
}
END_TEST

START_TEST(empty_slots_take_what_comes)
{
    device_begin(1);
    QcArrivals a = arrive(3, 0);
    qc_slots_update(&d.slots, &a, (QcUpdate)_i, &d.rng, d.keys);
    ck_assert_uint_eq(check_slots(), 3);
    a = arrive(4, 3);
    qc_slots_update(&d.slots, &a, (QcUpdate)_i, &d.rng, d.keys);
    ck_assert_uint_eq(check_slots(), 7);
}
END_TEST

START_TEST(an_example_that_comes_again_is_not_kept_twice)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        device_begin(seed);
        for (uint32_t s = 0; s < 4; s++) fill_slot(s, QC_SLOT_RESERVED, 1);
        fill_slot(4, 0, 2);
        for (uint64_t round = 0; round < 6; round++) {
            d.next_id = 102; /* two that are reserved, one that is open, then new ones, again and again */
            QcArrivals a = arrive(BATCH, round * BATCH);
            qc_slots_update(&d.slots, &a, (QcUpdate)_i, &d.rng, d.keys);
            check_slots();
        }
    }
}
END_TEST

START_TEST(no_room_no_change)
{
    device_begin(1);
    for (uint32_t s = 0; s < CAPACITY; s++) fill_slot(s, QC_SLOT_RESERVED, 1);
    Device before = d;
    QcArrivals a = arrive(BATCH, 0);
    qc_slots_update(&d.slots, &a, (QcUpdate)_i, &d.rng, d.keys);
    ck_assert_mem_eq(d.memory, before.memory, sizeof d.memory);
}
END_TEST

/* ---- odds ---- */

enum { TRIALS = 20000, CANDIDATES = 6 };

/* One open slot with an example in it and five that come: the winner is drawn by weight. Weights by method.md: misses + .1 + .5 [never right]. */
START_TEST(one_slot_is_won_by_weight)
{
    const uint16_t misses[CANDIDATES] = {1, 0, 0, 2, 3, 1};
    const uint8_t ever[CANDIDATES] = {1, 1, 0, 1, 0, 1};
    const uint16_t label[CANDIDATES] = {0, 0, 0, 0, 1, 1};
    double weight[CANDIDATES], sum = 0;
    uint32_t won[CANDIDATES] = {0};
    for (int i = 0; i < CANDIDATES; i++) {
        weight[i] = _i == QC_UPDATE_RANDOM ? 1 : misses[i] + 0.1 + (ever[i] ? 0 : 0.5);
        if (_i == QC_UPDATE_BALANCED && !i) weight[i] = 0; /* it is not of the stream, and gives way; the first of each class vie for the slot */
        sum += weight[i];
    }
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        QcPlacing p = {.memory = d.memory};
        qc_slots_place(&d.slots, 1, WINDOW, &p);
        QcRng rng = qc_rng_seed(trial, 3);
        QcArrivals a = {CANDIDATES - 1, d.x, label + 1, d.id, misses + 1, ever + 1, 0};
        for (uint64_t i = 0; i + 1 < CANDIDATES; i++) d.id[i] = i + 1;
        d.slots.id[0] = 0, d.slots.label[0] = label[0], d.slots.misses[0] = misses[0], d.slots.flags[0] = 0;
        qc_slots_update(&d.slots, &a, (QcUpdate)_i, &rng, d.keys);
        won[d.slots.id[0]]++;
    }
    double chi = 0;
    for (int i = 0; i < CANDIDATES; i++) {
        if (weight[i] == 0) ck_assert_uint_eq(won[i], 0);
        else chi += pow(won[i] - TRIALS * weight[i] / sum, 2) / (TRIALS * weight[i] / sum);
    }
    ck_assert_msg(chi < 20.5, "chi square of 5 degrees: %g (one in a thousand is above 20.5)", chi);
}
END_TEST

/* Two slots and three candidates: who stays out is the one not drawn in two draws without replacement. */
START_TEST(two_slots_are_won_without_replacement)
{
    const double weight[3] = {0.1, 1.1, 3.1};
    const uint16_t misses[3] = {0, 1, 3}, label[3] = {0, 0, 0};
    const uint8_t ever[3] = {1, 1, 1};
    uint32_t out[3] = {0};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        QcPlacing p = {.memory = d.memory};
        qc_slots_place(&d.slots, 2, WINDOW, &p);
        memset(d.slots.flags, QC_SLOT_EMPTY, 2);
        QcRng rng = qc_rng_seed(trial, 4);
        for (uint64_t i = 0; i < 3; i++) d.id[i] = i;
        QcArrivals a = {3, d.x, label, d.id, misses, ever, 0};
        qc_slots_update(&d.slots, &a, QC_UPDATE_MISSES, &rng, d.keys);
        ck_assert(d.slots.id[0] != d.slots.id[1] && d.slots.id[0] < 3 && d.slots.id[1] < 3);
        out[3 - d.slots.id[0] - d.slots.id[1]]++;
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        double sum = weight[0] + weight[1] + weight[2];
        double p = weight[j] / sum * weight[k] / (sum - weight[j]) + weight[k] / sum * weight[j] / (sum - weight[k]);
        ck_assert_msg(fabs(out[i] - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)), "%d stays out %d times, not %.0f", i, (int)out[i], TRIALS * p);
    }
}
END_TEST

/* By turns: of each class as many as of any other, as far as there are any; a class that comes later gets its share. */
START_TEST(balanced_slots_hold_the_classes_evenly)
{
    const uint16_t labels[2][BATCH] = {{0, 0, 0, 0, 0, 1, 1, 2, 2}, {3, 3, 3, 3, 3, 3, 3, 3, 3}};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        QcPlacing p = {.memory = d.memory};
        uint32_t of_class[4];
        qc_slots_place(&d.slots, 6, WINDOW, &p);
        memset(d.slots.flags, QC_SLOT_EMPTY, 6);
        QcRng rng = qc_rng_seed(seed, 6);
        for (uint64_t batch = 0; batch < 2; batch++) {
            for (uint64_t i = 0; i < BATCH; i++) d.id[i] = 100 * batch + i, d.misses[i] = (uint16_t)(i % 3), d.ever[i] = i % 2;
            QcArrivals a = {BATCH, d.x, labels[batch], d.id, d.misses, d.ever, BATCH * batch};
            qc_slots_update(&d.slots, &a, QC_UPDATE_BALANCED, &rng, d.keys);
            memset(of_class, 0, sizeof of_class);
            for (uint32_t s = 0; s < 6; s++) ck_assert(!(d.slots.flags[s] & QC_SLOT_EMPTY)), of_class[d.slots.label[s]]++;
            for (uint32_t k = 0; k < 4; k++) ck_assert(batch ? of_class[k] == 1 || of_class[k] == 2 : of_class[k] == (k < 3 ? 2 : 0));
        }
    }
}
END_TEST

/* A reservoir of 4 out of a stream of 23, in batches of 5, 9, 9: each example is in it with probability 4/23. */
START_TEST(a_reservoir_favours_nobody)
{
    enum { STREAM = 23, ROOM = 4 };
    uint32_t kept[STREAM] = {0};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        QcPlacing p = {.memory = d.memory};
        qc_slots_place(&d.slots, ROOM + 1, WINDOW, &p);
        memset(d.slots.flags, QC_SLOT_EMPTY, ROOM + 1);
        d.slots.flags[2] = QC_SLOT_RESERVED;
        d.slots.id[2] = 999;
        QcRng rng = qc_rng_seed(trial, 5);
        for (uint64_t seen = 0; seen < STREAM;) {
            uint32_t n = seen ? 9 : 5;
            for (uint32_t i = 0; i < n; i++) d.id[i] = seen + i;
            QcArrivals a = {n, d.x, d.label, d.id, d.misses, d.ever, seen};
            qc_slots_update(&d.slots, &a, QC_UPDATE_RESERVOIR, &rng, d.keys);
            seen += n;
        }
        ck_assert_uint_eq(d.slots.id[2], 999);
        for (uint32_t s = 0; s < ROOM + 1; s++)
            if (s != 2) kept[d.slots.id[s]]++;
    }
    double p = (double)ROOM / STREAM;
    for (int i = 0; i < STREAM; i++)
        ck_assert_msg(fabs(kept[i] - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)), "example %d is kept %d times, not %.0f", i, (int)kept[i], TRIALS * p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tests = tcase_create("slots");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, arithmetic_is_that_of_libm);
    tcase_add_loop_test(tests, reserved_slots_outlive_every_batch, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, empty_slots_take_what_comes, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, an_example_that_comes_again_is_not_kept_twice, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, no_room_no_change, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, one_slot_is_won_by_weight, 0, QC_UPDATE_RESERVOIR);
    tcase_add_test(tests, two_slots_are_won_without_replacement);
    tcase_add_test(tests, balanced_slots_hold_the_classes_evenly);
    tcase_add_test(tests, a_reservoir_favours_nobody);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
