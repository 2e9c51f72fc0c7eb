/* The life of a learner's windows: predicted, labelled now or later, learned once, or dropped from the ring. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

/* _i: kind. Class and probability by softmax in double, over windows that go through another graph and run. */
START_TEST(answers_equal_model)
{
    for (int bits = 2; bits <= 8; bits *= 2)
        for (int flips = 0; flips < 2; flips++) {
            Device d;
            device_begin(&d, (TinyKind)_i, bits, flips);
            for (uint32_t n = 0; n < 3 * BATCH; n++) {
                uint8_t q[TINY_VALUES];
                float logits[TINY_CLASSES], again[TINY_CLASSES];
                double sum = 0;
                if (n == 2 * BATCH) learn(&d, 0, 0, TINY_CLASSES); /* the answers are then of another last layer */
                window_of(q, &d.t.g, 2000 + n);
                uint32_t best = logits_outside(&d, logits, q);
                QcAnswer a = predict(&d, 2000 + n, NULL);
                for (uint32_t k = 0; k < TINY_CLASSES; k++) sum += exp((double)logits[k] - (double)logits[best]);
                ck_assert_uint_eq(a.number, n + (n >= 2 * BATCH ? BATCH : 0));
                ck_assert_uint_eq(a.class_index, best);
                ck_assert_double_eq_tol((double)a.probability, 1 / sum, 1e-5);
                ck_assert_mem_eq(d.l.logits, logits, sizeof logits);
                qc_learner_logits(&d.l, again, q);
                ck_assert_mem_eq(again, logits, sizeof logits);
                ck_assert_uint_eq(d.l.counters->next, a.number + 1);
            }
            device_end(&d);
        }
}
END_TEST

/* Windows come all the time; labels come 0 to BATCH - 1 windows later. */
START_TEST(late_labels_are_learned)
{
    Device d;
    QcAdaptReport r;
    uint32_t right = 0;
    uint16_t answer[3 * BATCH];
    device_begin(&d, TINY_PLAIN, 4, 0);
    for (uint32_t n = 0; n < 3 * BATCH; n++) {
        QcAnswer a = predict(&d, 1200 + n, NULL);
        answer[n] = a.class_index;
        for (uint32_t late = 0; late < BATCH && late <= n; late++) {
            uint32_t number = n - late;
            if (number % 5 != late % 5 || n < 2 * BATCH) continue; /* each of these once, or more than once */
            ck_assert_int_eq(qc_learner_label(&d.l, number, label_of(1200 + number)), 0);
        }
    }
    uint32_t labelled = 0;
    for (uint32_t number = 2 * BATCH; number < 3 * BATCH; number++) {
        if (d.l.ring.flags[number % BATCH] != QC_RING_LABELLED) continue;
        labelled++;
        right += answer[number] == label_of(1200 + number);
    }
    qc_learner_adapt(&d.l, &r);
    ck_assert(labelled > 3 && r.n == labelled && r.right_before == right);
    for (uint32_t k = 0, counted = 0; k <= TINY_CLASSES; k++) {
        if (k < TINY_CLASSES) counted += d.l.moments.count[k];
        else ck_assert_uint_eq(counted, labelled);
    }
    device_end(&d);
}
END_TEST

START_TEST(unknown_window_or_class_is_refused)
{
    Device d;
    QcAdaptReport r;
    device_begin(&d, TINY_PLAIN, 4, 0);
    ck_assert_int_eq(qc_learner_label(&d.l, 0, 0), -1); /* nothing was predicted yet */
    for (uint32_t n = 0; n < BATCH + 3; n++) predict(&d, 1100 + n, NULL);
    uint8_t *before = copy_of(d.l.ring.flags, BATCH);
    /* the ring has moved on */
    for (uint32_t number = 0; number < 3; number++) ck_assert_int_eq(qc_learner_label(&d.l, number, 0), -1);
    ck_assert_int_eq(qc_learner_label(&d.l, BATCH + 3, 0), -1);
    ck_assert_int_eq(qc_learner_label(&d.l, UINT32_MAX, 0), -1);
    ck_assert_int_eq(qc_learner_label(&d.l, 5, TINY_CLASSES), -1);
    ck_assert_int_eq(qc_learner_label(&d.l, 5, UINT16_MAX), -1);
    ck_assert_mem_eq(before, d.l.ring.flags, BATCH);
    free(before);
    ck_assert_int_eq(qc_learner_label(&d.l, 3, 0), 0); /* the oldest */
    ck_assert_int_eq(qc_learner_label(&d.l, BATCH + 2, TINY_CLASSES - 1), 0); /* the latest */
    qc_learner_adapt(&d.l, &r);
    ck_assert_uint_eq(r.n, 2);
    ck_assert_int_eq(qc_learner_label(&d.l, 3, 0), -1); /* these were learned from */
    ck_assert_int_eq(qc_learner_label(&d.l, BATCH + 2, 0), -1);
    ck_assert_int_eq(qc_learner_label(&d.l, 4, 0), 0); /* others still wait */
    qc_learner_adapt(&d.l, &r);
    ck_assert_uint_eq(r.n, 1);
    device_end(&d);
}
END_TEST

