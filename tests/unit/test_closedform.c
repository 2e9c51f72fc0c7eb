/* The last layer in closed form in the course of a stream: that it leaves flips alone, answers when arriving batches speak for it, and takes the place of flips in batches of few classes. */
#include "solving.h"
#include "tinyset.h"

START_TEST(a_second_one_leaves_flips_alone_and_answers_when_it_leads)
{
    uint32_t answers[QC_HEADS_COUNT] = {0};
    const int bits = 2 << _i % 3;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device alone, two;
        QcCalibrateOptions o[2] = {options(bits, 0), options(bits, 1)};
        float lead = o[1].lead;
        device_begin(&alone, (TinyKind)kind, &o[0], bits);
        device_begin(&two, (TinyKind)kind, &o[1], bits);
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            QcCalibrateReport r, report;
            make_batch(&b, &two, n, 1.3, 0, TINY_CLASSES);
            QcHeads before = two.c.heads;
            uint32_t right = right_of(&two, &b), other = before == QC_HEADS_ONE ? right : right_of_other(&two, &b);
            float ahead = before == QC_HEADS_CLOSED ? (float)right - (float)other : (float)other - (float)right;
            if (before != QC_HEADS_ONE) lead = QC_LEAD_KEPT * lead + ahead;
            qc_calibrate_batch(&alone.c, &r, b.x, b.label, b.id, BATCH);
            qc_calibrate_batch(&two.c, &report, b.x, b.label, b.id, BATCH);
            ck_assert_uint_eq(report.right_before, right);
            ck_assert_uint_eq(report.right_after, right_of(&two, &b));
            ck_assert_float_eq_tol(two.c.lead, lead, 1e-4f);
            ck_assert((two.c.heads == QC_HEADS_CLOSED) == (two.c.lead > 0) && report.closed == (uint32_t)(two.c.lead > 0));
            ck_assert(two.c.heads != QC_HEADS_ONE && alone.c.heads == QC_HEADS_ONE && !r.closed && !r.solved && !report.solved);
            ck_assert(r.flips == report.flips && r.loss_after == report.loss_after);
            answers[two.c.heads]++;
            if (two.c.heads == QC_HEADS_CLOSED) qc_lda_swap(&two.c.lda);
            ck_assert(same_model(&alone.t.g, &two.t.g));
            if (two.c.heads == QC_HEADS_CLOSED) qc_lda_swap(&two.c.lda);
            ck_assert(!memcmp(alone.c.slots.x, two.c.slots.x, CAPACITY * TINY_VALUES) && !memcmp(alone.c.slots.id, two.c.slots.id, CAPACITY * sizeof(uint64_t)));
        }
        device_end(&alone);
        device_end(&two);
    }
    ck_assert(answers[QC_HEADS_CLOSED] > 0 && answers[QC_HEADS_FLIPS] > 0);
}
END_TEST

/* The model with the last layer that flips have led to. */
static uint64_t flipped(Device *d)
{
    int away = d->c.heads == QC_HEADS_CLOSED;
    if (away) qc_lda_swap(&d->c.lda);
    uint64_t hash = hash_of_model(&d->t.g);
    if (away) qc_lda_swap(&d->c.lda);
    return hash;
}

/* Every third batch lacks classes: it never rests. */
START_TEST(flips_rest_where_it_answers_well_enough)
{
    const float rest = 0.7f;
    const int bits = 2 << _i % 3;
    uint32_t rested = 0, poor = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcCalibrateOptions o = options(bits, 1);
        o.rest = rest;
        device_begin(&d, (TinyKind)kind, &o, bits);
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            QcCalibrateReport r;
            const int scarce = n % 3 == 2, answers = d.c.heads == QC_HEADS_CLOSED;
            make_batch(&b, &d, n, 1.3, n, scarce ? 1 : TINY_CLASSES);
            uint32_t right = right_of(&d, &b);
            uint64_t model = flipped(&d), seen = d.c.lda.stream.count[b.label[0]];
            float phi = d.c.phi;
            qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
            ck_assert_uint_eq(r.right_before, right);
            ck_assert_uint_eq(r.rested, answers && !scarce && (float)right >= rest * BATCH);
            ck_assert_uint_gt(d.c.lda.stream.count[b.label[0]], seen);
            if (!r.rested) {
                poor += (uint32_t)answers;
                continue;
            }
            ck_assert(flipped(&d) == model && d.c.phi == phi && !r.flips && !r.draws && !r.gathers && !r.solved);
            ck_assert_uint_eq(r.forwards, d.c.n);
            ck_assert_uint_eq(r.right_after, right_of(&d, &b));
            rested++;
        }
        device_end(&d);
    }
    ck_assert(rested > 0 && poor > 0);
}
END_TEST

