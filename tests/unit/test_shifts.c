/* What a learner does while labels are few: means of the source, shifts of classes in the scatter, the bound on
 * windows without a label, and the parameter that allows these before any label. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

#include "../../lib/device/learnerset.h"

enum { FIRST = 1200, MOST_FEATURES = 64, LABELLED = 2 };

static const uint8_t source_code = 77;
static uint8_t source_mean[TINY_CLASSES * MOST_FEATURES];
static float source_weight[MOST_FEATURES];

/* A learner that knows the source's means: 77 in every feature, which no coreset example has. */
static void begin(Device *d, int bits, float first_trust)
{
    device_make(d, TINY_INCEPTION, bits);
    d->setup = setup_of(bits, 0);
    d->setup.parameters.first_trust = first_trust;
    d->setup.parameters.few_class_threshold = 0;
    memset(source_mean, source_code, sizeof source_mean);
    for (int i = 0; i < MOST_FEATURES; i++) source_weight[i] = 0.5f;
    d->setup.source = (QcHeadSource){source_mean, source_weight};
    device_place(d, &qc_kernels_scalar, 0);
    device_fill(d, CAPACITY);
    ck_assert_uint_le(d->l.shape.features, MOST_FEATURES);
}

/* A batch of which the first n windows have a label. */
static QcHeadTask task_of_batch(Device *d, uint32_t n)
{
    for (uint32_t i = 0; i < BATCH; i++) predict(d, FIRST + i, NULL);
    for (uint32_t i = 0; i < n; i++) ck_assert_int_eq(qc_learner_label(&d->l, i, label_of(FIRST + i)), 0);
    qc_learner_gather(&d->l);
    return qc_learner_task(&d->l);
}

START_TEST(few_labels_take_the_means_of_the_source)
{
    for (uint32_t labelled = LABELLED; labelled <= BATCH; labelled += BATCH - LABELLED) {
        Device d;
        begin(&d, 8, 0);
        QcHeadTask t = task_of_batch(&d, labelled);
        int few = labelled == LABELLED;
        ck_assert_int_eq(t.few_labels, few);
        ck_assert_int_eq(t.source != NULL, few);
        ck_assert(qc_discriminant_whiten(&d.l.scratch, &t));
        int from_source = 1;
        uint32_t last = (TINY_CLASSES - 1) * d.l.shape.features; /* a class that the two labels do not show */
        for (uint32_t i = 0; i < d.l.shape.features; i++)
            from_source &= d.l.scratch.mean[last + i] == (float)((int32_t)source_code - d.l.shape.zero);
        ck_assert_int_eq(from_source, few);
        device_end(&d);
    }
}
END_TEST

/* A coreset without examples of one class: its mean is the source's, other classes have the means of their examples,
 * and a head is solved. Without means of the source none is solved. */
START_TEST(a_class_that_the_coreset_lacks_has_the_mean_of_the_source)
{
    for (int is_known = 0; is_known < 2; is_known++) {
        Device d;
        QcAdaptReport r;
        uint32_t lacking = TINY_CLASSES - 1;
        begin(&d, 8, 0);
        d.l.setup.parameters.guard = 1;
        if (!is_known) d.l.setup.source = (QcHeadSource){NULL, NULL};
        for (uint32_t s = 0; s < CAPACITY; s++)
            if (d.l.coreset.label[s] == lacking) d.l.coreset.flags[s] = QC_SLOT_EMPTY;
        for (uint32_t i = 0; i < BATCH; i++) predict(&d, FIRST + i, NULL);
        for (uint32_t i = 0; i < BATCH; i++)
            if (label_of(FIRST + i) != lacking) ck_assert_int_eq(qc_learner_label(&d.l, i, label_of(FIRST + i)), 0);
        d.l.counters->seen = 1000; /* labels are not few */
        qc_learner_gather(&d.l);
        QcHeadTask t = qc_learner_task(&d.l);
        ck_assert_int_eq(t.few_labels, 0);
        ck_assert_int_eq(qc_head_can_solve(&t), is_known);
        ck_assert(qc_discriminant_whiten(&d.l.scratch, &t));
        uint32_t n = d.l.shape.features, from_source[TINY_CLASSES] = {0};
        for (uint32_t i = 0; i < TINY_CLASSES * n; i++)
            from_source[i / n] += d.l.scratch.mean[i] == (float)((int32_t)source_code - d.l.shape.zero);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            ck_assert_int_eq(from_source[k] == n, is_known && k == lacking);
        qc_learner_adapt(&d.l, &r);
        ck_assert_uint_eq(r.solved, (uint32_t)is_known);
        device_end(&d);
    }
}
END_TEST

