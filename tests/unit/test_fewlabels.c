/* Rivals for few labels: fixed points, optimality conditions and brute force, on a tiny model whose batches have
 * windows without a label. */
#include <math.h>

#include "suite.h"
#include "tiny.h"

enum { BATCH = 10 };
#include "learning.h"

#include "../../lib/lab/daelm.h"
#include "../../lib/lab/lame.h"
#include "../../lib/lab/propagate.h"
#include "../../lib/lab/softmax.h"
#include "../../lib/lab/supports.h"
#include "../../lib/live/devicestep.h"

/* ---- a batch of which only the first windows have a label ---- */

static void learn_part(Bench *b, QcMethodReport *r, uint32_t k, uint32_t labelled)
{
    QcErr err;
    double ms = NAN;
    QcBatch batch = batch_of(b, k);
    batch.n = labelled;
    b->l.n_unlabelled = b->l.method->unlabelled ? BATCH - labelled : 0;
    ck_assert_msg(!qc_method_next(&b->l, r, &batch, &ms, &err), "%s", err.text);
    ck_assert_double_ge(ms, 0); /* 0 if there was nothing to learn */
}

static uint32_t n_features(const Bench *b)
{
    return b->t.g.nodes[b->t.g.n_nodes - 1].n_codes / TINY_CLASSES;
}

/* x [features + 1], the last is 1; logits by the model as it was made. */
static void features_of(double *x, float *logits, Bench *b, const uint8_t *window)
{
    const QcQGraph *g = &b->t.g;
    const QcQNode *last = &g->nodes[g->n_nodes - 1];
    const QcQTensor *in = &g->tensors[last->in[0]];
    qc_qrun_forward(&b->t.run, logits, window);
    for (uint32_t i = 0; i < n_features(b); i++)
        x[i] = (double)in->scale * (qc_qrun_tensor(&b->t.run, last->in[0])[i] - in->zero);
    x[n_features(b)] = 1;
}

/* ---- LAME ---- */

enum { N = 24, F = 5, K = 3 };

static float x_of[N * F], logits_of[N * K];
static uint16_t label_of[N];

static void make_nodes(uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    for (int i = 0; i < N; i++) {
        double square = 0;
        label_of[i] = (uint16_t)(i % K);
        for (int f = 0; f < F; f++) {
            x_of[i * F + f] = (float)(qc_rng_normal(&rng) + (f == i % K ? 3 : 0));
            square += (double)x_of[i * F + f] * (double)x_of[i * F + f];
        }
        for (int f = 0; f < F; f++) x_of[i * F + f] /= (float)sqrt(square);
        for (int k = 0; k < K; k++) logits_of[i * K + k] = (float)qc_rng_normal(&rng);
    }
}

START_TEST(lame_answers_are_fixed_point)
{
    float z[N * K];
    make_nodes(_i + 1);
    ck_assert_int_eq(qc_lame(z, logits_of, x_of, N, F, K, 4, NULL), 0);
    for (int i = 0; i < N; i++) {
        double pull[K] = {0}, sum = 0;
        int near[N];
        for (int j = 0; j < N; j++) { /* rank of j among the neighbours of i, by distance */
            near[j] = 0;
            for (int m = 0; m < N; m++) {
                double dj = 0, dm = 0;
                for (int f = 0; f < F; f++) {
                    dj += pow((double)x_of[i * F + f] - (double)x_of[j * F + f], 2);
                    dm += pow((double)x_of[i * F + f] - (double)x_of[m * F + f], 2);
                }
                near[j] += m != i && dm < dj;
            }
            for (int k = 0; j != i && near[j] < 4 && k < K; k++) pull[k] += (double)z[j * K + k];
        }
        for (int k = 0; k < K; k++) sum += exp((double)logits_of[i * K + k] + pull[k]);
        for (int k = 0; k < K; k++)
            ck_assert_double_eq_tol((double)z[i * K + k], exp((double)logits_of[i * K + k] + pull[k]) / sum, 1e-4);
    }
}
END_TEST

START_TEST(lame_without_neighbours_is_softmax)
{
    float z[K], p[K] = {1, 2, 0};
    qc_softmax(p, K);
    ck_assert_int_eq(qc_lame(z, (const float[]){1, 2, 0}, x_of, 1, F, K, 5, NULL), 0);
    for (int k = 0; k < K; k++) ck_assert_float_eq_tol(z[k], p[k], 1e-6f);
    ck_assert_double_eq_tol(qc_softmax_entropy((const float[]){0, 0}, 2), log(2), 1e-12);
}
END_TEST

/* ---- label propagation ---- */

