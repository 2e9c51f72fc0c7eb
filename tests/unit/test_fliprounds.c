/* Rounds of bit flips on a set of examples: invariants of every run on any data. Losses are by libm in double
 * precision; memory has exactly the promised size. */
#include "suite.h"
#include "tiny.h"
#include "guarded.h"

#include "../../lib/device/fliprounds.h"

enum { KEPT = 10, BATCH = 9, SLOTS = KEPT + 2, RING = 12, Z = KEPT + BATCH };

typedef struct Bench {
    Tiny t;
    QcFlip flip;
    QcQRun run;
    QcSlots coreset, ring;
    QcSet set;
    QcParameters parameters;
    QcFlipper flipper;
    QcFlipTask task;
    float share;
    uint32_t row[Z];
    uint8_t right[Z], ever[Z];
    uint16_t misses[Z];
    Guarded memory;
} Bench;

static void lay_out(Bench *b, const QcKernels *kernels, QcPlacing *p)
{
    qc_slots_place(&b->coreset, SLOTS, TINY_VALUES, 0, p);
    qc_slots_place(&b->ring, RING, TINY_VALUES, 0, p);
    qc_qrun_lay_out(&b->run, &b->t.g, kernels, 0, p);
    qc_flip_rounds.place_kept(&b->flipper, &b->flip, p);
    qc_flip_rounds.place(&b->flipper, &b->t.g, &b->run, &b->flip, &b->parameters, Z, p);
}

/* A class shows in the mean of a channel, and the batch is louder than what was kept. */
static void put(Bench *b, QcSlots *slots, uint32_t row, uint32_t example, uint16_t label)
{
    float x[TINY_VALUES];
    tiny_windows(x, 1, slots == &b->ring ? 1 : 0.8, 100 + example);
    for (int v = 0; v < TINY_VALUES; v++) x[v] += v % TINY_CHANNELS == label ? 0.8f : -0.2f;
    qc_q_input(qc_slot_window(slots, row), x, TINY_VALUES, &b->t.g.tensors[0]);
    slots->label[row] = label;
    b->row[b->set.n++] = row;
}

/* The batch's windows lie anywhere in the ring, with the labels of `classes` classes. */
static void gather(Bench *b, uint32_t batch, uint32_t n, uint32_t classes)
{
    b->set = (QcSet){.coreset = &b->coreset, .ring = &b->ring, .row = b->row};
    for (uint32_t i = 0; i < KEPT; i++) put(b, &b->coreset, i + 2, i, (uint16_t)(i % TINY_CLASSES));
    b->set.n_kept = KEPT;
    for (uint32_t i = 0; i < n; i++)
        put(b, &b->ring, (i * 5 + batch) % RING, 100 * (batch + 1) + i,
            (uint16_t)((batch + i % classes) % TINY_CLASSES));
    for (uint32_t i = 0; i < b->set.n; i++) {
        float logits[TINY_CLASSES];
        qc_qrun_forward(&b->t.run, logits, qc_set_window(&b->set, i));
        b->right[i] = b->ever[i] = qc_largest(logits, TINY_CLASSES) == qc_set_label(&b->set, i);
        b->misses[i] = 0;
    }
}

static void bench_begin(Bench *b, TinyKind kind, int bits, QcFlipScore score, const QcKernels *kernels, int at_end)
{
    QcPlacing count = {0};
    QcParameters parameters = qc_parameters_default(bits);
    parameters.rounds = 4;
    parameters.stop_loss = 0.01f;
    parameters.block_sample = score == QC_SCORE_RANDOM ? 1 : score == QC_SCORE_GREEDY ? 1u << 30 : 20480;
    *b = (Bench){.parameters = parameters};
    tiny_make(&b->t, kind, bits, 8, 4);
    tiny_flip(&b->flip, &b->t, 4);
    lay_out(b, kernels, &count);
    QcPlacing p = {.memory = guarded_take(&b->memory, count.used, at_end)};
    lay_out(b, kernels, &p);
    b->flipper.score = score;
    b->share = parameters.first_share;
    b->task = (QcFlipTask){.set = &b->set,
                           .parameters = &b->parameters,
                           .stop = parameters.stop_loss,
                           .right = b->right,
                           .ever = b->ever,
                           .misses = b->misses,
                           .share = &b->share};
}

static void bench_end(Bench *b)
{
    guarded_release(&b->memory);
    tiny_release(&b->t);
}

static void flip(Bench *b, QcFlipCounts *counts, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 3);
    qc_flip_rounds.run(&b->flipper, counts, &b->task, &rng);
}

