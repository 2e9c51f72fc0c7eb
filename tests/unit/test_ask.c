/* Which windows a learner asks a label for, and what windows without a label do to a last layer. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

#include <math.h>

#include "../../lib/device/ask.h"
#include "../../lib/device/learnerset.h"

enum { FIRST = 1200 };

static void begin(Device *d, uint32_t rule, int bits)
{
    device_make(d, TINY_INCEPTION, bits);
    d->setup = setup_of(bits, 0);
    d->setup.parameters.ask = rule;
    device_place(d, &qc_kernels_scalar, 0);
    device_fill(d, CAPACITY);
}

/* Difference of the two largest logits, by whole windows through a graph of the test's own. */
static float margin_outside(Device *d, uint64_t id)
{
    uint8_t q[TINY_VALUES];
    float y[TINY_CLASSES], second = -1e30f;
    window_of(q, &d->t.g, id);
    uint32_t best = logits_outside(d, y, q);
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        if (k != best && y[k] > second) second = y[k];
    return y[best] - second;
}

/* _i: rule. The numbers belong to waiting windows without a label, each once. A second call gives the same numbers,
 * and the state does not change. */
START_TEST(each_unlabelled_window_is_requested_once)
{
    Device d;
    uint32_t numbers[2 * BATCH], again[2 * BATCH];
    begin(&d, (uint32_t)_i, 4);
    ck_assert_uint_eq(qc_learner_ask(&d.l, numbers, 3, UINT32_MAX), 0);
    for (uint32_t n = 0; n < BATCH + 5; n++) predict(&d, FIRST + n, NULL);
    for (uint32_t n = BATCH; n < BATCH + 4; n++) ck_assert_int_eq(qc_learner_label(&d.l, n, label_of(FIRST + n)), 0);
    uint8_t *before = copy_of(d.l.state, d.l.state_bytes), *flags = copy_of(d.l.ring.flags, BATCH);
    ck_assert_uint_eq(qc_learner_ask(&d.l, numbers, 2 * BATCH, UINT32_MAX), BATCH - 4);
    for (uint32_t i = 0; i < BATCH - 4; i++) {
        ck_assert(numbers[i] >= 5 && numbers[i] < BATCH + 5 && !qc_learner_is_labelled(&d.l, numbers[i]));
        for (uint32_t j = 0; j < i; j++) ck_assert_uint_ne(numbers[i], numbers[j]);
    }
    ck_assert_uint_eq(qc_learner_ask(&d.l, again, 4, UINT32_MAX), 4);
    ck_assert_mem_eq(numbers, again, 4 * sizeof *again); /* the most useful come first */
    ck_assert_mem_eq(before, d.l.state, d.l.state_bytes);
    ck_assert_mem_eq(flags, d.l.ring.flags, BATCH);
    free(before);
    free(flags);
    device_end(&d);
}
END_TEST

START_TEST(margin_rule_selects_smallest_margins)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        uint32_t numbers[BATCH];
        begin(&d, QC_ASK_MARGIN, bits);
        for (uint32_t n = 0; n < BATCH; n++) predict(&d, FIRST + n, NULL);
        ck_assert_uint_eq(qc_learner_ask(&d.l, numbers, BATCH, UINT32_MAX), BATCH);
        for (uint32_t i = 1; i < BATCH; i++)
            ck_assert_float_le(margin_outside(&d, FIRST + numbers[i - 1]),
                               margin_outside(&d, FIRST + numbers[i]) + 1e-4f);
        device_end(&d);
    }
}
END_TEST

/* A learner for labelled windows alone learns the same from them, and neither learns from other windows
 * nor measures distances between them. */
