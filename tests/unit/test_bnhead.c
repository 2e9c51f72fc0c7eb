/* Methods that use statistics of a stream: bn compared with sums, proto with class means, head with ridge regression
 * in one step. */
#include "suite.h"
#include "tiny.h"

enum { BATCH = 10 };
#include "learning.h"

#include "../../lib/lab/bn.h"
#include "../../lib/lab/ridge.h"

/* ---- bn ---- */

/* Sum and sum of squares of (q - zero) * code of one channel, from the tensor as it lies in memory, tap by tap. */
static void sums_of(double *sum, double *squares, const QcQRun *run, const QcQNode *n, uint32_t o)
{
    const QcQGraph *g = run->g;
    const QcQTensor *in = &g->tensors[n->in[0]], *out = &g->tensors[n->out];
    uint32_t per_group = in->channels / n->groups, first = o / (n->channels / n->groups) * per_group;
    *sum = *squares = 0;
    for (uint32_t y = 0; y < out->height; y++)
        for (uint32_t x = 0; x < out->width; x++) {
            double acc = 0;
            for (uint32_t kh = 0; kh < n->kernel_h; kh++)
                for (uint32_t kw = 0; kw < n->kernel_w; kw++)
                    for (uint32_t c = 0; c < per_group; c++) {
                        int h = (int)(y * n->stride_h + kh * n->dilation_h) - n->pad_top,
                            w = (int)(x * n->stride_w + kw * n->dilation_w) - n->pad_left;
                        if (h < 0 || w < 0 || h >= in->height || w >= in->width) continue;
                        int q = qc_qrun_tensor(
                            run, n->in[0])[((size_t)h * in->width + (size_t)w) * in->channels + first + c];
                        acc += (q - in->zero) *
                               qc_code_get(g, n, ((o * n->kernel_h + kh) * n->kernel_w + kw) * per_group + c);
                    }
            *sum += acc;
            *squares += acc * acc;
        }
}

START_TEST(layer_moments_equal_direct_sums)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Bench b;
        QcPreact p;
        QcQTensor tensors[64];
        float logits[TINY_CLASSES];
        bench_open(&b, &qc_method_none, kind, 4, NULL, 0);
        ck_assert_int_eq(qc_preact_init(&p, &b.l, NULL), 0);
        ck_assert_uint_le(b.t.g.n_tensors, 64);
        QcQGraph apart = tiny_apart(&b.t.g, tensors);
        void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
        QcQRun run;
        qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
        double *want = calloc(2 * b.t.g.n_channels, sizeof *want);
        for (int i = 0; i < 2; i++) {
            qc_preact_add(&p, &b.l, b.x[i]);
            qc_qrun_forward(&run, logits, b.x[i]);
            for (uint32_t n = 0; n < apart.n_nodes; n++)
                for (uint32_t o = 0; apart.nodes[n].op == QC_Q_CONV && o < apart.nodes[n].channels; o++) {
                    double sum, squares;
                    sums_of(&sum, &squares, &run, &apart.nodes[n], o);
                    want[2 * (apart.nodes[n].channel + o)] += sum;
                    want[2 * (apart.nodes[n].channel + o) + 1] += squares;
                }
        }
        for (uint32_t c = 0; c < b.t.g.n_channels; c++) {
            ck_assert_double_eq(p.sum[c], want[2 * c]);
            ck_assert_double_eq(p.squares[c], want[2 * c + 1]);
        }
        free(want);
        free(memory);
        bench_close(&b);
    }
}
END_TEST

START_TEST(mixture_of_weight_1_restores_source_moments)
{
    double factor, shift;
    qc_bn_mix(&factor, &shift, 1, 0.5, 2, -3, 4);
    ck_assert_double_eq_tol(factor * -3 + shift, 0.5, 1e-12);
    ck_assert_double_eq_tol(factor * 4, 2, 1e-12);
    qc_bn_mix(&factor, &shift, 0, 0.5, 2, -3, 4); /* none of it */
    ck_assert_double_eq(factor, 1);
    ck_assert_double_eq(shift, 0);
    qc_bn_mix(&factor, &shift, 0.25, 1, 2, 3, 6); /* mu = 1.5, s^2 = .75 * 4 + .25 * 36 = 12 */
    ck_assert_double_eq_tol(factor, 2 / sqrt(12), 1e-12);
    ck_assert_double_eq_tol(shift, 1 - 1.5 * 2 / sqrt(12), 1e-12);
    qc_bn_mix(&factor, &shift, 1, 1, 2, 3, 1e-9);
    ck_assert_double_eq(factor, 4);
}
END_TEST

