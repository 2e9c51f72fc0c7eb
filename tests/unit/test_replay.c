/* The methods with back-propagation on small models: invariants of all methods, batch by batch. */
#include "suite.h"
#include "tiny.h"
#include "replaying.h"

static const QcMethod *const methods[] = {&qc_method_er,    &qc_method_er_ace, &qc_method_der, &qc_method_der_pp,
                                          &qc_method_a_gem, &qc_method_camel,  &qc_method_deepc};
enum { METHODS = sizeof methods / sizeof *methods };

START_TEST(rate_0_changes_no_code)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        uint8_t before[65536];
        begin(methods[_i], TINY_INCEPTION, bits, 1,
              methods[_i] == &qc_method_deepc ? "rate=0 prune=0 cluster=8 steps=4 bias=1" : "rate=0 steps=4 bias=1");
        ck_assert_uint_le(b.t.g.n_code_bytes, sizeof before);
        memcpy(before, b.t.g.codes, b.t.g.n_code_bytes);
        for (uint32_t i = 0; i < BATCHES; i++) ck_assert_uint_eq(learn(i, BATCH).step.flips, 0);
        ck_assert_mem_eq(b.t.g.codes, before, b.t.g.n_code_bytes);
        end();
    }
}
END_TEST

START_TEST(same_seed_gives_same_bytes)
{
    uint8_t codes[3][65536], slots[3][CAPACITY * TINY_VALUES];
    uint32_t n = 0;
    for (int run = 0; run < 3; run++) {
        begin(methods[_i], TINY_RESIDUAL, 4, run < 2 ? 5 : 6, "steps=6 batch=7 replay=5");
        for (uint32_t i = 0; i < BATCHES; i++) learn(i, i == 1 ? BATCH - 5 : BATCH);
        n = b.t.g.n_code_bytes;
        memcpy(codes[run], b.t.g.codes, n);
        memcpy(slots[run], b.l.slots->windows, sizeof slots[run]);
        end();
    }
    ck_assert_mem_eq(codes[0], codes[1], n);
    ck_assert_mem_eq(slots[0], slots[1], sizeof slots[0]);
    ck_assert_mem_ne(codes[0], codes[2], n);
}
END_TEST

/* The loss on the batch falls, and the flips reported are the codes that changed. */
START_TEST(batch_loss_falls_and_flips_are_counted)
{
    int32_t *before = NULL;
    for (int bits = 2; bits <= 8; bits *= 2) {
        double loss[2] = {0};
        begin(methods[_i], TINY_PLAIN, bits, 1, "rate=0.2 steps=60");
        before = realloc(before, b.t.g.n_codes * sizeof *before);
        for (uint32_t i = 0; i < BATCHES; i++) {
            uint32_t flips = 0;
            for (uint32_t k = 0; k < b.t.g.n_nodes; k++)
                for (uint32_t j = 0; j < b.t.g.nodes[k].n_codes; j++)
                    before[b.t.g.nodes[k].code + j] = code_at(&b.t.g.nodes[k], j);
            QcMethodReport r = learn(i, BATCH);
            for (uint32_t k = 0; k < b.t.g.n_nodes; k++)
                for (uint32_t j = 0; j < b.t.g.nodes[k].n_codes; j++)
                    flips += before[b.t.g.nodes[k].code + j] != code_at(&b.t.g.nodes[k], j);
            ck_assert_uint_eq(r.step.flips, flips);
            ck_assert_uint_gt(flips, 0);
            loss[0] += (double)r.step.loss_before;
            loss[1] += (double)r.step.loss_after;
        }
        ck_assert_msg(loss[1] < loss[0], "%s, %d bits: loss %g, before %g", methods[_i]->name, bits, loss[1], loss[0]);
        end();
    }
    free(before);
}
END_TEST

/* Forwards, backwards and multiply-adds by hand; memory holds at least master weights, their gradient, two moments and
 * the weights. */
START_TEST(costs_equal_hand_count)
{
    const QcMethod *m = methods[_i];
    uint32_t filled[BATCHES] = {SOURCE, CAPACITY, CAPACITY};
    begin(m, TINY_RESIDUAL, 4, 1, "steps=7 batch=9 replay=11");
    ck_assert_uint_ge(b.l.bytes, (uint64_t)b.t.g.n_codes * 5 * sizeof(float) + CAPACITY * TINY_VALUES);
    for (uint32_t i = 0; i < BATCHES; i++) {
        uint32_t rows = 9 + (filled[i] < 11 ? filled[i] : 11);
        QcMethodReport r = learn(i, BATCH);
        uint64_t extra = 0;
        if (m == &qc_method_der || m == &qc_method_der_pp) extra = BATCH;                    /* logits to remember */
        /* half of the batch is drawn from */
        if (m == &qc_method_camel) extra = (uint64_t)BATCH + BATCH + filled[i], rows = 8 + rows - 9;
        ck_assert_uint_eq(r.set, filled[i] + BATCH);
        ck_assert_uint_eq(r.backwards, 7 * rows);
        ck_assert_uint_eq(r.forwards, 7 * rows + extra);
        uint64_t passes = b.l.macs * (r.forwards + 2 * r.backwards);
        ck_assert(m == &qc_method_camel ? r.operations > passes : r.operations == passes);
    }
    end();
}
END_TEST

