/* bench_kernels.c - the integer kernels of each instruction set on InceptionTime's convolutions, and a whole forward pass. TSV on
 * stdout: GMAC/s on one thread, side by side. */
#include "../../lib/base/rng.h"
#include "../../lib/device/qgraph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one call: the best of several rounds, because others share this machine. */
static double seconds_of(void (*work)(void *), void *ctx)
{
    double best = 1e9;
    uint32_t calls = 1;
    for (double t = 0; t < 2e-3; calls *= 2) {
        double start = now();
        for (uint32_t i = 0; i < calls; i++) work(ctx);
        t = now() - start;
    }
    for (int round = 0; round < 15; round++) {
        double start = now();
        for (uint32_t i = 0; i < calls; i++) work(ctx);
        double t = (now() - start) / calls;
        if (t < best) best = t;
    }
    return best;
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
    j->k->rescale(j->y, j->acc, j->bias, j->multiplier, j->shift, POSITIONS, j->channels, j->dot.blocks * 8, j->channels, 128, 0,
                  255);
}

static void job_masked(void *ctx)
{
    Job *j = ctx;
    j->k->masked_sum(j->sums, j->x, j->y, POSITIONS, j->dot.step, j->channels, j->dot.run, j->channels);
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
    j.x = memory((POSITIONS + l->kernel) * l->in + QC_K_SLACK);
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
                            { "rescale", "Gvalue/s", job_rescale, 0 },
                            { "masked_sum", "GMAC/s", job_masked, 2 } };
            for (int n = 0; n < 4; n++) {
                if (n > 1 && bits != 2) continue; /* the same at all bits */
                printf("%s\t%s\t%d", kernels[n].name, layers[i].name, bits);
                for (const QcKernels *const *k = qc_kernels_available(); *k; k++) {
                    j.k = *k;
                    double work = kernels[n].per_code == 2 ? macs : kernels[n].per_code ? codes : (double)POSITIONS * j.channels;
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
    *t = (QcQTensor){ 1, (uint16_t)width, (uint16_t)channels, 8, is_signed ? 128 : 0, 0.01f, n->g.activation_bytes };
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

    QcQGraph *g = &n->g;
    uint8_t *codes = memory(g->n_code_bytes + 8), *shift = memory(g->n_channels), *x;
    int32_t *bias = memory(g->n_channels * 4), *multiplier = memory(g->n_channels * 4);
    float *scale = memory(g->n_channels * 4);
    QcRng rng = qc_rng_seed(2, 2);
    for (uint32_t i = 0; i < g->n_code_bytes; i++) codes[i] = (uint8_t)qc_rng_next(&rng);
    memset(shift, 37 + bits / 2, g->n_channels);
    for (uint32_t i = 0; i < g->n_channels; i++) multiplier[i] = (1 << 30) + (int32_t)qc_rng_below(&rng, 1 << 30);
    g->codes = codes, g->shift = shift, g->bias = bias, g->multiplier = multiplier, g->scale = scale;
    (void)x;
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
            free(n.g.codes);
            free((void *)n.g.shift), free((void *)n.g.bias), free((void *)n.g.multiplier), free((void *)n.g.scale);
        }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_layers();
    bench_nets();
}
