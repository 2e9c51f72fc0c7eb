/* Calibrators against second sources: a direct solve, brute force, the statistics taken one by one, the device's own step. */
#include "suite.h"
#include "tiny.h"

#include "../../lib/format/qgraphfile.h"
#include "../../lib/methods/bn.h"
#include "../../lib/methods/methodtable.h"
#include "../../lib/methods/refit.h"
#include "../../lib/methods/ridge.h"
#include "../../lib/methods/spsa.h"

/* ---- linear algebra ---- */

enum { N = 7, M = 3, EXAMPLES = 40 };

static float example[EXAMPLES][N - 1];
static uint32_t label_of[EXAMPLES];
static double weight_of[EXAMPLES];

static void make_examples(uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    for (int i = 0; i < EXAMPLES; i++) {
        for (int j = 0; j < N - 1; j++) example[i][j] = (float)(qc_rng_normal(&rng) + j);
        label_of[i] = qc_rng_below(&rng, M);
        weight_of[i] = 0.2 + (double)qc_rng_unit(&rng);
    }
}

/* W by elimination with pivots on the normal equations, written out anew. */
static void solve_directly(double w[M][N], double lambda)
{
    double a[N][N + M] = {{0}}, trace = 0;
    for (int e = 0; e < EXAMPLES; e++)
        for (int i = 0; i < N; i++) {
            double xi = i < N - 1 ? (double)example[e][i] : 1;
            for (int j = 0; j < N; j++) a[i][j] += weight_of[e] * xi * (j < N - 1 ? (double)example[e][j] : 1);
            a[i][N + label_of[e]] += weight_of[e] * xi;
        }
    for (int i = 0; i < N; i++) trace += a[i][i];
    for (int i = 0; i < N; i++) a[i][i] += lambda * trace / N;
    for (int i = 0; i < N; i++) {
        int pivot = i;
        for (int r = i; r < N; r++) pivot = fabs(a[r][i]) > fabs(a[pivot][i]) ? r : pivot;
        for (int j = 0; j < N + M; j++) {
            double t = a[i][j];
            a[i][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        for (int r = 0; r < N; r++) {
            double f = a[r][i] / a[i][i];
            for (int j = i; j < N + M && r != i; j++) a[r][j] -= f * a[i][j];
        }
    }
    for (int k = 0; k < M; k++)
        for (int i = 0; i < N; i++) w[k][i] = a[i][N + k] / a[i][i];
}

static void assert_close(const float *got, double want[M][N])
{
    for (int k = 0; k < M; k++)
        for (int i = 0; i < N; i++) ck_assert_double_eq_tol((double)got[k * N + i], want[k][i], 1e-5 * (1 + fabs(want[k][i])));
}

START_TEST(ridge_is_what_a_direct_solve_says)
{
    double memory[2][N * N + N * M], want[M][N];
    float w[M * N];
    const double lambdas[] = {0, 1e-3, 0.1, 10};
    ck_assert_uint_eq(qc_ridge_doubles(N, M), N * N + N * M);
    for (int l = 0; l < 4; l++) {
        QcRidge first, second;
        make_examples(l + 1);
        qc_ridge_place(&first, N, M, memory[0]);
        qc_ridge_place(&second, N, M, memory[1]);
        for (int e = EXAMPLES - 1; e >= 0; e--) qc_ridge_add(e % 3 ? &first : &second, example[e], label_of[e], 2 * weight_of[e]); /* any order, in two parts */
        qc_ridge_scale(&first, 0.5);
        qc_ridge_join(&first, &second, 0.5);
        ck_assert_int_eq(qc_ridge_solve(&first, w, lambdas[l]), 0);
        solve_directly(want, lambdas[l]);
        assert_close(w, want);
    }
}
END_TEST

START_TEST(ridge_is_recursive_least_squares)
{
    double p[N][N] = {{0}}, want[M][N] = {{0}}, memory[N * N + N * M], trace = 0;
    const double lambda = 0.01;
    float w[M * N];
    QcRidge r;
    make_examples(9);
    qc_ridge_place(&r, N, M, memory);
    for (int e = 0; e < EXAMPLES; e++) {
        trace += weight_of[e];
        for (int i = 0; i < N - 1; i++) trace += weight_of[e] * (double)example[e][i] * (double)example[e][i];
        qc_ridge_add(&r, example[e], label_of[e], weight_of[e]);
    }
    for (int i = 0; i < N; i++) p[i][i] = 1 / (lambda * trace / N);
    for (int e = 0; e < EXAMPLES; e++) { /* the textbook's form: P keeps the inverse, an example at a time */
        double px[N] = {0}, down = 1 / weight_of[e], x[N];
        for (int i = 0; i < N; i++) x[i] = i < N - 1 ? (double)example[e][i] : 1;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) px[i] += p[i][j] * x[j];
        for (int i = 0; i < N; i++) down += x[i] * px[i];
        for (int k = 0; k < M; k++) {
            double miss = label_of[e] == (uint32_t)k;
            for (int i = 0; i < N; i++) miss -= want[k][i] * x[i];
            for (int i = 0; i < N; i++) want[k][i] += px[i] / down * miss;
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) p[i][j] -= px[i] * px[j] / down;
    }
    ck_assert_int_eq(qc_ridge_solve(&r, w, lambda), 0);
    assert_close(w, want);
}
END_TEST

START_TEST(what_is_not_positive_definite_is_refused)
{
    double a[4] = {1, 0, 2, 3}, memory[N * N + N * M]; /* 1 2; 2 3 */
    float w[M * N] = {5};
    QcRidge r;
    ck_assert_int_eq(qc_cholesky(a, 2), -1);
    qc_ridge_place(&r, N, M, memory);
    ck_assert_int_eq(qc_ridge_solve(&r, w, 0), -1); /* nothing seen */
    ck_assert_float_eq(w[0], 5);
}
END_TEST

/* ---- spsa ---- */

static double quadratic(void *ctx, const float *theta)
{
    double sum = 0;
    (void)ctx;
    for (int i = 0; i < 4; i++) {
        sum += (i + 1) * (double)theta[i] * (double)theta[i] - (double)theta[i];
        if (i) sum += 0.5 * (double)theta[i] * (double)theta[i - 1];
    }
    return sum;
}

static void gradient(double g[4], const float *theta)
{
    for (int i = 0; i < 4; i++) {
        g[i] = 2 * (i + 1) * (double)theta[i] - 1;
        if (i) g[i] += 0.5 * (double)theta[i - 1];
        if (i < 3) g[i] += 0.5 * (double)theta[i + 1];
    }
}

START_TEST(spsa_is_unbiased_on_a_quadratic)
{
    const float theta[4] = {0.5f, -1, 0.25f, 2}, keep[4] = {0.5f, -1, 0.25f, 2};
    float direction[4], room[4];
    double g[4], sum[4] = {0}, squares[4] = {0};
    enum { DRAWS = 20000 };
    QcRng rng = qc_rng_seed(3, 3);
    gradient(g, theta);
    for (int d = 0; d < DRAWS; d++) {
        double slope = qc_spsa_slope(direction, room, theta, 4, 0.25, quadratic, NULL, &rng), along = 0;
        for (int i = 0; i < 4; i++) {
            ck_assert(direction[i] == 1 || direction[i] == -1);
            along += g[i] * (double)direction[i];
            sum[i] += slope * (double)direction[i];
            squares[i] += slope * slope;
        }
        ck_assert_double_eq_tol(slope, along, 1e-5); /* on a quadratic the central difference is the slope, whatever its width */
    }
    ck_assert_mem_eq(theta, keep, sizeof theta);
    for (int i = 0; i < 4; i++) {
        double mean = sum[i] / DRAWS, error = sqrt((squares[i] / DRAWS - mean * mean) / DRAWS);
        ck_assert_msg(fabs(mean - g[i]) < 5 * error, "%g, not %g +- %g", mean, g[i], error);
    }
}
END_TEST

/* ---- refit ---- */

enum { CODES = 4, ROWS = 9 };

typedef struct Problem {
    float x[CODES * ROWS], square[CODES], weight[ROWS], y[ROWS], residual[ROWS];
    int32_t code[CODES], start[CODES];
    QcRefit r;
} Problem;

static void make_problem(Problem *p, uint64_t seed, float hold)
{
    QcRng rng = qc_rng_seed(seed, 5);
    p->r = (QcRefit){.n = ROWS, .k = CODES, .x = p->x, .square = p->square, .weight = p->weight, .scale = 0.3f, .hold = hold, .low = -2, .high = 1};
    for (int i = 0; i < ROWS; i++) {
        p->weight[i] = i == 3 ? 0 : 0.1f + qc_rng_unit(&rng);
        p->y[i] = (float)qc_rng_normal(&rng);
        p->residual[i] = 0.1f - p->y[i];
    }
    for (int j = 0; j < CODES; j++) {
        p->square[j] = 0;
        p->code[j] = p->start[j] = (int32_t)qc_rng_below(&rng, 4) - 2;
        for (int i = 0; i < ROWS; i++) {
            p->x[j * ROWS + i] = (float)qc_rng_normal(&rng);
            p->square[j] += p->weight[i] * p->x[j * ROWS + i] * p->x[j * ROWS + i];
            p->residual[i] += 0.3f * p->x[j * ROWS + i] * (float)p->code[j];
        }
    }
}

static double error_of(const Problem *p, const int32_t *code)
{
    double error = 0;
    for (int i = 0; i < ROWS; i++) {
        double miss = 0.1 - (double)p->y[i];
        for (int j = 0; j < CODES; j++) miss += 0.3 * (double)p->x[j * ROWS + i] * code[j];
        error += (double)p->weight[i] * miss * miss;
    }
    for (int j = 0; j < CODES; j++) error += (double)p->r.hold * (code[j] - p->start[j]) * (code[j] - p->start[j]);
    return error;
}

START_TEST(refit_never_raises_the_error_and_ends_where_no_code_can_lower_it)
{
    uint32_t moved = 0, best = 0;
    for (int trial = 0; trial < 200; trial++) {
        Problem p;
        make_problem(&p, trial, trial % 2 ? 0.2f : 0);
        double error = error_of(&p, p.code), least = INFINITY;
        for (uint32_t moves = 1; moves;) { /* one sweep at a time */
            moves = qc_refit_codes(&p.r, p.residual, p.code, p.start, 1);
            double now = error_of(&p, p.code);
            ck_assert_double_le(now, error + 1e-6);
            error = now;
            moved += moves;
        }
        for (int i = 0; i < ROWS; i++) {
            double miss = 0.1 - (double)p.y[i];
            for (int j = 0; j < CODES; j++) miss += 0.3 * (double)p.x[j * ROWS + i] * p.code[j];
            ck_assert_double_eq_tol((double)p.residual[i], miss, 1e-5);
        }
        for (int all = 0; all < 256; all++) { /* every choice of four codes of two bits */
            int32_t other[CODES];
            int differ = 0;
            for (int j = 0; j < CODES; j++) {
                other[j] = (all >> 2 * j & 3) - 2;
                differ += other[j] != p.code[j];
            }
            double e = error_of(&p, other);
            if (differ == 1) ck_assert_double_ge(e, error - 1e-6);
            least = fmin(least, e);
        }
        best += error < least + 1e-6;
    }
    ck_assert_uint_gt(moved, 200);
    ck_assert_uint_gt(best, 100); /* most often nothing is better */
}
END_TEST

/* ---- learners on tiny models ---- */

enum { CAPACITY = 12, BATCH = 10, BATCHES = 3 };

typedef struct Bench {
    Tiny t;
    QcFlip flip;
    QcLearner l;
    uint8_t source[CAPACITY][TINY_VALUES], x[BATCHES * BATCH][TINY_VALUES];
    uint16_t label[BATCHES * BATCH];
    uint64_t id[BATCHES * BATCH];
    uint8_t *codes; /* as they were */
    float *scale;
    int32_t *bias;
} Bench;

static void make_window(uint8_t *q, const QcQGraph *g, uint32_t i, double loud)
{
    float x[TINY_VALUES];
    tiny_windows(x, 1, loud, 300 + i);
    for (int v = 0; v < TINY_VALUES; v++) x[v] += (uint32_t)(v % TINY_CHANNELS) == i % TINY_CLASSES ? 0.8f : -0.2f;
    qc_q_input(q, x, TINY_VALUES, &g->tensors[0]);
}

static void bench_open(Bench *b, const QcMethod *m, TinyKind kind, int bits, const char *const *settings, int n)
{
    QcErr err;
    tiny_make(&b->t, kind, bits, 8, 6);
    tiny_flip(&b->flip, &b->t, 6);
    QcQGraph *g = &b->t.g;
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        make_window(b->x[i], g, i, 1.2);
        b->label[i] = (uint16_t)(i % TINY_CLASSES);
        b->id[i] = 100 + i;
    }
    b->codes = qc_arena_take(&b->t.arena, g->n_code_bytes, 1, NULL);
    b->scale = qc_arena_take(&b->t.arena, g->n_channels, sizeof *b->scale, NULL);
    b->bias = qc_arena_take(&b->t.arena, g->n_channels, sizeof *b->bias, NULL);
    memcpy(b->codes, g->codes, g->n_code_bytes);
    memcpy(b->scale, g->scale, g->n_channels * sizeof *b->scale);
    memcpy(b->bias, g->bias, g->n_channels * sizeof *b->bias);
    b->l = (QcLearner){.method = m, .g = g, .flip = &b->flip, .kernels = &qc_kernels_scalar, .device = qc_calibrate_defaults(bits), .seed = 1, .capacity = CAPACITY,
                       .batch_max = BATCH, .threads = 1};
    b->l.device.rounds = 4;
    ck_assert_msg(!qc_method_settings(b->l.setting, m, settings, n, &err), "%s", err.text);
    ck_assert_msg(!qc_learner_place(&b->l, &err), "%s", err.text);
    for (uint32_t i = 0; i < CAPACITY - 2; i++) { /* two stay empty */
        make_window(b->source[i], g, 1000 + i, 0.8);
        memcpy(b->l.slots->x + (size_t)i * TINY_VALUES, b->source[i], TINY_VALUES);
        b->l.slots->label[i] = (uint16_t)((1000 + i) % TINY_CLASSES);
        b->l.slots->misses[i] = 0;
        b->l.slots->flags[i] = i < 8 ? QC_SLOT_RESERVED : 0;
        b->l.slots->id[i] = i;
    }
    ck_assert_msg(!qc_learner_open(&b->l, &err), "%s", err.text);
}

