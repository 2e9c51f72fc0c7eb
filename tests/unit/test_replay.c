/* The methods with back-propagation at work on small models: what each must do and must not do, batch by batch. */
#include <math.h>

#include "suite.h"
#include "tiny.h"

#include "../../lib/methods/methodtable.h"
#include "../../lib/methods/replay.h"

enum { CAPACITY = 12, SOURCE = 10, RESERVED = 6, BATCHES = 3, BATCH = 16 };

static const QcMethod *const methods[] = {&qc_method_er,    &qc_method_er_ace, &qc_method_der, &qc_method_der_pp,
                                          &qc_method_a_gem, &qc_method_camel,  &qc_method_deepc};
enum { METHODS = sizeof methods / sizeof *methods };

typedef struct Bench {
    Tiny t;
    QcLearner l;
    uint8_t x[BATCHES * BATCH * TINY_VALUES];
    uint16_t label[BATCHES * BATCH];
    uint64_t id[BATCHES * BATCH];
} Bench;

static Bench b;

/* A class shows in the level of a channel; the stream is louder than the source. */
static void make_window(uint8_t *q, uint16_t *label, const QcQTensor *in, uint64_t number, double size)
{
    float x[TINY_VALUES];
    tiny_windows(x, 1, size, 100 + number);
    *label = (uint16_t)(number % TINY_CLASSES);
    for (int v = 0; v < TINY_VALUES; v++) x[v] += v % TINY_CHANNELS == *label ? 0.8f : -0.2f;
    qc_q_input(q, x, TINY_VALUES, in);
}

/* settings: "NAME=VALUE NAME=VALUE", at most eight */
static void begin(const QcMethod *m, TinyKind kind, int bits, uint64_t seed, const char *settings)
{
    QcErr err;
    char copy[256], *texts[8];
    int n = 0;
    tiny_make(&b.t, kind, bits, 8, 4);
    b.l = (QcLearner){.method = m, .g = &b.t.g, .kernels = &qc_kernels_scalar, .device = qc_calibrate_defaults(bits), .seed = seed, .capacity = CAPACITY, .batch_max = BATCH,
                      .threads = 1};
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *text = strtok(copy, " "); text; text = strtok(NULL, " ")) texts[n++] = text;
    ck_assert_msg(!qc_method_settings(b.l.setting, m, (const char *const *)texts, n, &err), "%s", err.text);
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        make_window(b.x + i * TINY_VALUES, &b.label[i], &b.t.g.tensors[0], i, 1);
        b.id[i] = 1000 + i;
    }
    ck_assert_int_eq(qc_learner_place(&b.l, &err), 0);
    for (uint32_t s = 0; s < SOURCE; s++) {
        QcSlots *slots = b.l.slots;
        make_window(slots->x + s * TINY_VALUES, &slots->label[s], &b.t.g.tensors[0], 500 + s, 0.8);
        slots->flags[s] = s < RESERVED ? QC_SLOT_RESERVED : 0;
        slots->id[s] = s;
    }
    ck_assert_msg(!qc_learner_open(&b.l, &err), "%s", err.text);
}

static void end(void)
{
    qc_learner_close(&b.l);
    tiny_release(&b.t);
}

static QcMethodBatch batch_of(uint32_t which, uint32_t n)
{
    return (QcMethodBatch){n, b.x + which * BATCH * TINY_VALUES, b.label + which * BATCH, b.id + which * BATCH};
}

static QcMethodReport learn(uint32_t which, uint32_t n)
{
    QcErr err;
    QcMethodReport report;
    QcMethodBatch batch = batch_of(which, n);
    ck_assert_msg(!qc_learner_next(&b.l, &report, &batch, NULL, &err), "%s", err.text);
    return report;
}

static int32_t code_at(const QcQNode *n, uint32_t j) { return qc_code_get(&b.t.g, n, j); }

/* ---- what holds of all ---- */

START_TEST(rate_0_changes_no_code)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        uint8_t before[65536];
        begin(methods[_i], TINY_INCEPTION, bits, 1, methods[_i] == &qc_method_deepc ? "rate=0 prune=0 cluster=8 steps=4 bias=1" : "rate=0 steps=4 bias=1");
        ck_assert_uint_le(b.t.g.n_code_bytes, sizeof before);
        memcpy(before, b.t.g.codes, b.t.g.n_code_bytes);
        for (uint32_t i = 0; i < BATCHES; i++) ck_assert_uint_eq(learn(i, BATCH).step.flips, 0);
        ck_assert_mem_eq(b.t.g.codes, before, b.t.g.n_code_bytes);
        end();
    }
}
END_TEST

