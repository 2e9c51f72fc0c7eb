/* The parts of the methods with back-propagation compared with their papers' definitions: losses and their
 * gradients, A-GEM's projection, Camel's greedy choice, shared values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "suite.h"
#include "scratch.h"
#include "../../lib/base/sampler.h"
#include "../../lib/lab/agem.h"
#include "../../lib/lab/cluster.h"
#include "../../lib/lab/cover.h"
#include "../../lib/lab/losses.h"

/* ---- losses ---- */

enum { N = 7, CLASSES = 5, VALUES = N * CLASSES };

typedef struct Problem {
    float logits[VALUES], weight[N], remembered[VALUES];
    int32_t label[N];
    uint8_t allowed[CLASSES];
} Problem;

static Problem make_problem(uint64_t seed)
{
    Problem p;
    QcRng rng = qc_rng_seed(seed, 1);
    for (int k = 0; k < CLASSES; k++) p.allowed[k] = k != 1 && k != 4;
    for (int i = 0; i < VALUES; i++)
        p.logits[i] = (float)(2 * qc_rng_normal(&rng)), p.remembered[i] = (float)(2 * qc_rng_normal(&rng));
    for (int i = 0; i < N; i++) {
        do p.label[i] = (int32_t)qc_rng_below(&rng, CLASSES);
        while (!p.allowed[p.label[i]]);
        p.weight[i] = 2 * qc_rng_unit(&rng);
    }
    return p;
}

enum { PLAIN, WEIGHTED, AMONG, RECALL, LOSSES };

static double loss_of(int which, float *d, const Problem *p, const float *logits)
{
    if (which == RECALL) return qc_loss_recall(d, logits, p->remembered, N, CLASSES);
    return qc_loss_among(d, logits, p->label, which == WEIGHTED ? p->weight : NULL, which == AMONG ? p->allowed : NULL,
                         N, CLASSES);
}

START_TEST(gradients_equal_finite_differences)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        Problem p = make_problem(seed);
        float d[VALUES], unused[VALUES], moved[VALUES];
        loss_of(_i, d, &p, p.logits);
        for (int i = 0; i < VALUES; i++) {
            double side[2];
            memcpy(moved, p.logits, sizeof moved);
            for (int up = 0; up < 2; up++) {
                moved[i] = p.logits[i] + (up ? 0x1p-8f : -0x1p-8f);
                side[up] = loss_of(_i, unused, &p, moved);
            }
            double slope = (side[1] - side[0]) / ((double)(p.logits[i] + 0x1p-8f) - (double)(p.logits[i] - 0x1p-8f));
            ck_assert_msg(fabs((double)d[i] - slope) < 1e-5, "loss %d, logit %d: %g, by differences %g", _i, i,
                          (double)d[i], slope);
            if (_i == AMONG && !p.allowed[i % CLASSES]) ck_assert(d[i] == 0 && side[0] == side[1]);
        }
    }
}
END_TEST

static void write_problem(const Problem *p)
{
    FILE *out = fopen(scratch_path("problem"), "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "%d %d\n", N, CLASSES);
    for (int i = 0; i < VALUES; i++) fprintf(out, "%.9g ", (double)p->logits[i]);
    for (int i = 0; i < N; i++) fprintf(out, "%d ", (int)p->label[i]);
    for (int i = 0; i < N; i++) fprintf(out, "%.9g ", (double)p->weight[i]);
    for (int k = 0; k < CLASSES; k++) fprintf(out, "%d ", p->allowed[k]);
    for (int i = 0; i < VALUES; i++) fprintf(out, "%.9g ", (double)p->remembered[i]);
    ck_assert_int_eq(fclose(out), 0);
}

START_TEST(losses_equal_pytorch)
{
    char command[1024];
    scratch_make();
    Problem p = make_problem(77);
    write_problem(&p);
    snprintf(command, sizeof command, "exec /usr/bin/python3 tests/model/losses.py < '%s' > '%s'",
             scratch_path("problem"), scratch_path("answer"));
    int status = system(command);
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        puts("skipped: python3-torch is missing");
    } else {
        ck_assert_int_eq(status, 0);
        FILE *in = fopen(scratch_path("answer"), "r");
        ck_assert_ptr_nonnull(in);
        for (int which = 0; which < LOSSES; which++) {
            float d[VALUES];
            double theirs, ours = loss_of(which, d, &p, p.logits);
            ck_assert_int_eq(fscanf(in, "%lf", &theirs), 1);
            ck_assert_msg(fabs(ours - theirs) < 1e-9 * fmax(1, fabs(theirs)), "loss %d is %.12g, PyTorch's %.12g",
                          which, ours, theirs);
            for (int i = 0; i < VALUES; i++) {
                ck_assert_int_eq(fscanf(in, "%lf", &theirs), 1);
                ck_assert_msg(fabs((double)d[i] - theirs) < 1e-7, "loss %d, logit %d: %.9g, PyTorch's %.9g", which, i,
                              (double)d[i], theirs);
            }
        }
        fclose(in);
    }
    scratch_remove();
}
END_TEST

