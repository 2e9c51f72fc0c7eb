/* Square roots, and the standard deviation over all positions that exporters write as
 * sqrt(mean((x - mean(x))^2)). */
#include <math.h>

#include "../nn/graphshape.h"
#include "onnxsteps.h"

static int is_square(const QcNode *n)
{
    return n->op == QC_OP_FUNCTION && n->n_steps == 3 && n->steps[0].op == QC_STEP_X && n->steps[1].op == QC_STEP_X &&
           n->steps[2].op == QC_STEP_MUL;
}

/* -1 times its input */
static int is_minus(const QcOnnxImport *im, uint32_t node)
{
    const QcNode *n = &im->g->nodes[node];
    const QcFill *f = &im->fills[node];
    if (n->op != QC_OP_BATCHNORM) return 0;
    for (uint32_t c = 0; c < n->channels; c++)
        if (f->weight[c] > -1 || f->weight[c] < -1 || f->bias[c] > 0 || f->bias[c] < 0 || f->mean[c] > 0 ||
            f->mean[c] < 0 || fabsf(f->variance[c] + n->eps - 1) > 1e-6f)
            return 0;
    return 1;
}

/* One value per channel, at every position of `like`. */
static int is_spread(const QcNode *n, const QcNode *like)
{
    uint32_t positions = like->height * like->width, last = n->loops.n - 1;
    if (n->op != QC_OP_TURN || n->loops.offset || n->loops.stride[0] || n->loops.size[0] != positions) return 0;
    return like->channels == 1 ? !last : last == 1 && n->loops.size[1] == like->channels && n->loops.stride[1] == 1;
}

/* The node x whose variance by channel is the value of `mean`; -1: there is none. */
static int64_t varying(const QcOnnxImport *im, uint32_t mean)
{
    const QcNode *nodes = im->g->nodes, *square = &nodes[nodes[mean].inputs[0]];
    if (nodes[mean].op != QC_OP_GAP || !is_square(square)) return -1;
    const QcNode *from = &nodes[square->inputs[0]];
    for (uint32_t k = 0; from->op == QC_OP_ADD && k < 2; k++) {
        uint32_t x = from->inputs[k];
        const QcNode *spread = &nodes[from->inputs[!k]];
        if (!is_spread(spread, &nodes[x]) || !is_minus(im, spread->inputs[0])) continue;
        const QcNode *own = &nodes[nodes[spread->inputs[0]].inputs[0]];
        if (own->op == QC_OP_GAP && own->inputs[0] == x) return x;
    }
    return -1;
}

int qc_onnx_sqrt(QcOnnxImport *im)
{
    char name[QC_NAME_MAX + 1];
    QcValue v;
    if (qc_onnx_take_number(im, &v)) return -1;
    int whole = v.kind == QC_VALUE_COMPUTED && !v.n_steps && !qc_wait_padded(&v) && v.node && qc_view_covers(im, &v);
    int64_t x = whole ? varying(im, v.node) : -1;
    if (x < 0) return qc_wait_function(im, &v, STEPS(S(X), S(QC_STEP_SQRT)));
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_simple(im->g, name, QC_OP_STD, (uint32_t)x, im->err);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = 1;
    return qc_onnx_put(im, &v);
}