static QcMethodBatch batch_of(Bench *b, uint32_t k) { return (QcMethodBatch){BATCH, b->x[k * BATCH], b->label + k * BATCH, b->id + k * BATCH}; }

static void bench_learn(Bench *b, QcMethodReport *r, uint32_t k)
{
    QcErr err;
    QcMethodBatch batch = batch_of(b, k);
    ck_assert_msg(!qc_learner_next(&b->l, r, &batch, NULL, &err), "%s", err.text);
}

static void bench_close(Bench *b)
{
    qc_learner_close(&b->l);
    tiny_release(&b->t);
}

START_TEST(every_forward_method_leaves_a_sound_model_and_says_what_it_cost)
{
    const TinyKind kinds[] = {TINY_INCEPTION, TINY_MIXED, TINY_MLP, TINY_IMAGE};
    for (const QcMethodEntry *e = qc_method_table; e->name; e++) {
        if (!e->method || e->method->backward) continue;
        ck_assert_str_eq(e->name, e->method->name);
        for (int k = 0; k < 4; k++) {
            QcErr err;
            Bench b;
            QcMethodReport r;
            uint32_t right = 0;
            float logits[TINY_CLASSES];
            bench_open(&b, e->method, kinds[k], k == 2 ? 8 : 1 << (1 + k % 3), NULL, 0);
            for (uint32_t batch = 0; batch < BATCHES; batch++) {
                right = 0;
                for (uint32_t i = 0; i < BATCH; i++) right += qc_learner_answer(&b.l, NULL, logits, b.x[batch * BATCH + i], 0) == b.label[batch * BATCH + i];
                bench_learn(&b, &r, batch);
                ck_assert_uint_eq(r.step.right_before, right);
                ck_assert_msg(!qc_qgraph_check(b.l.g, &err), "%s: %s", e->name, err.text);
                ck_assert_uint_eq(r.step.from_source + r.step.from_stream + r.step.from_batch, CAPACITY);
                ck_assert_uint_ge(r.step.from_source, 8);
                ck_assert(!strcmp(e->name, "none") ? !r.forwards && !r.operations : r.set >= BATCH && r.forwards >= r.set && r.operations >= r.forwards * b.l.macs);
                ck_assert_uint_eq(r.backwards, 0);
            }
            ck_assert(memcmp(b.codes, b.t.g.codes, b.t.g.n_code_bytes) == 0 || e->method->on_device || !strcmp(e->name, "refit"));
            ck_assert_uint_gt(b.l.bytes, (uint64_t)CAPACITY * TINY_VALUES);
            qc_learner_close(&b.l);
            /* the start model's own arrays are back; the device steps its own */
            ck_assert(e->method->on_device || memcmp(b.scale, b.t.g.scale, b.t.g.n_channels * sizeof *b.scale) == 0);
            tiny_release(&b.t);
        }
    }
}
END_TEST

