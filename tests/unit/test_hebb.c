/* The Hebbian statistic of every layer, and the features made of it, compared with a second implementation of the
 * formulas of flip.h. */
#include "suite.h"
#include "tiny.h"
#include "gathering.h"

static Gathered other;

/* ---- against the formulas ---- */

static double error_at(uint32_t l, uint32_t o, const float *e)
{
    const QcQGraph *g = &c.t.g;
    const QcFlipLayer *layer = &c.flip.layers[l];
    const QcQNode *node = &g->nodes[layer->node], *last = &g->nodes[g->n_nodes - 1];
    double sum = 0;
    if (node->op == QC_Q_LOGITS) return (double)e[o];
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        uint32_t width = last->n_codes / TINY_CLASSES;
        if (layer->exact)
            sum += (double)e[k] * (double)g->scale[last->channel + k] *
                   qc_code_get(g, last, k * width + node->out_channel + o) /
                   (g->tensors[node->out].height * g->tensors[node->out].width);
        else
            sum += (double)e[k] * (double)c.flip.feedback_scale[l] *
                   c.flip.feedback[layer->feedback + o * TINY_CLASSES + k];
    }
    return sum;
}

/* Adds one example's share; size: the same of absolute values. All tensors lie in `run`. */
static void add_naive(double *h, double *size, const QcQRun *run, uint32_t l, const float *e)
{
    const QcQGraph *g = run->g;
    const QcFlipLayer *layer = &c.flip.layers[l];
    const QcQNode *n = &g->nodes[layer->node];
    const QcQTensor *in = &g->tensors[n->in[0]], *out = n->op == QC_Q_LOGITS ? NULL : &g->tensors[n->out];
    const uint8_t *x = qc_qrun_tensor(run, n->in[0]);
    uint32_t height = out ? out->height : 1, width = out ? out->width : 1, columns = in->channels / n->groups;
    for (uint32_t p = 0; p < height * width; p++)
        for (uint32_t o = 0; o < n->channels; o++) {
            if (out && n->relu && qc_qrun_tensor(run, n->out)[p * out->channels + n->out_channel + o] <= out->zero)
                continue;
            if (layer->gate != QC_NO_GATE &&
                qc_qrun_tensor(run, layer->gate)[p * g->tensors[layer->gate].channels + n->out_channel + o] <=
                    g->tensors[layer->gate].zero)
                continue;
            double d = error_at(l, o, e) * (double)in->scale * (double)g->scale[n->channel + o];
            for (uint32_t k = 0; k < (uint32_t)n->kernel_h * n->kernel_w; k++) {
                int y = (int)(p / width * n->stride_h + k / n->kernel_w * n->dilation_h) - n->pad_top;
                int z = (int)(p % width * n->stride_w + k % n->kernel_w * n->dilation_w) - n->pad_left;
                if (y < 0 || y >= in->height || z < 0 || z >= in->width) continue;
                for (uint32_t i = 0; i < columns; i++) {
                    double value = d * (x[((uint32_t)y * in->width + (uint32_t)z) * in->channels +
                                          o / (n->channels / n->groups) * columns + i] -
                                        in->zero);
                    uint32_t j = (o * n->kernel_h * n->kernel_w + k) * columns + i;
                    h[j] += value;
                    size[j] += fabs(value);
                }
            }
        }
}

