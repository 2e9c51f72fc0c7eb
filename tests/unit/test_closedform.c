/* The last layer in closed form in the course of a stream: that it leaves flips alone, answers when arriving batches speak for it, and takes the place of flips in batches of few classes. */
#include "suite.h"
#include "tiny.h"

#include "../../lib/device/calibrate.h"

enum { CAPACITY = 12, BATCH = 12, BATCHES = 8 };

typedef struct Device {
    Tiny t;
    QcFlip flip;
    QcCalibrator c;
    void *memory;
} Device;

typedef struct Batch {
    uint8_t x[BATCH * TINY_VALUES];
    uint16_t label[BATCH];
    uint64_t id[BATCH];
} Batch;

/* A class shows in the mean of a channel, the last one in none; classes: of which the batch has examples, one after another. */
static void make_batch(Batch *b, const Device *d, uint32_t number, double size, uint32_t first, uint32_t classes)
{
    float x[TINY_VALUES];
    for (uint32_t i = 0; i < BATCH; i++) {
        b->label[i] = (uint16_t)((first + i % classes) % TINY_CLASSES);
        b->id[i] = number * 100 + i;
        tiny_windows(x, 1, size, number * 100 + i);
        for (int v = 0; v < TINY_VALUES; v++) x[v] += v % TINY_CHANNELS == b->label[i] ? 1.2f : -0.2f;
        qc_q_input(b->x + i * TINY_VALUES, x, TINY_VALUES, &d->t.g.tensors[0]);
    }
}

static void device_begin(Device *d, TinyKind kind, const QcCalibrateOptions *o, int bits)
{
    Batch source;
    tiny_make(&d->t, kind, bits, 8, 8);
    tiny_flip(&d->flip, &d->t, 4);
    uint64_t bytes = qc_calibrator_bytes(&d->t.g, &d->flip, o, CAPACITY, BATCH);
    d->memory = aligned_alloc(64, bytes);
    qc_calibrator_place(&d->c, &d->t.g, &d->flip, &qc_kernels_scalar, o, CAPACITY, BATCH, d->memory);
    make_batch(&source, d, 90, 0.7, 0, TINY_CLASSES);
    QcSlots *s = &d->c.slots;
    memcpy(s->x, source.x, sizeof source.x);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        s->label[i] = source.label[i];
        s->id[i] = source.id[i];
        s->flags[i] = i < CAPACITY / 2 ? QC_SLOT_RESERVED : 0;
        s->misses[i] = 0;
    }
}

static void device_end(Device *d)
{
    free(d->memory);
    tiny_release(&d->t);
}

static uint32_t right_of(Device *d, const Batch *b)
{
    uint32_t right = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        float logits[TINY_CLASSES];
        uint32_t best = 0;
        qc_qrun_forward(&d->t.run, logits, b->x + i * TINY_VALUES);
        for (uint32_t k = 1; k < TINY_CLASSES; k++) best = logits[k] > logits[best] ? k : best;
        right += best == b->label[i];
    }
    return right;
}

static uint32_t right_of_other(Device *d, const Batch *b)
{
    qc_lda_swap(&d->c.lda);
    uint32_t right = right_of(d, b);
    qc_lda_swap(&d->c.lda);
    return right;
}

static int same_model(const QcQGraph *a, const QcQGraph *b)
{
    return !memcmp(a->codes, b->codes, a->n_code_bytes) && !memcmp(a->scale, b->scale, a->n_channels * sizeof *a->scale) &&
           !memcmp(a->bias, b->bias, a->n_channels * sizeof *a->bias);
}

static QcCalibrateOptions options(int bits, int second)
{
    QcCalibrateOptions o = qc_calibrate_defaults(bits);
    o.second = second;
    o.rounds = 6;
    return o;
}

START_TEST(a_second_one_leaves_flips_alone_and_answers_when_it_leads)
{
    uint32_t answers[QC_HEADS_COUNT] = {0};
    const int bits = 2 << _i % 3;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device alone, two;
        QcCalibrateOptions o[2] = {options(bits, 0), options(bits, 1)};
        float lead = 0;
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
            ck_assert(!r.solved || (r.flips == 0 && r.loss_after < r.loss_before));
            solved += r.solved;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(solved, 0);
}
END_TEST

START_TEST(scales_and_biases_stay_where_neither_is_asked_for)
{
    Device d;
    QcCalibrateOptions o = options(2, 0);
    o.scarce = 0;
    device_begin(&d, TINY_INCEPTION, &o, 2);
    size_t bytes = d.t.g.n_channels * sizeof(float);
    float *scale = malloc(bytes);
    int32_t *bias = malloc(bytes);
    memcpy(scale, d.t.g.scale, bytes);
    memcpy(bias, d.t.g.bias, bytes);
    for (uint32_t n = 0; n < BATCHES; n++) {
        Batch b;
        QcCalibrateReport r;
        make_batch(&b, &d, n, 1.3, n, n % 2 ? 1 : TINY_CLASSES);
        qc_calibrate_batch(&d.c, &r, b.x, b.label, b.id, BATCH);
    }
    ck_assert(!memcmp(scale, d.t.g.scale, bytes) && !memcmp(bias, d.t.g.bias, bytes) && d.c.lda.n == 0);
    free(scale);
    free(bias);
    device_end(&d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("closedform");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_second_one_leaves_flips_alone_and_answers_when_it_leads, 0, 3);
    tcase_add_loop_test(t, a_batch_of_few_classes_has_it_instead_of_flips, 0, 3);
    tcase_add_test(t, scales_and_biases_stay_where_neither_is_asked_for);
    suite_add_tcase(s, t);
    return run_suite(s);
}