START_TEST(labelled_only_learner_learns_the_same_from_labels)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d[2];
        QcAdaptReport r;
        uint32_t numbers[BATCH];
        begin(&d[0], QC_ASK_COVER, bits);
        device_make(&d[1], TINY_INCEPTION, bits);
        d[1].setup = setup_of(bits, 0);
        d[1].setup.all_labelled = 1;
        device_place(&d[1], &qc_kernels_scalar, 1);
        device_fill(&d[1], CAPACITY);
        for (uint32_t batch = 0; batch < 3; batch++) {
            learn(&d[0], batch, 0, TINY_CLASSES);
            learn(&d[1], batch, 0, TINY_CLASSES);
            ck_assert_mem_eq(d[0].l.state, d[1].l.state, d[0].l.state_bytes);
        }
        for (uint32_t n = 0; n < BATCH; n++) predict(&d[1], FIRST + n, NULL);
        ck_assert_uint_eq(qc_learner_ask(&d[1].l, numbers, BATCH, UINT32_MAX), BATCH);
        for (uint32_t i = 1; i < BATCH; i++)
            ck_assert_float_le(margin_outside(&d[1], FIRST + numbers[i - 1] % BATCH),
                               margin_outside(&d[1], FIRST + numbers[i] % BATCH) + 1e-4f);
        d[1].l.counters->trust = 1;
        qc_learner_adapt(&d[1].l, &r);
        ck_assert(!r.solved && !r.n);
        device_end(&d[0]);
        device_end(&d[1]);
    }
}
END_TEST

/* Many windows are the same; the cover rule takes one of them first, and then none of them again as long as others are
 * far from what is labelled. */
START_TEST(cover_rule_selects_no_duplicate_first)
{
    Device d;
    uint32_t numbers[BATCH];
    int kinds[3] = {0};
    begin(&d, QC_ASK_COVER, 8);
    for (uint32_t n = 0; n < BATCH; n++) predict(&d, FIRST + n % 3, NULL);
    ck_assert_uint_eq(qc_learner_ask(&d.l, numbers, 3, UINT32_MAX), 3);
    for (uint32_t i = 0; i < 3; i++) kinds[numbers[i] % 3]++;
    ck_assert(kinds[0] == 1 && kinds[1] == 1 && kinds[2] == 1);
    device_end(&d);
}
END_TEST

static double distance_between(const int8_t *a, const int8_t *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (double)(a[i] - b[i]);
    return sqrt(sum);
}

/* Whitened means of the classes, then whitened windows of a full ring without labels. */
static void whiten_all(int8_t white[][64], Device *d)
{
    QcHeadScratch *s = &d->l.scratch;
    qc_learner_gather(&d->l);
    QcHeadTask task = qc_learner_task(&d->l);
    uint32_t n = d->l.shape.features;
    ck_assert(n <= 64 && qc_discriminant_whiten(s, &task));
    for (uint32_t w = 0; w < BATCH; w++)
        qc_white_features(white[TINY_CLASSES + w], s, &d->l.shape, qc_slot_features(&d->l.ring, w));
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        for (uint32_t i = 0; i < n; i++) s->row[i] = s->mean[k * n + i] - s->centre[i];
        qc_whiten(s->kernels, s->row, s->scatter, n);
        qc_round_white(white[k], s->row, n);
    }
}

/* The window whose label shortens the distances to known examples most, in doubles. doubts: distances are weighted by
 * the nearest over the second nearest class mean. */
static uint32_t best_cover(int8_t white[][64], uint32_t n, int doubts)
{
    double nearest[BATCH], weight[BATCH], most = -1;
    uint32_t best = 0;
    for (uint32_t w = 0; w < BATCH; w++) {
        double second = 1e30;
        nearest[w] = 1e30;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double away = distance_between(white[TINY_CLASSES + w], white[k], n);
            if (away < nearest[w]) second = nearest[w], nearest[w] = away;
            else if (away < second) second = away;
        }
        weight[w] = doubts ? nearest[w] / second : 1;
    }
    for (uint32_t w = 0; w < BATCH; w++) {
        double sum = 0;
        for (uint32_t o = 0; o < BATCH; o++)
            sum += weight[o] *
                   fmax(0, nearest[o] - distance_between(white[TINY_CLASSES + w], white[TINY_CLASSES + o], n));
        if (sum > most * 1.00001) most = sum, best = w;
    }
    return best;
}

START_TEST(cover_rule_weights_distances_by_doubt)
{
    int differs = 0;
    for (uint32_t batch = 0; batch < 40; batch++) {
        Device d;
        int8_t white[TINY_CLASSES + BATCH][64];
        uint32_t number;
        begin(&d, QC_ASK_COVER, 4);
        for (uint32_t w = 0; w < BATCH; w++) predict(&d, FIRST + batch * BATCH + w, NULL);
        whiten_all(white, &d);
        ck_assert_uint_eq(qc_learner_ask(&d.l, &number, 1, UINT32_MAX), 1);
        ck_assert_uint_eq(number, best_cover(white, d.l.shape.features, 1));
        differs += number != best_cover(white, d.l.shape.features, 0);
        device_end(&d);
    }
    ck_assert_int_gt(differs, 0);
}
END_TEST