/* The iteration F <- alpha S F + (1 - alpha) Y of the paper, whose limit is (1 - alpha) times the solution. */
START_TEST(propagation_equals_iteration)
{
    const double setting[] = {0.8, 3, 1};
    enum { KNOWN = 6 };
    float f[N * K];
    double w[N][N], sigma = 0, degree[N] = {0}, now[N][K] = {{0}};
    make_nodes(_i + 20);
    ck_assert_int_eq(qc_propagate(f, x_of, label_of, KNOWN, N, F, K, setting, NULL), 0);
    for (int i = 0; i < N; i++) {
        double least[4] = {-1, -1, -1, -1}; /* the first is the node itself */
        for (int j = 0; j < N; j++) {
            w[i][j] = 0;
            for (int m = 0; m < F; m++) w[i][j] += pow((double)x_of[i * F + m] - (double)x_of[j * F + m], 2);
        }
        for (int rank = 0; rank < 4; rank++) {
            double next = INFINITY;
            for (int j = 0; j < N; j++)
                if (w[i][j] > (rank ? least[rank - 1] : -1) && w[i][j] < next) next = w[i][j];
            least[rank] = next;
        }
        sigma += sqrt(least[3]) / N;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) degree[i] += w[i][j] = i == j ? 0 : exp(-w[i][j] / (2 * sigma * sigma));
    for (int round = 0; round < 300; round++) {
        double old[N][K];
        memcpy(old, now, sizeof old);
        for (int i = 0; i < N; i++)
            for (int k = 0; k < K; k++) {
                double sum = 0;
                for (int j = 0; j < N; j++) sum += w[i][j] / sqrt(degree[i] * degree[j]) * old[j][k];
                now[i][k] = 0.8 * sum + 0.2 * (i < KNOWN && label_of[i] == k);
            }
    }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < K; k++) ck_assert_double_eq_tol(0.2 * (double)f[i * K + k], now[i][k], 1e-5);
}
END_TEST

/* ---- T3A ---- */

/* Brute force: of all supports of a class, the two of least entropy, the first of equal ones. */
START_TEST(t3a_weights_are_sums_of_least_entropy)
{
    const char *const settings[] = {"supports=2"};
    enum { MOST = TINY_CLASSES + BATCHES * BATCH };
    Bench b;
    QcMethodReport r;
    double x[MOST][65], entropy[MOST], weight[TINY_CLASSES][65] = {{0}};
    uint32_t class_of[MOST], n = 0;
    float logits[TINY_CLASSES];
    bench_open(&b, &qc_method_t3a, TINY_INCEPTION, 4, settings, 1);
    uint32_t features = n_features(&b);
    const QcSupports *s = b.l.state;
    for (uint32_t k = 0; k < TINY_CLASSES; k++, n++) { /* the model's own rows */
        for (uint32_t c = 0; c < TINY_CLASSES; c++) {
            double sum = (double)s->own.w[c * (features + 1) + features];
            for (uint32_t i = 0; i < features; i++)
                sum += (double)s->own.w[c * (features + 1) + i] * (double)s->own.w[k * (features + 1) + i];
            logits[c] = (float)sum;
        }
        for (uint32_t i = 0; i < features; i++) x[n][i] = (double)s->own.w[k * (features + 1) + i];
        class_of[n] = qc_largest(logits, TINY_CLASSES);
        entropy[n] = qc_softmax_entropy(logits, TINY_CLASSES);
    }
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        learn_part(&b, &r, batch, 1 + 3 * batch);
        ck_assert_uint_eq(r.set, BATCH);
        for (uint32_t i = 0; i < BATCH; i++, n++) {
            features_of(x[n], logits, &b, b.x[batch * BATCH + i]);
            class_of[n] = i < 1 + 3 * batch ? b.label[batch * BATCH + i] : qc_largest(logits, TINY_CLASSES);
            entropy[n] = i < 1 + 3 * batch ? 0 : qc_softmax_entropy(logits, TINY_CLASSES);
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        uint32_t better = 0;
        double length = 0;
        for (uint32_t o = 0; o < n; o++)
            better += class_of[o] == class_of[j] && (entropy[o] < entropy[j] || (entropy[o] == entropy[j] && o < j));
        for (uint32_t i = 0; i < features; i++) length += x[j][i] * x[j][i];
        for (uint32_t i = 0; i < features && better < 2; i++) weight[class_of[j]][i] += x[j][i] / sqrt(length);
    }
    for (uint32_t i = 0; i < BATCH; i++) {
        double own[65];
        features_of(own, logits, &b, b.x[i]);
        qc_method_logits(&b.l, logits, b.x[i]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double sum = 0, length = 1e-30;
            for (uint32_t j = 0; j < features; j++) {
                sum += weight[k][j] * own[j];
                length += weight[k][j] * weight[k][j];
            }
            ck_assert_double_eq_tol((double)logits[k], sum / sqrt(length), 1e-4 * (1 + fabs(sum)));
        }
    }
    bench_close(&b);
}
END_TEST

