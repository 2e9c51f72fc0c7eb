/* Spare rows of the last layer: no answer before a label of one was learned, an ordinary class afterwards. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

#include "../../lib/format/qgraphfile.h"
#include "../../lib/format/spareclasses.h"

enum { SPARE = 3, ROWS = TINY_CLASSES + SPARE };

static const QcNorm norm = {TINY_CHANNELS, (float[TINY_CHANNELS]){0}, (float[TINY_CHANNELS]){1, 1, 1}};
static char *const names[TINY_CLASSES] = {"sit", "stand", "walk", "run"};

typedef struct Pair {
    Device plain, spare;
    QcModelFile model; /* of the graph with spare rows */
    QcArena arena;
} Pair;

/* Two learners of one graph: with spare rows and without. */
static void pair_begin(Pair *p, TinyKind kind, int bits)
{
    QcErr err;
    *p = (Pair){.arena = {0}};
    device_begin(&p->plain, kind, bits, 0);
    device_make(&p->spare, kind, bits);
    const QcQTensor *in = &p->spare.t.g.tensors[0];
    ck_assert(!qc_modelfile_init(&p->model, "tiny", in->channels, in->height, in->width, TINY_CLASSES, names, &norm,
                                 &err));
    ck_assert(!qc_add_spare_classes(&p->model, &p->spare.t.g, SPARE, &p->arena, &err));
    ck_assert(!qc_qgraphfile_encode(&p->model, &p->spare.t.g, &err));
    p->spare.setup = setup_of(bits, 0);
    device_place(&p->spare, &qc_kernels_scalar, (int)kind % 2);
    device_fill(&p->spare, CAPACITY);
}

static void pair_end(Pair *p)
{
    device_end(&p->plain);
    device_end(&p->spare);
    qc_modelfile_release(&p->model);
    qc_arena_release(&p->arena);
}

/* A window unlike all others: all channels are high. */
static uint32_t predict_new(Device *d, uint32_t i, QcAnswer *a)
{
    uint8_t q[TINY_VALUES];
    float x[TINY_VALUES];
    tiny_windows(x, 1, 0.3, 9000 + i);
    for (int v = 0; v < TINY_VALUES; v++) x[v] += 2.0f;
    qc_q_input(q, x, TINY_VALUES, &d->t.g.tensors[0]);
    qc_learner_predict(&d->l, a, q, 5000 + i);
    return a->number;
}

static void assert_same_answers(Pair *p, uint32_t from)
{
    for (uint32_t n = 0; n < BATCH; n++) {
        QcAnswer a = predict(&p->plain, from + n, NULL), b = predict(&p->spare, from + n, NULL);
        ck_assert(a.number == b.number && a.class_index == b.class_index);
        ck_assert_mem_eq(&a.probability, &b.probability, sizeof a.probability);
        ck_assert_mem_eq(p->plain.l.logits, p->spare.l.logits, TINY_CLASSES * sizeof(float));
        for (uint32_t k = TINY_CLASSES; k < ROWS; k++)
            ck_assert(p->spare.l.logits[k] < p->spare.l.logits[b.class_index] - 1e4f);
    }
}

/* _i: kind. Answers, logits and reports of batches with all classes and with few, labelled and not. */
START_TEST(unused_spare_rows_change_nothing)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Pair p;
        pair_begin(&p, (TinyKind)_i, bits);
        ck_assert_uint_eq(p.spare.t.g.spare, SPARE);
        for (uint32_t n = 0; n < 4; n++) {
            assert_same_answers(&p, 2000 + 100 * n);
            QcAdaptReport a = learn(&p.plain, n, n, n == 2 ? 2 : TINY_CLASSES),
                          b = learn(&p.spare, n, n, n == 2 ? 2 : TINY_CLASSES);
            ck_assert_mem_eq(&a, &b, sizeof a);
            ck_assert(n == 2 || a.solved);
            ck_assert_mem_eq(p.plain.l.moments.mean, p.spare.l.moments.mean,
                             TINY_CLASSES * p.plain.l.moments.n * sizeof(float));
        }
        assert_same_answers(&p, 3000);
        ck_assert_uint_eq(qc_learner_classes(&p.spare.l), TINY_CLASSES);
        ck_assert_int_eq(qc_learner_undo(&p.spare.l), qc_learner_undo(&p.plain.l));
        assert_same_answers(&p, 4000);
        pair_end(&p);
    }
}
END_TEST