START_TEST(every_layer_equals_formula)
{
    static double h[CODES], sum[CODES], squares[CODES], size[CODES];
    QcQTensor tensors[64];
    setup_case((TinyKind)_i, 4, 7);
    gather(&got, &qc_kernels_scalar, 0, 1);
    QcQGraph apart = tiny_apart(&c.t.g, tensors);
    void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
    QcQRun run;
    qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    memset(size, 0, sizeof size);
    for (uint32_t i = 0; i < FEW; i++) {
        float logits[TINY_CLASSES];
        qc_qrun_forward(&run, logits, c.x[i]);
        memset(h, 0, sizeof h);
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            uint32_t first = apart.nodes[c.flip.layers[l].node].code;
            add_naive(h + first, size + first, &run, l, c.error + i * TINY_CLASSES);
        }
        for (uint32_t j = 0; j < apart.n_codes; j++) sum[j] += h[j], squares[j] += h[j] * h[j];
    }
    uint32_t zero = 0;
    for (uint32_t j = 0; j < apart.n_codes; j++) {
        ck_assert_msg(fabs((double)got.sum[j] - sum[j]) <= 1e-5 * size[j] + 1e-12, "h[%d] is %g, not %g", (int)j,
                      (double)got.sum[j], sum[j]);
        ck_assert_msg(fabs((double)got.squares[j] - squares[j]) <= 3e-5 * size[j] * size[j] + 1e-20, "squares of %d",
                      (int)j);
        zero += sum[j] == 0;
    }
    ck_assert_uint_lt(zero, apart.n_codes / 3); /* there is something to compare */
    free(memory);
    tiny_release(&c.t);
}
END_TEST

/* A sample's statistic equals the statistic of the same weights among all, and in the end every weight has its turn. */
START_TEST(weight_samples_and_kernels_give_same_bits)
{
    setup_case((TinyKind)_i, _i % 2 ? 2 : 8, 3);
    gather(&got, &qc_kernels_scalar, 0, 1);
    ck_assert_uint_eq(got.codes, c.t.g.n_codes);
    uint8_t turn[CODES] = {0};
    for (uint64_t seed = 0; seed < 60; seed++) {
        gather(&other, &qc_kernels_scalar, seed % 2 ? 1 : c.t.g.n_codes / 3, seed);
        ck_assert(other.codes > 0 && other.codes < c.t.g.n_codes);
        for (uint32_t j = 0; j < c.t.g.n_codes; j++) {
            turn[j] |= other.seen[j];
            ck_assert(!other.seen[j] || (other.sum[j] == got.sum[j] && other.squares[j] == got.squares[j]));
        }
    }
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) ck_assert_msg(turn[j], "weight %d was never looked at", (int)j);
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
        gather(&other, *k, c.t.g.n_codes, 5);
        ck_assert_msg(!memcmp(&got, &other, sizeof got), "%s", (*k)->name);
    }
    double squares = 0;
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) squares += (double)got.sum[j] * (double)got.sum[j];
    ck_assert_float_eq_tol(got.rms_net, (float)sqrt(squares / c.t.g.n_codes), 1e-4f * got.rms_net);
    tiny_release(&c.t);
}
END_TEST

START_TEST(zero_error_gives_zero_statistic)
{
    setup_case(TINY_RESIDUAL, 4, 3);
    memset(c.error, 0, sizeof c.error);
    gather(&got, &qc_kernels_scalar, 0, 1);
    for (uint32_t j = 0; j < c.t.g.n_codes; j++) ck_assert(got.sum[j] == 0 && got.squares[j] == 0);
    tiny_release(&c.t);
}
END_TEST

/* The last example's error just below the share of the mean that is neglected, and just above it. */
START_TEST(negligible_error_is_left_out)
{
    for (int above = 0; above < 2; above++) {
        setup_case(TINY_RESIDUAL, 4, 3);
        float *last = c.error + (FEW - 1) * TINY_CLASSES, others = 0;
        for (int i = 0; i < (FEW - 1) * TINY_CLASSES; i++) others += fabsf(c.error[i]);
        memset(last, 0, TINY_CLASSES * sizeof *last);
        last[1] = QC_HEBB_NEGLECT * others / (FEW - QC_HEBB_NEGLECT) * (above ? 1.01f : 0.99f);
        gather(&got, &qc_kernels_scalar, 0, 1);
        last[1] = 0;
        gather(&other, &qc_kernels_scalar, 0, 1);
        ck_assert_int_eq(above, memcmp(&got, &other, sizeof got) != 0);
        tiny_release(&c.t);
    }
}
END_TEST