START_TEST(window_is_reclassified_by_current_layer)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        QcAnswer a;
        begin(&d, 0, bits);
        for (uint32_t n = 0; n < BATCH; n++) predict(&d, FIRST + n, NULL);
        ck_assert_int_eq(qc_learner_answer(&d.l, &a, BATCH), -1);
        for (uint32_t n = 0; n < BATCH; n++) qc_learner_label(&d.l, n, label_of(FIRST + n));
        QcAdaptReport r;
        qc_learner_adapt(&d.l, &r);
        for (uint32_t n = 0; n < BATCH; n++) {
            ck_assert_int_eq(qc_learner_answer(&d.l, &a, n), 0);
            ck_assert(a.number == n && a.class_index == class_outside(&d, FIRST + n));
        }
        device_end(&d);
    }
}
END_TEST

static uint32_t right_of(Device *d, uint32_t from, uint32_t n)
{
    uint32_t right = 0;
    for (uint32_t i = 0; i < n; i++) right += class_outside(d, from + i) == label_of(from + i);
    return right;
}

/* Windows of all classes, no label: where labels have confirmed guesses, the head moves to the stream, and the moments
 * stay empty. Where no label has come yet, or guesses have no weight, nothing happens. */
START_TEST(unlabelled_windows_count_after_labels_confirm_predictions)
{
    uint32_t before = 0, after = 0, all = 0, moved = 0;
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        QcAdaptReport r;
        begin(&d, 0, bits);
        d.l.counters->trust = 1;
        d.l.setup.parameters.few_class_threshold = 0;
        before += right_of(&d, FIRST, 400);
        for (uint32_t n = 0; n < BATCH; n++) predict(&d, 1600 + n, NULL);
        qc_learner_adapt(&d.l, &r);
        moved += r.solved;
        ck_assert(r.n == 0 && r.right_before == 0 && d.l.counters->seen == 0);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) ck_assert_uint_eq(d.l.moments.count[k], 0);
        ck_assert_uint_eq(r.from_stream + r.from_batch, 0);
        after += right_of(&d, FIRST, 400);
        all += 400;
        device_end(&d);
        for (int trusted = 0; trusted < 2; trusted++) {
            begin(&d, 0, bits);
            d.l.counters->trust = (float)trusted;
            d.l.setup.parameters.few_class_threshold = 0;
            if (trusted) d.l.setup.parameters.guess_weight = 0;
            for (uint32_t n = 0; n < BATCH; n++) predict(&d, 1600 + n, NULL);
            uint8_t *state = copy_of(d.l.state, d.l.state_bytes);
            qc_learner_adapt(&d.l, &r);
            ck_assert(!r.solved && !r.n);
            ck_assert_mem_eq(state, d.l.state, d.l.state_bytes);
            free(state);
            device_end(&d);
        }
    }
    ck_assert_uint_gt(moved, 0);
    ck_assert_msg(after * 100 >= before * 100 - all, "%u of %u right before, %u after", before, all, after);
}
END_TEST

/* Labels that contradict each guess: trust falls below 0, and the head comes from labels alone. */
START_TEST(predictions_contradicted_by_labels_have_no_weight)
{
    Device d[2];
    QcAdaptReport r;
    for (int i = 0; i < 2; i++) {
        begin(&d[i], 0, 4);
        d[i].l.counters->trust = i ? 0 : -1e5f;
        for (uint32_t n = 0; n < BATCH; n++) predict(&d[i], 1600 + n, NULL);
        for (uint32_t n = 0; n < BATCH / 2; n++)
            qc_learner_label(&d[i].l, n, (uint16_t)((label_of(1600 + n) + 1 + n % 2) % TINY_CLASSES));
        qc_learner_adapt(&d[i].l, &r);
    }
    if (d[1].l.counters->trust < 0)
        ck_assert_mem_eq(d[0].l.layers[1].codes, d[1].l.layers[1].codes, (size_t)qc_head_code_bytes(&d[0].l.shape));
    ck_assert_float_lt(d[0].l.counters->trust, 0);
    for (int i = 0; i < 2; i++) device_end(&d[i]);
}
END_TEST

/* A window that waited while others were learned gets its label at last: the moments are the moments of labelled
 * windows alone, whatever was guessed before. */
