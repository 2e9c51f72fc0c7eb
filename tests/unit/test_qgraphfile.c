/* The quantized graph in its file: the same bytes are read back, and every graph that would break a forward pass is
 * refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/format/qgraphfile.h"

enum { TENSORS = 7, NODES = 8, CHANNELS = 64 };

/* input -> a -> (b | maxpool -> c) -> concat; input -> shortcut; sum -> average -> logits */
typedef struct Sample {
    QcQGraph g;
    QcQTensor tensors[TENSORS];
    QcQNode nodes[NODES];
    float scale[CHANNELS];
    int32_t bias[CHANNELS], multiplier[CHANNELS];
    uint8_t shift[CHANNELS];
    uint8_t codes[4096];
} Sample;

static Sample s;

static QcQTensor tensor(uint16_t width, uint16_t channels, uint8_t zero)
{
    return (QcQTensor){.height = 1, .width = width, .channels = channels, .bits = 8, .zero = zero, .scale = 0.05f};
}

/* Takes codes and entries after those that are taken. */
static void node(uint32_t i, QcQOp op, uint16_t in, uint16_t out, uint16_t first, uint16_t channels, uint16_t kernel)
{
    QcQNode n = {.op = op,
                 .in = {in, 0},
                 .out = out,
                 .out_channel = first,
                 .channels = channels,
                 .groups = 1,
                 .kernel_h = 1,
                 .kernel_w = kernel,
                 .stride_h = 1,
                 .stride_w = 1,
                 .dilation_h = 1,
                 .dilation_w = 1,
                 .pad_left = (kernel - 1) / 2,
                 .pad_right = kernel / 2};
    int weighted = op == QC_Q_CONV || op == QC_Q_LOGITS;
    n.channel = s.g.n_channels;
    s.g.n_channels += weighted ? channels : op == QC_Q_ADD ? 2 : 1;
    if (weighted) {
        n.code = s.g.n_codes;
        n.code_byte = s.g.n_code_bytes;
        n.n_codes = (uint32_t)channels * kernel * s.tensors[in].channels;
        s.g.n_codes += n.n_codes;
        s.g.n_code_bytes += (n.n_codes * s.g.bits + 7) / 8;
    }
    s.nodes[i] = n;
}

static void build(int bits)
{
    QcErr err = {0};
    memset(&s, 0, sizeof s);
    s.g = (QcQGraph){.n_tensors = TENSORS,
                     .n_nodes = NODES,
                     .classes = 3,
                     .bits = (uint8_t)bits,
                     .tensors = s.tensors,
                     .nodes = s.nodes,
                     .codes = s.codes,
                     .scale = s.scale,
                     .bias = s.bias,
                     .multiplier = s.multiplier,
                     .shift = s.shift};
    s.tensors[0] = tensor(16, 3, 128);
    s.tensors[1] = tensor(16, 4, 0);
    s.tensors[2] = tensor(16, 4, 0);
    s.tensors[3] = tensor(16, 6, 0);
    s.tensors[4] = tensor(16, 6, 128);
    s.tensors[5] = tensor(16, 6, 0);
    s.tensors[6] = tensor(1, 6, 0);
    node(0, QC_Q_CONV, 0, 1, 0, 4, 1);
    node(1, QC_Q_CONV, 1, 3, 0, 4, 5);
    node(2, QC_Q_MAXPOOL, 1, 2, 0, 4, 3);
    node(3, QC_Q_CONV, 2, 3, 4, 2, 1);
    node(4, QC_Q_CONV, 0, 4, 0, 6, 1);
    node(5, QC_Q_ADD, 3, 5, 0, 6, 1);
    s.nodes[5].in[1] = 4;
    node(6, QC_Q_GAP, 5, 6, 0, 6, 1);
    node(7, QC_Q_LOGITS, 6, 0, 0, 3, 1);
    for (uint32_t i = 0; i < s.g.n_channels; i++) {
        s.scale[i] = 0.01f * (float)(i + 1);
        s.bias[i] = (int32_t)i - 20;
        s.multiplier[i] = 1 << 30;
        s.shift[i] = 38;
    }
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t j = 0; j < s.nodes[i].n_codes; j++) qc_code_set(&s.g, &s.nodes[i], j, (int32_t)(j % 3) - 1);
    ck_assert_int_eq(qc_qgraphfile_plan(&s.g, s.tensors, &err), 0);
}

static void model(QcModelFile *m)
{
    static float mean[] = {0, 0, 0}, deviation[] = {1, 1, 1};
    static char *labels[] = {"a", "b", "c"};
    static const QcNorm norm = {3, mean, deviation};
    QcErr err = {0};
    ck_assert_int_eq(qc_modelfile_init(m, "sample", 3, 1, 16, 3, labels, &norm, &err), 0);
}