/* Without a flip network, as with one that makes no draws; with batches of few classes between. */
START_TEST(without_flips_it_learns_alone)
{
    const int bits = 2 << _i % 3;
    uint32_t closed = 0, solved = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device with, without;
        QcCalibrateOptions o = options(bits, 1), no_draws = o;
        no_draws.rounds = 0;
        no_draws.lead = 0.5f;
        o.lead = 0;
        device_begin(&with, (TinyKind)kind, &no_draws, bits);
        device_begin_with(&without, (TinyKind)kind, &o, bits, &qc_kernels_scalar, 0);
        ck_assert_uint_lt(qc_calibrator_bytes(&without.t.g, &without.flip, &o, CAPACITY, BATCH), qc_calibrator_bytes(&with.t.g, &with.flip, &o, CAPACITY, BATCH));
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            QcCalibrateReport r[2];
            make_batch(&b, &with, n, 1.3, n, n % 3 == 2 ? 1 : TINY_CLASSES);
            qc_calibrate_batch(&with.c, &r[0], b.x, b.label, b.id, BATCH);
            qc_calibrate_batch(&without.c, &r[1], b.x, b.label, b.id, BATCH);
            ck_assert(r[0].right_before == r[1].right_before && r[0].right_after == r[1].right_after && r[0].loss_before == r[1].loss_before && r[0].loss_after == r[1].loss_after);
            ck_assert(r[0].forwards == r[1].forwards && r[0].solved == r[1].solved && r[0].closed == r[1].closed && r[0].algebra == r[1].algebra);
            ck_assert(hash_of(&with) == hash_of(&without) && !r[1].flips && !r[1].draws && !r[1].gathers);
            closed += r[1].closed;
            solved += r[1].solved;
        }
        device_end(&with);
        device_end(&without);
    }
    ck_assert(closed > 0 && solved > 0);
}
END_TEST

START_TEST(a_batch_of_few_classes_has_it_instead_of_flips)
{
    uint32_t solved = 0;
    const int bits = 2 << _i % 3;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcCalibrateOptions o = options(bits, 1);
        device_begin(&d, (TinyKind)kind, &o, bits);
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            QcCalibrateReport r;
            make_batch(&b, &d, n, 1.3, n / 2, 2);
            uint32_t right = right_of(&d, &b);
            qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
            ck_assert(r.right_before == right && r.loss_after <= r.loss_before && d.c.heads == QC_HEADS_ONE && !r.closed);
            ck_assert(r.draws == 0 && (!r.solved || r.loss_after < r.loss_before));
            solved += r.solved;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(solved, 0);
}
END_TEST

/* Told which class it is, a model has any batch right: what it learns must not hang on that. */
START_TEST(a_batch_of_one_class_is_learned)
{
    const int bits = 2 << _i % 3;
    uint32_t wrong = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcCalibrateOptions o = options(bits, 1);
        device_begin(&d, (TinyKind)kind, &o, bits);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            Batch b;
            QcCalibrateReport r;
            make_batch(&b, &d, k, 1.3, k, 1);
            qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
            wrong += BATCH - r.right_before;
            ck_assert(r.solved ? r.loss_after < r.loss_before : r.loss_after == r.loss_before);
            if (!r.solved) ck_assert_uint_ge(r.right_after, BATCH / 2);
        }
        device_end(&d);
    }
    ck_assert_uint_gt(wrong, 0);
}
END_TEST