START_TEST(none_changes_no_byte)
{
    Bench b;
    QcMethodReport r;
    bench_open(&b, &qc_method_none, TINY_RESIDUAL, 4, NULL, 0);
    for (uint32_t batch = 0; batch < BATCHES; batch++) bench_learn(&b, &r, batch);
    ck_assert_mem_eq(b.codes, b.t.g.codes, b.t.g.n_code_bytes);
    ck_assert_mem_eq(b.scale, b.t.g.scale, b.t.g.n_channels * sizeof *b.scale);
    ck_assert_mem_eq(b.bias, b.t.g.bias, b.t.g.n_channels * sizeof *b.bias);
    ck_assert_uint_eq(r.step.right_before, r.step.right_after);
    ck_assert_uint_eq(r.step.flips, 0);
    bench_close(&b);
}
END_TEST

START_TEST(device_methods_are_the_device_s_step)
{
    const struct { const QcMethod *m; QcChoose choose; } all[] = {
        {&qc_method_qcore, QC_CHOOSE_NETWORK}, {&qc_method_flip_random, QC_CHOOSE_RANDOM}, {&qc_method_flip_greedy, QC_CHOOSE_GREEDY}};
    uint8_t last[3][512];
    for (int i = 0; i < 3; i++) {
        Bench b, other;
        QcMethodReport r;
        QcCalibrateReport step;
        QcCalibrator c;
        bench_open(&b, all[i].m, TINY_PLAIN, 2, NULL, 0);
        bench_open(&other, &qc_method_none, TINY_PLAIN, 2, NULL, 0);
        QcCalibrateOptions o = b.l.device;
        o.choose = all[i].choose;
        uint64_t bytes = qc_calibrator_bytes(other.l.g, &other.flip, &o, CAPACITY, BATCH);
        ck_assert_uint_eq(b.l.bytes, bytes);
        void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
        qc_calibrator_place(&c, other.l.g, &other.flip, &qc_kernels_scalar, &o, CAPACITY, BATCH, memory);
        for (uint32_t s = 0; s < CAPACITY - 2; s++) {
            memcpy(c.slots.x + (size_t)s * TINY_VALUES, b.source[s], TINY_VALUES);
            c.slots.label[s] = (uint16_t)((1000 + s) % TINY_CLASSES);
            c.slots.misses[s] = 0;
            c.slots.flags[s] = s < 8 ? QC_SLOT_RESERVED : 0;
            c.slots.id[s] = s;
        }
        for (uint32_t batch = 0; batch < BATCHES; batch++) {
            bench_learn(&b, &r, batch);
            qc_calibrate_batch(&c, &step, b.x[batch * BATCH], b.label + batch * BATCH, b.id + batch * BATCH, BATCH);
            ck_assert_mem_eq(&r.step, &step, sizeof step);
            ck_assert_uint_eq(r.forwards, step.forwards);
        }
        ck_assert_mem_eq(b.t.g.codes, other.t.g.codes, b.t.g.n_code_bytes);
        ck_assert_uint_le(b.t.g.n_code_bytes, sizeof last[0]);
        memcpy(last[i], b.t.g.codes, b.t.g.n_code_bytes);
        for (int j = 0; j < i; j++) ck_assert(memcmp(last[i], last[j], b.t.g.n_code_bytes));
        free(memory);
        bench_close(&b);
        bench_close(&other);
    }
}
END_TEST

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
                        int h = (int)(y * n->stride_h + kh * n->dilation_h) - n->pad_top, w = (int)(x * n->stride_w + kw * n->dilation_w) - n->pad_left;
                        if (h < 0 || w < 0 || h >= in->height || w >= in->width) continue;
                        int q = qc_qrun_tensor(run, n->in[0])[((size_t)h * in->width + (size_t)w) * in->channels + first + c];
                        acc += (q - in->zero) * qc_code_get(g, n, ((o * n->kernel_h + kh) * n->kernel_w + kw) * per_group + c);
                    }
            *sum += acc;
            *squares += acc * acc;
        }
}

