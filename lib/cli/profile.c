#include "profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/clock.h"
#include "../base/file.h"
#include "../quant/qinput.h"
#include "../quant/windows.h"
#include "../quant/peak.h"

static const char *const op_names[QC_Q_OP_COUNT] = {"conv", "maxpool", "avgpool", "gap",
                                                    "add",  "copy",    "logits",  "std"};

/* A forward pass whose input is written in place. */
typedef struct Pass {
    QcQRun run;
    void *memory;
    float *logits;
} Pass;

static int pass_open(Pass *p, const QcQGraph *g, QcErr *err)
{
    const QcKernels *kernels = qc_need_kernels(err);
    *p = (Pass){0};
    if (!kernels) return -1;
    p->memory = aligned_alloc(QC_PLACING_ALIGN, qc_qgraph_inference_bytes(g));
    p->logits = malloc(g->classes * sizeof *p->logits);
    if (!p->memory || !p->logits) return qc_fail_memory(err, "the integer forward pass");
    qc_qrun_place_inference(&p->run, g, kernels, p->memory);
    return 0;
}

static void pass_close(Pass *p)
{
    free(p->memory);
    free(p->logits);
}

/* What a node writes. */
typedef struct Shape {
    uint32_t height, width, channels;
} Shape;

static Shape shape_of(const QcQGraph *g, const QcQNode *node)
{
    if (node->op == QC_Q_LOGITS) return (Shape){1, 1, node->channels};
    return (Shape){g->tensors[node->out].height, g->tensors[node->out].width, node->channels};
}

/* ---- the profile ---- */

typedef struct Clock {
    uint64_t last, *ns; /* ns [n_nodes][n] */
    uint32_t window, n;
} Clock;

static void stop_clock(void *ctx, QcQRun *run, uint32_t node, const QcQConv *conv)
{
    Clock *c = ctx;
    (void)run, (void)conv;
    c->ns[(size_t)node * c->n + c->window] = qc_nanoseconds() - c->last;
    c->last = qc_nanoseconds();
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median(uint64_t *ns, uint32_t n)
{
    qsort(ns, n, sizeof *ns, ascending);
    return ns[n / 2];
}

static void put_row(QcKvWriter *s, uint32_t i, const QcQNode *node, Shape shape, uint64_t macs, uint64_t ns,
                    double share, double peak)
{
    double percent = peak > 0 && macs && ns ? 100 * (double)macs / (1e-9 * (double)ns) / peak : 0;
    if (!s->json) {
        printf("%u\t%s\t%ux%ux%u\t%ux%u\t%llu\t%llu\t%.1f\t", i, op_names[node->op], shape.height, shape.width,
               shape.channels, node->kernel_h, node->kernel_w, (unsigned long long)macs, (unsigned long long)ns,
               100 * share);
        printf(percent > 0 ? "%.1f\n" : "-\n", percent);
        return;
    }
    qc_kv_object(s, NULL);
    qc_kv_int(s, "node", i);
    qc_kv_text(s, "operation", op_names[node->op]);
    qc_kv_int(s, "height", shape.height);
    qc_kv_int(s, "width", shape.width);
    qc_kv_int(s, "channels", shape.channels);
    qc_kv_int(s, "kernel_h", node->kernel_h);
    qc_kv_int(s, "kernel_w", node->kernel_w);
    qc_kv_int(s, "macs", (int64_t)macs);
    qc_kv_int(s, "ns", (int64_t)ns);
    qc_kv_real(s, "share", share);
    if (percent > 0) qc_kv_real(s, "peak_percent", percent);
    qc_kv_end(s);
}

static void put_profile(QcKvWriter *s, const QcQGraph *g, const char *kernels, Clock *clock)
{
    uint64_t all = 0, all_macs = 0;
    double peak = qc_peak_measure();
    for (uint32_t i = 0; i < g->n_nodes; i++)
        all += clock->ns[(size_t)i * clock->n] = median(clock->ns + (size_t)i * clock->n, clock->n);
    if (s->json) {
        qc_kv_text(s, "kernels", kernels);
        qc_kv_int(s, "windows", clock->n);
        if (peak > 0) qc_kv_real(s, "peak_gmacs", 1e-9 * peak);
        qc_kv_list(s, "nodes");
    } else {
        printf("node\top\tshape\tkernel\tmacs\tns\tshare%%\tpeak%%\n");
    }
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        Shape shape = shape_of(g, node);
        uint64_t macs = node->op == QC_Q_CONV || node->op == QC_Q_LOGITS
                            ? (uint64_t)node->n_codes * shape.height * shape.width
                            : 0,
                 ns = clock->ns[(size_t)i * clock->n];
        all_macs += macs;
        put_row(s, i, node, shape, macs, ns, all ? (double)ns / (double)all : 0, peak);
    }
    if (s->json) {
        qc_kv_end(s);
        qc_kv_int(s, "macs", (int64_t)all_macs);
        qc_kv_int(s, "ns", (int64_t)all);
        return;
    }
    printf("all\t%s\t\t\t%llu\t%llu\t100.0\t", kernels, (unsigned long long)all_macs, (unsigned long long)all);
    printf(peak > 0 && all ? "%.1f\n" : "-\n", 100 * (double)all_macs / (1e-9 * (double)all) / peak);
}