START_TEST(valid_graph_is_accepted)
{
    static const int bits[] = {2, 4, 8};
    QcErr err = {0};
    build(bits[_i]);
    ck_assert_msg(qc_qgraphfile_check(&s.g, &err) == 0, "%s", err.text);
}
END_TEST

START_TEST(plan_has_no_gap_and_no_overlap)
{
    build(4);
    uint32_t all = 0;
    for (uint32_t t = 0; t < TENSORS; t++) {
        ck_assert_uint_eq(s.tensors[t].offset % 64, 0);
        all += ((uint32_t)s.tensors[t].width * s.tensors[t].channels + 63) / 64 * 64;
    }
    ck_assert_uint_lt(s.g.activation_bytes, all); /* something is shared: tensors 1 and 2 are gone when the sum is
                                                     made */
    /* at the sum three tensors of 96 bytes live; at c: input 48, maxpool's 64, concat 96. Nothing can do with less than
     * 288. */
    ck_assert_uint_ge(s.g.activation_bytes, 288);
    ck_assert_uint_le(s.g.activation_bytes, 384);
}
END_TEST

START_TEST(quantized_graph_round_trip)
{
    QcModelFile m;
    QcErr err = {0};
    QcArena arena = {0};
    QcQGraph g;
    build(2);
    model(&m);
    ck_assert_int_eq(qc_qgraphfile_decode(&g, &m, &arena, &err), -1); /* nothing there yet */
    ck_assert_int_eq(qc_qgraphfile_encode(&m, &s.g, &err), 0);
    ck_assert_int_eq(qc_modelfile_is_quantized(&m), 1);
    ck_assert_msg(qc_qgraphfile_decode(&g, &m, &arena, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(g.n_tensors, TENSORS);
    ck_assert_uint_eq(g.n_nodes, NODES);
    ck_assert_uint_eq(g.n_code_bytes, s.g.n_code_bytes);
    ck_assert_uint_eq(g.activation_bytes, s.g.activation_bytes);
    ck_assert_mem_eq(g.codes, s.codes, g.n_code_bytes);
    ck_assert_mem_eq(g.bias, s.bias, 4 * g.n_channels);
    for (uint32_t i = 0; i < NODES; i++) { /* field by field: padding bytes of structs mean nothing */
        const QcQNode *a = &g.nodes[i], *b = &s.nodes[i];
        ck_assert_int_eq(a->op, b->op);
        ck_assert_int_eq(a->in[1], b->in[1]);
        ck_assert_int_eq(a->out_channel, b->out_channel);
        ck_assert_int_eq(a->pad_right, b->pad_right);
        ck_assert_uint_eq(a->channel, b->channel);
    }
    qc_arena_release(&arena);
    m.classes = 2; /* the model and its graph must agree */
    ck_assert_int_eq(qc_qgraphfile_decode(&g, &m, &arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "classes"));
    qc_arena_release(&arena);
    qc_modelfile_release(&m);
}
END_TEST

/* --- one thing wrong at a time ---------------------------------------------------------------- */

typedef struct Mutation {
    void *field;
    size_t bytes;
    int64_t value;
    const char *says;
} Mutation;

static void set(const Mutation *m)
{
    float number = (float)m->value / 2;
    if (m->bytes == 1) *(uint8_t *)m->field = (uint8_t)m->value;
    else if (m->bytes == 2) *(uint16_t *)m->field = (uint16_t)m->value;
    else if (m->bytes == 4) *(uint32_t *)m->field = (uint32_t)m->value;
    else memcpy(m->field, &number, 4);
}

#define FIELD(lvalue) &(lvalue), sizeof(lvalue)
#define REAL(lvalue) &(lvalue), 5

START_TEST(every_single_fault_is_refused)
{
    const Mutation mutations[] = {
        {FIELD(s.g.bits), 3, "bits"},
        {FIELD(s.g.n_nodes), 0, "nodes"},
        {FIELD(s.g.n_tensors), 5000, "tensors"},
        {FIELD(s.g.classes), 0, "classes"},
        {FIELD(s.g.classes), 2, "one value a class"},
        {FIELD(s.g.n_codes), s.g.n_codes + 1, "longer than"},
        {FIELD(s.g.n_code_bytes), s.g.n_code_bytes + 1, "longer than"},
        {FIELD(s.g.n_code_bytes), s.g.n_code_bytes - 1, "more weights than"},
        {FIELD(s.g.n_channels), s.g.n_channels - 1, "multipliers"},
        {FIELD(s.g.activation_bytes), 256, "beyond the activation memory"},
        {FIELD(s.g.n_nodes), NODES - 1, "logits"},
        {FIELD(s.tensors[1].width), 15, "shape of its output"},
        {FIELD(s.tensors[1].channels), 5, ""},
        {FIELD(s.tensors[1].height), 0, "cannot be"},
        {FIELD(s.tensors[1].bits), 9, "bits"},
        {FIELD(s.tensors[1].bits), 1, "bits"},
        {REAL(s.tensors[1].scale), 0, "scale"},
        {REAL(s.tensors[1].scale), -1, "scale"},
        {REAL(s.tensors[2].scale), 1, "same scale"},
        {FIELD(s.tensors[2].zero), 128, "same scale"},
        {FIELD(s.tensors[3].offset), s.tensors[4].offset, "same time"},
        {FIELD(s.tensors[3].offset), s.tensors[4].offset + 1, "same time"},
        {FIELD(s.tensors[0].offset), UINT32_MAX, "beyond"},
        {FIELD(s.nodes[1].op), QC_Q_OP_COUNT, "unknown operation"},
        {FIELD(s.nodes[1].op), QC_Q_LOGITS, "where it belongs"},
        {FIELD(s.nodes[7].op), QC_Q_CONV, "where it belongs"},
        {FIELD(s.nodes[1].in[0]), TENSORS, "does not exist"},
        {FIELD(s.nodes[5].in[1]), 999, "does not exist"},
        {FIELD(s.nodes[1].out), TENSORS, "does not exist"},
        {FIELD(s.nodes[1].out), 0, "or the input"},
        {FIELD(s.nodes[1].relu), 2, "flag or role"},
        {FIELD(s.nodes[1].role), 4, "flag or role"},
        {FIELD(s.nodes[1].code_bits), 3, "2, 4 or 8"},
        {FIELD(s.nodes[1].code_bits), 16, "2, 4 or 8"},
        {FIELD(s.nodes[1].code_bits), s.g.bits == 2 ? 4 : 2, "end"},
        {FIELD(s.nodes[1].in[0]), 3, ""},                      /* reads itself */
        {FIELD(s.nodes[1].in[0]), 2, "before all of it"},      /* too early */
        {FIELD(s.nodes[3].out_channel), 3, "written already"},
        {FIELD(s.nodes[3].out_channel), 5, "does not have"},
        {FIELD(s.nodes[3].channels), 0, "no channels"},
        {FIELD(s.nodes[3].out_channel), 65535, "does not have"},
        {FIELD(s.nodes[1].kernel_w), 0, "of 0"},
        {FIELD(s.nodes[1].stride_w), 0, "of 0"},
        {FIELD(s.nodes[1].dilation_h), 0, "of 0"},
        {FIELD(s.nodes[1].kernel_w), 4, "shape of its output"},
        {FIELD(s.nodes[1].kernel_w), 65535, "shape of its output"},
        {FIELD(s.nodes[1].stride_w), 2, "shape of its output"},
        {FIELD(s.nodes[1].dilation_w), 2, "shape of its output"},
        {FIELD(s.nodes[1].pad_top), 1, "shape of its output"},
        {FIELD(s.nodes[1].groups), 0, "groups"},
        {FIELD(s.nodes[1].groups), 3, "groups"},
        {FIELD(s.nodes[1].groups), 2, "as many weights"},
        {FIELD(s.nodes[1].n_codes), 79, "as many weights"},
        {FIELD(s.nodes[1].code), 0, "before it end"},
        {FIELD(s.nodes[1].code_byte), 0, "before it end"},
        {FIELD(s.nodes[1].channel), CHANNELS, "multipliers"},
        {FIELD(s.nodes[1].channel), UINT32_MAX, "multipliers"},
        {FIELD(s.nodes[5].channel), s.g.n_channels - 1, "multipliers"},
        {FIELD(s.multiplier[5]), -1, "negative multiplier"},
        {FIELD(s.shift[5]), 0, "shift"},
        {FIELD(s.shift[5]), 63, "shift"},
        {FIELD(s.shift[s.nodes[5].channel]), 30, "two shifts"},
        {REAL(s.scale[5]), 0, "scale"},
        {FIELD(s.bias[5]), INT32_MAX, "32 bits"},
        {FIELD(s.bias[5]), INT32_MIN, "32 bits"},
        {FIELD(s.nodes[5].in[0]), 6, ""},
        {FIELD(s.nodes[2].in[0]), 0, "as many channels"},
        {FIELD(s.nodes[6].in[0]), 2, "as many channels"},
        {FIELD(s.nodes[7].in[0]), 5, "shape of its output"},
    };
    for (size_t i = 0; i < sizeof mutations / sizeof *mutations; i++) {
        QcErr err = {0};
        Sample before = s;
        set(&mutations[i]);
        ck_assert_msg(qc_qgraphfile_check(&s.g, &err) == -1, "fault %zu (%s) is accepted", i, mutations[i].says);
        ck_assert_msg(strstr(err.text, mutations[i].says) != NULL, "fault %zu: '%s' does not say '%s'", i, err.text,
                      mutations[i].says);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        s = before;
        ck_assert_msg(qc_qgraphfile_check(&s.g, &err) == 0, "%s", err.text);
    }
    float odd[] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        QcErr err = {0};
        s.scale[1] = odd[i];
        ck_assert_int_eq(qc_qgraphfile_check(&s.g, &err), -1);
        s.scale[1] = 1;
        s.tensors[1].scale = odd[i];
        ck_assert_int_eq(qc_qgraphfile_check(&s.g, &err), -1);
        s.tensors[1].scale = 0.05f;
    }
}
END_TEST

START_TEST(padding_bits_are_zero)
{
    QcErr err = {0};
    build(2);
    QcQNode *last = &s.nodes[7]; /* 18 codes of 2 bits: half of the fifth byte is left over */
    ck_assert_uint_eq(last->n_codes % 4, 2);
    s.codes[last->code_byte + last->n_codes / 4] |= 0x10;
    ck_assert_int_eq(qc_qgraphfile_check(&s.g, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "not zero"));
}
END_TEST

START_TEST(pools_over_padding_only_are_refused)
{
    QcErr err = {0};
    s.nodes[2].pad_left = 3; /* windows end before the input begins */
    s.nodes[2].pad_right = 0;
    s.nodes[2].stride_w = 1;
    s.tensors[2].width = 17;
    ck_assert_int_eq(qc_qgraphfile_check(&s.g, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "nothing but padding"));
}
END_TEST

/* What is accepted must be safe to run: with a sanitizer this test is the judge of the check. */
START_TEST(accepted_random_graphs_can_be_run)
{
    QcModelFile m;
    QcErr err = {0};
    QcRng rng = qc_rng_seed(11, 3);
    uint32_t accepted = 0, refused = 0;
    model(&m);
    build(4);
    ck_assert_int_eq(qc_qgraphfile_encode(&m, &s.g, &err), 0);
    QcCursor c;
    qc_container_find(&m.container, "qgraph", &c);
    uint8_t *bytes = malloc(c.length), *original = malloc(c.length);
    size_t length = c.length;
    memcpy(original, c.bytes, length);
    for (int round = 0; round < 6000; round++) {
        QcWriter w = {0};
        QcArena arena = {0};
        QcQGraph g;
        memcpy(bytes, original, length);
        for (uint32_t k = qc_rng_below(&rng, 3) + 1; k > 0; k--) {
            uint8_t *at = &bytes[qc_rng_below(&rng, (uint32_t)length)];
            *at = qc_rng_below(&rng, 2) ? (uint8_t)qc_rng_next(&rng) : (uint8_t)(*at + qc_rng_below(&rng, 5) - 2);
        }
        qc_put_bytes(&w, bytes, length - qc_rng_below(&rng, 100) / 99); /* now and then cut by a byte */
        ck_assert_int_eq(qc_container_add(&m.container, "qgraph", 0, &w, &err), 0);
        if (qc_qgraphfile_decode(&g, &m, &arena, &err)) {
            refused++;
        } else if (qc_qgraph_bytes(&g) < 1 << 22) {
            uint64_t room = (qc_qgraph_bytes(&g) + 63) / 64 * 64;
            void *memory = aligned_alloc(64, room);
            QcQRun run;
            float logits[3] = {0};
            uint8_t x[16 * 3];
            for (size_t i = 0; i < sizeof x; i++) x[i] = (uint8_t)qc_rng_next(&rng);
            qc_qrun_place(&run, &g, &qc_kernels_scalar, memory);
            qc_qrun_forward(&run, logits, x);
            free(memory);
            accepted++;
        }
        qc_arena_release(&arena);
    }
    ck_assert_uint_gt(accepted, 100); /* both happen, or the test says nothing */
    ck_assert_uint_gt(refused, 100);
    free(bytes);
    free(original);
    qc_modelfile_release(&m);
}
END_TEST

static void setup(void) { build(4); }

int main(void)
{
    Suite *suite = suite_create("qgraphfile");
    TCase *tcase = tcase_create("qgraphfile");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_loop_test(tcase, valid_graph_is_accepted, 0, 3);
    tcase_add_test(tcase, plan_has_no_gap_and_no_overlap);
    tcase_add_test(tcase, quantized_graph_round_trip);
    tcase_add_test(tcase, every_single_fault_is_refused);
    tcase_add_test(tcase, padding_bits_are_zero);
    tcase_add_test(tcase, pools_over_padding_only_are_refused);
    tcase_add_test(tcase, accepted_random_graphs_can_be_run);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
