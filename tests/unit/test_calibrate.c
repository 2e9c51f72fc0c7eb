/* The on-device step: what holds of every batch whatever the data, in memory of exactly the promised size. */
#include "suite.h"
#include "guarded.h"
#include "tiny.h"
#include "tinyset.h"

enum { CAPACITY = 12, RESERVED = 6, BATCHES = 3, BATCH = 9 };

typedef struct Stream {
    uint8_t x[BATCHES * BATCH * TINY_VALUES], source[CAPACITY * TINY_VALUES];
    uint16_t label[BATCHES * BATCH];
    uint64_t id[BATCHES * BATCH];
} Stream;

typedef struct Device {
    Tiny t;
    QcFlip flip;
    QcCalibrator c;
    Guarded memory;
} Device;

static Stream stream;

static void device_begin(Device *d, TinyKind kind, int bits, const QcKernels *kernels, const QcCalibrateOptions *o, uint32_t capacity, int at_end)
{
    float x[TINY_VALUES];
    tiny_make(&d->t, kind, bits, 8, 4);
    tiny_flip(&d->flip, &d->t, 4);
    for (uint32_t i = 0; i < BATCHES * BATCH + CAPACITY; i++) { /* a class shows in the mean of a channel, and the stream is louder than the source */
        int is_source = i >= BATCHES * BATCH;
        tiny_windows(x, 1, is_source ? 0.8 : 1, 100 + i);
        for (int v = 0; v < TINY_VALUES; v++) x[v] += (uint32_t)(v % TINY_CHANNELS) == i % TINY_CLASSES ? 0.8f : -0.2f;
        uint8_t *to = is_source ? stream.source + (i - BATCHES * BATCH) * TINY_VALUES : stream.x + i * TINY_VALUES;
        qc_q_input(to, x, TINY_VALUES, &d->t.g.tensors[0]);
        if (is_source) continue;
        stream.label[i] = (uint16_t)(i % TINY_CLASSES);
        stream.id[i] = 1000 + i;
    }
    size_t bytes = qc_calibrator_bytes(&d->t.g, &d->flip, o, capacity, BATCH);
    qc_calibrator_place(&d->c, &d->t.g, &d->flip, kernels, o, capacity, BATCH, guarded_take(&d->memory, bytes, at_end));
}

/* Two thirds of the slots hold source examples, most of them for ever; the last are empty. */
static void fill_slots(Device *d)
{
    QcSlots *s = &d->c.slots;
    for (uint32_t i = 0; i < s->capacity - 2; i++) {
        memcpy(s->x + i * TINY_VALUES, stream.source + i * TINY_VALUES, TINY_VALUES);
        s->label[i] = (uint16_t)((BATCHES * BATCH + i) % TINY_CLASSES);
        s->flags[i] = i < RESERVED ? QC_SLOT_RESERVED : QC_SLOT_NEVER_RIGHT;
        s->id[i] = i;
        s->misses[i] = 0;
    }
}

static void device_end(Device *d)
{
    guarded_release(&d->memory);
    tiny_release(&d->t);
}

static void calibrate(Device *d, QcCalibrateReport *r, uint32_t batch, uint32_t n)
{
    qc_calibrate_batch(&d->c, r, stream.x + batch * BATCH * TINY_VALUES, stream.label + batch * BATCH, stream.id + batch * BATCH, n);
}

static void keep_set(TinySet *z, const Device *d, uint32_t batch, uint32_t n)
{
    tinyset_keep(z, &d->c.slots, stream.x + batch * BATCH * TINY_VALUES, stream.label + batch * BATCH, n);
}

static double loss_of(const TinySet *z, Device *d, uint32_t *right) { return tinyset_loss(z, &d->t.run, &d->c.options, right); }

/* The scalar kernels, counting how often the first layer's weights are unpacked: once a window that goes through the network. */
static uint32_t windows_seen;
static const QcQGraph *watched;

static void counting_unpack(int8_t *to, int32_t *sum, const QcKCodes *codes)
{
    const QcQNode *first = &watched->nodes[0];
    windows_seen += first->code_byte + watched->codes == codes->bytes && codes->first == 0;
    qc_kernels_scalar.unpack(to, sum, codes);
}