START_TEST(moments_are_those_of_every_sum)
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

START_TEST(a_whole_mixture_has_the_source_s_moments)
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

START_TEST(bn_gives_the_first_layer_of_the_stream_the_source_s_moments)
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
            double step[2], sum[2] = {0}, squares[2] = {0}, positions[2] = {0}; /* source under the start model, stream under the new one */
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

START_TEST(proto_is_the_nearest_class_mean)
{
    const char *const settings[] = {"source=3"};
    Bench b;
    QcMethodReport r;
    double mean[TINY_CLASSES][64] = {{0}}, source[TINY_CLASSES][64] = {{0}}, f[64], seen[TINY_CLASSES] = {0}, had[TINY_CLASSES] = {0};
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
        uint32_t best = qc_learner_answer(&b.l, NULL, logits, b.x[i], 0);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            ck_assert_double_ge(distance[k], distance[best] - 1e-5);
            ck_assert_double_eq_tol((double)logits[k] - (double)logits[0], distance[0] - distance[k], 1e-4 * (1 + distance[0] + distance[k]));
        }
    }
    bench_close(&b);
}
END_TEST

START_TEST(head_is_one_ridge_regression_of_all_batches)
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
        features_of(f, &b, b.l.slots->x + (size_t)s * TINY_VALUES, n);
        for (uint32_t j = 0; j < n; j++) x[j] = (float)f[j];
        qc_ridge_add(&all, x, b.l.slots->label[s], BATCHES * BATCH / 3.0 / sources); /* a quarter of all weight: a third of the stream's */
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
        qc_learner_logits(&b.l, logits, b.x[i]);
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

