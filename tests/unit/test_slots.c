/* Examples that a learner keeps: reserved slots stay, the others are drawn with the promised probability. */
#include <math.h>
#include <string.h>

#include "suite.h"
#include "../../lib/device/slots.h"

enum { CAPACITY = 12, WINDOW = 5, FEATURES = 3, BATCH = 9, ROWS = 3 * BATCH };

typedef struct Device {
    _Alignas(64) uint8_t memory[4096];
    QcSlots slots;
    float keys[CAPACITY + BATCH];
    uint8_t x[BATCH * WINDOW], features[BATCH * FEATURES];
    uint16_t label[BATCH], misses[BATCH];
    uint64_t id[BATCH], next_id;
    uint8_t ever[BATCH];
    QcRng rng;
} Device;

static Device d;

/* A window and its features say which example they are of. */
static void window_of(uint8_t *x, uint64_t id)
{
    for (int i = 0; i < WINDOW; i++) x[i] = (uint8_t)(id * 7 + (uint64_t)i);
}

static void features_of(uint8_t *features, uint64_t id)
{
    for (int i = 0; i < FEATURES; i++) features[i] = (uint8_t)(id * 11 + 3 * (uint64_t)i);
}

static void fill_slot(uint32_t s, uint8_t flags, uint16_t misses)
{
    d.slots.flags[s] = flags;
    d.slots.id[s] = d.next_id;
    d.slots.label[s] = (uint16_t)(d.next_id % 4);
    d.slots.misses[s] = misses;
    window_of(qc_slot_window(&d.slots, s), d.next_id);
    features_of(qc_slot_features(&d.slots, s), d.next_id++);
}

static void device_begin(uint64_t seed)
{
    QcPlacing p = {.memory = d.memory};
    qc_slots_place(&d.slots, CAPACITY, WINDOW, FEATURES, &p);
    ck_assert_uint_le(p.used, sizeof d.memory);
    d.rng = qc_rng_seed(seed, 2);
    d.next_id = 100;
    qc_slots_clear(&d.slots);
}

/* A smaller place for examples that are labels and ids alone. */
static void begin_empty(uint32_t capacity)
{
    QcPlacing p = {.memory = d.memory};
    qc_slots_place(&d.slots, capacity, 0, 0, &p);
    qc_slots_clear(&d.slots);
}

static void update(const QcBatch *batch, uint64_t seen, QcUpdate rule)
{
    qc_slots_update(&d.slots, batch, d.misses, d.ever, seen, rule, &d.rng, d.keys);
}

static QcBatch make_batch(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        d.id[i] = d.next_id++;
        d.label[i] = (uint16_t)(d.id[i] % 4);
        d.misses[i] = (uint16_t)qc_rng_below(&d.rng, 5);
        d.ever[i] = (uint8_t)qc_rng_below(&d.rng, 2);
        window_of(d.x + i * WINDOW, d.id[i]);
        features_of(d.features + i * FEATURES, d.id[i]);
    }
    return (QcBatch){n, NULL, d.x, d.features, d.label, d.id};
}

static uint32_t check_slots(void)
{
    uint32_t filled = 0;
    for (uint32_t s = 0; s < CAPACITY; s++) {
        uint8_t x[WINDOW], features[FEATURES];
        if (d.slots.flags[s] & QC_SLOT_EMPTY) continue;
        filled++;
        window_of(x, d.slots.id[s]);
        features_of(features, d.slots.id[s]);
        ck_assert_mem_eq(qc_slot_window(&d.slots, s), x, WINDOW); /* the window, features, label and id of an example
                                                                     stay together */
        ck_assert_mem_eq(qc_slot_features(&d.slots, s), features, FEATURES);
        ck_assert_uint_eq(d.slots.label[s], d.slots.id[s] % 4);
        for (uint32_t o = 0; o < s; o++)
            ck_assert((d.slots.flags[o] & QC_SLOT_EMPTY) || d.slots.id[o] != d.slots.id[s]);
    }
    return filled;
}