/* ---- A-GEM ---- */

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

START_TEST(projected_gradients_do_not_conflict)
{
    enum { DIM = 50 };
    int projected = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        QcRng rng = qc_rng_seed(seed, 2);
        float g[DIM], before[DIM], m[DIM];
        for (int i = 0; i < DIM; i++)
            g[i] = before[i] = (float)qc_rng_normal(&rng), m[i] = (float)(3 * qc_rng_normal(&rng));
        double gm = dot(g, m, DIM), mm = dot(m, m, DIM);
        int did = qc_agem_project(g, m, DIM);
        projected += did;
        ck_assert_int_eq(did, gm < 0);
        ck_assert(dot(g, m, DIM) > -1e-5 * sqrt(mm));
        for (int i = 0; i < DIM; i++)
            ck_assert(fabs((double)g[i] - ((double)before[i] - (gm < 0 ? gm / mm * (double)m[i] : 0))) < 1e-6);
        if (!did) continue;
        for (int trial = 0; trial < 20; trial++) { /* of the vectors that do not conflict it is the nearest to g:
                                                      Chaudhry et al., eq. 10 and 11 */
            float other[DIM];
            for (int i = 0; i < DIM; i++) other[i] = g[i] + (float)(0.1 * qc_rng_normal(&rng));
            if (dot(other, m, DIM) < 0) continue;
            double near = 0, far = 0;
            for (int i = 0; i < DIM; i++)
                near += pow((double)g[i] - (double)before[i], 2), far += pow((double)other[i] - (double)before[i], 2);
            ck_assert(near < far);
        }
    }
    ck_assert_int_gt(projected, 60);
    ck_assert_int_lt(projected, 140);
    float g[3] = {1, -2, 3}, none[3] = {0, 0, 0}, against[3] = {-2, 4, -6};
    ck_assert(!qc_agem_project(g, none, 3) && g[0] == 1 && g[1] == -2 && g[2] == 3);
    /* nothing is left of a gradient straight against it */
    ck_assert(qc_agem_project(g, against, 3) && g[0] == 0 && g[1] == 0 && g[2] == 0);
}
END_TEST

/* ---- facility location ---- */

enum { POINTS = 9 };

static double facility(const float *s, uint32_t set, const float *covered)
{
    double sum = 0;
    for (uint32_t i = 0; i < POINTS; i++) {
        float best = covered[i];
        for (uint32_t j = 0; j < POINTS; j++)
            if (set >> j & 1 && s[i * POINTS + j] > best) best = s[i * POINTS + j];
        sum += (double)best;
    }
    return sum;
}

static void random_similarity(float *s, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 3);
    float x[POINTS][2];
    for (int i = 0; i < POINTS; i++) x[i][0] = qc_rng_unit(&rng), x[i][1] = qc_rng_unit(&rng);
    for (int i = 0; i < POINTS; i++)
        for (int j = 0; j < POINTS; j++)
            s[i * POINTS + j] = seed % 2 || i % 3 == j % 3 ? 1.5f - hypotf(x[i][0] - x[j][0], x[i][1] - x[j][1]) : 0;
}

/* Each choice is the best single one by the definition of f; the whole is within 1 - 1/e of the best set, found by
 * trying all. */
START_TEST(greedy_selection_follows_definition_and_bound)
{
    const float nothing[POINTS] = {0};
    int below_best = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        float s[POINTS * POINTS], covered[POINTS] = {0};
        uint8_t may[POINTS];
        uint32_t chosen[POINTS], set = 0, k = 1 + (uint32_t)seed % 5;
        random_similarity(s, seed);
        memset(may, 1, sizeof may);
        ck_assert_uint_eq(qc_cover_choose(chosen, covered, may, s, POINTS, k), k);
        for (uint32_t c = 0; c < k; c++) {
            double own = facility(s, set | 1u << chosen[c], nothing);
            ck_assert(!(set >> chosen[c] & 1) && !may[chosen[c]]);
            for (uint32_t j = 0; j < POINTS; j++)
                ck_assert(set >> j & 1 || facility(s, set | 1u << j, nothing) <= own + 1e-9);
            set |= 1u << chosen[c];
        }
        double best = 0, greedy = facility(s, set, nothing), sum = 0;
        for (uint32_t other = 0; other < 1u << POINTS; other++)
            if ((uint32_t)__builtin_popcount(other) == k) best = fmax(best, facility(s, other, nothing));
        ck_assert_msg(greedy >= (1 - exp(-1)) * best, "%g of %g", greedy, best);
        below_best += greedy < best - 1e-9;
        for (int i = 0; i < POINTS; i++) sum += (double)covered[i];
        ck_assert(fabs(sum - greedy) < 1e-5);
    }
    ck_assert_int_gt(below_best, 0); /* else the bound was not put to the test */
}
END_TEST

