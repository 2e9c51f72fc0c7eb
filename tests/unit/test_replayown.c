/* The methods with back-propagation on small models: the properties of each method, from a gradient step to shared
 * values. */
#include "suite.h"
#include "tiny.h"
#include "replaying.h"

#include "../../lib/lab/replay.h"

/* The step of plain back-propagation is the step of its parts: cross-entropy of one batch through the float double,
 * Adam's first step of one rate against the gradient. */
START_TEST(er_step_equals_adam_step_on_batch_gradient)
{
    QcFakeQuant s;
    QcRun *run;
    float x[BATCH * TINY_VALUES], dlogits[BATCH * TINY_CLASSES];
    int32_t label[BATCH];
    uint32_t moved = 0;
    begin(&qc_method_er, TINY_RESIDUAL, 8, 1, "steps=1 batch=16 replay=0 rate=0.25");
    ck_assert_int_eq(qc_fakequant_init(&s, &b.t.g, NULL), 0);
    ck_assert_ptr_nonnull(run = qc_run_new(&s.graph, BATCH, QC_RUN_TUNE, 1, NULL));
    for (uint32_t i = 0; i < BATCH; i++) qc_method_window(&b.l, x + i * TINY_VALUES, b.x[i]), label[i] = b.label[i];
    const float *logits = qc_run_forward(run, x, BATCH);
    for (uint32_t i = 0; i < BATCH; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) sum += exp((double)logits[i * TINY_CLASSES + k]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            dlogits[i * TINY_CLASSES + k] =
                (float)((exp((double)logits[i * TINY_CLASSES + k]) / sum - ((int32_t)k == label[i])) / BATCH);
    }
    float *grads = calloc(s.graph.n_params, sizeof *grads), *dmaster = calloc(b.t.g.n_codes, sizeof *dmaster);
    qc_run_backward(run, grads, dlogits);
    qc_fakequant_gradient(&s, dmaster, grads);
    learn(0, BATCH);
    const float *master = ((QcReplay *)b.l.state)->fakequant.master;
    for (uint32_t j = 0; j < b.t.g.n_codes; j++) {
        if (fabsf(dmaster[j]) < 1e-5f || fabsf(s.master[j]) > 126) continue; /* too small for its sign, or at the end of
                                                                                the range */
        ck_assert_msg(fabsf(master[j] - s.master[j] - (dmaster[j] < 0 ? 0.25f : -0.25f)) < 0.01f,
                      "master %d moved by %g, gradient %g", (int)j, (double)(master[j] - s.master[j]),
                      (double)dmaster[j]);
        moved++;
    }
    ck_assert_uint_gt(moved, b.t.g.n_codes / 4);
    qc_run_free(run);
    qc_fakequant_release(&s);
    free(grads);
    free(dmaster);
    end();
}
END_TEST

/* A batch of one class teaches plain replay that there is no other; ER-ACE has nothing to learn from it: among one
 * class the loss is 0. */
START_TEST(er_ace_has_zero_loss_on_one_class)
{
    for (int ace = 0; ace < 2; ace++) {
        begin(ace ? &qc_method_er_ace : &qc_method_er, TINY_PLAIN, 4, 1, "replay=0 rate=0.3 steps=20");
        for (uint32_t i = 0; i < BATCH; i++) b.label[i] = 2;
        uint32_t flips = learn(0, BATCH).step.flips;
        ck_assert(ace ? flips == 0 : flips > 0);
        end();
    }
}
END_TEST

static void codes_after(uint8_t *codes, const QcMethod *m, const char *settings, int other_memory)
{
    begin(m, TINY_PLAIN, 4, 1, settings);
    for (uint32_t s = 0; other_memory && s < SOURCE; s++) {
        b.l.slots->label[s] = (uint16_t)((b.l.slots->label[s] + (other_memory == 1)) % TINY_CLASSES);
        for (uint32_t v = 0; other_memory == 2 && v < TINY_VALUES; v++) b.l.slots->windows[s * TINY_VALUES + v] ^= 32;
    }
    learn(0, BATCH);
    memcpy(codes, b.t.g.codes, b.t.g.n_code_bytes);
    memset(codes + b.t.g.n_code_bytes, 0, 4096 - b.t.g.n_code_bytes);
    end();
}