/* ---- layers in closed form: the gradient of what they minimize is zero ---- */

typedef struct Example {
    double x[65], y[TINY_CLASSES], weight;
} Example;

/* sum weight (W x - y) x' + unit W = 0 */
static void assert_optimal(const float *w, double unit, const Example *e, uint32_t n_examples, uint32_t n)
{
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        double gradient[65] = {0}, scale[65] = {0};
        for (uint32_t i = 0; i < n; i++) {
            gradient[i] = unit * (double)w[k * n + i];
            scale[i] = fabs(gradient[i]);
        }
        for (uint32_t j = 0; j < n_examples; j++) {
            double miss = -e[j].y[k];
            for (uint32_t i = 0; i < n; i++) miss += (double)w[k * n + i] * e[j].x[i];
            for (uint32_t i = 0; i < n; i++) {
                gradient[i] += e[j].weight * miss * e[j].x[i];
                scale[i] += fabs(e[j].weight * e[j].x[i]);
            }
        }
        for (uint32_t i = 0; i < n; i++) ck_assert_double_le(fabs(gradient[i]), 1e-4 * (scale[i] + 1e-3));
    }
}

static uint32_t take_source(Example *e, Bench *b, double weight, double *unit)
{
    float logits[TINY_CLASSES];
    uint32_t n = n_features(b);
    *unit = 0;
    for (uint32_t i = 0; i < SOURCE; i++) {
        memset(e[i].y, 0, sizeof e[i].y);
        features_of(e[i].x, logits, b, b->source[i]);
        e[i].y[(1000 + i) % TINY_CLASSES] = 1;
        e[i].weight = weight;
        for (uint32_t j = 0; j < n; j++) *unit += e[i].x[j] * e[i].x[j] / n / SOURCE;
    }
    return SOURCE;
}

enum { SOURCES_ALONE, DISTILLED, SURE };

static void expect_optimum(int kind, uint32_t labelled)
{
    const QcMethod *const methods[] = {&qc_method_daelm_s, &qc_method_daelm_t, &qc_method_pseudo};
    const char *const settings[][4] = {{"source=2", "target=5"},
                                       {"target=5", "guess=0.5"},
                                       {"threshold=0", "rounds=1", "target=5", "guess=0.5"}};
    static Example e[SOURCE + BATCHES * BATCH];
    Bench b;
    QcMethodReport r;
    double unit;
    float logits[TINY_CLASSES];
    bench_open(&b, methods[kind], TINY_INCEPTION, 4, settings[kind], kind == SURE ? 4 : 2);
    uint32_t features = n_features(&b);
    const QcDaelm *d = b.l.state; /* pseudo: its first member */
    uint32_t n = take_source(e, &b, kind == SOURCES_ALONE ? 2 : kind == SURE ? 1 : 0, &unit);
    uint32_t batches = labelled ? BATCHES : 1;
    for (uint32_t batch = 0; batch < batches; batch++) {
        learn_part(&b, &r, batch, labelled);
        for (uint32_t i = 0; i < BATCH; i++) {
            int known = i < labelled;
            if (!known && (kind == SOURCES_ALONE || batch + 1 < batches)) continue; /* guesses are of the latest */
            if (!known && kind == SURE && labelled) continue;
            memset(e[n].y, 0, sizeof e[n].y);
            features_of(e[n].x, logits, &b, b.x[batch * BATCH + i]);
            e[n].weight = known ? 5 : 0.5;
            uint32_t answer = qc_largest(logits, TINY_CLASSES);
            qc_softmax(logits, TINY_CLASSES);
            if (known) e[n].y[b.label[batch * BATCH + i]] = 1;
            else if (kind == SURE) e[n].y[answer] = 1;
            else
                for (uint32_t k = 0; k < TINY_CLASSES; k++) e[n].y[k] = (double)logits[k];
            n++;
        }
    }
    ck_assert_int_eq(d->is_solved, 1);
    assert_optimal(d->head.w, unit, e, n, features + 1);
    for (uint32_t i = 0; i < BATCH; i++) { /* and this layer answers */
        double x[65];
        features_of(x, logits, &b, b.x[i]);
        qc_method_logits(&b.l, logits, b.x[i]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double sum = 0;
            for (uint32_t j = 0; j <= features; j++) sum += (double)d->head.w[k * (features + 1) + j] * x[j];
            ck_assert_double_eq_tol((double)logits[k], (kind == SURE ? 10 : 1) * sum, 1e-4);
        }
    }
    bench_close(&b);
}