/* Without a last layer in closed form, which test_closedform.c looks at. */
static QcCalibrateOptions flips_alone(int bits)
{
    QcCalibrateOptions o = qc_calibrate_defaults(bits);
    o.scarce = 0;
    o.second = 0;
    return o;
}

START_TEST(what_holds_of_every_batch)
{
    const int bits[] = {2, 4, 8};
    uint32_t accepted = 0;
    for (int b = 0; b < 3; b++)
        for (int choose = 0; choose < QC_CHOOSE_COUNT; choose++) {
            Device d;
            QcCalibrateOptions o = flips_alone(bits[b]);
            o.choose = (QcChoose)choose;
            o.rounds = 4;
            if (choose == QC_CHOOSE_GREEDY) o.balance = 0.5f, o.prior = -1;
            if (choose && bits[b] != 2 << _i % 3) continue; /* each width with some graph is enough */
            o.chunk = choose == QC_CHOOSE_RANDOM ? 1 : choose == QC_CHOOSE_GREEDY ? 1u << 30 : 0;
            QcKernels counting = qc_kernels_scalar;
            counting.unpack = counting_unpack;
            device_begin(&d, (TinyKind)_i, bits[b], &counting, &o, CAPACITY, b % 2);
            watched = &d.t.g;
            ck_assert_uint_eq(watched->nodes[0].groups, _i == TINY_MIXED ? TINY_CHANNELS : 1); /* there a panel is not a whole layer, but the first still is one */
            fill_slots(&d);
            uint8_t reserved[RESERVED * TINY_VALUES];
            memcpy(reserved, d.c.slots.x, sizeof reserved);
            for (uint32_t batch = 0; batch < BATCHES; batch++) {
                static TinySet z;
                QcCalibrateReport r;
                uint32_t right, n = batch == 1 ? 1 : BATCH;
                keep_set(&z, &d, batch, n);
                double before = loss_of(&z, &d, &right);
                windows_seen = 0;
                calibrate(&d, &r, batch, n);
                ck_assert_uint_eq(windows_seen, r.forwards);
                ck_assert_double_eq_tol(before, (double)r.loss_before, 2e-5 * (1 + before));
                ck_assert_uint_eq(right, r.right_before);
                double after = loss_of(&z, &d, &right);
                ck_assert_double_eq_tol(after, (double)r.loss_after, 2e-5 * (1 + after)); /* what was refused left no trace */
                ck_assert_uint_eq(right, r.right_after);
                ck_assert(r.loss_after <= r.loss_before && (r.accepted > 0) == (r.loss_after < r.loss_before));
                ck_assert(r.n == n && r.accepted <= r.draws && r.draws <= o.rounds && r.flips >= r.accepted);
                /* a statistic for the first draw, and after each accepted one unless it was the last */
                ck_assert(r.draws ? r.gathers >= 1 && (r.gathers == r.accepted || r.gathers == r.accepted + 1) : !r.gathers);
                /* accepted draws and the first look see every example; a refused draw may end early, and a statistic leaves out what has next to no error */
                ck_assert_uint_ge(r.forwards, z.n * (1 + r.accepted) + r.gathers + r.draws - r.accepted);
                if (o.chunk > 1) ck_assert_uint_le(r.forwards, z.n * (1 + r.draws + r.gathers));
                ck_assert_uint_eq(r.from_source + r.from_stream + r.from_batch, CAPACITY);
                ck_assert(r.from_source >= RESERVED && (batch || r.from_stream == 0));
                ck_assert_mem_eq(d.c.slots.x, reserved, sizeof reserved);
                accepted += r.accepted;
            }
            device_end(&d);
        }
    ck_assert_uint_gt(accepted, 10); /* the rounds did something */
}
END_TEST