/* A class without any example has no mean: then flips it is. */
START_TEST(flips_stand_in_where_a_class_is_unknown)
{
    const int bits = 2 << _i % 3;
    uint32_t draws = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcCalibrateOptions o = options(bits, 0);
        device_begin(&d, (TinyKind)kind, &o, bits);
        for (uint32_t i = 0; i < CAPACITY; i++)
            if (d.c.slots.label[i] == TINY_CLASSES - 1) d.c.slots.flags[i] = QC_SLOT_EMPTY;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            Batch b;
            QcCalibrateReport r;
            make_batch(&b, &d, k, 1.3, k, 1);
            qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
            if (k < TINY_CLASSES - 1) ck_assert(!r.solved);
            else ck_assert(!r.draws);
            draws += r.draws;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(draws, 0);
}
END_TEST

/* All scales times a factor: the loss then. */
static double loss_heated(Device *d, const TinySet *z, float factor)
{
    uint32_t right;
    float was[TINY_CLASSES], *scale = d->t.g.scale + d->c.lda.node->channel;
    memcpy(was, scale, sizeof was);
    for (uint32_t k = 0; k < TINY_CLASSES; k++) scale[k] *= factor;
    double loss = tinyset_loss(z, &d->t.run, &d->c.options, &right);
    memcpy(scale, was, sizeof was);
    return loss;
}

/* Logits shrink by six tenths as long as that makes the loss on Z less, or leaves it good enough; eight times at most. */
static void expect_tempered(Device *d, const TinySet *z, double loss)
{
    const double enough = (double)d->c.options.temper, colder = loss_heated(d, z, 0.6f), hotter = loss_heated(d, z, 1 / 0.6f);
    const QcLda *l = &d->c.lda;
    float step = d->t.g.tensors[l->node->in[0]].scale, heat = d->t.g.scale[l->node->channel] * step / l->head.scale[0];
    if (heat > 0.02f) ck_assert(colder > enough && colder > loss - 1e-4);
    if (heat < 0.99f) ck_assert(loss < enough + 1e-4 || hotter > loss - 1e-4);
}

START_TEST(a_solved_batch_has_the_loss_that_it_tells)
{
    uint32_t solved = 0;
    const int bits = 2 << _i % 3;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcCalibrateOptions o = options(bits, kind % 2);
        if (kind >= 3) o.temper = 0.5f; /* so that some are good enough */
        device_begin(&d, (TinyKind)kind, &o, bits);
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            static TinySet z;
            QcCalibrateReport r;
            uint32_t right;
            make_batch(&b, &d, n, 1.3, n, 1 + n % 2);
            tinyset_keep(&z, &d.c.slots, b.x, b.label, BATCH);
            double before = tinyset_loss(&z, &d.t.run, &o, &right);
            qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
            double after = tinyset_loss(&z, &d.t.run, &o, &right);
            ck_assert_double_eq_tol(before, (double)r.loss_before, 2e-5 * (1 + before));
            ck_assert_double_eq_tol(after, (double)r.loss_after, 2e-5 * (1 + after));
            ck_assert(after < before + 1e-5 && r.right_after == right);
            if (r.solved) expect_tempered(&d, &z, after);
            solved += r.solved;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(solved, 3);
}
END_TEST

/* After all batches; few: two of three lack classes. *solved counts up, where it is asked for. */
static uint64_t outcome(TinyKind kind, int bits, const QcCalibrateOptions *o, const QcKernels *kernels, int few, uint32_t *solved)
{
    Device d;
    device_begin_with(&d, kind, o, bits, kernels, 1);
    for (uint32_t n = 0; n < BATCHES; n++) {
        Batch b;
        QcCalibrateReport r;
        make_batch(&b, &d, n, 1.3, n, few && n % 3 ? n % 3 : TINY_CLASSES);
        qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
        if (solved) *solved += r.solved;
    }
    uint64_t hash = hash_of(&d);
    device_end(&d);
    return hash;
}

START_TEST(all_kernels_make_the_same_bytes)
{
    uint32_t solved = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        const int bits = 2 << kind % 3;
        QcCalibrateOptions o = options(bits, 1);
        uint64_t first = outcome((TinyKind)kind, bits, &o, &qc_kernels_scalar, 1, &solved);
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++) ck_assert_msg(outcome((TinyKind)kind, bits, &o, *k, 1, NULL) == first, "%s", (*k)->name);
    }
    ck_assert_uint_gt(solved, 0);
}
END_TEST