/* DER looks at the memory's windows and never at its labels, DER++ at both; alpha and beta are their weights. */
START_TEST(der_uses_stored_logits_not_labels)
{
    const struct {
        const QcMethod *m;
        const char *settings;
        int sees_labels, sees_windows;
    } cases[] = {
        {&qc_method_der, "rate=0.3 alpha=2", 0, 1},
        {&qc_method_der, "rate=0.3 alpha=0", 0, 0},
        {&qc_method_der_pp, "rate=0.3 alpha=0 beta=0", 0, 0},
        {&qc_method_der_pp, "rate=0.3 alpha=1 beta=0", 0, 1},
        {&qc_method_der_pp, "rate=0.3 alpha=0 beta=1", 1, 1},
        {&qc_method_er, "rate=0.3", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t codes[3][4096];
        for (int other = 0; other < 3; other++) codes_after(codes[other], cases[i].m, cases[i].settings, other);
        ck_assert_msg(cases[i].sees_labels == !!memcmp(codes[0], codes[1], 4096), "%s %s: labels", cases[i].m->name,
                      cases[i].settings);
        ck_assert_msg(cases[i].sees_windows == !!memcmp(codes[0], codes[2], 4096), "%s %s: windows", cases[i].m->name,
                      cases[i].settings);
    }
}
END_TEST

static double distance_to_start(float start[SOURCE][TINY_CLASSES], int keep)
{
    double sum = 0;
    for (uint32_t s = 0; s < SOURCE; s++) {
        float y[TINY_CLASSES];
        qc_method_logits(&b.l, y, b.source[s]);
        for (int k = 0; k < TINY_CLASSES; k++) sum += pow((double)y[k] - (double)start[s][k], 2);
        if (keep) memcpy(start[s], y, sizeof y);
    }
    return sum;
}

/* The more alpha weighs, the nearer the answers to the source examples stay to what they were. */
START_TEST(der_alpha_keeps_logits_near_start)
{
    double moved[2];
    for (int heavy = 0; heavy < 2; heavy++) {
        float start[SOURCE][TINY_CLASSES] = {{0}};
        begin(&qc_method_der, TINY_PLAIN, 8, 1, heavy ? "alpha=100 steps=40" : "alpha=0 steps=40");
        distance_to_start(start, 1);
        learn(0, BATCH);
        moved[heavy] = distance_to_start(start, 0);
        end();
    }
    ck_assert_msg(moved[1] < moved[0] / 4, "%g, and without %g", moved[1], moved[0]);
}
END_TEST

/* Every layer: the share asked for is 0 and stays it, and no more than 2^cluster values are left. */
START_TEST(deepc_prunes_requested_share_and_clusters_values)
{
    uint8_t *was_zero = calloc(65536, 1);
    begin(&qc_method_deepc, TINY_INCEPTION, 8, 1, "prune=0.4 cluster=3 steps=8 rate=2");
    for (uint32_t i = 0; i < BATCHES; i++) {
        uint32_t stay[TINY_KINDS * 16] = {0};
        learn(i, BATCH);
        for (uint32_t k = 0; k < b.t.g.n_nodes; k++) {
            const QcQNode *n = &b.t.g.nodes[k];
            uint8_t seen[256] = {0};
            uint32_t zeros = 0, values = 0;
            if (!n->n_codes) continue;
            for (uint32_t j = 0; j < n->n_codes; j++) {
                int32_t code = code_at(n, j);
                values += !seen[code + 128];
                seen[code + 128] = 1;
                zeros += code == 0;
                if (i && was_zero[n->code + j]) stay[k] += code == 0;
                was_zero[n->code + j] = (uint8_t)(code == 0 && (!i || was_zero[n->code + j]));
            }
            ck_assert_msg(values <= 8, "layer %d has %d values", (int)k, (int)values);
            ck_assert_uint_ge(zeros, (uint32_t)(0.4 * n->n_codes));
            if (i) ck_assert_uint_ge(stay[k], (uint32_t)(0.4 * n->n_codes));
        }
    }
    end();
    free(was_zero);
}
END_TEST

/* What is pruned are the weights nearest to 0, in the weights' own units. */
START_TEST(deepc_prunes_smallest_weights)
{
    begin(&qc_method_deepc, TINY_PLAIN, 8, 1, "prune=0.5 cluster=8 steps=0");
    float *was = malloc(b.t.g.n_codes * sizeof *was);
    for (uint32_t k = 0; k < b.t.g.n_nodes; k++) {
        const QcQNode *n = &b.t.g.nodes[k];
        for (uint32_t j = 0; j < n->n_codes; j++)
            was[n->code + j] = fabsf((float)code_at(n, j) * b.t.g.scale[n->channel + j / (n->n_codes / n->channels)]);
    }
    learn(0, BATCH);
    for (uint32_t k = 0; k < b.t.g.n_nodes; k++) {
        const QcQNode *n = &b.t.g.nodes[k];
        float largest = 0, smallest = INFINITY; /* of the pruned; of the others */
        uint32_t pruned = 0;
        for (uint32_t j = 0; j < n->n_codes; j++) {
            float w = was[n->code + j];
            if (code_at(n, j) == 0) largest = fmaxf(largest, w), pruned++;
            else smallest = fminf(smallest, w);
        }
        if (!n->n_codes) continue;
        ck_assert(largest <= smallest);
        ck_assert_uint_eq(pruned, n->n_codes / 2);
    }
    free(was);
    end();
}
END_TEST

/* With keep=0 the slots are a reservoir of all that was ever seen, source and stream: each with equal probability. */
START_TEST(reservoir_keeps_each_example_with_equal_probability)
{
    enum { TRIALS = 800, STREAM = BATCHES * BATCH, ALL = CAPACITY + STREAM };
    uint32_t kept[ALL] = {0};
    double p = (double)CAPACITY / ALL, chi = 0;
    for (uint64_t trial = 1; trial <= TRIALS; trial++) {
        begin(&qc_method_er, TINY_MLP, 8, trial, "steps=0 keep=0 batch=1 replay=0");
        /* no slot is empty */
        for (uint32_t s = SOURCE; s < CAPACITY; s++) b.l.slots->flags[s] = 0, b.l.slots->id[s] = s, b.l.seen++;
        for (uint32_t i = 0; i < BATCHES; i++) learn(i, BATCH);
        for (uint32_t s = 0; s < CAPACITY; s++)
            kept[b.l.slots->id[s] < FIRST_ID ? b.l.slots->id[s] : CAPACITY + b.l.slots->id[s] - FIRST_ID]++;
        end();
    }
    for (int i = 0; i < ALL; i++) chi += pow(kept[i] - TRIALS * p, 2) / (TRIALS * p * (1 - p)) * (ALL - 1) / ALL;
    ck_assert_msg(chi < 98.3, "chi square of 59 degrees: %g (one in a thousand is above 98.3)", chi);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replayown");
    TCase *tests = tcase_create("replayown");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, er_step_equals_adam_step_on_batch_gradient);
    tcase_add_test(tests, er_ace_has_zero_loss_on_one_class);
    tcase_add_test(tests, der_uses_stored_logits_not_labels);
    tcase_add_test(tests, der_alpha_keeps_logits_near_start);
    tcase_add_test(tests, deepc_prunes_requested_share_and_clusters_values);
    tcase_add_test(tests, deepc_prunes_smallest_weights);
    tcase_add_test(tests, reservoir_keeps_each_example_with_equal_probability);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
