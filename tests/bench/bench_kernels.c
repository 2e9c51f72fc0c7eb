/* bench_kernels.c - measures the convolutions of InceptionTime beside XNNPACK, oneDNN and the peak of the core. Then
 * measures the kernels of each instruction set, and a whole forward pass with them. One thread. Compared functions
 * run in turns, and the best of many rounds counts, because other programs use the machine. */
#include "bench.h"

#include "../../lib/base/rng.h"
#include "../../lib/quant/peak.h"
#include "rivals.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

static double now(void) { return bench_seconds(CLOCK_MONOTONIC); }

typedef struct Runner {
    void (*work)(void *);
    void *ctx;
    uint32_t calls; /* calls in a round, so that a round takes some ms */
    double best;    /* seconds of one call */
} Runner;

static double seconds_of_calls(const Runner *r)
{
    double start = now();
    for (uint32_t i = 0; i < r->calls; i++) r->work(r->ctx);
    return (now() - start) / r->calls;
}

/* Best times of all functions, which run in turns. */
static void race(Runner *runners, uint32_t n, int rounds)
{
    for (uint32_t i = 0; i < n; i++) {
        runners[i].best = 1e9;
        for (runners[i].calls = 1; seconds_of_calls(&runners[i]) * runners[i].calls < 1e-3; runners[i].calls *= 2)
            continue;
    }
    for (int round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < n; i++) {
            double t = seconds_of_calls(&runners[i]);
            if (t < runners[i].best) runners[i].best = t;
        }
}

static double seconds_of(void (*work)(void *), void *ctx)
{
    Runner r = {.work = work, .ctx = ctx};
    race(&r, 1, 15);
    return r.best;
}

static void *memory(size_t bytes)
{
    void *m = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!m) exit(1);
    memset(m, 0, bytes);
    return m;
}

/* ---- kernels ---- */

enum { POSITIONS = 125 };

typedef struct Layer {
    const char *name;
    uint32_t in, out, kernel;
} Layer;

typedef struct Job {
    const QcKernels *k;
    QcKDot dot;
    QcKCodes codes;
    uint32_t zero_offset, channels;
    uint8_t *x, *y, *shift;
    int8_t *w;
    int32_t *acc, *bias, *multiplier, *sums;
} Job;

static void job_dot(void *ctx)
{
    Job *j = ctx;
    j->k->dot(j->acc, j->x, j->w, &j->dot, j->codes.bits);
}

static void job_unpack(void *ctx)
{
    Job *j = ctx;
    j->k->unpack(j->w, j->bias, &j->codes);
}

static void job_rescale(void *ctx)
{
    Job *j = ctx;
    j->k->rescale(j->y, j->acc, j->bias, j->multiplier, j->shift, POSITIONS, j->channels, j->dot.blocks * 8,
                  j->channels, 128, 0, 255);
}

static void job_masked(void *ctx)
{
    Job *j = ctx;
    j->k->masked_sum(j->sums, j->x, j->y, POSITIONS, j->dot.step, j->channels, j->dot.run, j->channels);
}

static void job_add(void *ctx)
{
    Job *j = ctx;
    QcKAdd how = {128, 0, 1 << 30, 1 << 29, 31, 0, 0, 255};
    j->k->add(j->y, j->x, j->x + 1, POSITIONS * j->channels, &how);
}

static void job_max_rows(void *ctx)
{
    Job *j = ctx;
    j->k->max_rows(j->y, j->x, 3, 1, POSITIONS * j->channels);
}

static void job_conv(void *ctx)
{
    Job *j = ctx;
    QcKConv how = {j->x, j->codes, &j->zero_offset, 1, 0, POSITIONS, j->dot.step, j->bias, j->multiplier, j->shift, 128,
                   0,    0,        j->channels,     0, 0, 255,       NULL,        0};
    if (!j->k->conv || !j->k->conv(j->y, &how)) { /* what is done instead */
        job_unpack(j);
        job_dot(j);
        job_rescale(j);
    }
}

static void job_release(Job *j)
{
    free((void *)j->codes.bytes);
    free(j->x);
    free(j->y);
    free(j->shift);
    free(j->w);
    free(j->acc);
    free(j->bias);
    free(j->multiplier);
    free(j->sums);
}