/* Reserved slots keep their source examples; a slot's window, label and id stay one example's; none is held
 * twice. */
START_TEST(slots_stay_consistent)
{
    for (int keep = 0; keep < 2; keep++) {
        begin(methods[_i], TINY_MLP, 8, 3, keep ? "steps=1" : "steps=1 keep=0");
        for (uint32_t i = 0; i < 3 * BATCHES; i++) {
            const QcSlots *slots = b.l.slots;
            QcAdaptReport step = learn(i % BATCHES, BATCH).step;
            uint32_t reserved = 0;
            for (uint32_t s = 0; s < CAPACITY; s++) {
                ck_assert(!(slots->flags[s] & QC_SLOT_EMPTY));
                int from_stream = slots->id[s] >= FIRST_ID;
                uint64_t number = slots->id[s] - (from_stream ? FIRST_ID : 0);
                ck_assert_uint_lt(number, from_stream ? BATCHES * BATCH : SOURCE);
                ck_assert_mem_eq(slots->windows + s * TINY_VALUES, from_stream ? b.x[number] : b.source[number],
                                 TINY_VALUES);
                ck_assert(slots->label[s] == number % TINY_CLASSES &&
                          from_stream == !!(slots->flags[s] & QC_SLOT_STREAM));
                reserved += slots->flags[s] == QC_SLOT_RESERVED && slots->id[s] < RESERVED;
                for (uint32_t o = 0; o < s; o++) ck_assert(slots->id[o] != slots->id[s]);
            }
            ck_assert_uint_eq(reserved, keep ? RESERVED : 0);
            ck_assert_uint_eq(step.from_source + step.from_stream + step.from_batch, CAPACITY);
        }
        end();
    }
}
END_TEST

/* An empty memory or a batch of one is no error. */
START_TEST(empty_memory_and_batch_of_one_are_accepted)
{
    begin(methods[_i], TINY_MLP, 8, 3, "steps=3");
    memset(b.l.slots->flags, QC_SLOT_EMPTY, CAPACITY);
    ck_assert_uint_eq(learn(0, 1).set, 1);
    ck_assert_uint_eq(learn(1, 3).set, 1 + 3);
    end();
    begin(methods[_i], TINY_MLP, 2, 3, "steps=0 replay=0");
    ck_assert_uint_eq(learn(0, BATCH).backwards, 0);
    end();
}
END_TEST

/* Adam's first step moves a bias by rate x bias steps of its layer's output, or not at all; close gives the model its
 * own biases back. */
START_TEST(biases_move_only_if_allowed)
{
    for (int moves = 0; moves < 2; moves++) {
        uint32_t moved = 0, n_biases = 0;
        begin(methods[_i], TINY_RESIDUAL, 8, 1, moves ? "steps=1 rate=0.25 bias=2" : "steps=1 rate=0.25");
        const QcQGraph start = b.t.g;
        const int32_t *const own = b.l.start_bias;
        learn(0, BATCH);
        for (uint32_t i = 0; i < b.t.g.n_nodes; i++) {
            const QcQNode *n = &b.t.g.nodes[i];
            for (uint32_t c = n->channel; n->n_codes && c < n->channel + n->channels; c++) {
                double unit = n->op == QC_Q_LOGITS ? 0.1 : (double)b.t.g.tensors[n->out].scale,
                       step = (double)b.t.g.tensors[n->in[0]].scale * (double)b.t.g.scale[c];
                double far = fabs((double)b.t.g.bias[c] - (double)own[c]) * step / unit;
                ck_assert_msg(far < 1e-9 + step / unit || fabs(far - 0.5) < 1e-3 + step / unit,
                              "a bias moved by %g output steps", far);
                moved += far > 0.4;
                n_biases++;
            }
        }
        ck_assert(moves ? moved > n_biases / 2 : moved == 0);
        ck_assert(moves || (start.bias == b.t.g.bias && b.t.g.bias == own));
        qc_method_close(&b.l);
        ck_assert_ptr_eq(b.t.g.bias, own);
        tiny_release(&b.t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("replay");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, rate_0_changes_no_code, 0, METHODS);
    tcase_add_loop_test(tests, same_seed_gives_same_bytes, 0, METHODS);
    tcase_add_loop_test(tests, batch_loss_falls_and_flips_are_counted, 0, METHODS);
    tcase_add_loop_test(tests, costs_equal_hand_count, 0, METHODS);
    tcase_add_loop_test(tests, slots_stay_consistent, 0, METHODS);
    tcase_add_loop_test(tests, empty_memory_and_batch_of_one_are_accepted, 0, METHODS);
    tcase_add_loop_test(tests, biases_move_only_if_allowed, 0, METHODS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