START_TEST(a_folded_head_is_the_plain_model)
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
            qc_learner_logits(&b.l, logits, b.x[i]);
            qc_qrun_forward(&b.t.run, plain, b.x[i]);
            qc_learner_logits(&open.l, real, b.x[i]);
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

/* ---- what all have in common ---- */

START_TEST(settings_are_checked)
{
    QcErr err;
    double v[QC_METHOD_SETTINGS];
    const QcMethod *spsa = qc_method_find("spsa", NULL);
    const char *wrong[] = {"rate", "rate=", "rate=x", "rate=1x", "rate=-1", "rate=nan", "rate=1e999", "ratio=1", "=1", "rat=1", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(qc_method_settings(v, spsa, &wrong[i], 1, &err), -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
        ck_assert_ptr_nonnull(strstr(err.text, "rate"));
    }
    const char *right[] = {"rate=0.5", "batch=7", "rate=0.25"};
    ck_assert_int_eq(qc_method_settings(v, spsa, right, 3, NULL), 0);
    ck_assert_double_eq(v[1], 0.25); /* the last one wins */
    ck_assert_double_eq(v[3], 7);
    ck_assert_double_eq(v[0], 32);
    ck_assert_int_eq(qc_method_settings(v, &qc_method_none, right, 1, &err), -1);
    ck_assert_ptr_null(qc_method_find("magic", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "bn+head"));
    for (const QcMethodEntry *e = qc_method_table; e->name; e++)
        for (const QcSetting *s = e->method ? e->method->settings : NULL; s && s->name; s++) {
            ck_assert_int_lt(s - e->method->settings, QC_METHOD_SETTINGS);
            ck_assert_msg(s->low <= s->value && s->value <= s->high && s->help, "%s %s", e->name, s->name);
        }
}
END_TEST

static uint32_t told[CAPACITY], n_told;
static void note(QcLearner *l, uint32_t slot, uint32_t i)
{
    (void)l;
    told[n_told++] = slot * 1000 + i;
}
static int stand_still(QcLearner *l, QcMethodReport *r, const QcMethodBatch *batch, QcErr *err)
{
    (void)l, (void)r, (void)batch, (void)err;
    return 0;
}

START_TEST(a_method_is_told_which_examples_were_kept)
{
    const QcMethod listener = {.name = "listener", .summary = "", .next = stand_still, .kept = note};
    Bench b;
    QcMethodReport r;
    bench_open(&b, &listener, TINY_PLAIN, 2, NULL, 0);
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        n_told = 0;
        bench_learn(&b, &r, batch);
        ck_assert_uint_eq(n_told, r.step.from_batch);
        ck_assert_uint_eq(r.step.from_source, 8); /* balanced: stream examples first */
        for (uint32_t k = 0; k < n_told; k++) {
            uint32_t slot = told[k] / 1000, i = batch * BATCH + told[k] % 1000;
            ck_assert_uint_eq(b.l.slots->id[slot], b.id[i]);
            ck_assert_mem_eq(b.l.slots->x + (size_t)slot * TINY_VALUES, b.x[i], TINY_VALUES);
        }
    }
    bench_close(&b);
}
END_TEST