START_TEST(a_seed_is_a_result)
{
    uint8_t codes[3][65536], slots[3][CAPACITY * TINY_VALUES];
    uint32_t n = 0;
    for (int run = 0; run < 3; run++) {
        begin(methods[_i], TINY_RESIDUAL, 4, run < 2 ? 5 : 6, "steps=6 batch=7 replay=5");
        for (uint32_t i = 0; i < BATCHES; i++) learn(i, i == 1 ? BATCH - 5 : BATCH);
        n = b.t.g.n_code_bytes;
        memcpy(codes[run], b.t.g.codes, n);
        memcpy(slots[run], b.l.slots->x, sizeof slots[run]);
        end();
    }
    ck_assert_mem_eq(codes[0], codes[1], n);
    ck_assert_mem_eq(slots[0], slots[1], sizeof slots[0]);
    ck_assert_mem_ne(codes[0], codes[2], n);
}
END_TEST

/* The loss on the batch falls, and the flips reported are the codes that changed. */
START_TEST(a_batch_is_learned)
{
    int32_t *before = NULL;
    for (int bits = 2; bits <= 8; bits *= 2) {
        double loss[2] = {0};
        begin(methods[_i], TINY_PLAIN, bits, 1, "rate=0.2 steps=60");
        before = realloc(before, b.t.g.n_codes * sizeof *before);
        for (uint32_t i = 0; i < BATCHES; i++) {
            uint32_t flips = 0;
            for (uint32_t k = 0; k < b.t.g.n_nodes; k++)
                for (uint32_t j = 0; j < b.t.g.nodes[k].n_codes; j++) before[b.t.g.nodes[k].code + j] = code_at(&b.t.g.nodes[k], j);
            QcMethodReport r = learn(i, BATCH);
            for (uint32_t k = 0; k < b.t.g.n_nodes; k++)
                for (uint32_t j = 0; j < b.t.g.nodes[k].n_codes; j++) flips += before[b.t.g.nodes[k].code + j] != code_at(&b.t.g.nodes[k], j);
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

/* Forwards, backwards and multiply-adds by hand; memory holds at least latents, their gradient, two moments and the weights. */
START_TEST(costs_are_counted)
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
        if (m == &qc_method_camel) extra = (uint64_t)BATCH + BATCH + filled[i], rows = 8 + rows - 9; /* half of the batch is drawn from */
        ck_assert_uint_eq(r.set, filled[i] + BATCH);
        ck_assert_uint_eq(r.backwards, 7 * rows);
        ck_assert_uint_eq(r.forwards, 7 * rows + extra);
        uint64_t passes = b.l.macs * (r.forwards + 2 * r.backwards);
        ck_assert(m == &qc_method_camel ? r.operations > passes : r.operations == passes);
    }
    end();
}
END_TEST

/* Reserved slots keep their source examples; a slot's window, label and id stay those of one example; none is held twice. */
START_TEST(slots_stay_whole)
{
    for (int keep = 0; keep < 2; keep++) {
        begin(methods[_i], TINY_MLP, 8, 3, keep ? "steps=1" : "steps=1 keep=0");
        for (uint32_t i = 0; i < 3 * BATCHES; i++) {
            const QcSlots *slots = b.l.slots;
            QcCalibrateReport step = learn(i % BATCHES, BATCH).step;
            uint32_t reserved = 0;
            for (uint32_t s = 0; s < CAPACITY; s++) {
                uint8_t x[TINY_VALUES];
                uint16_t label;
                ck_assert(!(slots->flags[s] & QC_SLOT_EMPTY));
                int from_stream = slots->id[s] >= 1000;
                make_window(x, &label, &b.t.g.tensors[0], from_stream ? slots->id[s] - 1000 : 500 + slots->id[s], from_stream ? 1 : 0.8);
                ck_assert_mem_eq(slots->x + s * TINY_VALUES, x, TINY_VALUES);
                ck_assert(slots->label[s] == label && from_stream == !!(slots->flags[s] & QC_SLOT_STREAM));
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

/* An empty memory is no error; nor a batch of one. */
START_TEST(little_is_enough)
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

/* ---- what is a method's own ---- */

/* The step of plain back-propagation is that of its parts: cross-entropy of one batch through the float double, Adam's first step of one rate against the gradient. */
START_TEST(er_steps_down_the_gradient)
{
    QcShadow s;
    QcRun *run;
    float x[BATCH * TINY_VALUES], dlogits[BATCH * TINY_CLASSES];
    int32_t label[BATCH];
    uint32_t moved = 0;
    begin(&qc_method_er, TINY_RESIDUAL, 8, 1, "steps=1 batch=16 replay=0 rate=0.25");
    ck_assert_int_eq(qc_shadow_init(&s, &b.t.g, NULL), 0);
    ck_assert_ptr_nonnull(run = qc_run_new(&s.graph, BATCH, QC_RUN_TUNE, 1, NULL));
    for (uint32_t i = 0; i < BATCH; i++) qc_learner_window(&b.l, x + i * TINY_VALUES, b.x + i * TINY_VALUES), label[i] = b.label[i];
    const float *logits = qc_run_forward(run, x, BATCH);
    for (uint32_t i = 0; i < BATCH; i++) {
        double sum = 0;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) sum += exp((double)logits[i * TINY_CLASSES + k]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            dlogits[i * TINY_CLASSES + k] = (float)((exp((double)logits[i * TINY_CLASSES + k]) / sum - ((int32_t)k == label[i])) / BATCH);
    }
    float *grads = calloc(s.graph.n_params, sizeof *grads), *dlatent = calloc(b.t.g.n_codes, sizeof *dlatent);
    qc_run_backward(run, grads, dlogits);
    qc_shadow_gradient(&s, dlatent, grads);
    learn(0, BATCH);
    const float *latent = ((QcReplay *)b.l.state)->shadow.latent;
    for (uint32_t j = 0; j < b.t.g.n_codes; j++) {
        if (fabsf(dlatent[j]) < 1e-5f || fabsf(s.latent[j]) > 126) continue; /* too small for its sign, or at the end of the range */
        ck_assert_msg(fabsf(latent[j] - s.latent[j] - (dlatent[j] < 0 ? 0.25f : -0.25f)) < 0.01f, "latent %d moved by %g, gradient %g", (int)j,
                      (double)(latent[j] - s.latent[j]), (double)dlatent[j]);
        moved++;
    }
    ck_assert_uint_gt(moved, b.t.g.n_codes / 4);
    qc_run_free(run);
    qc_shadow_release(&s);
    free(grads);
    free(dlatent);
    end();
}
END_TEST

/* Adam's first step moves a bias by rate x bias steps of its layer's output, or not at all; close gives the model its own biases back. */
START_TEST(biases_move_where_they_may)
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
                double unit = n->op == QC_Q_LOGITS ? 0.1 : (double)b.t.g.tensors[n->out].scale, step = (double)b.t.g.tensors[n->in[0]].scale * (double)b.t.g.scale[c];
                double far = fabs((double)b.t.g.bias[c] - (double)own[c]) * step / unit;
                ck_assert_msg(far < 1e-9 + step / unit || fabs(far - 0.5) < 1e-3 + step / unit, "a bias moved by %g output steps", far);
                moved += far > 0.4;
                n_biases++;
            }
        }
        ck_assert(moves ? moved > n_biases / 2 : moved == 0);
        ck_assert(moves || (start.bias == b.t.g.bias && b.t.g.bias == own));
        qc_learner_close(&b.l);
        ck_assert_ptr_eq(b.t.g.bias, own);
        tiny_release(&b.t);
    }
}
END_TEST

/* A batch of one class teaches plain replay that there is no other; ER-ACE has nothing to learn from it: among one class the loss is 0. */
START_TEST(er_ace_learns_nothing_from_one_class)
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
        for (uint32_t v = 0; other_memory == 2 && v < TINY_VALUES; v++) b.l.slots->x[s * TINY_VALUES + v] ^= 32;
    }
    learn(0, BATCH);
    memcpy(codes, b.t.g.codes, b.t.g.n_code_bytes);
    memset(codes + b.t.g.n_code_bytes, 0, 4096 - b.t.g.n_code_bytes);
    end();
}

