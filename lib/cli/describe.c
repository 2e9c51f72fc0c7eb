#include "describe.h"

#include <stdio.h>

#include "../base/file.h"
#include "../data/dataset.h"
#include "../format/qgraphfile.h"
#include "../nn/graphfile.h"

/* --- what every file has ---------------------------------------------------------------------- */

/* Its last layer reads deviations, too: qc-quantize --std. */
static int has_deviations(const QcQGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_Q_STD) return 1;
    return 0;
}

static void put_envelope(QcKvWriter *s, const QcContainer *c, const char *path)
{
    char digest[QC_DIGEST_TEXT];
    qc_digest_text(digest, c->digest);
    qc_kv_text(s, "file", qc_input_name(path));
    qc_kv_text(s, "kind", qc_kind_name(c->kind));
    qc_kv_int(s, "bytes", (int64_t)c->length);
    qc_kv_text(s, "sha256", digest);
}

static void put_sections(QcKvWriter *s, const QcContainer *c)
{
    qc_kv_list(s, "sections");
    for (uint32_t i = 0; i < c->n; i++) {
        qc_kv_object(s, NULL);
        qc_kv_text(s, "name", c->sections[i].name);
        qc_kv_int(s, "bytes", (int64_t)c->sections[i].length);
        qc_kv_flag(s, "optional", (c->sections[i].flags & QC_SECTION_OPTIONAL) != 0);
        qc_kv_end(s);
    }
    qc_kv_end(s);
}

static void put_provenance(QcKvWriter *s, const QcProvenance *p)
{
    qc_kv_list(s, "provenance");
    for (uint32_t i = 0; i < p->n; i++) qc_kv_text(s, NULL, p->lines[i]);
    qc_kv_end(s);
}

static void put_shape(QcKvWriter *s, uint32_t channels, uint32_t height, uint32_t length)
{
    qc_kv_object(s, "window");
    qc_kv_int(s, "channels", channels);
    qc_kv_int(s, "height", height);
    qc_kv_int(s, "length", length);
    qc_kv_end(s);
}

static void put_front(QcKvWriter *s, const QcFrontSetup *front)
{
    char text[QC_FRONT_TEXT];
    if (!front->rate) return;
    qc_frontfile_text(text, front);
    qc_kv_text(s, "front_end", text);
}

/* --- models ------------------------------------------------------------------------------------- */

static void put_norm(QcKvWriter *s, const QcNorm *norm)
{
    qc_kv_list(s, "normalization");
    for (uint32_t i = 0; i < norm->channels; i++) {
        qc_kv_object(s, NULL);
        qc_kv_real(s, "mean", (double)norm->mean[i]);
        qc_kv_real(s, "deviation", (double)norm->deviation[i]);
        qc_kv_end(s);
    }
    qc_kv_end(s);
}

static void put_float_graph(QcKvWriter *s, const QcGraph *g)
{
    qc_kv_int(s, "nodes", g->n_nodes);
    qc_kv_int(s, "parameters", (int64_t)g->n_params);
    qc_kv_int(s, "macs", (int64_t)qc_graph_macs(g));
    qc_kv_list(s, "layers");
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *n = &g->nodes[i];
        if (n->op != QC_OP_CONV && n->op != QC_OP_LINEAR) continue;
        qc_kv_object(s, NULL);
        qc_kv_text(s, "name", n->name);
        qc_kv_text(s, "operation", qc_op_names[n->op]);
        qc_kv_int(s, "weights", (int64_t)n->n_weight);
        qc_kv_int(s, "biases", (int64_t)n->n_bias);
        qc_kv_end(s);
    }
    qc_kv_end(s);
}

static uint64_t layer_positions(const QcQGraph *g, const QcQNode *n)
{
    return n->op == QC_Q_LOGITS ? 1 : (uint64_t)g->tensors[n->out].height * g->tensors[n->out].width;
}