START_TEST(bn_restores_source_moments_in_first_layer)
{
    const char *const settings[] = {"alpha=1", "decay=0"};
    for (int kind = TINY_PLAIN; kind <= TINY_RESIDUAL; kind++) {
        Bench b;
        QcMethodReport r;
        bench_open(&b, &qc_method_bn, kind, 8, settings, 2);
        const QcBn *bn = b.l.state;
        bench_learn(&b, &r, 0); /* no slot holds a stream example yet: the batch alone counts */
        const QcQGraph *g = b.l.g;
        const QcQNode *n = &g->nodes[0];
        ck_assert_uint_eq(n->in[0], 0);
        QcQTensor tensors[64];
        QcQGraph apart = tiny_apart(g, tensors);
        void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
        QcQRun run;
        qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
        for (uint32_t o = 0; o < n->channels; o++) {
            /* source under the start model, stream under the new one */
            double step[2], sum[2] = {0}, squares[2] = {0}, positions[2] = {0};
            uint32_t c = n->channel + o;
            step[0] = (double)g->tensors[0].scale * (double)b.scale[c];
            step[1] = (double)g->tensors[0].scale * (double)g->scale[c];
            for (int part = 0; part < 2; part++)
                for (uint32_t i = 0; i < (part ? BATCH : CAPACITY - 2u); i++) {
                    double s, q;
                    float logits[TINY_CLASSES];
                    qc_qrun_forward(&run, logits, part ? b.x[i] : b.source[i]);
                    sums_of(&s, &q, &run, n, o);
                    sum[part] += s;
                    squares[part] += q;
                    positions[part] += g->tensors[n->out].width;
                }
            double mean[2], deviation[2];
            for (int part = 0; part < 2; part++) {
                double m = sum[part] / positions[part];
                mean[part] = step[part] * (m + (part ? g->bias[c] : b.bias[c]));
                deviation[part] = step[part] * sqrt(squares[part] / positions[part] - m * m);
            }
            ck_assert_double_eq_tol((double)bn->mean[c], mean[0], 1e-4 * (fabs(mean[0]) + deviation[0]));
            ck_assert_double_eq_tol((double)bn->deviation[c], deviation[0], 1e-4 * deviation[0]);
            ck_assert_double_eq_tol(deviation[1], deviation[0], 1e-4 * deviation[0]);
            ck_assert_double_eq_tol(mean[1], mean[0], step[1] + 1e-4 * deviation[0]); /* the bias is rounded */
        }
        free(memory);
        bench_close(&b);
    }
}
END_TEST

/* ---- heads ---- */

static void features_of(double *f, Bench *b, const uint8_t *x, uint32_t n)
{
    float logits[TINY_CLASSES];
    const QcQGraph *g = b->l.g;
    const QcQNode *last = &g->nodes[g->n_nodes - 1];
    const QcQTensor *in = &g->tensors[last->in[0]];
    qc_qrun_forward(&b->t.run, logits, x);
    for (uint32_t i = 0; i < n; i++) f[i] = (double)in->scale * (qc_qrun_tensor(&b->t.run, last->in[0])[i] - in->zero);
}

START_TEST(proto_predicts_nearest_class_mean)
{
    const char *const settings[] = {"source=3"};
    Bench b;
    QcMethodReport r;
    double mean[TINY_CLASSES][64] = {{0}}, source[TINY_CLASSES][64] = {{0}}, f[64], seen[TINY_CLASSES] = {0},
           had[TINY_CLASSES] = {0};
    bench_open(&b, &qc_method_proto, TINY_INCEPTION, 4, settings, 1);
    uint32_t n = b.t.g.nodes[b.t.g.n_nodes - 1].n_codes / TINY_CLASSES;
    ck_assert_uint_le(n, 64);
    for (uint32_t i = 0; i < CAPACITY - 2; i++) {
        features_of(f, &b, b.source[i], n);
        uint32_t k = (1000 + i) % TINY_CLASSES;
        had[k]++;
        for (uint32_t j = 0; j < n; j++) source[k][j] += f[j];
    }
    for (uint32_t batch = 0; batch < BATCHES; batch++) bench_learn(&b, &r, batch);
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        features_of(f, &b, b.x[i], n);
        seen[b.label[i]]++;
        for (uint32_t j = 0; j < n; j++) mean[b.label[i]][j] += f[j];
    }
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        for (uint32_t j = 0; j < n; j++) mean[k][j] = (mean[k][j] + 3 * source[k][j] / had[k]) / (seen[k] + 3);
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        double distance[TINY_CLASSES] = {0};
        float logits[TINY_CLASSES];
        features_of(f, &b, b.x[i], n);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            for (uint32_t j = 0; j < n; j++) distance[k] += (f[j] - mean[k][j]) * (f[j] - mean[k][j]);
        uint32_t best = qc_method_answer(&b.l, NULL, logits, b.x[i], 0);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            ck_assert_double_ge(distance[k], distance[best] - 1e-5);
            ck_assert_double_eq_tol((double)logits[k] - (double)logits[0], distance[0] - distance[k],
                                    1e-4 * (1 + distance[0] + distance[k]));
        }
    }
    bench_close(&b);
}
END_TEST