int qc_profile(QcKvWriter *s, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err)
{
    Pass pass;
    Clock clock = {.n = n < d->n ? n : d->n};
    int status = pass_open(&pass, g, err);
    if (!status && !(clock.ns = malloc((size_t)g->n_nodes * clock.n * sizeof *clock.ns)))
        status = qc_fail_memory(err, "a profile");
    for (; !status && clock.window < clock.n; clock.window++) {
        uint8_t *x = qc_qrun_tensor(&pass.run, 0);
        status = qc_inputs_quantize(x, d, clock.window, norm, &g->tensors[0], err);
        clock.last = qc_nanoseconds();
        if (!status) qc_qrun_forward_seen(&pass.run, pass.logits, x, g->n_nodes - 1, stop_clock, &clock);
    }
    if (!status) put_profile(s, g, pass.run.k->name, &clock);
    free(clock.ns);
    pass_close(&pass);
    return status;
}

/* ---- the integers ---- */

typedef struct Dump {
    FILE *to;
    uint32_t window;
    const float *logits;
} Dump;

static void put_slice(FILE *to, const uint8_t *q, uint32_t positions, uint32_t channels, uint32_t step)
{
    for (uint32_t t = 0; t < positions; t++, q += step)
        for (uint32_t c = 0; c < channels; c++) fprintf(to, " %u", q[c]);
    putc('\n', to);
}

static void dump_node(void *ctx, QcQRun *run, uint32_t at, const QcQConv *conv)
{
    const Dump *dump = ctx;
    const QcQGraph *g = run->g;
    const QcQNode *node = &g->nodes[at];
    Shape shape = shape_of(g, node);
    (void)conv;
    fprintf(dump->to, "%u %u %s %ux%ux%u:", dump->window, at, op_names[node->op], shape.height, shape.width,
            shape.channels);
    if (node->op != QC_Q_LOGITS) {
        put_slice(dump->to, qc_qrun_tensor(run, node->out) + node->out_channel, shape.height * shape.width,
                  shape.channels, g->tensors[node->out].channels);
        return;
    }
    for (uint32_t k = 0; k < g->classes; k++) fprintf(dump->to, " %.9g", (double)dump->logits[k]);
    putc('\n', dump->to);
}

/* The input, before a node may write over it. */
static void dump_input(const Dump *dump, const QcQRun *run)
{
    const QcQTensor *in = &run->g->tensors[0];
    fprintf(dump->to, "%u - input %ux%ux%u:", dump->window, in->height, in->width, in->channels);
    put_slice(dump->to, qc_qrun_tensor(run, 0), (uint32_t)in->height * in->width, in->channels, in->channels);
}

int qc_dump_layers(const char *path, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err)
{
    Pass pass;
    QcOutput out = {0};
    int status = pass_open(&pass, g, err) || qc_output_open(&out, path, 0, err) ? -1 : 0;
    Dump dump = {.to = out.stream, .logits = pass.logits};
    for (; !status && dump.window < n && dump.window < d->n; dump.window++) {
        uint8_t *x = qc_qrun_tensor(&pass.run, 0);
        status = qc_inputs_quantize(x, d, dump.window, norm, &g->tensors[0], err);
        if (status) break;
        dump_input(&dump, &pass.run);
        qc_qrun_forward_seen(&pass.run, pass.logits, x, g->n_nodes - 1, dump_node, &dump);
    }
    if (!status) status = qc_output_commit(&out, err);
    qc_output_release(&out);
    pass_close(&pass);
    return status;
}