/* The state after a batch whose labels came in some way. */
static uint8_t *state_after(Device *d, int way)
{
    QcAdaptReport r;
    uint32_t number[BATCH];
    uint64_t ids[BATCH];
    device_begin(d, TINY_INCEPTION, 4, 0);
    ids_of_batch(ids, 3, 0, TINY_CLASSES);
    for (uint32_t i = 0; i < BATCH; i++) {
        number[i] = predict(d, ids[i], NULL).number;
        if (way == 0) ck_assert_int_eq(qc_learner_label(&d->l, number[i], label_of(ids[i])), 0);
        if (way == 1) ck_assert_int_eq(qc_learner_label(&d->l, number[i], (label_of(ids[i]) + 1) % TINY_CLASSES), 0);
    }
    for (uint32_t i = BATCH; i-- > 0 && way;) ck_assert_int_eq(qc_learner_label(&d->l, number[i], label_of(ids[i])), 0);
    qc_learner_adapt(&d->l, &r);
    ck_assert(r.n == BATCH && r.solved && !r.refused);
    return copy_of(d->l.state, d->l.state_bytes);
}

/* At once; first wrong labels, then right ones; in reverse order. */
START_TEST(only_the_last_label_of_a_window_counts)
{
    Device d;
    uint8_t *at_once = state_after(&d, 0);
    device_end(&d);
    for (int way = 1; way < 3; way++) {
        uint8_t *other = state_after(&d, way);
        ck_assert_mem_eq(at_once, other, d.l.state_bytes);
        free(other);
        device_end(&d);
    }
    free(at_once);
}
END_TEST

START_TEST(labelled_windows_dropped_from_ring_are_reported)
{
    Device d;
    QcAdaptReport r;
    int lost;
    device_begin(&d, TINY_PLAIN, 2, 0);
    for (uint32_t n = 0; n < BATCH; n++) {
        predict(&d, 1100 + n, &lost);
        ck_assert(!lost);
        if (n % 3 == 0) ck_assert_int_eq(qc_learner_label(&d.l, n, label_of(1100 + n)), 0);
    }
    for (uint32_t n = 0; n < BATCH; n++) {
        predict(&d, 1200 + n, &lost);
        ck_assert_int_eq(lost, n % 3 == 0);
        if (n % 4 == 0) ck_assert_int_eq(qc_learner_label(&d.l, BATCH + n, label_of(1200 + n)), 0);
    }
    qc_learner_adapt(&d.l, &r);
    ck_assert_uint_eq(r.n, (BATCH + 3) / 4);
    for (uint32_t n = 0; n < BATCH; n++) {
        predict(&d, 1300 + n, &lost);
        ck_assert(!lost); /* they were learned from */
    }
    device_end(&d);
}
END_TEST

START_TEST(adapt_without_labels_changes_nothing)
{
    for (int flips = 0; flips < 2; flips++) {
        Device d;
        const QcAdaptReport none = {0};
        QcAdaptReport r;
        device_begin(&d, TINY_MIXED, 2, flips);
        learn(&d, 0, 0, TINY_CLASSES);
        predict(&d, 1500, NULL);
        uint8_t *before = copy_of(d.l.state, d.l.state_bytes);
        memset(&r, 0xff, sizeof r);
        qc_learner_adapt(&d.l, &r);
        ck_assert_mem_eq(before, d.l.state, d.l.state_bytes);
        ck_assert(r.n == none.n && r.forwards == 0 && r.proposals == 0 && r.loss_before == 0 && r.loss_after == 0 &&
                  !r.solved && !r.refused);
        uint32_t source = 0, stream = 0; /* origins of the slots are known all the same */
        for (uint32_t s = 0; s < d.l.coreset.capacity; s++) {
            uint8_t flags = d.l.coreset.flags[s];
            source += !(flags & (QC_SLOT_EMPTY | QC_SLOT_STREAM));
            stream += !(flags & QC_SLOT_EMPTY) && (flags & QC_SLOT_STREAM);
        }
        ck_assert_uint_gt(source + stream, 0);
        ck_assert(r.from_source == source && r.from_stream == stream && r.from_batch == 0);
        free(before);
        device_end(&d);
    }
}
END_TEST