/* Stream examples that an earlier session left in slots are seen once, with the first batch; the batches' own as they come. */
START_TEST(each_stream_example_is_seen_once)
{
    Device d;
    QcCalibrateOptions o = options(4, 1);
    uint32_t expected[TINY_CLASSES] = {0};
    device_begin(&d, TINY_RESIDUAL, &o, 4);
    for (uint32_t s = CAPACITY - 3; s < CAPACITY; s++) {
        d.c.slots.flags[s] = QC_SLOT_STREAM;
        expected[d.c.slots.label[s]]++;
    }
    for (uint32_t n = 0; n < BATCHES; n++) {
        Batch b;
        QcCalibrateReport r;
        make_batch(&b, &d, n, 1.3, n, 1 + n % TINY_CLASSES);
        for (uint32_t i = 0; i < BATCH; i++) expected[b.label[i]]++;
        qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
        ck_assert_mem_eq(d.c.lda.stream.count, expected, sizeof expected);
    }
    device_end(&d);
}
END_TEST

static void keep_scales(float *scale, int32_t *bias, const QcQGraph *g)
{
    memcpy(scale, g->scale, g->n_channels * sizeof *scale);
    memcpy(bias, g->bias, g->n_channels * sizeof *bias);
}

/* _i: none is asked for, whatever comes; only for batches of few classes, and there are none; what there is is good enough. */
START_TEST(scales_and_biases_stay_where_nothing_is_solved)
{
    enum { NOT_ASKED_FOR, NONE_IS_SCARCE, GOOD_ENOUGH };
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d, without;
        const int bits = 2 << kind % 3;
        QcCalibrateOptions o = options(bits, 0), none = o;
        none.scarce = 0;
        if (_i == GOOD_ENOUGH) o.temper = none.temper = o.stop = none.stop = 1e6f;
        if (_i == NOT_ASKED_FOR) o.scarce = 0;
        device_begin(&d, (TinyKind)kind, &o, bits);
        device_begin(&without, (TinyKind)kind, &none, bits);
        float scale[256];
        int32_t bias[256];
        ck_assert_uint_le(d.t.g.n_channels, 256);
        keep_scales(scale, bias, &d.t.g);
        for (uint32_t n = 0; n < BATCHES; n++) {
            Batch b;
            QcCalibrateReport r[2];
            make_batch(&b, &d, n, 1.3, n, _i != NONE_IS_SCARCE && n % 2 ? 1 : TINY_CLASSES);
            qc_calibrate_batch(&d.c, &r[0], b.x, b.label, b.id, BATCH);
            qc_calibrate_batch(&without.c, &r[1], b.x, b.label, b.id, BATCH);
            ck_assert(!memcmp(scale, d.t.g.scale, d.t.g.n_channels * sizeof *scale) && !memcmp(bias, d.t.g.bias, d.t.g.n_channels * sizeof *bias));
            ck_assert(same_model(&d.t.g, &without.t.g) && !r[0].solved && !r[0].closed);
            if (_i != GOOD_ENOUGH) ck_assert(r[0].loss_after == r[1].loss_after); /* there the one has a prior */
            ck_assert_mem_eq(d.c.slots.id, without.c.slots.id, CAPACITY * sizeof(uint64_t));
        }
        ck_assert((d.c.lda.n == 0) == (_i == NOT_ASKED_FOR));
        device_end(&d);
        device_end(&without);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("closedform");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_second_one_leaves_flips_alone_and_answers_when_it_leads, 0, 3);
    tcase_add_loop_test(t, flips_rest_where_it_answers_well_enough, 0, 3);
    tcase_add_loop_test(t, without_flips_it_learns_alone, 0, 3);
    tcase_add_loop_test(t, a_batch_of_one_class_is_learned, 0, 3);
    tcase_add_loop_test(t, flips_stand_in_where_a_class_is_unknown, 0, 3);
    tcase_add_loop_test(t, a_batch_of_few_classes_has_it_instead_of_flips, 0, 3);
    tcase_add_loop_test(t, a_solved_batch_has_the_loss_that_it_tells, 0, 3);
    tcase_add_test(t, all_kernels_make_the_same_bytes);
    tcase_add_test(t, each_stream_example_is_seen_once);
    tcase_add_loop_test(t, scales_and_biases_stay_where_nothing_is_solved, 0, 3);
    suite_add_tcase(s, t);
    return run_suite(s);
}
