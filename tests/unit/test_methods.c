/* Methods on tiny models: invariants of all methods, none compared with the unchanged bytes, the device's method
 * with its own step. */
#include "suite.h"
#include "tiny.h"

enum { BATCH = 10 };
#include "learning.h"

#include "../../lib/live/devicestep.h"

#include "../../lib/format/qgraphfile.h"

START_TEST(forward_methods_keep_model_valid_and_report_cost)
{
    const TinyKind kinds[] = {TINY_INCEPTION, TINY_MIXED, TINY_MLP, TINY_IMAGE};
    for (const QcMethod *const *m = qc_rival_table; *m; m++) {
        if ((*m)->backward) continue;
        for (int k = 0; k < 4; k++) {
            QcErr err;
            Bench b;
            QcMethodReport r;
            uint32_t right = 0;
            float logits[BATCH * TINY_CLASSES];
            bench_open(&b, *m, kinds[k], k == 2 ? 8 : 1 << (1 + k % 3), NULL, 0);
            for (uint32_t batch = 0; batch < BATCHES; batch++) {
                right = 0;
                ck_assert_int_eq(qc_method_logits_of(&b.l, logits, b.x[batch * BATCH], BATCH, &err), 0);
                for (uint32_t i = 0; i < BATCH; i++)
                    right += qc_largest(logits + i * TINY_CLASSES, TINY_CLASSES) == b.label[batch * BATCH + i];
                bench_learn(&b, &r, batch);
                ck_assert_uint_eq(r.step.right_before, right);
                ck_assert_msg(!qc_qgraphfile_check(b.l.g, &err), "%s: %s", (*m)->name, err.text);
                ck_assert_uint_eq(r.step.from_source + r.step.from_stream + r.step.from_batch, CAPACITY);
                ck_assert_uint_ge(r.step.from_source, 8);
                ck_assert(!strcmp((*m)->name, "none")
                              ? !r.forwards && !r.operations
                              : r.set >= BATCH && r.forwards >= ((*m)->on_device ? BATCH : r.set) &&
                                    r.operations >= r.forwards * b.l.macs);
                ck_assert_uint_eq(r.backwards, 0);
            }
            ck_assert(memcmp(b.codes, b.t.g.codes, b.t.g.n_code_bytes) == 0 || (*m)->on_device ||
                      !strcmp((*m)->name, "refit"));
            ck_assert_uint_gt(b.l.bytes, (uint64_t)CAPACITY * TINY_VALUES);
            qc_method_close(&b.l);
            /* the start model's own arrays are back; the device steps its own */
            ck_assert((*m)->on_device || memcmp(b.scale, b.t.g.scale, b.t.g.n_channels * sizeof *b.scale) == 0);
            tiny_release(&b.t);
        }
    }
}
END_TEST

START_TEST(method_none_changes_no_byte)
{
    Bench b;
    QcMethodReport r;
    bench_open(&b, &qc_method_none, TINY_RESIDUAL, 4, NULL, 0);
    for (uint32_t batch = 0; batch < BATCHES; batch++) bench_learn(&b, &r, batch);
    ck_assert_mem_eq(b.codes, b.t.g.codes, b.t.g.n_code_bytes);
    ck_assert_mem_eq(b.scale, b.t.g.scale, b.t.g.n_channels * sizeof *b.scale);
    ck_assert_mem_eq(b.bias, b.t.g.bias, b.t.g.n_channels * sizeof *b.bias);
    ck_assert_uint_eq(r.step.right_before, r.step.right_after);
    ck_assert_uint_eq(r.step.flips, 0);
    bench_close(&b);
}
END_TEST