/* By the formulas: classes balanced, and the batch's class frequencies taken out of the loss of its examples. right
 * [set] */
static double loss_outside(Bench *b, uint8_t *right)
{
    double loss = 0, of_class[TINY_CLASSES] = {0}, in_batch[TINY_CLASSES] = {0}, present = 0, most = 0;
    const QcSet *z = &b->set;
    for (uint32_t i = 0; i < z->n; i++) {
        uint16_t label = qc_set_label(z, i);
        present += of_class[label]++ == 0;
        if (i >= z->n_kept) most = fmax(most, ++in_batch[label]);
    }
    for (uint32_t i = 0; i < z->n; i++) {
        float y[TINY_CLASSES];
        double sum = 0, own = 0;
        uint32_t best = 0;
        qc_qrun_forward(&b->t.run, y, qc_set_window(z, i));
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double offset = i < z->n_kept ? 0 : log((in_batch[k] + 1) / (most + 1));
            sum += exp((double)y[k] + offset);
            if (k == qc_set_label(z, i)) own = (double)y[k] + offset;
            if (y[k] > y[best]) best = k;
        }
        loss += (log(sum) - own) / (present * of_class[qc_set_label(z, i)]);
        right[i] = best == qc_set_label(z, i);
    }
    return loss;
}

/* The scalar kernels, counting how often the first layer's weights are unpacked: once for each window that goes through
 * the network. */
static uint32_t windows_seen;
static const QcQGraph *watched;

static void counting_unpack(int8_t *to, int32_t *sum, const QcKCodes *codes)
{
    const QcQNode *first = &watched->nodes[0];
    windows_seen += first->code_byte + watched->codes == codes->bytes && codes->first == 0;
    qc_kernels_scalar.unpack(to, sum, codes);
}

/* A dense first layer is read straight from its codes. */
static int counting_linear(int32_t *sums, const QcKConv *how)
{
    const QcQNode *first = &watched->nodes[0];
    windows_seen += first->code_byte + watched->codes == how->codes.bytes && how->codes.first == 0;
    return qc_kernels_scalar.linear(sums, how);
}

static void expect_counts(const Bench *b, const QcFlipCounts *c)
{
    uint32_t n = b->set.n;
    ck_assert(c->accepted <= c->proposals && c->proposals <= b->parameters.rounds && c->flips >= c->accepted);
    /* a statistic for the first proposal, and after each accepted one unless it was the last */
    ck_assert(c->proposals ? c->statistics >= 1 && (c->statistics == c->accepted || c->statistics == c->accepted + 1)
                           : !c->statistics);
    /* the first pass and accepted proposals see every example; a refused one may end early, and a statistic leaves out
     * what has next to no error */
    ck_assert_uint_ge(c->forwards, n * (1 + c->accepted) + c->statistics + c->proposals - c->accepted);
    if (b->parameters.block_sample > 1) ck_assert_uint_le(c->forwards, n * (1 + c->proposals + c->statistics));
    ck_assert_uint_eq(windows_seen, c->forwards);
}

/* _i: kind. */
START_TEST(every_run_keeps_invariants)
{
    const int bits[] = {2, 4, 8};
    uint32_t accepted = 0, refused = 0;
    QcKernels counting = qc_kernels_scalar;
    counting.unpack = counting_unpack;
    counting.linear = counting_linear;
    for (int w = 0; w < 3; w++)
        for (int score = 0; score <= QC_SCORE_GREEDY; score++) {
            Bench b;
            if (score && bits[w] != 2 << _i % 3) continue; /* each width with some graph is enough */
            bench_begin(&b, (TinyKind)_i, bits[w], (QcFlipScore)score, &counting, w % 2);
            watched = &b.t.g;
            /* there a panel is not a whole layer, but the first still is one */
            ck_assert_uint_eq(watched->nodes[0].groups, _i == TINY_MIXED ? TINY_CHANNELS : 1);
            for (uint32_t batch = 0; batch < 3; batch++) {
                QcFlipCounts counts;
                uint8_t right[Z];
                gather(&b, batch, batch == 1 ? 1 : BATCH, batch == 2 ? 1 : TINY_CLASSES);
                double before = loss_outside(&b, right);
                ck_assert_mem_eq(right, b.right, b.set.n);
                windows_seen = 0;
                flip(&b, &counts, batch);
                expect_counts(&b, &counts);
                double after = loss_outside(&b, right);
                /* what was refused left no trace */
                ck_assert(counts.accepted ? after < before + 1e-5 : after == before);
                ck_assert_mem_eq(right, b.right, b.set.n);
                for (uint32_t i = 0; i < b.set.n; i++)
                    ck_assert(b.ever[i] >= b.right[i] && b.misses[i] <= 1 + counts.proposals);
                ck_assert(qc_flip_rounds.is_sound(&b.flipper));
                accepted += counts.accepted;
                refused += counts.proposals - counts.accepted;
            }
            bench_end(&b);
        }
    ck_assert(accepted > 3 && refused > 0);
}
END_TEST