START_TEST(head_equals_one_ridge_regression_over_all_batches)
{
    const char *const settings[] = {"lambda=0.02", "source=0.25", "sharp=1"};
    Bench b;
    QcMethodReport r;
    double f[64];
    float x[64], w[TINY_CLASSES * 65];
    bench_open(&b, &qc_method_head, TINY_INCEPTION, 2, settings, 3);
    uint32_t n = b.t.g.nodes[b.t.g.n_nodes - 1].n_codes / TINY_CLASSES;
    double *memory = calloc(qc_ridge_doubles(n + 1, TINY_CLASSES), sizeof *memory);
    QcRidge all;
    qc_ridge_place(&all, n + 1, TINY_CLASSES, memory);
    for (uint32_t batch = 0; batch + 1 < BATCHES; batch++) bench_learn(&b, &r, batch);
    uint32_t sources = 0;
    for (uint32_t s = 0; s < CAPACITY; s++) sources += !(b.l.slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM));
    for (uint32_t s = 0; s < CAPACITY; s++) {
        if (b.l.slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        features_of(f, &b, b.l.slots->windows + (size_t)s * TINY_VALUES, n);
        for (uint32_t j = 0; j < n; j++) x[j] = (float)f[j];
        /* a quarter of all weight: a third of the stream's */
        qc_ridge_add(&all, x, b.l.slots->label[s], BATCHES * BATCH / 3.0 / sources);
    }
    bench_learn(&b, &r, BATCHES - 1);
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        features_of(f, &b, b.x[i], n);
        for (uint32_t j = 0; j < n; j++) x[j] = (float)f[j];
        qc_ridge_add(&all, x, b.label[i], 1);
    }
    ck_assert_int_eq(qc_ridge_solve(&all, w, 0.02), 0);
    for (uint32_t i = 0; i < BATCH; i++) {
        float logits[TINY_CLASSES];
        qc_method_logits(&b.l, logits, b.x[i]);
        features_of(f, &b, b.x[i], n);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double want = (double)w[k * (n + 1) + n];
            for (uint32_t j = 0; j < n; j++) want += (double)w[k * (n + 1) + j] * f[j];
            ck_assert_double_eq_tol((double)logits[k], want, 1e-4);
        }
    }
    free(memory);
    bench_close(&b);
}
END_TEST

START_TEST(folded_head_equals_plain_model)
{
    const char *const fold[] = {"fold=1"};
    const QcMethod *const methods[] = {&qc_method_head, &qc_method_proto, &qc_method_bn_head};
    for (int m = 0; m < 3; m++) {
        Bench b, open;
        QcMethodReport r;
        double most = 0, apart = 0;
        bench_open(&b, methods[m], TINY_INCEPTION, 8, fold, 1);
        bench_open(&open, methods[m], TINY_INCEPTION, 8, NULL, 0);
        ck_assert_ptr_null(qc_method_unsaved(methods[m], b.l.setting));
        ck_assert_ptr_nonnull(qc_method_unsaved(methods[m], open.l.setting));
        for (uint32_t batch = 0; batch < BATCHES; batch++) {
            bench_learn(&b, &r, batch);
            bench_learn(&open, &r, batch);
        }
        for (uint32_t i = 0; i < BATCH; i++) {
            float logits[TINY_CLASSES], plain[TINY_CLASSES], real[TINY_CLASSES];
            qc_method_logits(&b.l, logits, b.x[i]);
            qc_qrun_forward(&b.t.run, plain, b.x[i]);
            qc_method_logits(&open.l, real, b.x[i]);
            ck_assert_mem_eq(logits, plain, sizeof plain);
            for (uint32_t k = 0; k < TINY_CLASSES; k++) {
                most = fmax(most, fabs((double)real[k]));
                apart = fmax(apart, fabs((double)real[k] - (double)plain[k]));
            }
        }
        ck_assert_msg(apart < 0.05 * most, "%s: 8 bits are %g away of %g", methods[m]->name, apart, most);
        bench_close(&b);
        bench_close(&open);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bnhead");
    TCase *whole = tcase_create("bnhead");
    tcase_set_timeout(whole, 120);
    tcase_add_test(whole, layer_moments_equal_direct_sums);
    tcase_add_test(whole, mixture_of_weight_1_restores_source_moments);
    tcase_add_test(whole, bn_restores_source_moments_in_first_layer);
    tcase_add_test(whole, proto_predicts_nearest_class_mean);
    tcase_add_test(whole, head_equals_one_ridge_regression_over_all_batches);
    tcase_add_test(whole, folded_head_equals_plain_model);
    suite_add_tcase(suite, whole);
    return run_suite(suite);
}