START_TEST(greedy_selection_starts_from_covered_examples)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        float s[POINTS * POINTS], covered[POINTS], start[POINTS];
        uint8_t may[POINTS] = {0, 1, 1, 0, 1, 1, 0, 1, 1};
        uint32_t chosen[POINTS];
        random_similarity(s, seed);
        /* 0 and 3 are there already */
        for (int i = 0; i < POINTS; i++) start[i] = covered[i] = fmaxf(s[i * POINTS], s[i * POINTS + 3]);
        ck_assert_uint_eq(qc_cover_choose(chosen, covered, may, s, POINTS, 1), 1);
        ck_assert(chosen[0] != 0 && chosen[0] != 3 && chosen[0] != 6);
        for (uint32_t j = 0; j < POINTS; j++)
            if (j % 3) ck_assert(facility(s, 1u << j, start) <= facility(s, 1u << chosen[0], start) + 1e-9);
        /* no more candidates than there are */
        ck_assert_uint_eq(qc_cover_choose(chosen, covered, may, s, POINTS, POINTS), 5);
    }
}
END_TEST

START_TEST(weights_count_represented_examples)
{
    /* Four points on a line at 0, 1, 5, 6; the chosen are 1 and 3; the last is like nobody. */
    const float x[4] = {0, 1, 5, 6};
    float s[25] = {0}, weight[5];
    const uint32_t chosen[2] = {1, 3};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) s[i * 5 + j] = 7 - fabsf(x[i] - x[j]);
    qc_cover_weights(weight, chosen, 2, s, 5);
    const float expected[5] = {0, 2, 0, 2, 0};
    for (int i = 0; i < 5; i++) ck_assert_float_eq(weight[i], expected[i]);
}
END_TEST

/* ---- shared values ---- */

START_TEST(clusters_are_fixed_points_of_lloyd_algorithm)
{
    enum { WEIGHTS = 400 };
    for (uint64_t seed = 1; seed <= 30; seed++) {
        QcRng rng = qc_rng_seed(seed, 4);
        float x[WEIGHTS], centre[32];
        uint8_t owner[WEIGHTS], skip[WEIGHTS];
        uint32_t k = 1 + qc_rng_below(&rng, 32);
        for (int i = 0; i < WEIGHTS; i++) x[i] = (float)qc_rng_normal(&rng), skip[i] = qc_rng_below(&rng, 3) == 0;
        qc_cluster_line(centre, owner, x, skip, WEIGHTS, k);
        for (uint32_t c = 0; c < k; c++) {
            double sum = 0, n = 0;
            if (c) ck_assert(centre[c - 1] <= centre[c]);
            for (int i = 0; i < WEIGHTS; i++)
                if (!skip[i] && owner[i] == c) sum += (double)x[i], n++;
            if (n > 0) ck_assert(fabs(sum / n - (double)centre[c]) < 0.02); /* it may stop after 50 rounds, almost
                                                                               there */
        }
        for (int i = 0; i < WEIGHTS; i++)
            for (uint32_t c = 0; !skip[i] && c < k; c++)
                ck_assert(fabsf(x[i] - centre[owner[i]]) <= fabsf(x[i] - centre[c]) + 0.02f);
    }
    const float apart[6] = {-3, -3.2f, 1, 1.2f, 9, 8.8f};
    float centre[3];
    uint8_t owner[6];
    qc_cluster_line(centre, owner, apart, NULL, 6, 3); /* evenly spread at -3.2, 2.9, 9: one each */
    ck_assert(fabsf(centre[0] + 3.1f) < 1e-5f && fabsf(centre[1] - 1.1f) < 1e-5f && fabsf(centre[2] - 8.9f) < 1e-5f);
    for (int i = 0; i < 6; i++) ck_assert_uint_eq(owner[i], i / 2);
}
END_TEST

/* ---- draws ---- */

START_TEST(examples_are_drawn_in_whole_passes)
{
    uint32_t order[11], first[11] = {0}, same = 0;
    QcSampler s;
    qc_sampler_begin(&s, order, 11, qc_rng_seed(5, 6));
    for (int pass = 0; pass < 50; pass++) {
        uint32_t seen = 0;
        for (int i = 0; i < 11; i++) {
            uint32_t drawn = qc_sampler_next(&s);
            ck_assert_uint_lt(drawn, 11);
            seen |= 1u << drawn;
            if (pass) same += first[i] == drawn;
            first[i] = drawn;
        }
        ck_assert_uint_eq(seen, (1u << 11) - 1);
    }
    ck_assert_uint_lt(same, 49 * 11 / 3); /* by chance one in eleven */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rehearsal");
    TCase *tests = tcase_create("rehearsal");
    tcase_set_timeout(tests, 120); /* PyTorch takes seconds to begin */
    tcase_add_loop_test(tests, gradients_equal_finite_differences, 0, LOSSES);
    tcase_add_test(tests, losses_equal_pytorch);
    tcase_add_test(tests, projected_gradients_do_not_conflict);
    tcase_add_test(tests, greedy_selection_follows_definition_and_bound);
    tcase_add_test(tests, greedy_selection_starts_from_covered_examples);
    tcase_add_test(tests, weights_count_represented_examples);
    tcase_add_test(tests, clusters_are_fixed_points_of_lloyd_algorithm);
    tcase_add_test(tests, examples_are_drawn_in_whole_passes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