START_TEST(a_channel_takes_what_integers_can_say)
{
    QcErr err;
    Bench b;
    bench_open(&b, &qc_method_none, TINY_RESIDUAL, 8, NULL, 0);
    ck_assert_int_eq(qc_learner_own_channels(&b.l, NULL), 0);
    const QcQGraph *g = b.l.g;
    const QcQNode *node = &g->nodes[0];
    double in = (double)g->tensors[0].scale, scale = (double)b.scale[node->channel];
    qc_learner_set_channel(&b.l, node, 0, scale, in * scale * b.bias[node->channel]); /* its own: nothing changes */
    ck_assert_int_eq(g->bias[node->channel], b.bias[node->channel]);
    ck_assert_int_eq(g->multiplier[node->channel], b.l.start_multiplier[node->channel]);
    ck_assert_int_eq(g->shift[node->channel], b.l.start_shift[node->channel]);
    qc_learner_set_channel(&b.l, node, 0, 2 * scale, in * scale * 1000);
    ck_assert_int_eq(g->bias[node->channel], 500);
    ck_assert_float_eq(g->scale[node->channel], 2 * b.scale[node->channel]);
    qc_learner_set_channel(&b.l, node, 0, scale, 1e30);
    ck_assert_int_eq(qc_qgraph_check(g, &err), 0);
    ck_assert_int_gt(g->bias[node->channel], 1 << 30);
    int32_t bias = g->bias[node->channel];
    const double wrong[] = {0, -1, NAN, INFINITY, 1e38, 1e-60};
    for (int i = 0; i < 6; i++) qc_learner_set_channel(&b.l, node, 0, wrong[i], 0);
    qc_learner_set_channel(&b.l, node, 0, scale, NAN);
    ck_assert_int_eq(g->bias[node->channel], bias);
    ck_assert_int_eq(qc_qgraph_check(g, &err), 0);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("methods");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, ridge_is_what_a_direct_solve_says);
    tcase_add_test(parts, ridge_is_recursive_least_squares);
    tcase_add_test(parts, what_is_not_positive_definite_is_refused);
    tcase_add_test(parts, spsa_is_unbiased_on_a_quadratic);
    tcase_add_test(parts, refit_never_raises_the_error_and_ends_where_no_code_can_lower_it);
    tcase_add_test(parts, moments_are_those_of_every_sum);
    tcase_add_test(parts, a_whole_mixture_has_the_source_s_moments);
    tcase_add_test(parts, settings_are_checked);
    suite_add_tcase(suite, parts);
    TCase *whole = tcase_create("methods");
    tcase_set_timeout(whole, 120);
    tcase_add_test(whole, every_forward_method_leaves_a_sound_model_and_says_what_it_cost);
    tcase_add_test(whole, none_changes_no_byte);
    tcase_add_test(whole, device_methods_are_the_device_s_step);
    tcase_add_test(whole, bn_gives_the_first_layer_of_the_stream_the_source_s_moments);
    tcase_add_test(whole, proto_is_the_nearest_class_mean);
    tcase_add_test(whole, head_is_one_ridge_regression_of_all_batches);
    tcase_add_test(whole, a_folded_head_is_the_plain_model);
    tcase_add_test(whole, a_method_is_told_which_examples_were_kept);
    tcase_add_test(whole, a_channel_takes_what_integers_can_say);
    suite_add_tcase(suite, whole);
    return run_suite(suite);
}