START_TEST(reserved_slots_are_kept_in_every_batch)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        device_begin(seed);
        /* 6 reserved, 4 open, 2 empty */
        for (uint32_t s = 0; s < 10; s++) fill_slot(s, s % 3 ? QC_SLOT_RESERVED : 0, (uint16_t)(s % 4));
        uint64_t before[CAPACITY], seen = 0;
        memcpy(before, d.slots.id, sizeof before);
        for (int batch = 0; batch < 12; batch++) {
            QcBatch a = make_batch(batch == 5 ? 0 : 1 + qc_rng_below(&d.rng, BATCH));
            uint32_t was = check_slots();
            update(&a, seen, (QcUpdate)_i);
            uint32_t filled = check_slots();
            ck_assert_msg(_i == QC_UPDATE_RESERVOIR || filled == (was + a.n < CAPACITY ? was + a.n : CAPACITY),
                          "%d slots of %d", (int)filled, CAPACITY);
            for (uint32_t s = 0; s < 10; s++)
                if (s % 3)
                    ck_assert(d.slots.id[s] == before[s] && d.slots.flags[s] == QC_SLOT_RESERVED &&
                              d.slots.misses[s] == s % 4);
            for (uint32_t s = 0; s < CAPACITY; s++) /* what came with this batch kept its record */
                for (uint32_t i = 0; i < a.n; i++) {
                    if ((d.slots.flags[s] & QC_SLOT_EMPTY) || d.slots.id[s] != d.id[i]) continue;
                    ck_assert_uint_eq(d.slots.flags[s], QC_SLOT_STREAM | (d.ever[i] ? 0 : QC_SLOT_NEVER_RIGHT));
                    ck_assert_uint_eq(d.slots.misses[s], d.misses[i]);
                }
            seen += a.n;
        }
        uint32_t stream = 0;
        for (uint32_t s = 0; s < CAPACITY; s++)
            stream += !(d.slots.flags[s] & QC_SLOT_EMPTY) && (d.slots.flags[s] & QC_SLOT_STREAM);
        ck_assert_uint_ge(stream, _i == QC_UPDATE_RESERVOIR ? 6 : 3);
        ck_assert_uint_eq(check_slots(), CAPACITY); /* more came than there is room for: none stays empty */
    }
}
END_TEST

START_TEST(empty_slots_are_filled_first)
{
    device_begin(1);
    QcBatch a = make_batch(3);
    update(&a, 0, (QcUpdate)_i);
    ck_assert_uint_eq(check_slots(), 3);
    a = make_batch(4);
    update(&a, 3, (QcUpdate)_i);
    ck_assert_uint_eq(check_slots(), 7);
}
END_TEST

START_TEST(repeated_example_is_stored_once)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        device_begin(seed);
        for (uint32_t s = 0; s < 4; s++) fill_slot(s, QC_SLOT_RESERVED, 1);
        fill_slot(4, 0, 2);
        for (uint64_t round = 0; round < 6; round++) {
            d.next_id = 102; /* two that are reserved, one that is open, then new ones, again and again */
            QcBatch a = make_batch(BATCH);
            update(&a, round * BATCH, (QcUpdate)_i);
            check_slots();
        }
        const uint32_t twice[BATCH] = {0, 1, 0, 2, 1, 1, 0, 3, 3}; /* within one batch */
        begin_empty(CAPACITY);
        d.next_id = 200;
        make_batch(4);
        QcBatch a = {BATCH, twice, NULL, NULL, d.label, d.id};
        update(&a, 0, (QcUpdate)_i);
        uint32_t filled = 0;
        for (uint32_t s = 0; s < CAPACITY; s++) filled += !(d.slots.flags[s] & QC_SLOT_EMPTY);
        ck_assert_uint_eq(filled, 4);
    }
}
END_TEST

START_TEST(full_reserved_slots_change_nothing)
{
    device_begin(1);
    for (uint32_t s = 0; s < CAPACITY; s++) fill_slot(s, QC_SLOT_RESERVED, 1);
    Device before = d;
    QcBatch a = make_batch(BATCH);
    update(&a, 0, (QcUpdate)_i);
    ck_assert_mem_eq(d.memory, before.memory, sizeof d.memory);
}
END_TEST

/* The same batch in rows that are spread over larger arrays, in another order, as a ring has them: the same slots
 * afterwards, byte for byte. */
