/* The draw of weights and the on-device step: counts, odds and undo of the draw; what holds of every batch whatever the data. */
#include <check.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tiny.h"

#include "../../lib/device/calibrate.h"

/* ---- the draw ---- */

typedef struct Drawing {
    Tiny t;
    QcFlip flip;
    QcChoice choice;
    void *memory;
    uint8_t *codes; /* as they were */
} Drawing;

static Drawing w;

static void draw_begin(TinyKind kind, int bits)
{
    tiny_make(&w.t, kind, bits, 8, 2);
    tiny_flip(&w.flip, &w.t, 2);
    QcPlacing count = {0};
    qc_choice_place(&w.choice, &w.t.g, &w.flip, &count);
    w.memory = aligned_alloc(64, count.used);
    QcPlacing p = {.memory = w.memory};
    qc_choice_place(&w.choice, &w.t.g, &w.flip, &p);
    qc_choice_begin(&w.choice);
    w.codes = malloc(w.t.g.n_code_bytes);
    memcpy(w.codes, w.t.g.codes, w.t.g.n_code_bytes);
}

static void draw_end(void)
{
    free(w.memory);
    free(w.codes);
    tiny_release(&w.t);
}

/* How many codes of node n differ from what they were; each by `step` in the direction of its score. */
static uint32_t count_stepped(uint32_t n, int32_t step)
{
    const QcQNode *node = &w.t.g.nodes[n];
    QcQGraph before = w.t.g;
    uint32_t stepped = 0;
    before.codes = w.codes;
    for (uint32_t j = 0; j < node->n_codes; j++) {
        int32_t by = qc_code_get(&w.t.g, node, j) - qc_code_get(&before, node, j);
        if (!by) continue;
        uint8_t byte = w.choice.scores[node->code + j];
        ck_assert_uint_ne(byte & 0x7f, QC_FLIP_NEVER);
        ck_assert_int_eq(by, byte & QC_FLIP_UP ? step : -step); /* a code that left its range would have wrapped to something else */
        stepped++;
    }
    return stepped;
}

static uint32_t count_all(int32_t step)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w.t.g.n_nodes; i++) n += count_stepped(i, step);
    return n;
}

START_TEST(a_draw_steps_exactly_what_it_says)
{
    const int bits[] = {2, 4, 8};
    const float shares[] = {0, 1e-6f, 0.003f, 0.05f, 0.2f, 0.6f, 1};
    QcRng rng = qc_rng_seed(1, 1);
    for (int b = 0; b < 3; b++) {
        draw_begin((TinyKind)_i, bits[b]);
        uint32_t n = w.t.g.n_codes;
        for (int32_t step = 1; step <= (bits[b] == 2 ? 1 : 5); step += 2)
            for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
                uint32_t candidates = 0, wanted = (uint32_t)(shares[k] * (float)n + 0.5f);
                for (uint32_t i = 0; i < w.t.g.n_nodes; i++)
                    for (uint32_t j = 0; j < w.t.g.nodes[i].n_codes; j++) {
                        uint8_t byte = (uint8_t)qc_rng_next(&rng);
                        if (qc_rng_below(&rng, 8) == 0) byte = QC_FLIP_NEVER;
                        w.choice.scores[w.t.g.nodes[i].code + j] = byte;
                        int32_t to = qc_code_get(&w.t.g, &w.t.g.nodes[i], j) + (byte & QC_FLIP_UP ? step : -step);
                        candidates += (byte & 0x7f) != QC_FLIP_NEVER && to >= -(1 << (bits[b] - 1)) && to < 1 << (bits[b] - 1);
                    }
                wanted = wanted ? wanted : 1;
                uint32_t drawn = qc_choice_draw(&w.choice, shares[k], step, 0, qc_rng_next(&rng));
                ck_assert_uint_eq(drawn, wanted < candidates ? wanted : candidates);
                ck_assert_uint_eq(count_all(step), drawn);
                qc_choice_undo(&w.choice);
                ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
                qc_choice_undo(&w.choice); /* nothing left to undo */
                ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
            }
        draw_end();
    }
}
END_TEST