/* S [n][n] from the factor that whitens. */
static void scatter_of(double *full, QcHeadScratch *s, const QcHeadTask *t)
{
    uint32_t n = t->shape->features;
    ck_assert(qc_discriminant_whiten(s, t));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            full[i * n + j] = 0;
            for (uint32_t k = 0; k <= (i < j ? i : j); k++)
                full[i * n + j] +=
                    (double)qc_triangle_row(s->scatter, n, k)[i] * (double)qc_triangle_row(s->scatter, n, k)[j];
        }
}

/* The sum over shown classes of d d' / (8 + their number), d: labelled mean less source mean, by a sum of its own. */
static double shift_of(const Device *d, uint32_t i, uint32_t j)
{
    double sum = 0;
    int classes = 0;
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        double at_i = 0, at_j = 0;
        int n = 0;
        for (uint32_t e = d->l.set.n_kept; e < d->l.set.n; e++) {
            if (qc_set_label(&d->l.set, e) != k) continue;
            at_i += qc_set_features(&d->l.set, e)[i];
            at_j += qc_set_features(&d->l.set, e)[j];
            n++;
        }
        if (!n) continue;
        sum += (at_i / n - source_code) * (at_j / n - source_code);
        classes++;
    }
    return sum / (8 + classes);
}

START_TEST(scatter_has_the_shifts_of_labelled_classes)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        static double with[MOST_FEATURES * MOST_FEATURES], without[MOST_FEATURES * MOST_FEATURES];
        double largest = 0, off = 0;
        begin(&d, bits, 0);
        QcHeadTask t = task_of_batch(&d, LABELLED + 2);
        uint32_t n = d.l.shape.features;
        ck_assert_int_eq(t.few_labels, 1);
        scatter_of(with, &d.l.scratch, &t);
        t.few_labels = 0; /* the same means, but no shifts */
        scatter_of(without, &d.l.scratch, &t);
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < n; j++) {
                double shift = shift_of(&d, i, j), difference = with[i * n + j] - without[i * n + j] - shift;
                if (shift > largest) largest = shift;
                if (difference < 0) difference = -difference;
                if (difference > off) off = difference;
            }
        ck_assert_double_gt(largest, 1);
        ck_assert_double_lt(off, 1e-3 * largest);
        device_end(&d);
    }
}
END_TEST

/* However many windows wait, they count as fewer examples than there are classes. */
START_TEST(unlabelled_windows_weigh_less_than_labels)
{
    QcParameters p = qc_parameters_default(2);
    QcHeadShape shape = {.classes = 6};
    float before = 1;
    for (uint32_t n = 1; n <= 4096; n *= 2) {
        QcSet set = {.n_unlabelled = n};
        QcHeadTask t = {.shape = &shape, .parameters = &p, .set = &set};
        float weight = qc_guess_weight(&t);
        ck_assert(weight > 0 && weight <= before && weight <= p.guess_weight);
        ck_assert_float_lt(weight * (float)n, (float)shape.classes);
        if (n <= 8) ck_assert_float_eq(weight, p.guess_weight);
        before = weight;
    }
}
END_TEST

START_TEST(first_trust_allows_learning_without_labels)
{
    for (int bits = 2; bits <= 8; bits *= 2)
        for (int trusts = 0; trusts < 2; trusts++) {
            Device d;
            QcAdaptReport r;
            begin(&d, bits, (float)trusts);
            d.l.setup.source = (QcHeadSource){NULL, NULL};
            for (uint32_t i = 0; i < BATCH; i++) predict(&d, FIRST + i, NULL);
            qc_learner_adapt(&d.l, &r);
            ck_assert_uint_eq(r.n, 0);
            ck_assert_uint_eq(d.l.counters->adapts, (uint32_t)trusts);
            ck_assert(trusts || !r.solved);
            if (trusts) ck_assert(r.solved || r.refused);
            ck_assert_float_eq(d.l.counters->trust, (float)trusts);
            device_end(&d);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shifts");
    TCase *t = tcase_create("shifts");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, few_labels_take_the_means_of_the_source);
    tcase_add_test(t, a_class_that_the_coreset_lacks_has_the_mean_of_the_source);
    tcase_add_test(t, scatter_has_the_shifts_of_labelled_classes);
    tcase_add_test(t, unlabelled_windows_weigh_less_than_labels);
    tcase_add_test(t, first_trust_allows_learning_without_labels);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