static Job job_init(const Layer *l, int bits)
{
    uint32_t length = l->in * l->kernel, run = (length + 3) & ~3u, blocks = (l->out + 7) / 8;
    uint8_t *bytes = memory((size_t)length * l->out);
    Job j = { .dot = { POSITIONS, l->in, 1, run, NULL, blocks },
              .codes = { bytes, 0, length, l->out, 1, length, bits },
              .channels = l->out };
    j.dot.segment = &j.zero_offset;
    j.x = memory((POSITIONS + l->kernel) * (l->in > l->out ? l->in : l->out) + QC_K_SLACK);
    j.y = memory(POSITIONS * blocks * 8);
    j.shift = memory(blocks * 8);
    j.w = memory((size_t)run * blocks * 8);
    j.acc = memory(POSITIONS * blocks * 8 * 4);
    j.bias = memory(blocks * 8 * 4);
    j.multiplier = memory(blocks * 8 * 4);
    j.sums = memory((size_t)run * blocks * 8 * 4);
    QcRng rng = qc_rng_seed(1, 1);
    for (uint32_t i = 0; i < length * l->out; i++) bytes[i] = (uint8_t)qc_rng_next(&rng);
    for (uint32_t i = 0; i < (POSITIONS + l->kernel) * l->in; i++) j.x[i] = (uint8_t)qc_rng_next(&rng);
    for (uint32_t i = 0; i < POSITIONS * l->out; i++) j.y[i] = (uint8_t)(qc_rng_next(&rng) & 1 ? 7 : 0);
    memset(j.shift, 40, l->out);
    for (uint32_t i = 0; i < l->out; i++) j.multiplier[i] = 1 << 30;
    return j;
}

static void bench_layers(void)
{
    static const Layer layers[] = { { "first 45x1->16", 45, 16, 1 }, { "bottleneck 64x1->16", 64, 16, 1 },
                                    { "16x9->16", 16, 16, 9 },       { "16x19->16", 16, 16, 19 },
                                    { "16x39->16", 16, 16, 39 },     { "bottleneck 128x1->32", 128, 32, 1 },
                                    { "32x39->32", 32, 32, 39 } };
    printf("kernel\tlayer\tbits");
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++) printf("\t%s", (*k)->name);
    printf("\tunit\n");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int bits = 2; bits <= 8; bits *= 2) {
            Job j = job_init(&layers[i], bits);
            double codes = (double)j.codes.length * j.channels, macs = codes * POSITIONS;
            static const struct {
                const char *name, *unit;
                void (*work)(void *);
                int per_code;
            } kernels[] = { { "unpack", "Gcode/s", job_unpack, 1 },
                            { "dot", "GMAC/s", job_dot, 2 },
                            { "conv", "GMAC/s", job_conv, 2 },
                            { "rescale", "Gvalue/s", job_rescale, 0 },
                            { "masked_sum", "GMAC/s", job_masked, 2 },
                            { "add", "Gvalue/s", job_add, 0 },
                            { "max_rows", "Gvalue/s", job_max_rows, 0 } };
            for (size_t n = 0; n < sizeof kernels / sizeof *kernels; n++) {
                if (n > 2 && bits != 2) continue; /* the same at all bits */
                printf("%s\t%s\t%d", kernels[n].name, layers[i].name, bits);
                for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
                    j.k = *k;
                    double work = kernels[n].per_code == 2 ? macs
                                  : kernels[n].per_code    ? codes
                                                           : (double)POSITIONS * j.channels;
                    printf("\t%.2f", 1e-9 * work / seconds_of(kernels[n].work, &j));
                }
                printf("\t%s\n", kernels[n].unit);
            }
            job_release(&j);
        }
}

/* ---- a whole InceptionTime ---- */

typedef struct Net {
    QcQGraph g;
    QcQTensor tensors[64];
    QcQNode nodes[64];
    uint64_t macs;
} Net;

static uint16_t tensor(Net *n, uint32_t width, uint32_t channels, int is_signed)
{
    QcQTensor *t = &n->tensors[n->g.n_tensors];
    *t = (QcQTensor){.height = 1,
                     .width = (uint16_t)width,
                     .channels = (uint16_t)channels,
                     .bits = 8,
                     .zero = is_signed ? 128 : 0,
                     .scale = .01f,
                     .offset = n->g.activation_bytes};
    n->g.activation_bytes += (width * channels + 63) & ~63u;
    return (uint16_t)n->g.n_tensors++;
}

static QcQNode *node(Net *n, QcQOp op, uint16_t in, uint16_t out, uint32_t at, uint32_t channels, uint32_t kernel)
{
    QcQNode *v = &n->nodes[n->g.n_nodes++];
    uint16_t left = (uint16_t)((kernel - 1) / 2), right = (uint16_t)(kernel - 1 - left);
    *v = (QcQNode){ .op = (uint8_t)op,
                    .relu = n->tensors[out].zero == 0,
                    .in = { in, in },
                    .out = out,
                    .out_channel = (uint16_t)at,
                    .channels = (uint16_t)channels,
                    .groups = 1,
                    .kernel_h = 1,
                    .kernel_w = (uint16_t)kernel,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .pad_left = left,
                    .pad_right = right,
                    .channel = n->g.n_channels };
    n->g.n_channels += channels + 1;
    if (op == QC_Q_CONV || op == QC_Q_LOGITS) {
        v->code_byte = n->g.n_code_bytes;
        v->n_codes = channels * kernel * n->tensors[in].channels;
        n->g.n_code_bytes += v->n_codes * n->g.bits / 8;
        n->g.n_codes += v->n_codes;
        n->macs += (uint64_t)v->n_codes * n->tensors[in].width;
    }
    return v;
}