/* Keys of the last bin are not told apart: now and then several weights share it, and only as many as are still wanted may be taken. */
START_TEST(ties_do_not_add_to_a_draw)
{
    draw_begin(TINY_INCEPTION, 8);
    memset(w.choice.scores, 0, w.t.g.n_codes);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        ck_assert_uint_eq(qc_choice_draw(&w.choice, 0.5f, 1, 0, seed), (uint32_t)(0.5f * (float)w.t.g.n_codes + 0.5f));
        qc_choice_undo(&w.choice);
    }
    draw_end();
}
END_TEST

START_TEST(a_share_of_each_layer)
{
    draw_begin(TINY_INCEPTION, 8);
    memset(w.choice.scores, 0, w.t.g.n_codes); /* all down by 1, which few of 256 codes cannot */
    uint32_t total = qc_choice_draw(&w.choice, 0.25f, 1, 1, 9), sum = 0;
    for (uint32_t l = 0; l < w.flip.n_layers; l++) {
        uint32_t n = w.t.g.nodes[w.flip.layers[l].node].n_codes, stepped = count_stepped(w.flip.layers[l].node, 1);
        ck_assert_uint_eq(stepped, (uint32_t)(0.25f * (float)n + 0.5f));
        sum += stepped;
    }
    ck_assert_uint_eq(total, sum);
    qc_choice_undo(&w.choice);
    ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
    draw_end();
}
END_TEST

START_TEST(nothing_to_draw)
{
    draw_begin(TINY_PLAIN, 2);
    ck_assert_uint_eq(qc_choice_draw(&w.choice, 0.5f, 1, 0, 1), 0); /* as begun: no weight has a score */
    memset(w.choice.scores, QC_FLIP_UP, w.t.g.n_codes);
    for (uint32_t i = 0; i < w.t.g.n_nodes; i++)
        for (uint32_t j = 0; j < w.t.g.nodes[i].n_codes; j++) qc_code_set(&w.t.g, &w.t.g.nodes[i], j, 1);
    ck_assert_uint_eq(qc_choice_draw(&w.choice, 1, 1, 0, 1), 0); /* all at the top */
    ck_assert_uint_eq(qc_choice_draw(&w.choice, 1, 1, 1, 1), 0);
    draw_end();
}
END_TEST

/* A single weight drawn many times: odds go with score^2, that is 2^(-level/4); among equals nobody is favoured; seeds decide. */
START_TEST(higher_scores_are_drawn_more_often)
{
    enum { TRIALS = 2000, PARTS = 8 };
    draw_begin(TINY_PLAIN, 8);
    uint32_t n = w.t.g.n_codes, high = 0, part[PARTS] = {0}, moved_on = 0, before = 0;
    double n_high = 0, n_low = 0;
    for (uint32_t j = 0; j < n; j++) {
        w.choice.scores[j] = j % 3 ? 8 : 0; /* a third has score 1, the others a half */
        for (uint32_t i = 0; i < w.t.g.n_nodes; i++) {
            const QcQNode *node = &w.t.g.nodes[i];
            if (j < node->code || j >= node->code + node->n_codes) continue;
            if (qc_code_get(&w.t.g, node, j - node->code) == -128) qc_code_set(&w.t.g, node, j - node->code, -127);
        }
        if (j % 3) n_low++;
        else n_high++;
    }
    memcpy(w.codes, w.t.g.codes, w.t.g.n_code_bytes);
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        ck_assert_uint_eq(qc_choice_draw(&w.choice, 0, 1, 0, seed), 1);
        uint32_t j = 0;
        while (!(w.choice.stepped[j / 8] >> j % 8 & 1)) j++;
        high += j % 3 == 0;
        part[j * PARTS / n]++;
        moved_on += j != before;
        before = j;
        qc_choice_undo(&w.choice);
        if (seed % 100) continue;
        qc_choice_draw(&w.choice, 0, 1, 0, seed); /* the same seed, the same weight */
        ck_assert(w.choice.stepped[j / 8] >> j % 8 & 1);
        qc_choice_undo(&w.choice);
    }
    double p = 4 * n_high / (4 * n_high + n_low);
    ck_assert_msg(fabs(high - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)), "the higher level was drawn %d times, not %.0f", (int)high, TRIALS * p);
    double chi = 0;
    for (int i = 0; i < PARTS; i++) chi += pow(part[i] - (double)TRIALS / PARTS, 2) / ((double)TRIALS / PARTS);
    ck_assert_msg(chi < 30, "chi square of 7 degrees over parts of the net: %g", chi);
    ck_assert_uint_gt(moved_on, TRIALS * 9 / 10);
    draw_end();
}
END_TEST