START_TEST(late_label_replaces_prediction)
{
    Device d[2];
    QcAdaptReport r;
    for (int late = 0; late < 2; late++) {
        begin(&d[late], 0, 4);
        d[late].l.counters->trust = 1e5f; /* guesses count, whatever this batch says of them */
        d[late].l.setup.parameters.average_window = 0;
        for (uint32_t n = 0; n < BATCH; n++) predict(&d[late], 1600 + n, NULL);
        for (uint32_t n = 0; n < BATCH; n++)
            if (!late || n % 2 == 0) qc_learner_label(&d[late].l, n, label_of(1600 + n));
        qc_learner_adapt(&d[late].l, &r);
        for (uint32_t n = 1; n < BATCH && late; n += 2)
            ck_assert_int_eq(qc_learner_label(&d[late].l, n, label_of(1600 + n)), 0);
        if (late) qc_learner_adapt(&d[late].l, &r);
    }
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        ck_assert_uint_eq(d[0].l.moments.count[k], d[1].l.moments.count[k]);
        for (uint32_t i = 0; i < d[0].l.moments.n; i++)
            ck_assert_float_eq_tol(d[0].l.moments.mean[k * d[0].l.moments.n + i],
                                   d[1].l.moments.mean[k * d[0].l.moments.n + i], 1e-3f);
    }
    for (int i = 0; i < 2; i++) device_end(&d[i]);
}
END_TEST

/* _i 0: the last of each twelve windows gets a label. 64 / 12 is less than 8, so means follow the latest eight labelled
 * examples. _i 1: each window gets its label five windows later, so means follow average_window = 16 examples. */
START_TEST(means_follow_fewer_examples_if_few_windows_are_labelled)
{
    Device d;
    QcAdaptReport r;
    double mean[TINY_CLASSES][64] = {{0}}, other[TINY_CLASSES][64] = {{0}}, differ = 0;
    uint32_t count[TINY_CLASSES] = {0}, most = 0, late = _i ? 5 : 0, follow = _i ? 16 : 8;
    begin(&d, 0, 4);
    d.l.setup.parameters.guard = 1;
    d.l.setup.parameters.average_window = _i ? 16 : 64;
    uint32_t n = d.l.moments.n;
    ck_assert_uint_le(n, 64);
    for (uint32_t next = 0; next < (_i ? 120 : 80 * BATCH); next++) {
        predict(&d, FIRST + next + next / BATCH, NULL);
        if (next < late || (!_i && next % BATCH != BATCH - 1)) continue;
        uint32_t number = next - late, id = FIRST + number + number / BATCH;
        uint16_t label = label_of(id);
        const uint8_t *features = qc_slot_features(&d.l.ring, number % BATCH);
        uint32_t all = ++count[label], latest = all < follow ? all : follow;
        most = all > most ? all : most;
        for (uint32_t i = 0; i < n; i++) {
            double x = features[i] - d.l.shape.zero;
            mean[label][i] += (x - mean[label][i]) / latest;
            other[label][i] += (x - other[label][i]) / all;
        }
        ck_assert_int_eq(qc_learner_label(&d.l, number, label), 0);
        qc_learner_adapt(&d.l, &r);
        ck_assert(!r.refused);
    }
    ck_assert_uint_gt(most, follow + 5);
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        for (uint32_t i = 0; i < n; i++) {
            ck_assert_double_eq_tol((double)d.l.moments.mean[k * n + i], mean[k][i], 1e-3);
            differ = fmax(differ, fabs(mean[k][i] - other[k][i]));
        }
    ck_assert_double_gt(differ, .1);
    device_end(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask");
    TCase *t = tcase_create("ask");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, each_unlabelled_window_is_requested_once, 0, QC_ASK_COUNT);
    tcase_add_test(t, margin_rule_selects_smallest_margins);
    tcase_add_test(t, labelled_only_learner_learns_the_same_from_labels);
    tcase_add_test(t, cover_rule_selects_no_duplicate_first);
    tcase_add_test(t, cover_rule_weights_distances_by_doubt);
    tcase_add_test(t, window_is_reclassified_by_current_layer);
    tcase_add_test(t, unlabelled_windows_count_after_labels_confirm_predictions);
    tcase_add_test(t, predictions_contradicted_by_labels_have_no_weight);
    tcase_add_test(t, late_label_replaces_prediction);
    tcase_add_loop_test(t, means_follow_fewer_examples_if_few_windows_are_labelled, 0, 2);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