/* Weights and scales of arbitrary values. */
static void net_fill(Net *n)
{
    QcQGraph *g = &n->g;
    uint8_t *codes = memory(g->n_code_bytes + 8), *shift = memory(g->n_channels);
    int32_t *bias = memory(g->n_channels * 4), *multiplier = memory(g->n_channels * 4);
    float *scale = memory(g->n_channels * 4);
    QcRng rng = qc_rng_seed(2, 2);
    for (uint32_t i = 0; i < g->n_code_bytes; i++) codes[i] = (uint8_t)qc_rng_next(&rng);
    memset(shift, 37 + g->bits / 2, g->n_channels);
    for (uint32_t i = 0; i < g->n_channels; i++) multiplier[i] = (1 << 30) + (int32_t)qc_rng_below(&rng, 1 << 30);
    g->codes = codes, g->shift = shift, g->bias = bias, g->multiplier = multiplier, g->scale = scale;
}

static void net_release(Net *n)
{
    free(n->g.codes);
    free((void *)n->g.shift);
    free((void *)n->g.bias);
    free((void *)n->g.multiplier);
    free((void *)n->g.scale);
}

static void net_init(Net *n, int bits, uint32_t filters, uint32_t depth)
{
    *n = (Net){ .g = { .bits = (uint8_t)bits, .tensors = n->tensors, .nodes = n->nodes, .classes = 19 } };
    uint16_t in = tensor(n, POSITIONS, 45, 1), residual = in;
    for (uint32_t d = 0; d < depth; d++) {
        uint16_t narrow = tensor(n, POSITIONS, filters, 1),
                 pooled = tensor(n, POSITIONS, n->tensors[in].channels, n->tensors[in].zero != 0);
        uint16_t out = tensor(n, POSITIONS, 4 * filters, 0);
        node(n, QC_Q_CONV, in, narrow, 0, filters, 1);
        node(n, QC_Q_CONV, narrow, out, 0, filters, 39);
        node(n, QC_Q_CONV, narrow, out, filters, filters, 19);
        node(n, QC_Q_CONV, narrow, out, 2 * filters, filters, 9);
        node(n, QC_Q_MAXPOOL, in, pooled, 0, n->tensors[in].channels, 3);
        node(n, QC_Q_CONV, pooled, out, 3 * filters, filters, 1);
        in = out;
        if (d % 3 == 2) {
            uint16_t shortcut = tensor(n, POSITIONS, 4 * filters, 1), sum = tensor(n, POSITIONS, 4 * filters, 0);
            node(n, QC_Q_CONV, residual, shortcut, 0, 4 * filters, 1);
            node(n, QC_Q_ADD, in, sum, 0, 4 * filters, 1)->in[1] = shortcut;
            in = residual = sum;
        }
    }
    uint16_t mean = tensor(n, 1, 4 * filters, 0);
    node(n, QC_Q_GAP, in, mean, 0, 4 * filters, 1);
    node(n, QC_Q_LOGITS, mean, mean, 0, 19, 1);

    net_fill(n);
}

typedef struct Pass {
    QcQRun run;
    float logits[19];
} Pass;

static void pass_forward(void *ctx)
{
    Pass *p = ctx;
    qc_qrun_forward(&p->run, p->logits, qc_qrun_tensor(&p->run, 0));
}

static void bench_nets(void)
{
    for (uint32_t size = 0; size < 2; size++)
        for (int bits = 2; bits <= 8; bits *= 2) {
            static Net n;
            net_init(&n, bits, size ? 32 : 16, size ? 6 : 3);
            void *m = memory((size_t)qc_qgraph_bytes(&n.g));
            printf("forward\t%s (%.1f M MAC, %u bytes)\t%d", size ? "32x6" : "16x3", 1e-6 * (double)n.macs,
                   (unsigned)qc_qgraph_bytes(&n.g), bits);
            for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
                Pass p;
                qc_qrun_place(&p.run, &n.g, *k, m);
                printf("\t%.1f", 1e6 * seconds_of(pass_forward, &p));
            }
            printf("\tus\n");
            free(m);
            net_release(&n);
        }
}

/* ---- beside others ---- */

enum { OURS = 3, RIVALS = 2, ROUNDS = 40 };

typedef struct One { /* a graph of one convolution: padding, products, rescaling, as in a model */
    Net net;
    QcQRun run;
    void *memory;
} One;

static void one_run(void *ctx)
{
    One *o = ctx;
    qc_qrun_forward_seen(&o->run, NULL, qc_qrun_tensor(&o->run, 0), 0, NULL, NULL);
}