static void put_quantized_layers(QcKvWriter *s, const QcQGraph *g)
{
    static const char *const roles[] = {"bottleneck", "convolution", "shortcut", "linear"};
    qc_kv_list(s, "layers");
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (n->op != QC_Q_CONV && n->op != QC_Q_LOGITS) continue;
        qc_kv_object(s, NULL);
        qc_kv_text(s, "role", roles[n->role]);
        qc_kv_int(s, "channels", n->channels);
        qc_kv_int(s, "kernel_h", n->kernel_h);
        qc_kv_int(s, "kernel_w", n->kernel_w);
        qc_kv_int(s, "weights", n->n_codes);
        qc_kv_int(s, "bits", qc_code_bits(g, n));
        qc_kv_int(s, "packed_bytes", (int64_t)(((uint64_t)n->n_codes * qc_code_bits(g, n) + 7) / 8));
        qc_kv_int(s, "activation_bits", g->tensors[n->in[0]].bits);
        qc_kv_end(s);
    }
    qc_kv_end(s);
}

static void put_quantized_graph(QcKvWriter *s, const QcQGraph *g)
{
    uint64_t macs = 0;
    uint32_t layers = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].op != QC_Q_CONV && g->nodes[i].op != QC_Q_LOGITS) continue;
        macs += g->nodes[i].n_codes * layer_positions(g, &g->nodes[i]);
        layers++;
    }
    qc_kv_int(s, "bits", g->bits);
    qc_kv_int(s, "nodes", g->n_nodes);
    qc_kv_int(s, "weighted_layers", layers);
    qc_kv_int(s, "parameters", g->n_codes);
    qc_kv_int(s, "packed_bytes", g->n_code_bytes);
    qc_kv_int(s, "macs", (int64_t)macs);
    qc_kv_int(s, "activation_bytes", g->activation_bytes);
    qc_kv_int(s, "working_bytes", (int64_t)qc_qgraph_bytes(g));
    put_quantized_layers(s, g);
}

static void put_model(QcKvWriter *s, const QcModelFile *m, const QcGraph *graph, const QcQGraph *qgraph)
{
    QcCursor flip;
    qc_kv_text(s, "name", m->name);
    qc_kv_flag(s, "quantized", qgraph != NULL);
    if (qgraph) qc_kv_flag(s, "deviations", has_deviations(qgraph));
    qc_kv_flag(s, "flip_network", qc_container_find(&m->container, "flip", &flip));
    put_front(s, &m->front);
    put_shape(s, m->channels, m->height, m->length);
    qc_kv_int(s, "classes", m->classes);
    qc_kv_list(s, "labels");
    for (uint32_t i = 0; i < m->classes; i++) qc_kv_text(s, NULL, m->labels[i]);
    qc_kv_end(s);
    if (graph) put_float_graph(s, graph);
    if (qgraph) put_quantized_graph(s, qgraph);
    put_norm(s, &m->norm);
    put_provenance(s, &m->provenance);
}

static int describe_model(QcKvWriter *s, QcContainer *c, const char *path, QcErr *err)
{
    QcModelFile m;
    QcGraph graph = {0};
    QcQGraph qgraph;
    QcArena arena = {0};
    QcCursor any;
    if (qc_modelfile_decode(&m, c, err)) return -1; /* c is now m's */
    int quantized = qc_modelfile_is_quantized(&m),
        is_float = !quantized && qc_container_find(&m.container, "graph", &any);
    int status = quantized  ? qc_qgraphfile_decode(&qgraph, &m, &arena, err)
                 : is_float ? qc_graph_decode(&graph, &m, err)
                            : 0;
    if (!status) {
        put_envelope(s, &m.container, path);
        put_model(s, &m, is_float ? &graph : NULL, quantized ? &qgraph : NULL);
        put_sections(s, &m.container);
    }
    qc_graph_release(&graph);
    qc_arena_release(&arena);
    qc_modelfile_release(&m);
    return status;
}

/* --- data ----------------------------------------------------------------------------------------- */

/* How many examples carry each name. */
static void put_counts(QcKvWriter *s, const char *key, const QcNames *names, const uint32_t *counts)
{
    qc_kv_object(s, key);
    for (uint32_t i = 0; i < names->n; i++) qc_kv_int(s, names->names[i], counts[i]);
    qc_kv_end(s);
}