/* A ring of one window and little room, or none, in the coreset, which is empty: all kinds of little to learn from. */
START_TEST(minimal_ring_and_coreset_are_accepted)
{
    const uint32_t capacities[] = {0, 1, CAPACITY}, rings[] = {1, 2, BATCH};
    for (int flips = 0; flips < 2; flips++)
        for (int c = 0; c < 3; c++)
            for (int g = 0; g < 3; g++) {
                Device d;
                uint32_t seen = 0, solved = 0;
                device_make(&d, TINY_RESIDUAL, 4);
                d.setup = setup_of(4, flips);
                d.setup.capacity = capacities[c];
                d.setup.ring = rings[g];
                device_place(&d, &qc_kernels_scalar, 1);
                for (uint32_t n = 0; n < 8; n++) {
                    QcAdaptReport r;
                    for (uint32_t i = 0; i <= n % rings[g]; i++) {
                        uint64_t id = SOURCE_IDS + seen++;
                        QcAnswer a = predict(&d, id, NULL);
                        ck_assert_uint_eq(a.number, seen - 1);
                        ck_assert_int_eq(qc_learner_label(&d.l, a.number, label_of(id)), 0);
                    }
                    qc_learner_adapt(&d.l, &r);
                    ck_assert(r.n == n % rings[g] + 1 && isfinite(r.loss_after) && r.source == 0 &&
                              r.from_source == 0 && !r.refused);
                    ck_assert_uint_eq(r.from_stream + r.from_batch, seen < capacities[c] ? seen : capacities[c]);
                    ck_assert(seen >= TINY_CLASSES || !r.solved); /* no class is unknown when a head is solved */
                    solved += r.solved;
                }
                ck_assert(d.l.counters->seen == seen && solved > 0);
                device_end(&d);
            }
}
END_TEST

/* The number after 2^32 - 1 is 0, and windows before and after it stay distinct, whatever the ring's capacity. */
START_TEST(window_numbers_wrap_around)
{
    for (uint32_t ring = 1; ring <= 5; ring++) {
        Device d;
        QcAdaptReport r;
        uint32_t right = 0, labelled = 0;
        device_make(&d, TINY_PLAIN, 8);
        d.setup = setup_of(8, 0);
        d.setup.ring = ring;
        device_place(&d, &qc_kernels_scalar, 0);
        device_fill(&d, CAPACITY);
        d.l.counters->next = UINT32_MAX - 2;
        for (uint32_t n = 0; n < 6; n++) {
            QcAnswer a = predict(&d, 1400 + n, NULL);
            ck_assert_uint_eq(a.number, UINT32_MAX - 2 + n);
            if (n + ring < 6) continue;
            right += a.class_index == label_of(1400 + n);
            labelled++;
        }
        for (uint32_t n = 0; n < 6; n++)
            ck_assert_int_eq(qc_learner_label(&d.l, UINT32_MAX - 2 + n, label_of(1400 + n)), n + ring < 6 ? -1 : 0);
        qc_learner_adapt(&d.l, &r);
        ck_assert(r.n == labelled && r.right_before == right);
        device_end(&d);
    }
}
END_TEST

/* A learner that goes back to an earlier state has no windows of the life that it left: their numbers are given
 * anew. */
START_TEST(restored_state_has_empty_ring)
{
    Device d;
    QcAdaptReport r;
    device_begin(&d, TINY_PLAIN, 8, 0);
    learn(&d, 0, 0, TINY_CLASSES);
    for (uint32_t n = 0; n < 3; n++) predict(&d, 1500 + n, NULL);
    uint8_t *earlier = copy_of(d.l.state, d.l.state_bytes);
    uint32_t next = d.l.counters->next;
    float logits[TINY_CLASSES], after[TINY_CLASSES];
    uint8_t q[TINY_VALUES];
    window_of(q, &d.t.g, 1600);
    qc_learner_logits(&d.l, logits, q);
    learn(&d, 1, 0, TINY_CLASSES);
    predict(&d, 1510, NULL);
    ck_assert_int_eq(qc_learner_label(&d.l, d.l.counters->next - 1, 0), 0);
    memcpy(d.l.state, earlier, d.l.state_bytes);
    qc_learner_resume(&d.l);
    qc_learner_logits(&d.l, after, q);
    ck_assert_mem_eq(logits, after, sizeof logits);
    for (uint32_t age = 1; age <= BATCH; age++) ck_assert_int_eq(qc_learner_label(&d.l, next - age, 0), -1);
    qc_learner_adapt(&d.l, &r);
    ck_assert_uint_eq(r.n, 0);
    ck_assert_uint_eq(predict(&d, 1520, NULL).number, next);
    free(earlier);
    device_end(&d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("learner");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, answers_equal_model, 0, TINY_KINDS);
    tcase_add_test(t, late_labels_are_learned);
    tcase_add_test(t, unknown_window_or_class_is_refused);
    tcase_add_test(t, only_the_last_label_of_a_window_counts);
    tcase_add_test(t, labelled_windows_dropped_from_ring_are_reported);
    tcase_add_test(t, adapt_without_labels_changes_nothing);
    tcase_add_test(t, minimal_ring_and_coreset_are_accepted);
    tcase_add_test(t, window_numbers_wrap_around);
    tcase_add_test(t, restored_state_has_empty_ring);
    suite_add_tcase(s, t);
    return run_suite(s);
}