static void one_init(One *o, const RivalShape *s, int bits, const QcKernels *k)
{
    o->net = (Net){.g = {.bits = (uint8_t)bits, .tensors = o->net.tensors, .nodes = o->net.nodes}};
    uint16_t in = tensor(&o->net, s->length, s->in, 1), out = tensor(&o->net, s->length, s->out, 0);
    node(&o->net, QC_Q_CONV, in, out, 0, s->out, s->kernel);
    net_fill(&o->net);
    o->memory = memory((size_t)qc_qgraph_bytes(&o->net.g));
    qc_qrun_place(&o->run, &o->net.g, k, o->memory);
}

static void one_release(One *o)
{
    net_release(&o->net);
    free(o->memory);
}

static void bar(const char *name, const char *of, double value, double least)
{
    printf("bar %s-%s %.2f >= %.2f %s\n", name, of, value, least, value >= least ? "ok" : "short");
}

/* Multiply-adds per second of the best loop that uses registers only. */
static double measured_peak(void)
{
    double best = 0;
    for (const QcPeakLoop *p = qc_peak_loops(); p->name; p++) {
        double rate = p->macs / seconds_of(p->work, NULL);
        printf("peak\t%s\t%.1f\tGMAC/s\n", p->name, 1e-9 * rate);
        if (rate > best) best = rate;
    }
    return best;
}

static void compare(const char *name, const RivalShape *s, double peak)
{
    static One ours[OURS];
    const char *wrong;
    const QcKernels *k = qc_kernels_choose(&wrong);
    double macs = (double)s->in * s->out * s->kernel * s->length, rate[OURS + RIVALS];
    int8_t *w = memory((size_t)s->in * s->out * s->kernel);
    QcRng rng = qc_rng_seed(3, 3);
    for (uint32_t i = 0; i < s->in * s->out * s->kernel; i++) w[i] = (int8_t)qc_rng_next(&rng);
    Rival *rivals[RIVALS] = {rival_xnnpack_new(s, w), rival_onednn_new(s, w)};
    Runner runners[OURS + RIVALS];
    for (int i = 0; i < OURS; i++) {
        one_init(&ours[i], s, 8 >> i, k);
        runners[i] = (Runner){.work = one_run, .ctx = &ours[i]};
    }
    for (int i = 0; i < RIVALS; i++) {
        if (!rivals[i]) fprintf(stderr, "bench_kernels: %s refuses %s\n", i ? "oneDNN" : "XNNPACK", name), exit(1);
        runners[OURS + i] = (Runner){.work = rival_run, .ctx = rivals[i]};
    }
    race(runners, OURS + RIVALS, ROUNDS);
    for (int i = 0; i < OURS + RIVALS; i++) rate[i] = macs / runners[i].best;
    printf("conv\t%s", name);
    for (int i = 0; i < OURS + RIVALS; i++) printf("\t%.1f", 1e-9 * rate[i]);
    printf("\t%.2f\t%s\n", rate[0] / peak, rival_words(rivals[1]));
    double faster = rate[3] > rate[4] ? rate[3] : rate[4];
    printf("room\t%s\t%.2f\tpeak over the faster of the two\n", name, peak / faster);
    bar("conv8", name, rate[0] / faster, 1.5);
    bar("conv4-of-8", name, rate[1] / rate[0], .98); /* not slower, except for noise */
    bar("conv2-of-8", name, rate[2] / rate[0], .98);
    if (s->kernel == 39) bar("peak", name, rate[0] / peak, .6);
    for (int i = 0; i < OURS; i++) one_release(&ours[i]);
    for (int i = 0; i < RIVALS; i++) rival_free(rivals[i]);
    free(w);
}

static void bench_rivals(void)
{
    static const struct {
        const char *name;
        RivalShape shape;
    } convs[] = {{"32x39->32@125", {32, 32, 39, 125}}, {"32x19->32@125", {32, 32, 19, 125}},
                 {"32x9->32@125", {32, 32, 9, 125}},   {"32x39->32@500", {32, 32, 39, 500}},
                 {"32x19->32@500", {32, 32, 19, 500}}, {"32x9->32@500", {32, 32, 9, 500}},
                 {"128x1->32@125", {128, 32, 1, 125}}, {"128x1->32@500", {128, 32, 1, 500}}};
    double peak = measured_peak();
    printf("conv\tin x kernel -> out @ length (GMAC/s)\tours 8\tours 4\tours 2\tXNNPACK\toneDNN\tours 8 / "
           "peak\toneDNN's choice\n");
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) compare(convs[i].name, &convs[i].shape, peak);
}

int main(void)
{
    omp_set_num_threads(1); /* oneDNN's */
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_rivals();
    bench_layers();
    bench_nets();
}
