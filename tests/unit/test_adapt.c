/* What an adapt reports, compared with what the test measures itself: whole windows through a second forward pass,
 * losses by libm in double precision. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

static uint32_t total_of(const Device *d)
{
    uint32_t filled = 0;
    for (uint32_t s = 0; s < CAPACITY; s++) filled += !(d->l.coreset.flags[s] & QC_SLOT_EMPTY);
    return filled;
}

static void expect_origins(const Device *d, const QcAdaptReport *r, const uint64_t *ids)
{
    uint32_t source = 0, batch = 0;
    for (uint32_t s = 0; s < CAPACITY; s++) {
        if (d->l.coreset.flags[s] & QC_SLOT_EMPTY) continue;
        source += d->l.coreset.id[s] < SOURCE_IDS;
        for (uint32_t i = 0; i < BATCH; i++) batch += d->l.coreset.id[s] == ids[i];
    }
    ck_assert(r->from_source == source && r->from_batch == batch &&
              r->from_source + r->from_batch + r->from_stream == total_of(d));
    ck_assert_uint_ge(source, RESERVED);
}

/* Measures before and after the batch, and compares. */
static QcAdaptReport expect_report(Device *d, uint32_t number, uint32_t first, uint32_t classes)
{
    Outside o;
    QcAdaptReport r;
    uint64_t ids[BATCH];
    uint32_t right, source, answered = 0;
    ids_of_batch(ids, number, first, classes);
    for (uint32_t i = 0; i < BATCH; i++) {
        QcAnswer a = predict(d, ids[i], NULL);
        answered += a.class_index == label_of(ids[i]);
        ck_assert_int_eq(qc_learner_label(&d->l, a.number, label_of(ids[i])), 0);
    }
    outside_take(&o, d, ids, BATCH);
    double before = outside_loss(&o, d, &right, &source);
    qc_learner_adapt(&d->l, &r);
    ck_assert(r.n == BATCH && r.right_before == answered && answered == right);
    ck_assert(r.source == o.source && r.source_before == source);
    ck_assert_double_eq_tol((double)r.loss_before, before, 2e-5 * (1 + before));
    double after = outside_loss(&o, d, &right, &source);
    ck_assert_double_eq_tol((double)r.loss_after, after, 2e-5 * (1 + after));
    ck_assert(r.right_after == right && r.source_after == source);
    expect_origins(d, &r, ids);
    return r;
}

/* _i: kind. Every third batch has few classes. */
START_TEST(adapt_report_equals_direct_measurement)
{
    uint32_t solved = 0, accepted = 0;
    for (int bits = 2; bits <= 8; bits *= 2)
        for (int flips = 0; flips < 2; flips++) {
            Device d;
            device_begin(&d, (TinyKind)_i, bits, flips);
            for (uint32_t n = 0; n < 4; n++) {
                QcAdaptReport r = expect_report(&d, n, n, n % 3 == 2 ? 1 + n % 2 : TINY_CLASSES);
                solved += r.solved;
                accepted += r.accepted;
                ck_assert(r.solved == (r.operations > 0) || !r.solved);
                if (!flips)
                    ck_assert(r.mode == QC_HEAD_ONLY && !r.forwards && !r.proposals && !r.statistics && !r.flips);
                if (n % 3 == 2 && r.mode == QC_HEAD_ONLY)
                    ck_assert(r.solved ? r.loss_after < r.loss_before : r.loss_after == r.loss_before);
            }
            device_end(&d);
        }
    ck_assert(solved > 0 && accepted > 0);
}
END_TEST

/* The labels of the batch must not help its score: the batch has one class only, and correct means the plain answer
 * of the model. */
START_TEST(batch_of_one_class_is_learned)
{
    uint32_t wrong = 0, solved = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        device_begin(&d, (TinyKind)kind, 2 << (kind + _i) % 3, _i % 2);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            QcAdaptReport r = expect_report(&d, k, k, 1);
            wrong += BATCH - r.right_before;
            solved += r.solved;
            ck_assert(r.mode == QC_HEAD_ONLY && !r.proposals);
            /* another was no better, or not wanted */
            if (!r.solved && !r.refused)
                ck_assert(r.operations > 0 || r.loss_before <= d.setup.parameters.temperature_loss);
        }
        device_end(&d);
    }
    ck_assert(wrong > 0 && solved > 0);
}
END_TEST

/* _i: the last layer is good enough in batches of few classes; or the batches lack a class that the source lacked
 * too, so this class stays unknown. Then the last layer is unchanged. */
