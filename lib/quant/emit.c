#include "emit.h"

#include "../format/qgraphfile.h"
#include "emission.h"
#include "lower.h"
#include "scale.h"


static const QcNode *classifier_of(const QcGraph *f)
{
    const QcNode *last = &f->nodes[f->n_nodes - 1];
    while (last->op == QC_OP_FLATTEN) last = &f->nodes[last->inputs[0]];
    return last;
}

static int emit_all(QcEmission *e)
{
    const QcNode *classifier = classifier_of(e->f);
    if (!qc_emission_is_weighted(classifier) || classifier->height != 1 || classifier->width != 1 ||
        classifier->groups > 1)
        return qc_fail(e->err, QC_EUNSUPPORTED,
                       "the model's last layer is '%s' (%s); only a linear last layer can be quantized",
                       classifier->name, qc_op_names[classifier->op]);
    for (const QcNode *node = e->f->nodes; node < classifier; node++)
        if (qc_emit_node(e, node)) return -1;
    return qc_emit_conv(e, classifier, 0, -1, 0);
}

static int allocate(QcEmission *e, QcArena *arena)
{
    uint64_t codes = 0, channels = 0;
    for (uint32_t i = 0; i < e->f->n_nodes; i++) {
        const QcNode *node = &e->f->nodes[i];
        int weighted = qc_emission_is_weighted(node);
        int table = node->op == QC_OP_FUNCTION || node->op == QC_OP_TABLE || qc_emission_is_above_clip(e, node);
        codes += weighted ? node->n_weight : table ? QC_Q_TABLE_BYTES : 0;
        channels += weighted ? node->channels : node->op == QC_OP_TURN ? QC_MAX_LOOPS : 2 + node->n_inputs;
        if (node->height > UINT16_MAX || node->width > UINT16_MAX || node->channels > UINT16_MAX)
            return qc_fail(e->err, QC_EUNSUPPORTED, "node '%s' is larger than 65535 along one side", node->name);
    }
    if (codes > UINT32_MAX / 8)
        return qc_fail(e->err, QC_EUNSUPPORTED, "%llu weights are too many for the device", (unsigned long long)codes);
    e->tensors = qc_arena_take(arena, 2 * (size_t)e->f->n_nodes, sizeof *e->tensors, e->err);
    e->nodes = qc_arena_take(arena, (size_t)e->f->n_nodes * (1 + QC_MAX_INPUTS), sizeof *e->nodes, e->err);
    e->tensor_of = qc_arena_take(arena, e->f->n_nodes, sizeof *e->tensor_of, e->err);
    e->scale = qc_arena_take(arena, channels, sizeof *e->scale, e->err);
    e->bias = qc_arena_take(arena, channels, sizeof *e->bias, e->err);
    e->multiplier = qc_arena_take(arena, channels, sizeof *e->multiplier, e->err);
    e->shift = qc_arena_take(arena, channels, sizeof *e->shift, e->err);
    e->master = qc_arena_take(arena, codes, sizeof *e->master, e->err);
    e->g->codes = qc_arena_take(arena, codes, 1, e->err);
    if (!e->tensors || !e->nodes || !e->tensor_of || !e->scale || !e->bias || !e->multiplier || !e->shift ||
        !e->master || !e->g->codes)
        return -1;
    for (uint32_t i = 0; i < e->f->n_nodes; i++) e->tensor_of[i] = -1;
    return 0;
}

void qc_pack_masters(QcQGraph *g, const float *master)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        for (uint32_t j = 0; j < n->n_codes; j++)
            qc_code_set(g, n, j, qc_scale_to_code(master[n->code + j], 1, (int)qc_code_bits(g, n)));
    }
}

static int finish(QcEmission *e, float **master)
{
    QcQGraph *g = e->g;
    if (emit_all(e)) return -1;
    g->tensors = e->tensors;
    g->nodes = e->nodes;
    g->scale = e->scale;
    g->bias = e->bias;
    g->multiplier = e->multiplier;
    g->shift = e->shift;
    *master = e->master;
    qc_pack_masters(g, e->master);
    return qc_qgraphfile_plan(g, e->tensors, e->err) || qc_qgraphfile_check(g, e->err) ? -1 : 0;
}

int qc_emit_given(QcQGraph *g, const QcGraph *f, const QcGiven *given, QcArena *arena, QcErr *err)
{
    float *master;
    *g = (QcQGraph){.bits = 8, .classes = f->classes};
    QcEmission e = {.f = f, .given = given, .bits = 8, .last_bits = 8, .activation_bits = 8, .g = g, .err = err};
    uint32_t *readers = qc_arena_take(arena, f->n_nodes, sizeof *readers, err);
    if (!readers || allocate(&e, arena)) return -1;
    qc_count_readers(readers, f);
    e.readers = readers;
    return finish(&e, &master);
}

int qc_emit(QcQGraph *g, float **master, const QcGraph *model, const float *windows, uint32_t n, int bits,
            int last_bits, int activation_bits, int threads, QcArena *arena, QcErr *err)
{
    int status = -1;
    QcGraph f = {0};
    *g = (QcQGraph){.bits = (uint8_t)bits, .classes = model->classes};
    QcEmission e = {.f = &f,
              .n = n,
              .bits = bits,
              .last_bits = last_bits ? last_bits : bits,
              .activation_bits = activation_bits,
              .g = g,
              .err = err};
    if (!n) return qc_fail(err, QC_EFORMAT, "there is no window to measure the ranges of activations on");
    if (qc_lower(&f, model, err)) return -1;
    uint32_t *readers = qc_arena_take(arena, f.n_nodes, sizeof *readers, err);
    if (!readers || allocate(&e, arena)) goto end;
    qc_count_readers(readers, &f);
    e.readers = readers;
    e.run = qc_run_new(&f, e.n, QC_RUN_EVAL, threads, err);
    if (!e.run) goto end;
    for (uint32_t i = 0; i < f.n_nodes; i++)
        if (qc_run_keep(e.run, i, err)) goto end;
    qc_run_forward(e.run, windows, e.n);
    if (finish(&e, master)) goto end;
    status = 0;
end:
    qc_run_free(e.run);
    qc_graph_release(&f);
    return status;
}