START_TEST(daelm_s_is_optimal) { expect_optimum(SOURCES_ALONE, 4); }
END_TEST

START_TEST(daelm_t_is_optimal)
{
    expect_optimum(DISTILLED, 3);
    expect_optimum(DISTILLED, 0);
}
END_TEST

/* Without a label, the model as it was made gives the labels. */
START_TEST(pseudo_labels_are_answers_of_model) { expect_optimum(SURE, 0); }
END_TEST

/* No answer is as sure as that: the labels alone remain, as in daelm-s. */
START_TEST(pseudo_without_sure_answer_is_daelm_s)
{
    const char *const unsure[] = {"threshold=1", "sharp=0.1"};
    Bench b, s;
    QcMethodReport r;
    bench_open(&b, &qc_method_pseudo, TINY_PLAIN, 8, unsure, 2);
    bench_open(&s, &qc_method_daelm_s, TINY_PLAIN, 8, NULL, 0);
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        learn_part(&b, &r, batch, 3);
        learn_part(&s, &r, batch, 3);
    }
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        float one[TINY_CLASSES], two[TINY_CLASSES];
        qc_method_logits(&b.l, one, b.x[i]);
        qc_method_logits(&s.l, two, b.x[i]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            ck_assert_double_eq_tol((double)one[k], 0.1 * (double)two[k], 1e-4);
    }
    bench_close(&b);
    bench_close(&s);
}
END_TEST

/* ---- all of them ---- */

/* Unlabelled windows alone are a batch: methods that use them change their answers, others do not. */
START_TEST(windows_without_label_are_learned_from)
{
    for (const QcMethod *const *m = qc_rival_table; *m; m++) {
        Bench b;
        QcMethodReport r;
        float before[BATCH * TINY_CLASSES], after[BATCH * TINY_CLASSES];
        if ((*m)->observe || (*m)->backward) continue;
        bench_open(&b, *m, TINY_PLAIN, 8, NULL, 0);
        ck_assert_int_eq(qc_method_logits_of(&b.l, before, b.x[0], BATCH, NULL), 0);
        learn_part(&b, &r, 1, 0);
        ck_assert_int_eq(qc_method_logits_of(&b.l, after, b.x[0], BATCH, NULL), 0);
        int differ = memcmp(before, after, sizeof before) != 0;
        ck_assert_msg(differ == (*m)->unlabelled, "%s", (*m)->name);
        ck_assert_uint_eq(r.step.n, 0);
        bench_close(&b);
    }
}
END_TEST

START_TEST(labels_is_closed_without_guesses)
{
    Bench b, closed;
    QcMethodReport r;
    bench_open(&b, &qc_method_labels, TINY_PLAIN, 4, NULL, 0);
    bench_open(&closed, &qc_method_closed, TINY_PLAIN, 4, NULL, 0);
    qc_devicestep_learner(&closed.l)->setup.parameters.guess_weight = 0;
    for (uint32_t batch = 0; batch < BATCHES; batch++)
        for (int i = 0; i < 2; i++) {
            Bench *one = i ? &closed : &b;
            for (uint32_t k = 0; k < BATCH; k++)
                qc_method_observe(&one->l, one->x[batch * BATCH + k], k < 4 ? one->label[batch * BATCH + k] : -1, k);
            ck_assert_int_eq(qc_method_next(&one->l, &r, NULL, NULL, NULL), 0);
        }
    const QcLearner *own = qc_devicestep_learner(&b.l);
    ck_assert_mem_eq(own->state, qc_devicestep_learner(&closed.l)->state, own->state_bytes);
    ck_assert_float_eq(own->setup.parameters.guess_weight, 0);
    bench_close(&b);
    bench_close(&closed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fewlabels");
    TCase *t = tcase_create("fewlabels");
    tcase_add_loop_test(t, lame_answers_are_fixed_point, 0, 5);
    tcase_add_test(t, lame_without_neighbours_is_softmax);
    tcase_add_loop_test(t, propagation_equals_iteration, 0, 3);
    tcase_add_test(t, t3a_weights_are_sums_of_least_entropy);
    tcase_add_test(t, daelm_s_is_optimal);
    tcase_add_test(t, daelm_t_is_optimal);
    tcase_add_test(t, pseudo_labels_are_answers_of_model);
    tcase_add_test(t, pseudo_without_sure_answer_is_daelm_s);
    tcase_add_test(t, windows_without_label_are_learned_from);
    tcase_add_test(t, labels_is_closed_without_guesses);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