START_TEST(device_methods_equal_learner)
{
    const struct { const QcMethod *m; QcFlipScore score;
    } all[] = {{&qc_method_qcore, QC_SCORE_NETWORK},
               {&qc_method_flip_random, QC_SCORE_RANDOM},
               {&qc_method_flip_greedy, QC_SCORE_GREEDY}};
    uint8_t last[3][512];
    for (int i = 0; i < 3; i++) {
        Bench b;
        QcMethodReport r;
        QcAdaptReport step;
        QcLearner l;
        bench_open(&b, all[i].m, TINY_PLAIN, 2, NULL, 0);
        QcLearnerSetup setup = {.graph = b.l.g,
                                .flips = &qc_flip_rounds,
                                .flip = &b.flip,
                                .score = all[i].score,
                                .parameters = b.l.parameters,
                                .seed = 1,
                                .capacity = CAPACITY,
                                .ring = BATCH};
        uint64_t bytes = qc_learner_bytes(&setup);
        ck_assert_uint_eq(b.l.bytes, bytes);
        void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
        qc_learner_place(&l, &setup, &qc_kernels_scalar, memory);
        for (uint32_t s = 0; s < SOURCE; s++)
            qc_learner_fill(&l, s, b.source[s], NULL, (uint16_t)((1000 + s) % TINY_CLASSES), 0,
                            s < RESERVED ? QC_SLOT_RESERVED : 0, s);
        for (uint32_t batch = 0; batch < BATCHES; batch++) {
            bench_learn(&b, &r, batch);
            for (uint32_t k = batch * BATCH; k < (batch + 1) * BATCH; k++) {
                QcAnswer answer;
                qc_learner_predict(&l, &answer, b.x[k], b.id[k]);
                ck_assert_int_eq(qc_learner_label(&l, answer.number, b.label[k]), 0);
            }
            qc_learner_adapt(&l, &step);
            ck_assert_mem_eq(&r.step, &step, sizeof step);
            ck_assert_uint_eq(r.forwards, BATCH + step.forwards); /* a batch's windows, and what flips take */
        }
        const QcLearner *own = qc_devicestep_learner(&b.l);
        ck_assert_uint_eq(own->state_bytes, l.state_bytes);
        ck_assert_mem_eq(own->state, l.state, l.state_bytes);
        ck_assert_uint_le(b.t.g.n_code_bytes, sizeof last[0]);
        memcpy(last[i], own->graph.codes, b.t.g.n_code_bytes);
        for (int j = 0; j < i; j++) ck_assert(memcmp(last[i], last[j], b.t.g.n_code_bytes));
        free(memory);
        bench_close(&b);
    }
}
END_TEST

START_TEST(method_settings_are_checked)
{
    QcErr err;
    double v[QC_METHOD_SETTINGS];
    const QcMethod *spsa = qc_method_find(qc_rival_table, "spsa", NULL);
    const char *wrong[] = {"rate",       "rate=",   "rate=x", "rate=1x", "rate=-1", "rate=nan",
                           "rate=1e999", "ratio=1", "=1",     "rat=1",   ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(qc_method_settings(v, spsa, &wrong[i], 1, &err), -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
        ck_assert_ptr_nonnull(strstr(err.text, "rate"));
    }
    const char *right[] = {"rate=0.5", "batch=7", "rate=0.25"};
    ck_assert_int_eq(qc_method_settings(v, spsa, right, 3, NULL), 0);
    ck_assert_double_eq(v[1], 0.25); /* the last one wins */
    ck_assert_double_eq(v[3], 7);
    ck_assert_double_eq(v[0], 32);
    ck_assert_int_eq(qc_method_settings(v, &qc_method_none, right, 1, &err), -1);
    ck_assert_ptr_null(qc_method_find(qc_rival_table, "magic", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "bn+head"));
    for (const QcMethod *const *m = qc_rival_table; *m; m++)
        for (const QcSetting *s = (*m)->settings; s && s->name; s++) {
            ck_assert_int_lt(s - (*m)->settings, QC_METHOD_SETTINGS);
            ck_assert_msg(s->low <= s->value && s->value <= s->high && s->help, "%s %s", (*m)->name, s->name);
        }
}
END_TEST

static uint32_t received[CAPACITY], n_received;
static void note(QcMethodRun *l, uint32_t slot, uint32_t i)
{
    (void)l;
    received[n_received++] = slot * 1000 + i;
}
static int stand_still(QcMethodRun *l, QcMethodReport *r, const QcBatch *batch, QcErr *err)
{
    (void)l, (void)r, (void)batch, (void)err;
    return 0;
}

START_TEST(method_receives_stored_examples)
{
    const QcMethod listener = {.name = "listener", .summary = "", .next = stand_still, .kept = note};
    Bench b;
    QcMethodReport r;
    bench_open(&b, &listener, TINY_PLAIN, 2, NULL, 0);
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        n_received = 0;
        bench_learn(&b, &r, batch);
        ck_assert_uint_eq(n_received, r.step.from_batch);
        ck_assert_uint_eq(r.step.from_source, 8); /* balanced: stream examples first */
        for (uint32_t k = 0; k < n_received; k++) {
            uint32_t slot = received[k] / 1000, i = batch * BATCH + received[k] % 1000;
            ck_assert_uint_eq(b.l.slots->id[slot], b.id[i]);
            ck_assert_mem_eq(b.l.slots->windows + (size_t)slot * TINY_VALUES, b.x[i], TINY_VALUES);
        }
    }
    bench_close(&b);
}
END_TEST