static void put_coreset(QcKvWriter *s, const QcDataset *d)
{
    uint64_t misses = 0;
    uint32_t most = 0, reserved = 0, never = 0, stream = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        misses += d->misses[i];
        if (d->misses[i] > most) most = d->misses[i];
        reserved += (d->flags[i] & QC_EXAMPLE_RESERVED) != 0;
        never += (d->flags[i] & QC_EXAMPLE_NEVER_RIGHT) != 0;
        stream += (d->flags[i] & QC_EXAMPLE_STREAM) != 0;
    }
    qc_kv_object(s, "coreset");
    qc_kv_int(s, "capacity", d->capacity);
    qc_kv_int(s, "misses", (int64_t)misses);
    qc_kv_int(s, "most_misses", most);
    qc_kv_int(s, "never_right", never);
    qc_kv_int(s, "reserved", reserved);
    qc_kv_int(s, "from_stream", stream);
    qc_kv_end(s);
}

static int describe_data(QcKvWriter *s, QcContainer *c, const char *path, QcErr *err)
{
    QcDataset d = {0};
    if (qc_dataset_decode(&d, c, err)) return -1;
    uint32_t *labels = qc_arena_take(&d.arena, d.labels.n, sizeof *labels, err), unlabelled = 0;
    uint32_t *groups = qc_arena_take(&d.arena, d.groups.n, sizeof *groups, err);
    int status = labels && groups ? 0 : -1;
    if (!status) {
        for (uint32_t i = 0; i < d.n; i++) {
            if (d.label[i] < 0) unlabelled++;
            else labels[d.label[i]]++;
            if (d.group[i] < d.groups.n) groups[d.group[i]]++;
        }
        put_envelope(s, c, path);
        qc_kv_int(s, "examples", d.n);
        put_front(s, &d.front);
        put_shape(s, d.channels, d.height, d.length);
        qc_kv_int(s, "classes", d.labels.n);
        put_counts(s, "labels", &d.labels, labels);
        qc_kv_int(s, "unlabelled", unlabelled);
        put_counts(s, "groups", &d.groups, groups);
        qc_kv_int(s, "recordings", d.recordings.n);
        if (d.capacity) put_coreset(s, &d);
        put_provenance(s, &d.provenance);
        put_sections(s, c);
    }
    qc_dataset_release(&d);
    return status;
}

/* --- the rest: its envelope, and its provenance if it has one ------------------------------- */

static int describe_other(QcKvWriter *s, const QcContainer *c, const char *path, QcErr *err)
{
    QcArena arena = {0};
    QcProvenance provenance = {0};
    QcCursor cursor;
    int status =
        qc_container_find(c, "provenance", &cursor) ? qc_provenance_decode(&provenance, &cursor, &arena, err) : 0;
    if (!status) {
        put_envelope(s, c, path);
        put_provenance(s, &provenance);
        put_sections(s, c);
    }
    qc_arena_release(&arena);
    return status;
}

int qc_describe(QcKvWriter *s, const char *path, QcErr *err)
{
    QcContainer c;
    if (qc_container_load(&c, path, QC_KIND_ANY, err)) return -1;
    int status = c.kind == QC_KIND_MODEL  ? describe_model(s, &c, path, err)
                 : c.kind == QC_KIND_DATA ? describe_data(s, &c, path, err)
                                          : describe_other(s, &c, path, err);
    qc_container_release(&c);
    return status ? qc_within(err, qc_input_name(path)) : 0;
}

/* --- memory ---------------------------------------------------------------------------------------- */

static void put_plan(QcKvWriter *s, const char *key, const QcPlan *plan)
{
    char name[64];
    if (!plan->n) return;
    qc_kv_object(s, key);
    for (uint32_t i = 0; i < plan->n; i++) {
        if (!plan->parts[i].bytes) continue;
        snprintf(name, sizeof name, "%s", plan->parts[i].name);
        for (char *c = name; *c; c++)
            if (*c == ' ') *c = '_';
        qc_kv_int(s, name, (int64_t)plan->parts[i].bytes);
    }
    qc_kv_int(s, "bytes", (int64_t)qc_plan_bytes(plan));
    qc_kv_end(s);
}

void qc_put_memory(QcKvWriter *s, const QcMemory *m)
{
    put_plan(s, "model", &m->model);
    put_plan(s, "inference", &m->inference);
    put_plan(s, "calibration", &m->calibration);
    put_plan(s, "batch", &m->batch);
    const QcPlan *work = m->calibration.n ? &m->calibration : &m->inference;
    qc_kv_int(s, "bytes", (int64_t)(qc_plan_bytes(&m->model) + qc_plan_bytes(work) + qc_plan_bytes(&m->batch)));
}