START_TEST(examples_in_scattered_rows_give_same_slots)
{
    static uint8_t x[ROWS * WINDOW], features[ROWS * FEATURES];
    uint16_t label[ROWS];
    uint64_t id[ROWS];
    uint32_t row[BATCH];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static Device before, in_order;
        device_begin(seed);
        for (uint32_t s = 0; s < 8; s++) fill_slot(s, s % 2 ? QC_SLOT_RESERVED : 0, 1);
        QcBatch batch = make_batch(BATCH);
        before = d;
        update(&batch, 0, (QcUpdate)_i);
        ck_assert_uint_eq(check_slots(), CAPACITY);
        in_order = d;
        d = before;
        memset(x, 0xee, sizeof x);
        memset(features, 0xee, sizeof features);
        for (uint32_t i = 0; i < ROWS; i++) label[i] = 3, id[i] = 101; /* kept already: were it looked at, it would be
                                                                          missed in the slots */
        for (uint32_t i = 0; i < BATCH; i++) {
            uint32_t r = row[i] = (i * 7 + 5) % ROWS;
            memcpy(x + r * WINDOW, d.x + i * WINDOW, WINDOW);
            memcpy(features + r * FEATURES, d.features + i * FEATURES, FEATURES);
            label[r] = d.label[i], id[r] = d.id[i];
        }
        batch = (QcBatch){BATCH, row, x, features, label, id};
        update(&batch, 0, (QcUpdate)_i);
        ck_assert_mem_eq(d.memory, in_order.memory, sizeof d.memory);
    }
}
END_TEST

START_TEST(stored_ids_are_found)
{
    device_begin(1);
    ck_assert(!qc_slots_hold(&d.slots, 0)); /* empty slots have the id 0 */
    fill_slot(3, QC_SLOT_RESERVED, 0);
    fill_slot(11, QC_SLOT_STREAM, 0);
    ck_assert(qc_slots_hold(&d.slots, 100) && qc_slots_hold(&d.slots, 101) && !qc_slots_hold(&d.slots, 102));
    d.slots.flags[11] = QC_SLOT_EMPTY;
    ck_assert(!qc_slots_hold(&d.slots, 101));
}
END_TEST

/* ---- odds ---- */

enum { TRIALS = 20000, CANDIDATES = 6 };

/* One open slot with an example in it and five that come: the winner is drawn by weight. Weights by qc-method(7):
 * misses + .1 + .5 [never right]. */
START_TEST(one_open_slot_is_drawn_by_weight)
{
    const uint16_t misses[CANDIDATES] = {1, 0, 0, 2, 3, 1};
    const uint8_t ever[CANDIDATES] = {1, 1, 0, 1, 0, 1};
    const uint16_t label[CANDIDATES] = {0, 0, 0, 0, 1, 1};
    double weight[CANDIDATES], sum = 0;
    uint32_t won[CANDIDATES] = {0};
    for (int i = 0; i < CANDIDATES; i++) {
        weight[i] = _i == QC_UPDATE_RANDOM ? 1 : misses[i] + 0.1 + (ever[i] ? 0 : 0.5);
        if (_i == QC_UPDATE_BALANCED && !i) weight[i] = 0; /* it is not of the stream, and gives way; the first of each
                                                              class vie for the slot */
        sum += weight[i];
    }
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        begin_empty(1);
        QcRng rng = qc_rng_seed(trial, 3);
        QcBatch a = {CANDIDATES - 1, NULL, NULL, NULL, label + 1, d.id};
        for (uint64_t i = 0; i + 1 < CANDIDATES; i++) d.id[i] = i + 1;
        d.slots.id[0] = 0, d.slots.label[0] = label[0], d.slots.misses[0] = misses[0], d.slots.flags[0] = 0;
        qc_slots_update(&d.slots, &a, misses + 1, ever + 1, 0, (QcUpdate)_i, &rng, d.keys);
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

/* Two slots and three candidates: the one that is left out is not drawn in two draws without replacement. */
START_TEST(two_open_slots_are_drawn_without_replacement)
{
    const double weight[3] = {0.1, 1.1, 3.1};
    const uint16_t misses[3] = {0, 1, 3}, label[3] = {0, 0, 0};
    const uint8_t ever[3] = {1, 1, 1};
    uint32_t out[3] = {0};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        begin_empty(2);
        QcRng rng = qc_rng_seed(trial, 4);
        for (uint64_t i = 0; i < 3; i++) d.id[i] = i;
        QcBatch a = {3, NULL, NULL, NULL, label, d.id};
        qc_slots_update(&d.slots, &a, misses, ever, 0, QC_UPDATE_MISSES, &rng, d.keys);
        ck_assert(d.slots.id[0] != d.slots.id[1] && d.slots.id[0] < 3 && d.slots.id[1] < 3);
        out[3 - d.slots.id[0] - d.slots.id[1]]++;
    }
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        double sum = weight[0] + weight[1] + weight[2];
        double p = weight[j] / sum * weight[k] / (sum - weight[j]) + weight[k] / sum * weight[j] / (sum - weight[k]);
        ck_assert_msg(fabs(out[i] - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)), "%d stays out %d times, not %.0f",
                      i, (int)out[i], TRIALS * p);
    }
}
END_TEST