START_TEST(channel_scale_and_bias_saturate_to_integer_range)
{
    QcErr err;
    Bench b;
    bench_open(&b, &qc_method_none, TINY_RESIDUAL, 8, NULL, 0);
    ck_assert_int_eq(qc_method_own_channels(&b.l, NULL), 0);
    const QcQGraph *g = b.l.g;
    const QcQNode *node = &g->nodes[0];
    double in = (double)g->tensors[0].scale, scale = (double)b.scale[node->channel];
    qc_method_set_channel(&b.l, node, 0, scale, in * scale * b.bias[node->channel]); /* its own: nothing changes */
    ck_assert_int_eq(g->bias[node->channel], b.bias[node->channel]);
    ck_assert_int_eq(g->multiplier[node->channel], b.l.start_multiplier[node->channel]);
    ck_assert_int_eq(g->shift[node->channel], b.l.start_shift[node->channel]);
    qc_method_set_channel(&b.l, node, 0, 2 * scale, in * scale * 1000);
    ck_assert_int_eq(g->bias[node->channel], 500);
    ck_assert_float_eq(g->scale[node->channel], 2 * b.scale[node->channel]);
    qc_method_set_channel(&b.l, node, 0, scale, 1e30);
    ck_assert_int_eq(qc_qgraphfile_check(g, &err), 0);
    ck_assert_int_gt(g->bias[node->channel], 1 << 30);
    int32_t bias = g->bias[node->channel];
    const double wrong[] = {0, -1, NAN, INFINITY, 1e38, 1e-60};
    for (int i = 0; i < 6; i++) qc_method_set_channel(&b.l, node, 0, wrong[i], 0);
    qc_method_set_channel(&b.l, node, 0, scale, NAN);
    ck_assert_int_eq(g->bias[node->channel], bias);
    ck_assert_int_eq(qc_qgraphfile_check(g, &err), 0);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("methods");
    TCase *whole = tcase_create("methods");
    tcase_set_timeout(whole, 120);
    tcase_add_test(whole, forward_methods_keep_model_valid_and_report_cost);
    tcase_add_test(whole, method_none_changes_no_byte);
    tcase_add_test(whole, device_methods_equal_learner);
    tcase_add_test(whole, method_settings_are_checked);
    tcase_add_test(whole, method_receives_stored_examples);
    tcase_add_test(whole, channel_scale_and_bias_saturate_to_integer_range);
    suite_add_tcase(suite, whole);
    return run_suite(suite);
}