/* DER looks at the memory's windows and never at its labels, DER++ at both; alpha and beta are their weights. */
START_TEST(der_recalls_logits_not_labels)
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
        ck_assert_msg(cases[i].sees_labels == !!memcmp(codes[0], codes[1], 4096), "%s %s: labels", cases[i].m->name, cases[i].settings);
        ck_assert_msg(cases[i].sees_windows == !!memcmp(codes[0], codes[2], 4096), "%s %s: windows", cases[i].m->name, cases[i].settings);
    }
}
END_TEST

static double distance_to_start(float start[SOURCE][TINY_CLASSES], int keep)
{
    double sum = 0;
    for (uint32_t s = 0; s < SOURCE; s++) {
        float y[TINY_CLASSES];
        uint8_t x[TINY_VALUES];
        uint16_t label;
        make_window(x, &label, &b.t.g.tensors[0], 500 + s, 0.8);
        qc_learner_logits(&b.l, y, x);
        for (int k = 0; k < TINY_CLASSES; k++) sum += pow((double)y[k] - (double)start[s][k], 2);
        if (keep) memcpy(start[s], y, sizeof y);
    }
    return sum;
}

/* The more alpha weighs, the nearer the answers to the source examples stay to what they were. */
START_TEST(alpha_holds_the_answers)
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
START_TEST(deepc_prunes_and_shares)
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
START_TEST(deepc_prunes_the_smallest)
{
    begin(&qc_method_deepc, TINY_PLAIN, 8, 1, "prune=0.5 cluster=8 steps=0");
    float *was = malloc(b.t.g.n_codes * sizeof *was);
    for (uint32_t k = 0; k < b.t.g.n_nodes; k++) {
        const QcQNode *n = &b.t.g.nodes[k];
        for (uint32_t j = 0; j < n->n_codes; j++) was[n->code + j] = fabsf((float)code_at(n, j) * b.t.g.scale[n->channel + j / (n->n_codes / n->channels)]);
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
START_TEST(the_reservoir_favours_nobody)
{
    enum { TRIALS = 800, STREAM = BATCHES * BATCH, ALL = CAPACITY + STREAM };
    uint32_t kept[ALL] = {0};
    double p = (double)CAPACITY / ALL, chi = 0;
    for (uint64_t trial = 1; trial <= TRIALS; trial++) {
        begin(&qc_method_er, TINY_MLP, 8, trial, "steps=0 keep=0 batch=1 replay=0");
        for (uint32_t s = SOURCE; s < CAPACITY; s++) b.l.slots->flags[s] = 0, b.l.slots->id[s] = s, b.l.seen++; /* no slot is empty */
        for (uint32_t i = 0; i < BATCHES; i++) learn(i, BATCH);
        for (uint32_t s = 0; s < CAPACITY; s++) kept[b.l.slots->id[s] < 1000 ? b.l.slots->id[s] : CAPACITY + b.l.slots->id[s] - 1000]++;
        end();
    }
    for (int i = 0; i < ALL; i++) chi += pow(kept[i] - TRIALS * p, 2) / (TRIALS * p * (1 - p)) * (ALL - 1) / ALL;
    ck_assert_msg(chi < 98.3, "chi square of 59 degrees: %g (one in a thousand is above 98.3)", chi);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("replay");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, rate_0_changes_no_code, 0, METHODS);
    tcase_add_loop_test(tests, a_seed_is_a_result, 0, METHODS);
    tcase_add_loop_test(tests, a_batch_is_learned, 0, METHODS);
    tcase_add_loop_test(tests, costs_are_counted, 0, METHODS);
    tcase_add_loop_test(tests, slots_stay_whole, 0, METHODS);
    tcase_add_loop_test(tests, little_is_enough, 0, METHODS);
    tcase_add_test(tests, er_steps_down_the_gradient);
    tcase_add_loop_test(tests, biases_move_where_they_may, 0, METHODS);
    tcase_add_test(tests, er_ace_learns_nothing_from_one_class);
    tcase_add_test(tests, der_recalls_logits_not_labels);
    tcase_add_test(tests, alpha_holds_the_answers);
    tcase_add_test(tests, deepc_prunes_and_shares);
    tcase_add_test(tests, deepc_prunes_the_smallest);
    tcase_add_test(tests, the_reservoir_favours_nobody);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