/* ---- the step ---- */

enum { CAPACITY = 12, RESERVED = 6, BATCHES = 3, BATCH = 9, ALL = CAPACITY + BATCH };

typedef struct Stream {
    uint8_t x[BATCHES * BATCH * TINY_VALUES], source[CAPACITY * TINY_VALUES];
    uint16_t label[BATCHES * BATCH];
    uint64_t id[BATCHES * BATCH];
} Stream;

typedef struct Device {
    Tiny t;
    QcFlip flip;
    QcCalibrator c;
    uint8_t *pages;
    size_t mapped;
} Device;

static Stream stream;

/* Memory of exactly the promised size between pages that may not be touched: up against the one behind, or the one before. */
static void *guarded(Device *d, size_t bytes, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    d->mapped = room + 2 * page;
    d->pages = mmap(NULL, d->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(d->pages, MAP_FAILED);
    memset(d->pages, 0x5a, d->mapped);
    ck_assert_int_eq(mprotect(d->pages, page, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(d->pages + page + room, page, PROT_NONE), 0);
    ck_assert_uint_eq(bytes % 64, 0);
    return d->pages + page + (at_end ? room - bytes : 0);
}

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
    qc_calibrator_place(&d->c, &d->t.g, &d->flip, kernels, o, capacity, BATCH, guarded(d, bytes, at_end));
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
    munmap(d->pages, d->mapped);
    tiny_release(&d->t);
}

static void calibrate(Device *d, QcCalibrateReport *r, uint32_t batch, uint32_t n)
{
    qc_calibrate_batch(&d->c, r, stream.x + batch * BATCH * TINY_VALUES, stream.label + batch * BATCH, stream.id + batch * BATCH, n);
}

/* The set of a batch, kept aside, and the loss of the present codes on it, with libm. */
typedef struct Set {
    uint32_t n, slots;
    uint8_t x[ALL][TINY_VALUES];
    uint16_t label[ALL];
} Set;

static void keep_set(Set *z, const Device *d, uint32_t batch, uint32_t n)
{
    const QcSlots *s = &d->c.slots;
    z->n = 0;
    for (uint32_t i = 0; i < s->capacity; i++) {
        if (s->flags[i] & QC_SLOT_EMPTY) continue;
        memcpy(z->x[z->n], s->x + i * TINY_VALUES, TINY_VALUES);
        z->label[z->n++] = s->label[i];
    }
    z->slots = z->n;
    for (uint32_t i = 0; i < n; i++, z->n++) {
        memcpy(z->x[z->n], stream.x + (batch * BATCH + i) * TINY_VALUES, TINY_VALUES);
        z->label[z->n] = stream.label[batch * BATCH + i];
    }
}

static double loss_of(const Set *z, Tiny *t, uint32_t *right)
{
    double loss = 0;
    *right = 0;
    for (uint32_t i = 0; i < z->n; i++) {
        float y[TINY_CLASSES];
        double sum = 0;
        uint32_t best = 0;
        qc_qrun_forward(&t->run, y, z->x[i]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            sum += exp((double)y[k]);
            if (y[k] > y[best]) best = k;
        }
        loss += (log(sum) - (double)y[z->label[i]]) / z->n;
        if (i >= z->slots) *right += best == z->label[i];
    }
    return loss;
}

/* The scalar kernels, counting how often the first layer's weights are unpacked: once a window that goes through the network. */
static uint32_t windows_seen;
static const QcQGraph *watched;

static void counting_unpack(int8_t *to, int32_t *sum, const QcKCodes *codes)
{
    const QcQNode *first = &watched->nodes[0];
    windows_seen += first->code_byte + watched->codes == codes->bytes && codes->first == 0;
    qc_kernels_scalar.unpack(to, sum, codes);
}

START_TEST(what_holds_of_every_batch)
{
    const int bits[] = {2, 4, 8};
    uint32_t accepted = 0;
    for (int b = 0; b < 3; b++)
        for (int choose = 0; choose < QC_CHOOSE_COUNT; choose++) {
            Device d;
            QcCalibrateOptions o = qc_calibrate_defaults(bits[b]);
            o.choose = (QcChoose)choose;
            o.rounds = 4;
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
                static Set z;
                QcCalibrateReport r;
                uint32_t right, n = batch == 1 ? 1 : BATCH;
                keep_set(&z, &d, batch, n);
                double before = loss_of(&z, &d.t, &right);
                windows_seen = 0;
                calibrate(&d, &r, batch, n);
                ck_assert_uint_eq(windows_seen, r.forwards);
                ck_assert_double_eq_tol(before, (double)r.loss_before, 2e-5 * (1 + before));
                ck_assert_uint_eq(right, r.right_before);
                double after = loss_of(&z, &d.t, &right);
                ck_assert_double_eq_tol(after, (double)r.loss_after, 2e-5 * (1 + after)); /* what was refused left no trace */
                ck_assert_uint_eq(right, r.right_after);
                ck_assert(r.loss_after <= r.loss_before && (r.accepted > 0) == (r.loss_after < r.loss_before));
                ck_assert(r.n == n && r.accepted <= r.draws && r.draws <= o.rounds && r.flips >= r.accepted);
                /* a statistic for the first draw, and after each accepted one unless it was the last */
                ck_assert(r.draws ? r.gathers >= 1 && (r.gathers == r.accepted || r.gathers == r.accepted + 1) : !r.gathers);
                ck_assert_uint_ge(r.forwards, z.n * (1 + r.draws + r.gathers));
                if (o.chunk > 1) ck_assert_uint_eq(r.forwards, z.n * (1 + r.draws + r.gathers));
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
        QcCalibrateOptions o = qc_calibrate_defaults(2);
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
    static Set z;
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
        loss_of(&z, &d.t, &right);
        calibrate(&d, &r, batch, BATCH);
        ck_assert_uint_eq(r.right_before, right);
        wrong += BATCH - right;
        loss_of(&z, &d.t, &right);
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
    /* in chunks the first batch knows all that it knows at once, and later ones have another rms of the net: but it must run in its memory */
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

int main(void)
{
    Suite *suite = suite_create("calibrate");
    TCase *tests = tcase_create("calibrate");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_draw_steps_exactly_what_it_says, 0, TINY_KINDS);
    tcase_add_test(tests, ties_do_not_add_to_a_draw);
    tcase_add_test(tests, a_share_of_each_layer);
    tcase_add_test(tests, nothing_to_draw);
    tcase_add_test(tests, higher_scores_are_drawn_more_often);
    tcase_add_loop_test(tests, what_holds_of_every_batch, 0, TINY_KINDS);
    tcase_add_test(tests, flips_stay_in_range);
    tcase_add_test(tests, the_batchs_labels_do_not_help_its_score);
    tcase_add_loop_test(tests, the_same_seed_makes_the_same_bytes, 0, TINY_KINDS);
    tcase_add_test(tests, little_or_nothing_to_learn_from);
    tcase_add_test(tests, no_rounds_no_flips);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