/* _i: the row, which need not be the first. Four labels are enough; skipped rows stay spare. */
START_TEST(first_label_makes_spare_row_a_class)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Pair p;
        QcAdaptReport r;
        QcAnswer a;
        uint32_t as_new = 0;
        Device *d = &p.spare;
        uint16_t row = (uint16_t)(TINY_CLASSES + _i);
        pair_begin(&p, TINY_PLAIN, bits);
        learn(d, 0, 0, TINY_CLASSES);
        for (uint32_t i = 0; i < 4; i++) ck_assert_int_eq(qc_learner_label(&d->l, predict_new(d, i, &a), row), 0);
        for (uint32_t i = 0; i < BATCH - 4; i++) {
            uint64_t id = SOURCE_IDS + 300 + i;
            ck_assert_int_eq(qc_learner_label(&d->l, predict(d, id, NULL).number, label_of(id)), 0);
        }
        qc_learner_adapt(&d->l, &r);
        ck_assert(r.solved && !r.refused);
        ck_assert(r.loss_before < 10 && r.loss_after < r.loss_before);
        ck_assert_uint_eq(qc_learner_classes(&d->l), TINY_CLASSES + 1);
        for (uint32_t i = 0; i < 20; i++) {
            predict_new(d, 100 + i, &a);
            as_new += a.class_index == row;
            for (uint32_t k = TINY_CLASSES; k < ROWS; k++)
                ck_assert(k == row || d->l.logits[k] < d->l.logits[a.class_index] - 1e4f);
        }
        ck_assert_uint_ge(as_new, 18);
        ck_assert(qc_learner_is_sound(&d->l));
        /* later adapts, without the new class, keep it */
        r = learn(d, 5, 0, TINY_CLASSES);
        ck_assert(r.solved && predict_new(d, 200, &a) == d->l.counters->next - 1 && a.class_index == row);
        ck_assert(!qc_learner_undo(&d->l) && qc_learner_classes(&d->l) == TINY_CLASSES + 1);
        ck_assert_int_eq(qc_learner_label(&d->l, a.number, ROWS), -1);
        pair_end(&p);
    }
}
END_TEST

/* Before and after the first label, undo takes the class back. */
START_TEST(undo_makes_row_spare_again)
{
    Pair p;
    QcAdaptReport r;
    QcAnswer a;
    pair_begin(&p, TINY_PLAIN, 4);
    Device *d = &p.spare;
    for (uint32_t i = 0; i < 4; i++) qc_learner_label(&d->l, predict_new(d, i, &a), TINY_CLASSES);
    qc_learner_adapt(&d->l, &r);
    ck_assert(r.solved && qc_learner_classes(&d->l) == TINY_CLASSES + 1);
    ck_assert(!qc_learner_undo(&d->l) && qc_learner_classes(&d->l) == TINY_CLASSES);
    r = learn(d, 1, 0, TINY_CLASSES); /* its mean is still known */
    ck_assert(r.solved && qc_learner_classes(&d->l) == TINY_CLASSES + 1);
    pair_end(&p);
}
END_TEST