/* One round of steps by one: the codes that changed are as many as the report says. A code beyond its range would have
 * wrapped. */
START_TEST(flipped_codes_stay_in_range)
{
    uint32_t flipped = 0;
    for (uint64_t seed = 1; seed <= 18; seed++) {
        Bench b;
        QcFlipCounts counts;
        const int bits = 2 << seed % 3;
        bench_begin(&b, TINY_INCEPTION, bits, QC_SCORE_NETWORK, &qc_kernels_scalar, 1);
        b.parameters.rounds = 1;
        b.share = b.parameters.first_share = b.parameters.largest_share = 0.02f;
        QcQGraph old = b.t.g;
        old.codes = memcpy(malloc(old.n_code_bytes), old.codes, old.n_code_bytes);
        gather(&b, (uint32_t)seed, BATCH, TINY_CLASSES);
        flip(&b, &counts, seed);
        uint32_t changed = 0;
        for (uint32_t i = 0; i < old.n_nodes; i++)
            for (uint32_t j = 0; j < old.nodes[i].n_codes; j++) {
                int32_t by = qc_code_get(&b.t.g, &old.nodes[i], j) - qc_code_get(&old, &old.nodes[i], j);
                ck_assert(by >= -1 && by <= 1);
                changed += by != 0;
            }
        ck_assert_uint_eq(changed, counts.flips);
        flipped += changed;
        free(old.codes);
        bench_end(&b);
    }
    ck_assert_uint_gt(flipped, 0);
}
END_TEST

/* A batch of one class whose frequencies are removed from the loss. Correct means the plain answer of the model (in
 * every_run_keeps_invariants). Some answers are wrong, although the offset would make any window correct. */
START_TEST(batch_labels_do_not_change_reported_correct_count)
{
    uint32_t wrong = 0;
    for (uint32_t batch = 0; batch < 3; batch++) {
        Bench b;
        QcFlipCounts counts;
        bench_begin(&b, TINY_RESIDUAL, 2, QC_SCORE_NETWORK, &qc_kernels_scalar, 0);
        gather(&b, batch, BATCH, 1);
        for (uint32_t i = KEPT; i < b.set.n; i++) wrong += !b.right[i];
        flip(&b, &counts, batch);
        bench_end(&b);
    }
    ck_assert_uint_gt(wrong, 0);
}
END_TEST

/* _i: no rounds; a loss that is low enough. One pass to know the loss, which is the loss of the formulas, and no more;
 * in a second pass nothing was missed. */
START_TEST(no_rounds_or_low_loss_proposes_nothing)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Bench b;
        QcFlipCounts counts;
        bench_begin(&b, (TinyKind)kind, 2, QC_SCORE_NETWORK, &qc_kernels_scalar, 0);
        if (_i == 0) b.parameters.rounds = 0;
        else b.task.stop = 100;
        uint8_t right[Z];
        gather(&b, 0, BATCH - (uint32_t)kind % 3, 1 + (uint32_t)kind % TINY_CLASSES);
        uint8_t *codes = memcpy(malloc(b.t.g.n_code_bytes), b.t.g.codes, b.t.g.n_code_bytes);
        flip(&b, &counts, 1);
        double loss = 0, outside = loss_outside(&b, right);
        for (uint32_t i = 0; i < b.set.n; i++) loss += (double)b.flipper.loss[i];
        ck_assert_double_eq_tol(loss, outside, 2e-5 * (1 + outside));
        for (uint32_t i = 0; i < b.set.n; i++) ck_assert(b.misses[i] == 0 && b.ever[i] == right[i]);
        ck_assert_mem_eq(codes, b.t.g.codes, b.t.g.n_code_bytes);
        ck_assert(!counts.proposals && !counts.flips && !counts.statistics && counts.forwards == b.set.n);
        free(codes);
        bench_end(&b);
    }
}
END_TEST

