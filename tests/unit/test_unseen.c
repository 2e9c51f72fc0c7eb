/* Classes that the stream has not shown: how far those that it has are held back for them, from the margins of another device that holds nothing back. */
#include "solving.h"

typedef struct Pair {
    Device with, without; /* the same but for --unseen */
    QcCalibrateReport r[2];
    Batch batch;
} Pair;

static void pair_begin(Pair *p, TinyKind kind, int bits, int second)
{
    QcCalibrateOptions o = options(bits, second), none = o;
    o.unseen = 0.5f;
    none.unseen = 0;
    device_begin(&p->with, kind, &o, bits);
    device_begin(&p->without, kind, &none, bits);
}

/* One batch of `classes` classes, which `before` examples of the first have gone before, as far as their number goes, and `waited` since a class was new. */
static void pair_learn(Pair *p, uint32_t first, uint32_t classes, uint32_t before, uint32_t waited)
{
    p->with.c.waited = p->without.c.waited = waited;
    p->with.c.lda.stream.count[first] = p->without.c.lda.stream.count[first] = before;
    make_batch(&p->batch, &p->with, first, 1.3, first, classes);
    qc_calibrate_batch(&p->with.c, &p->r[0], p->batch.x, p->batch.label, p->batch.id, BATCH);
    qc_calibrate_batch(&p->without.c, &p->r[1], p->batch.x, p->batch.label, p->batch.id, BATCH);
}

static void pair_end(Pair *p)
{
    device_end(&p->with);
    device_end(&p->without);
}

/* By how much the logit of class k is above all others, on average, in steps of that class's bias. */
static double margin_of(Device *d, const Batch *b, uint32_t k)
{
    const QcQNode *last = &d->t.g.nodes[d->t.g.n_nodes - 1];
    double sum = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        float logits[TINY_CLASSES], other = -INFINITY;
        qc_qrun_forward(&d->t.run, logits, b->x + i * TINY_VALUES);
        for (uint32_t l = 0; l < TINY_CLASSES; l++)
            if (l != k && logits[l] > other) other = logits[l];
        sum += (double)logits[k] - (double)other;
    }
    return sum / BATCH / ((double)d->t.g.scale[last->channel + k] * (double)d->t.g.tensors[last->in[0]].scale);
}

/* _i: bits, and how others are waited for: as ever; by a tenth, as 640 examples of a class have come; by a quarter, as nothing new has for four times the 64 examples of a class. */
START_TEST(what_is_shown_is_held_back_by_a_share_of_its_margin)
{
    const int bits = 2 << _i % 3;
    static const struct { uint32_t before, waited; double share; } waits[] = {{0, 0, 1}, {640 - BATCH, 0, 0.1}, {64 - BATCH, 4 * 64 - 1 - BATCH, 0.25}};
    uint32_t held = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            Pair p;
            pair_begin(&p, (TinyKind)kind, bits, 0);
            pair_learn(&p, k, 1, waits[_i / 3].before, waits[_i / 3].waited);
            const QcQGraph *a = &p.with.t.g, *b = &p.without.t.g;
            uint32_t channel = a->nodes[a->n_nodes - 1].channel;
            double margin = margin_of(&p.without, &p.batch, k);
            if (p.r[0].solved && p.r[1].solved && margin > 0) {
                double lower = 0.5 * sqrt((TINY_CLASSES - 1.0) / TINY_CLASSES) * margin * waits[_i / 3].share;
                ck_assert_mem_eq(a->codes, b->codes, a->n_code_bytes);
                ck_assert_double_eq_tol((double)b->bias[channel + k] - (double)a->bias[channel + k], lower, 1 + 1e-4 * lower);
                for (uint32_t l = 0; l < TINY_CLASSES; l++)
                    if (l != k) ck_assert_int_eq(a->bias[channel + l], b->bias[channel + l]);
                held++;
            }
            pair_end(&p);
        }
    ck_assert_uint_ge(held, 3);
}
END_TEST

/* _i: the batch has most of the classes, and ends with a second last layer; none is left to wait for. */
START_TEST(else_nothing_is_held_back)
{
    enum { MOST, ALL_SHOWN };
    uint32_t made = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (int bits = 2; bits <= 8; bits *= 2) {
            Pair p;
            pair_begin(&p, (TinyKind)kind, bits, _i == MOST);
            for (uint32_t k = 0; k < TINY_CLASSES && _i == ALL_SHOWN; k++) p.with.c.lda.stream.count[k] = p.without.c.lda.stream.count[k] = 1;
            pair_learn(&p, 0, _i == MOST ? TINY_CLASSES - 1 : 1, _i == ALL_SHOWN, 0);
            ck_assert(hash_of(&p.with) == hash_of(&p.without) && p.r[0].solved == p.r[1].solved);
            made += _i == MOST ? p.r[0].closed : p.r[0].solved;
            pair_end(&p);
        }
    ck_assert_uint_gt(made, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("unseen");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, what_is_shown_is_held_back_by_a_share_of_its_margin, 0, 9);
    tcase_add_loop_test(t, else_nothing_is_held_back, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