START_TEST(class_names_take_spare_rows_in_order)
{
    Pair p;
    pair_begin(&p, TINY_PLAIN, 4);
    QcModelFile *m = &p.model;
    ck_assert_uint_eq(m->classes, ROWS);
    ck_assert_uint_eq(qc_named_classes(m), TINY_CLASSES);
    ck_assert_int_eq(qc_class_of_name(m, "", 0), -1);
    ck_assert_int_eq(qc_class_of_label(m, "", 0, 1), -1);
    ck_assert_int_eq(qc_class_of_label(m, "a\0b", 3, 1), -1); /* the row would have the name "a" */
    ck_assert_int_eq(qc_class_of_label(m, "st\xe4nd", 5, 1), -1); /* a model file with it could not be read */
    ck_assert_int_eq(qc_class_of_label(m, "jump", 4, 0), -1);
    ck_assert_int_eq(qc_class_of_label(m, "jump", 4, 1), TINY_CLASSES);
    ck_assert_int_eq(qc_class_of_label(m, "jumping", 7, 1), TINY_CLASSES + 1);
    ck_assert_int_eq(qc_class_of_label(m, "jump", 4, 1), TINY_CLASSES);
    ck_assert_int_eq(qc_class_of_label(m, "fly", 3, 1), TINY_CLASSES + 2);
    ck_assert_int_eq(qc_class_of_label(m, "swim", 4, 1), -1);
    ck_assert_int_eq(qc_class_of_label(m, "walk", 4, 1), 2);
    ck_assert_uint_eq(qc_named_classes(m), ROWS);
    pair_end(&p);
}
END_TEST

/* _i: kind. The model without its spare rows is the model that it was made of. */
START_TEST(dropping_spare_rows_restores_model)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Pair p;
        QcErr err;
        QcQGraph g;
        const QcQGraph *was = &p.plain.t.g;
        pair_begin(&p, (TinyKind)_i, bits);
        ck_assert_msg(!qc_drop_spare_classes(&p.model, &err), "%s", err.text);
        ck_assert_uint_eq(p.model.classes, TINY_CLASSES);
        ck_assert_msg(!qc_qgraphfile_decode(&g, &p.model, &p.arena, &err), "%s", err.text);
        ck_assert(g.classes == was->classes && g.n_codes == was->n_codes && g.n_code_bytes == was->n_code_bytes &&
                  g.n_channels == was->n_channels);
        ck_assert_mem_eq(g.codes, was->codes, g.n_code_bytes);
        ck_assert_mem_eq(g.scale, was->scale, g.n_channels * sizeof *g.scale);
        ck_assert_mem_eq(g.bias, was->bias, g.n_channels * sizeof *g.bias);
        pair_end(&p);
    }
}
END_TEST

START_TEST(active_row_without_name_is_refused)
{
    Pair p;
    QcErr err;
    QcQGraph g;
    pair_begin(&p, TINY_PLAIN, 4);
    const QcQNode *last = &p.spare.t.g.nodes[p.spare.t.g.n_nodes - 1];
    ck_assert(!qc_qgraphfile_decode(&g, &p.model, &p.arena, &err));
    p.spare.t.g.bias[last->channel + TINY_CLASSES]++;
    ck_assert(!qc_qgraphfile_encode(&p.model, &p.spare.t.g, &err));
    ck_assert(qc_qgraphfile_decode(&g, &p.model, &p.arena, &err));
    ck_assert_int_eq(qc_class_of_label(&p.model, "jump", 4, 1), TINY_CLASSES);
    ck_assert(!qc_qgraphfile_decode(&g, &p.model, &p.arena, &err));
    pair_end(&p);
}
END_TEST

START_TEST(too_many_spare_rows_are_refused)
{
    Pair p;
    QcErr err;
    pair_begin(&p, TINY_PLAIN, 4);
    ck_assert(qc_add_spare_classes(&p.model, &p.spare.t.g, QC_HEAD_MAX_CLASSES - ROWS + 1, &p.arena, &err));
    ck_assert_int_eq(err.code, QC_EUNSUPPORTED);
    ck_assert_uint_eq(p.model.classes, ROWS);
    pair_end(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spare");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, unused_spare_rows_change_nothing, 0, TINY_KINDS);
    tcase_add_loop_test(t, first_label_makes_spare_row_a_class, 0, SPARE);
    tcase_add_test(t, undo_makes_row_spare_again);
    tcase_add_test(t, class_names_take_spare_rows_in_order);
    tcase_add_loop_test(t, dropping_spare_rows_restores_model, 0, TINY_KINDS);
    tcase_add_test(t, active_row_without_name_is_refused);
    tcase_add_test(t, too_many_spare_rows_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