/* By turns: of each class as many as of any other, as far as there are any; a class that comes later gets its share. */
START_TEST(balanced_slots_keep_classes_even)
{
    const uint16_t labels[2][BATCH] = {{0, 0, 0, 0, 0, 1, 1, 2, 2}, {3, 3, 3, 3, 3, 3, 3, 3, 3}};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint32_t of_class[4];
        begin_empty(6);
        d.rng = qc_rng_seed(seed, 6);
        for (uint64_t batch = 0; batch < 2; batch++) {
            for (uint64_t i = 0; i < BATCH; i++)
                d.id[i] = 100 * batch + i, d.misses[i] = (uint16_t)(i % 3), d.ever[i] = i % 2;
            QcBatch a = {BATCH, NULL, NULL, NULL, labels[batch], d.id};
            update(&a, BATCH * batch, QC_UPDATE_BALANCED);
            memset(of_class, 0, sizeof of_class);
            for (uint32_t s = 0; s < 6; s++)
                ck_assert(!(d.slots.flags[s] & QC_SLOT_EMPTY)), of_class[d.slots.label[s]]++;
            for (uint32_t k = 0; k < 4; k++)
                ck_assert(batch ? of_class[k] == 1 || of_class[k] == 2 : of_class[k] == (k < 3 ? 2 : 0));
        }
    }
}
END_TEST

/* Files of a coreset have the filled slots alone, in order: none is empty before a filled one, whatever is repeated and
 * however many examples the stream had before. */
START_TEST(a_repeated_example_leaves_no_empty_slot_before_a_filled_one)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        device_begin(seed);
        for (uint32_t s = 0; s < 4; s++) fill_slot(s, s % 2 ? QC_SLOT_RESERVED : 0, 0);
        for (uint64_t seen = seed % 2 ? 0 : 12; seen < 30; seen += 3) {
            QcBatch a = make_batch(3);
            d.id[1] = 101; /* in a reserved slot */
            update(&a, seen, (QcUpdate)_i);
            int empty = 0;
            for (uint32_t s = 0; s < CAPACITY; s++) {
                ck_assert(!empty || d.slots.flags[s] & QC_SLOT_EMPTY);
                empty |= d.slots.flags[s] & QC_SLOT_EMPTY;
            }
        }
    }
}
END_TEST

/* A reservoir of 4 out of a stream of 23, in batches of 5, 9, 9: each example is in it with probability 4/23. */
START_TEST(reservoir_keeps_each_example_with_equal_probability)
{
    enum { STREAM = 23, ROOM = 4 };
    uint32_t kept[STREAM] = {0};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        begin_empty(ROOM + 1);
        d.slots.flags[2] = QC_SLOT_RESERVED;
        d.slots.id[2] = 999;
        d.rng = qc_rng_seed(trial, 5);
        for (uint64_t seen = 0; seen < STREAM;) {
            uint32_t n = seen ? 9 : 5;
            for (uint32_t i = 0; i < n; i++) d.id[i] = seen + i;
            QcBatch a = {n, NULL, NULL, NULL, d.label, d.id};
            update(&a, seen, QC_UPDATE_RESERVOIR);
            seen += n;
        }
        ck_assert_uint_eq(d.slots.id[2], 999);
        for (uint32_t s = 0; s < ROOM + 1; s++)
            if (s != 2) kept[d.slots.id[s]]++;
    }
    double p = (double)ROOM / STREAM;
    for (int i = 0; i < STREAM; i++)
        ck_assert_msg(fabs(kept[i] - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)),
                      "example %d is kept %d times, not %.0f", i, (int)kept[i], TRIALS * p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tests = tcase_create("slots");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, reserved_slots_are_kept_in_every_batch, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, empty_slots_are_filled_first, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, repeated_example_is_stored_once, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, a_repeated_example_leaves_no_empty_slot_before_a_filled_one, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, full_reserved_slots_change_nothing, 0, QC_UPDATE_COUNT);
    tcase_add_loop_test(tests, examples_in_scattered_rows_give_same_slots, 0, QC_UPDATE_COUNT);
    tcase_add_test(tests, stored_ids_are_found);
    tcase_add_loop_test(tests, one_open_slot_is_drawn_by_weight, 0, QC_UPDATE_RESERVOIR);
    tcase_add_test(tests, two_open_slots_are_drawn_without_replacement);
    tcase_add_test(tests, balanced_slots_keep_classes_even);
    tcase_add_test(tests, reservoir_keeps_each_example_with_equal_probability);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