/* An accepted proposal makes the next larger, a refused one smaller, within the largest and the smallest share. */
START_TEST(proposal_share_grows_if_accepted_and_shrinks_if_refused)
{
    const float shares[] = {1e-5f, 0.01f, 0.02f, 0.3f};
    uint32_t seen[2] = {0};
    for (uint64_t seed = 0; seed < 40; seed++) {
        Bench b;
        QcFlipCounts counts;
        bench_begin(&b, (TinyKind)(seed % TINY_KINDS), 2, QC_SCORE_NETWORK, &qc_kernels_scalar, 0);
        b.parameters.rounds = 1;
        b.parameters.largest_share = 0.025f;
        b.parameters.first_share = 2e-5f;
        b.share = shares[seed % 4];
        float from = fmaxf(b.share, 2e-5f);
        gather(&b, (uint32_t)seed, BATCH, TINY_CLASSES);
        flip(&b, &counts, seed);
        ck_assert_uint_eq(counts.proposals, 1);
        ck_assert_float_eq_tol(b.share, counts.accepted ? fminf(1.5f * from, 0.025f) : fmaxf(0.4f * from, 2e-5f),
                               1e-8f);
        seen[counts.accepted]++;
        bench_end(&b);
    }
    ck_assert(seen[0] > 0 && seen[1] > 0);
}
END_TEST

/* Codes and statistic as before the run, also where the last layer lies elsewhere. */
START_TEST(restore_undoes_all_flips)
{
    uint32_t flipped = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (int apart = 0; apart < 2; apart++) {
            Bench b;
            QcFlipCounts counts;
            bench_begin(&b, (TinyKind)kind, 2 << kind % 3, QC_SCORE_NETWORK, &qc_kernels_scalar, 0);
            QcQGraph *g = &b.t.g;
            const QcQNode *node = &g->nodes[g->n_nodes - 1];
            uint32_t bytes = (node->n_codes * qc_code_bits(g, node) + 7) / 8, layers = b.flip.n_layers;
            uint8_t *last = memcpy(malloc(bytes), g->codes + node->code_byte, bytes),
                    *last_before = memcpy(malloc(bytes), last, bytes);
            const QcLastLayer layer = {last, g->scale + node->channel, g->bias + node->channel};
            if (apart) g->last = &layer;
            gather(&b, 0, BATCH, TINY_CLASSES);
            flip(&b, &counts, 1);
            uint8_t *codes = memcpy(malloc(g->n_code_bytes), g->codes, g->n_code_bytes);
            float *squares =
                memcpy(malloc(layers * sizeof *squares), b.flipper.hebb.mean_square, layers * sizeof *squares);
            memcpy(last_before, last, bytes);
            gather(&b, 1, BATCH, TINY_CLASSES);
            flip(&b, &counts, 2);
            if (counts.flips) ck_assert(memcmp(codes, g->codes, g->n_code_bytes) || memcmp(last, last_before, bytes));
            qc_flip_rounds.restore(&b.flipper);
            ck_assert_mem_eq(codes, g->codes, g->n_code_bytes);
            ck_assert_mem_eq(last_before, last, bytes);
            ck_assert_mem_eq(squares, b.flipper.hebb.mean_square, layers * sizeof *squares);
            flipped += counts.flips;
            free(last), free(last_before), free(codes), free(squares);
            bench_end(&b);
        }
    ck_assert_uint_gt(flipped, 0);
}
END_TEST

START_TEST(impossible_statistic_is_refused)
{
    const float bad[] = {NAN, -1, -INFINITY};
    Bench b;
    bench_begin(&b, TINY_PLAIN, 2, QC_SCORE_NETWORK, &qc_kernels_scalar, 0);
    ck_assert(qc_flip_rounds.is_sound(&b.flipper));
    for (int i = 0; i < 3; i++) {
        b.flipper.hebb.mean_square[b.flip.n_layers - 1] = bad[i];
        ck_assert(!qc_flip_rounds.is_sound(&b.flipper));
    }
    bench_end(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fliprounds");
    TCase *tests = tcase_create("all");
    tcase_add_loop_test(tests, every_run_keeps_invariants, 0, TINY_KINDS);
    tcase_add_test(tests, flipped_codes_stay_in_range);
    tcase_add_test(tests, batch_labels_do_not_change_reported_correct_count);
    tcase_add_loop_test(tests, no_rounds_or_low_loss_proposes_nothing, 0, 2);
    tcase_add_test(tests, proposal_share_grows_if_accepted_and_shrinks_if_refused);
    tcase_add_test(tests, restore_undoes_all_flips);
    tcase_add_test(tests, impossible_statistic_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