/* One round of one step: the codes that changed are as many as the report says, each by one. A code beyond its range would have wrapped. */
START_TEST(flips_stay_in_range)
{
    uint32_t flipped = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        Device d;
        QcCalibrateOptions o = flips_alone(2);
        o.rounds = 1;
        o.phi0 = o.phi_max = 0.02f;
        o.seed = seed;
        device_begin(&d, TINY_INCEPTION, 2, &qc_kernels_scalar, &o, CAPACITY, 1);
        fill_slots(&d);
        uint8_t *before = malloc(d.t.g.n_code_bytes);
        for (uint32_t batch = 0; batch < BATCHES; batch++) {
            QcCalibrateReport r;
            QcQGraph old = d.t.g;
            uint32_t changed = 0;
            memcpy(before, d.t.g.codes, d.t.g.n_code_bytes);
            old.codes = before;
            calibrate(&d, &r, batch, BATCH);
            for (uint32_t i = 0; i < old.n_nodes; i++)
                for (uint32_t j = 0; j < old.nodes[i].n_codes; j++) {
                    int32_t by = qc_code_get(&d.t.g, &old.nodes[i], j) - qc_code_get(&old, &old.nodes[i], j);
                    ck_assert(by >= -1 && by <= 1);
                    changed += by != 0;
                }
            ck_assert_uint_eq(changed, r.flips);
            flipped += changed;
        }
        free(before);
        device_end(&d);
    }
    ck_assert_uint_gt(flipped, 0);
}
END_TEST

/* A batch of one class whose frequencies are taken out of the loss: what is reported as right is still what the model says by itself. */
START_TEST(the_batchs_labels_do_not_help_its_score)
{
    Device d;
    static TinySet z;
    QcCalibrateReport r;
    QcCalibrateOptions o = qc_calibrate_defaults(2);
    o.prior = 0;
    o.balance = 1;
    device_begin(&d, TINY_RESIDUAL, 2, &qc_kernels_scalar, &o, CAPACITY, 0);
    fill_slots(&d);
    uint32_t wrong = 0;
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        uint32_t right;
        for (uint32_t i = 0; i < BATCH; i++) stream.label[batch * BATCH + i] = (uint16_t)(batch % TINY_CLASSES);
        keep_set(&z, &d, batch, BATCH);
        loss_of(&z, &d, &right);
        calibrate(&d, &r, batch, BATCH);
        ck_assert_uint_eq(r.right_before, right);
        wrong += BATCH - right;
        loss_of(&z, &d, &right);
        ck_assert_uint_eq(r.right_after, right);
        ck_assert(isfinite(r.loss_after) && r.loss_after <= r.loss_before);
    }
    ck_assert_uint_gt(wrong, 0);
    device_end(&d);
}
END_TEST

/* Codes and slots after all batches, as one hash. */
static uint64_t outcome(TinyKind kind, int bits, const QcKernels *kernels, uint64_t seed, uint32_t chunk, int at_end)
{
    Device d;
    QcCalibrateOptions o = qc_calibrate_defaults(bits);
    o.seed = seed;
    o.chunk = chunk;
    o.rounds = 4;
    uint64_t hash = 0;
    device_begin(&d, kind, bits, kernels, &o, CAPACITY, at_end);
    fill_slots(&d);
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        QcCalibrateReport r;
        calibrate(&d, &r, batch, BATCH);
        uint32_t losses[2];
        memcpy(&losses[0], &r.loss_before, 4);
        memcpy(&losses[1], &r.loss_after, 4);
        hash = qc_hash64(qc_hash64(hash, losses[0]), losses[1]);
    }
    for (uint32_t i = 0; i < d.t.g.n_code_bytes; i++) hash = qc_hash64(hash, d.t.g.codes[i]);
    for (uint32_t s = 0; s < CAPACITY; s++) {
        hash = qc_hash64(hash, d.c.slots.id[s] ^ (uint64_t)d.c.slots.misses[s] << 40 ^ (uint64_t)d.c.slots.flags[s] << 56);
        for (uint32_t v = 0; v < TINY_VALUES; v++) hash = qc_hash64(hash, d.c.slots.x[s * TINY_VALUES + v]);
    }
    device_end(&d);
    return hash;
}