START_TEST(last_layer_is_unchanged_if_good_enough_or_class_unknown)
{
    enum { GOOD_ENOUGH, UNKNOWN_CLASS };
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        device_make(&d, (TinyKind)kind, 4);
        d.setup = setup_of(4, 0);
        d.setup.parameters.guard = 1;
        if (_i == GOOD_ENOUGH) d.setup.parameters.temperature_loss = 100;
        device_place(&d, &qc_kernels_scalar, 0);
        if (_i == GOOD_ENOUGH) device_fill(&d, CAPACITY);
        for (uint32_t n = 0; n < 3; n++) {
            QcLastLayer before = d.l.layers[0];
            uint8_t *codes = copy_of(before.codes, qc_head_code_bytes(&d.l.shape));
            float *scale = copy_of(before.scale, sizeof(float) * TINY_CLASSES);
            QcAdaptReport r = learn(&d, n, n % 2, 2);
            ck_assert(!r.solved && d.l.counters->active == 0 && !d.l.counters->can_undo &&
                      r.loss_after == r.loss_before);
            ck_assert_mem_eq(codes, before.codes, qc_head_code_bytes(&d.l.shape));
            ck_assert_mem_eq(scale, before.scale, sizeof(float) * TINY_CLASSES);
            ck_assert_uint_eq(d.l.moments.count[1], BATCH / 2 * (n + 1)); /* the stream is learned all the same */
            free(codes);
            free(scale);
        }
        QcAdaptReport r = learn(&d, 9, 0, TINY_CLASSES);
        ck_assert(r.solved && d.l.counters->active == 1 && d.l.counters->can_undo);
        device_end(&d);
    }
}
END_TEST

/* Stream examples that an earlier session left in the coreset are learned once, with the first batch; examples of
 * batches as they come. */
START_TEST(each_stream_example_is_learned_once)
{
    for (int flips = 0; flips < 2; flips++) {
        Device d;
        uint32_t expected[TINY_CLASSES] = {0}, seen = 0;
        device_begin(&d, TINY_RESIDUAL, 4, flips);
        d.l.setup.parameters.guard = 1;
        for (uint32_t s = CAPACITY - 3; s < CAPACITY; s++) {
            d.l.coreset.flags[s] = QC_SLOT_STREAM;
            expected[d.l.coreset.label[s]]++;
        }
        for (uint32_t n = 0; n < 6; n++) {
            uint64_t ids[BATCH];
            uint32_t classes = 1 + n % TINY_CLASSES;
            ids_of_batch(ids, n, n, classes);
            for (uint32_t i = 0; i < BATCH; i++) expected[label_of(ids[i])]++;
            QcAdaptReport r = learn(&d, n, n, classes);
            ck_assert(!r.refused);
            ck_assert_mem_eq(d.l.moments.count, expected, sizeof expected);
            ck_assert_uint_eq(d.l.counters->seen, seen += BATCH);
            ck_assert_uint_eq(d.l.counters->adapts, n + 1);
        }
        device_end(&d);
    }
}
END_TEST

/* What the learner remembers of an example: how often it was right and then was not, and whether it ever was. By id,
 * from outside. */
typedef struct Record {
    uint32_t misses;
    uint8_t ever, before;
} Record;

static Record records[SOURCE_IDS + 1000];

/* One batch; the records follow. */
static void learn_and_record(Device *d, uint32_t number, uint32_t first, uint32_t classes)
{
    Outside o;
    QcAdaptReport r;
    uint64_t ids[BATCH];
    ids_of_batch(ids, number, first, classes);
    observe(d, ids, BATCH, 0);
    outside_take(&o, d, ids, BATCH);
    for (uint32_t i = 0; i < o.n; i++) records[o.id[i]].before = class_outside(d, o.id[i]) == label_of(o.id[i]);
    qc_learner_adapt(&d->l, &r);
    for (uint32_t i = 0; i < o.n; i++) {
        Record *of = &records[o.id[i]];
        uint32_t after = class_outside(d, o.id[i]) == label_of(o.id[i]);
        of->misses += of->before && !after;
        of->ever |= of->before || after;
    }
}

