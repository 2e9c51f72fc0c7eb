/* The Hebbian statistic compared with straight-through back-propagation, for the layers whose statistic is exact. */
#include "suite.h"
#include "tiny.h"
#include "gathering.h"

#include "../../lib/quant/fakequant.h"

/* The tensor holds a value that may be clipped, for which straight-through gradients end. */
static int clipped(const QcQRun *run, uint32_t t)
{
    const QcQTensor *q = &run->g->tensors[t];
    for (uint32_t i = 0; i < (uint32_t)q->height * q->width * q->channels; i++) {
        uint8_t code = qc_qrun_tensor(run, t)[i];
        if (code == (1 << q->bits) - 1 || (q->zero && !code)) return 1;
    }
    return 0;
}

/* ReLU of a node's slice: on for the device where the code is above zero, on for the double where its value is; example
 * i. */
static int masks_agree(const QcQRun *run, const QcFakeQuant *s, const QcRun *floats, uint32_t i, uint32_t at)
{
    const QcQNode *n = &run->g->nodes[at];
    const QcQTensor *q = &run->g->tensors[n->out];
    uint32_t positions = (uint32_t)q->height * q->width;
    const float *value = qc_run_value(floats, s->node_of[at]) + (size_t)i * positions * n->channels;
    for (uint32_t p = 0; n->relu && p < positions; p++)
        for (uint32_t o = 0; o < n->channels; o++)
            if ((value[p * n->channels + o] > 0) !=
                (qc_qrun_tensor(run, n->out)[p * q->channels + n->out_channel + o] > q->zero))
                return 0;
    return 1;
}

/* Takes the error from examples on which the double's masks differ from the device's after some exact layer: a value
 * below half a step is on but rounds to 0, and beyond a range there is no straight-through gradient. On the others both
 * must agree to float rounding. */
static uint32_t keep_agreeing(const QcFakeQuant *s, const QcRun *floats)
{
    QcQTensor tensors[64];
    QcQGraph apart = tiny_apart(&c.t.g, tensors);
    void *memory = aligned_alloc(64, (qc_qgraph_bytes(&apart) + 63) / 64 * 64);
    QcQRun run;
    uint32_t kept = 0;
    qc_qrun_place(&run, &apart, &qc_kernels_scalar, memory);
    for (uint32_t i = 0; i < N; i++) {
        float logits[TINY_CLASSES];
        qc_qrun_forward(&run, logits, c.x[i]);
        int agree = !clipped(&run, apart.nodes[apart.n_nodes - 1].in[0]);
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            const QcFlipLayer *layer = &c.flip.layers[l];
            if (!layer->exact) continue;
            agree &= !clipped(&run, apart.nodes[layer->node].out) && masks_agree(&run, s, floats, i, layer->node);
            if (layer->gate != QC_NO_GATE)
                agree &= !clipped(&run, layer->gate) && masks_agree(&run, s, floats, i, layer->gate_node);
        }
        kept += (uint32_t)agree;
        if (!agree) memset(c.error + i * TINY_CLASSES, 0, TINY_CLASSES * sizeof *c.error);
    }
    free(memory);
    return kept;
}

static uint32_t gradient_of_fakequant(float *dmaster)
{
    QcErr err;
    QcFakeQuant s;
    ck_assert_msg(!qc_fakequant_init(&s, &c.t.g, &err), "%s", err.text);
    QcRun *run = qc_run_new(&s.graph, N, QC_RUN_TUNE, 1, &err);
    ck_assert_msg(run != NULL, "%s", err.text);
    for (uint32_t i = 0; i < c.t.g.n_nodes; i++) ck_assert_int_eq(qc_run_keep(run, s.node_of[i], &err), 0);
    float *grads = malloc(s.graph.n_params * sizeof *grads);
    qc_run_forward(run, c.windows, N);
    uint32_t kept = keep_agreeing(&s, run);
    qc_run_backward(run, grads, c.error);
    qc_fakequant_gradient(&s, dmaster, grads);
    free(grads);
    qc_run_free(run);
    qc_fakequant_release(&s);
    return kept;
}

static double distance(const float *a, const float *b, uint32_t n)
{
    double apart = 0, size = 0;
    for (uint32_t j = 0; j < n; j++) {
        apart += pow((double)a[j] - (double)b[j], 2);
        size += pow((double)b[j], 2);
    }
    ck_assert(size > 0);
    return sqrt(apart / size);
}

/* Which layers are exact, by name of the float model: what qc-method(7) says, for each kind of graph. */
static const char *const exact_layers[TINY_KINDS] = {
    "c2", "c2 short", "m2.a m2.b m2.c", "tail", "l1", "c4", "", "m1.a m1.b m1.c short"};

START_TEST(exact_layers_equal_true_gradient)
{
    static float truth[CODES];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        setup_case((TinyKind)_i, seed == 1 ? 2 : seed == 2 ? 4 : 8, seed);
        c.z.n = N;
        ck_assert_uint_ge(gradient_of_fakequant(truth), 1); /* some hundred in all */
        gather(&got, &qc_kernels_scalar, 0, 1);
        uint32_t exact = 0, wanted = *exact_layers[_i] != 0;
        for (const char *at = exact_layers[_i]; *at; at++) wanted += *at == ' ';
        for (uint32_t l = 0; l < c.flip.n_layers; l++) {
            const QcQNode *node = &c.t.g.nodes[c.flip.layers[l].node];
            int last = node->op == QC_Q_LOGITS;
            if (!last && !c.flip.layers[l].exact) continue;
            exact += !last;
            double d = distance(got.sum + node->code, truth + node->code, node->n_codes);
            ck_assert_msg(d < (last ? 0.03 : 0.004), "kind %d, seed %d, layer %d: %.4f of the gradient away", _i,
                          (int)seed, (int)l, d);
        }
        ck_assert_uint_eq(exact, wanted);
        tiny_release(&c.t);
    }
}
END_TEST

START_TEST(gates_exist_only_if_relu_follows_sum)
{
    setup_case((TinyKind)_i, 8, 1);
    for (uint32_t l = 0; l < c.flip.n_layers; l++) {
        const QcFlipLayer *layer = &c.flip.layers[l];
        if ((_i == TINY_RESIDUAL || _i == TINY_JOINED) && layer->exact) {
            ck_assert_uint_ne(layer->gate, QC_NO_GATE);
            const QcQNode *sum = &c.t.g.nodes[layer->gate_node];
            ck_assert(sum->op == QC_Q_ADD && sum->relu && sum->out == layer->gate);
            ck_assert_int_eq(layer->masked, c.t.g.nodes[layer->node].relu); /* the branches of TINY_JOINED */
        } else {
            ck_assert_uint_eq(layer->gate, QC_NO_GATE);
            ck_assert_uint_eq(layer->gate_node, layer->node);
        }
    }
    tiny_release(&c.t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hebbgradient");
    TCase *tests = tcase_create("hebbgradient");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, exact_layers_equal_true_gradient, 0, TINY_KINDS);
    tcase_add_loop_test(tests, gates_exist_only_if_relu_follows_sum, 0, TINY_KINDS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