START_TEST(the_same_seed_makes_the_same_bytes)
{
    int bits = 2 << (_i % 3);
    uint64_t first = outcome((TinyKind)_i, bits, &qc_kernels_scalar, 1, 0, 0);
    ck_assert_uint_ne(first, outcome((TinyKind)_i, bits, &qc_kernels_scalar, 2, 0, 1));
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
        for (int at_end = 0; at_end < 2; at_end++) ck_assert_msg(outcome((TinyKind)_i, bits, *k, 1, 0, at_end) == first, "%s", (*k)->name);
    /* with room for a piece at a time too */
    ck_assert_uint_eq(outcome((TinyKind)_i, bits, &qc_kernels_scalar, 1, 1, 1), outcome((TinyKind)_i, bits, &qc_kernels_scalar, 1, 1, 0));
}
END_TEST

START_TEST(little_or_nothing_to_learn_from)
{
    const uint32_t capacities[] = {0, 1, CAPACITY};
    for (int k = 0; k < 3; k++)
        for (uint32_t n = 0; n <= 2; n++) {
            Device d;
            QcCalibrateReport r;
            QcCalibrateOptions o = qc_calibrate_defaults(4);
            device_begin(&d, TINY_RESIDUAL, 4, &qc_kernels_scalar, &o, capacities[k], 1); /* all slots empty */
            calibrate(&d, &r, 0, n);
            uint32_t room = n < capacities[k] ? n : capacities[k];
            ck_assert(r.n == n && isfinite(r.loss_after) && r.loss_after <= r.loss_before);
            ck_assert(r.from_source == 0 && r.from_stream == 0 && r.from_batch == room);
            if (!n) ck_assert(r.draws == 0 && r.forwards == 0 && r.loss_before == 0);
            calibrate(&d, &r, 1, 2);
            ck_assert_uint_eq(r.from_stream + r.from_batch, room + 2 < capacities[k] ? room + 2 : capacities[k]);
            device_end(&d);
        }
}
END_TEST

START_TEST(no_rounds_no_flips)
{
    Device d;
    QcCalibrateReport r;
    QcCalibrateOptions o = qc_calibrate_defaults(2);
    o.rounds = 0;
    o.second = 0;
    device_begin(&d, TINY_PLAIN, 2, &qc_kernels_scalar, &o, CAPACITY, 0);
    fill_slots(&d);
    uint8_t *codes = malloc(d.t.g.n_code_bytes);
    memcpy(codes, d.t.g.codes, d.t.g.n_code_bytes);
    calibrate(&d, &r, 0, BATCH);
    ck_assert_mem_eq(codes, d.t.g.codes, d.t.g.n_code_bytes);
    ck_assert(r.draws == 0 && r.flips == 0 && r.gathers == 0 && r.right_after == r.right_before && r.loss_after == r.loss_before);
    ck_assert_uint_gt(r.from_batch, 0); /* the coreset goes on */
    free(codes);
    device_end(&d);
}
END_TEST

START_TEST(what_is_too_large_is_counted_in_full)
{
    static Device d;
    QcCalibrateOptions o = qc_calibrate_defaults(2);
    device_begin(&d, TINY_PLAIN, 2, &qc_kernels_scalar, &o, CAPACITY, 0);
    ck_assert_uint_gt(qc_calibrator_bytes(&d.t.g, &d.flip, &o, 0x8000000cu, BATCH), (uint64_t)0x8000000cu * TINY_VALUES);
    device_end(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("calibrate");
    TCase *tests = tcase_create("calibrate");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, what_holds_of_every_batch, 0, TINY_KINDS);
    tcase_add_test(tests, flips_stay_in_range);
    tcase_add_test(tests, the_batchs_labels_do_not_help_its_score);
    tcase_add_loop_test(tests, the_same_seed_makes_the_same_bytes, 0, TINY_KINDS);
    tcase_add_test(tests, little_or_nothing_to_learn_from);
    tcase_add_test(tests, no_rounds_no_flips);
    tcase_add_test(tests, what_is_too_large_is_counted_in_full);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