/* ---- features ---- */

/* The pieces of a layer, one after another: their statistic and rows follow each other, so the statistic of the first
 * leads to all. */
static void check_features(void *ctx, const QcBlock *piece, const QcFlipStats *stats, const QcFlipScale *s)
{
    const QcQGraph *g = &c.t.g;
    uint32_t l = piece->layer;
    const QcQNode *n = &g->nodes[c.flip.layers[l].node];
    if (piece->channel) return;
    uint32_t columns = g->tensors[n->in[0]].channels / n->groups, row = n->n_codes / n->channels, *seen = ctx;
    double all = 0, of_row[16] = {0}, of_column[64] = {0};
    for (uint32_t j = 0; j < n->n_codes; j++) {
        double square = pow((double)stats->sum[j], 2);
        all += square / n->n_codes;
        of_row[j / row] += square / row;
        of_column[j % columns] += square / (n->n_codes / columns);
    }
    ck_assert_float_eq_tol(s->rms, (float)sqrt(all), 1e-4f * s->rms);
    for (uint32_t j = 0; j < n->n_codes; j++, ++*seen) {
        float f[1][QC_FLIP_FEATURES], score;
        int dir;
        double h = (double)stats->sum[j], mean = h / FEW,
               deviation = sqrt(fmax((double)stats->squares[j] / FEW - mean * mean, 0));
        double z = fabs(h) / sqrt(all), code = (double)qc_code_get(g, n, j) / (1 << (qc_code_bits(g, n) - 1));
        qc_flip_features(f[0], &dir, g, &c.flip.layers[l], stats, s, j, j);
        ck_assert_int_eq(dir, (h < 0) - (h > 0));
        if (!dir) continue;
        const double expected[] = {log(z + 0.001),
                                   fmin(z, 6) / 3,
                                   -1,
                                   -1,
                                   dir * code,
                                   fabs(code),
                                   log(sqrt(of_row[j / row] / all)),
                                   log(sqrt(of_column[j % columns] / all)),
                                   log(sqrt(all) / (double)s->rms_net),
                                   (double)s->depth};
        for (int k = 0; k < 10; k++)
            if (expected[k] != -1 || k > 3)
                ck_assert_msg(fabs((double)f[0][k] - expected[k]) < 2e-3, "feature %d is %g, not %g", k,
                              (double)f[0][k], expected[k]);
        if (deviation > 0.2 * fabs(mean)) /* else the spread is rounding */
            ck_assert(fabs((double)f[0][2] - log(fabs(mean) / deviation + 0.01)) < 2e-2 &&
                      fabs((double)f[0][3] - fmin(fabs(mean) / deviation, 6) / 3) < 4e-2);
        for (int r = 0; r < 4; r++) ck_assert_float_eq(f[0][10 + r], n->role == r ? 1 : 0);
        qc_flip_scores(&c.flip, &qc_kernels_scalar, &score, f, 1);
        ck_assert(score >= 0 && score <= 1);
    }
}

START_TEST(features_equal_definitions)
{
    setup_case((TinyKind)_i, 4, 12);
    QcHebb hebb;
    uint32_t seen = 0;
    void *memory = place(&hebb, &qc_kernels_scalar, c.t.g.n_codes);
    qc_hebb_gather(&hebb, &c.z, 1, check_features, &seen);
    ck_assert_uint_eq(seen, c.t.g.n_codes);
    free(memory);
    tiny_release(&c.t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hebb");
    TCase *tests = tcase_create("hebb");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_layer_equals_formula, 0, TINY_KINDS);
    tcase_add_loop_test(tests, weight_samples_and_kernels_give_same_bits, 0, TINY_KINDS);
    tcase_add_test(tests, zero_error_gives_zero_statistic);
    tcase_add_test(tests, negligible_error_is_left_out);
    tcase_add_loop_test(tests, features_equal_definitions, 0, TINY_KINDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