START_TEST(misses_and_never_right_flags_equal_direct_count)
{
    uint32_t missed = 0, never = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        memset(records, 0, sizeof records);
        device_begin(&d, (TinyKind)kind, 2 << kind % 3, 0);
        d.l.setup.parameters.guard = 1;
        for (uint32_t s = 0; s < CAPACITY; s++) records[s].ever = !(d.l.coreset.flags[s] & QC_SLOT_NEVER_RIGHT);
        for (uint32_t n = 0; n < 8; n++) {
            learn_and_record(&d, n, n, n % 2 ? 2 : TINY_CLASSES);
            for (uint32_t s = 0; s < CAPACITY; s++) {
                const Record *of = &records[d.l.coreset.id[s]];
                ck_assert_uint_eq(d.l.coreset.misses[s], of->misses);
                ck_assert_uint_eq((d.l.coreset.flags[s] & QC_SLOT_NEVER_RIGHT) != 0, !of->ever);
                missed += of->misses;
                never += !of->ever;
            }
        }
        device_end(&d);
    }
    ck_assert(missed > 0 && never > 0);
}
END_TEST

/* Counts labelled windows since one was the first of its class. */
START_TEST(windows_since_new_class_are_counted)
{
    Device d;
    device_begin(&d, TINY_PLAIN, 8, 0);
    learn(&d, 0, 0, 1);
    ck_assert_uint_eq(d.l.counters->waited, BATCH - 1);
    learn(&d, 1, 0, 1);
    ck_assert_uint_eq(d.l.counters->waited, 2 * BATCH - 1);
    learn(&d, 2, 0, 3); /* the third window is of the third class */
    ck_assert_uint_eq(d.l.counters->waited, BATCH - 3);
    learn(&d, 3, 0, TINY_CLASSES);
    ck_assert_uint_eq(d.l.counters->waited, BATCH - 4);
    device_end(&d);
}
END_TEST

static uint32_t right_of_held_out(Device *d, uint32_t first)
{
    uint32_t right = 0;
    for (uint64_t id = first; id < first + 200; id++) right += class_outside(d, id) == label_of(id);
    return right;
}

/* Right of 200 windows of the shifted stream before and after ten adapts, from a last layer that was made for the
 * source. */
static void adapt_ten_times(uint32_t right[2], TinyKind kind, int bits, int flips, float guard)
{
    Device d;
    QcAdaptReport r;
    uint64_t ids[BATCH];
    device_begin(&d, kind, bits, flips);
    d.l.setup.parameters.guard = guard;
    for (uint32_t i = 0; i < BATCH; i++) ids[i] = 500 + i;
    observe(&d, ids, BATCH, 0);
    qc_learner_adapt(&d.l, &r);
    ck_assert_uint_ge(right_of_held_out(&d, 200), 110); /* of the source */
    memset(d.l.moments.count, 0, sizeof(uint32_t) * TINY_CLASSES); /* that was another life */
    right[0] = right_of_held_out(&d, 40000);
    for (uint32_t n = 0; n < 10; n++) learn(&d, n, 0, TINY_CLASSES);
    right[1] = right_of_held_out(&d, 40000);
    device_end(&d);
}

/* _i: kind. The guard may keep some learners from adapting to a shift as large as this, but not most of them.
 * Without the guard every learner learns. */
START_TEST(ten_adapts_raise_accuracy_on_shifted_data)
{
    uint32_t gain = 0; /* of 1200 windows */
    for (int bits = 2; bits <= 8; bits *= 2)
        for (int flips = 0; flips < 2; flips++) {
            uint32_t right[2];
            adapt_ten_times(right, (TinyKind)_i, bits, flips, 1);
            ck_assert_msg(right[1] >= right[0] + 15, "%d bits, flips %d: %u, then %u of 200", bits, flips, right[0],
                          right[1]);
            adapt_ten_times(right, (TinyKind)_i, bits, flips, qc_parameters_default(bits).guard);
            ck_assert_msg(right[1] >= right[0], "%d bits, flips %d: %u, then %u of 200", bits, flips, right[0],
                          right[1]);
            gain += right[1] - right[0];
        }
    ck_assert_msg(gain >= 150, "%u of 1200", gain);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("adapt");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, adapt_report_equals_direct_measurement, 0, TINY_KINDS);
    tcase_add_loop_test(t, batch_of_one_class_is_learned, 0, 6);
    tcase_add_loop_test(t, last_layer_is_unchanged_if_good_enough_or_class_unknown, 0, 2);
    tcase_add_test(t, each_stream_example_is_learned_once);
    tcase_add_test(t, misses_and_never_right_flags_equal_direct_count);
    tcase_add_test(t, windows_since_new_class_are_counted);
    tcase_add_loop_test(t, ten_adapts_raise_accuracy_on_shifted_data, 0, TINY_KINDS);
    suite_add_tcase(s, t);
    return run_suite(s);
}
