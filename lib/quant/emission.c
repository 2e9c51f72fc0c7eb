#include "emission.h"

#include <math.h>
#include <string.h>

#include "scale.h"

/* Is the value of `node` rounded by another scale than the value of `reader`? */
static int has_own_codes(const QcEmission *e, uint32_t node, uint32_t reader)
{
    return e->given && e->given->scale[node] > 0 &&
           (e->given->zero[node] != e->given->zero[reader] || e->given->bits[node] != e->given->bits[reader] ||
            memcmp(&e->given->scale[node], &e->given->scale[reader], sizeof(float)));
}

int qc_emission_under_relu(const QcEmission *e, const QcNode *node)
{
    if (!qc_emission_is_weighted(node) && node->op != QC_OP_ADD) return 0;
    uint32_t me = qc_emission_index_of(e, node);
    if (e->readers[me] != 1) return 0;
    for (uint32_t i = me + 1; i < e->f->n_nodes; i++)
        if (e->f->nodes[i].inputs[0] == me && e->f->nodes[i].op == QC_OP_RELU) return !has_own_codes(e, me, i);
    return 0;
}

/* Does the value have another scale than the concat that reads it? */
static int rounds_first(const QcEmission *e, const QcNode *node)
{
    uint32_t me = qc_emission_index_of(e, node), reader = me + 1;
    if (!e->given || !(e->given->scale[me] > 0)) return 0;
    while (reader < e->f->n_nodes) {
        const QcNode *n = &e->f->nodes[reader];
        for (uint32_t k = 0; k < n->n_inputs; k++)
            if (n->inputs[k] == me) return has_own_codes(e, me, reader);
        reader++;
    }
    return 0;
}

const QcNode *qc_emission_slice_writer(const QcEmission *e, const QcNode *node)
{
    if (e->readers[qc_emission_index_of(e, node)] != 1 || node->clip > 0 || rounds_first(e, node)) return NULL;
    if (node->op == QC_OP_RELU) {
        const QcNode *before = qc_emission_input_of(e, node);
        return qc_emission_is_weighted(before) && qc_emission_under_relu(e, before) ? before : NULL;
    }
    return qc_emission_is_weighted(node) ? node : NULL;
}

static int feeds_concat(const QcEmission *e, const QcNode *node)
{
    uint32_t me = qc_emission_index_of(e, node);
    for (uint32_t i = me + 1; i < e->f->n_nodes; i++)
        for (uint32_t k = 0; k < e->f->nodes[i].n_inputs; k++)
            if (e->f->nodes[i].inputs[k] == me) return e->f->nodes[i].op == QC_OP_CONCAT;
    return 0;
}

int qc_emission_is_above_clip(const QcEmission *e, const QcNode *node)
{
    uint32_t me = qc_emission_index_of(e, node);
    float step = e->given && node->op == QC_OP_RELU ? e->given->scale[me] : 0;
    return node->clip > 0 && step > 0 &&
           rintf(node->clip / step) < (float)((1 << e->given->bits[me]) - 1 - e->given->zero[me]);
}

int qc_emission_has_tensor(const QcEmission *e, const QcNode *node)
{
    if (node->op == QC_OP_FLATTEN || qc_emission_under_relu(e, node)) return 0;
    return !(feeds_concat(e, node) && qc_emission_slice_writer(e, node));
}

int qc_emission_add_tensor(QcEmission *e, const QcNode *node, const QcQTensor *like)
{
    QcQTensor *t = &e->tensors[e->g->n_tensors];
    if (e->g->n_tensors == QC_Q_MAX_TENSORS)
        return qc_fail(e->err, QC_EUNSUPPORTED, "the model has more than %d tensors", QC_Q_MAX_TENSORS);
    *t = (QcQTensor){
        .height = (uint16_t)node->height, .width = (uint16_t)node->width, .channels = (uint16_t)node->channels};
    uint32_t me = qc_emission_index_of(e, node);
    float given = e->given ? e->given->scale[me] : 0;
    if (e->given && !like && !(given > 0))
        return qc_fail(e->err, QC_EUNSUPPORTED,
                       "'%s' reads or makes a value that the file does not quantize; a whole quantized model is needed "
                       "(--real reads it as float)",
                       node->name);
    if (given > 0) {
        t->bits = e->given->bits[me], t->zero = e->given->zero[me], t->scale = given;
        if (like && (t->zero != like->zero || t->bits != like->bits ||
                     memcmp(&t->scale, &like->scale, sizeof t->scale)))
            return qc_fail(e->err, QC_EUNSUPPORTED, "'%s' changes the scale of what it reads", node->name);
    } else if (like) {
        t->bits = like->bits, t->zero = like->zero, t->scale = like->scale;
    } else {
        uint32_t zero;
        int input = node->op == QC_OP_INPUT, bits = input ? 8 : e->activation_bits;
        uint64_t values = (uint64_t)e->n * node->height * node->width * node->channels;
        qc_scale_of_values(&t->scale, &zero, qc_run_value(e->run, me), values, bits);
        if (input && !zero) t->scale *= 255.0f / 127.0f, zero = 128; /* the first input is always signed */
        t->bits = (uint8_t)bits;
        t->zero = (uint8_t)zero;
    }
    e->tensor_of[me] = (int32_t)e->g->n_tensors;
    return (int)e->g->n_tensors++;
}

int qc_emission_tensor_of(const QcEmission *e, uint32_t node)
{
    while (e->f->nodes[node].op == QC_OP_FLATTEN) node = e->f->nodes[node].inputs[0];
    return e->tensor_of[node];
}
