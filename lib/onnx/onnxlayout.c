/* Which ONNX axes become the channels, the height and the width of a node, and the TURN that makes it so. */
#include <string.h>

#include "onnxparts.h"

static const uint8_t order[3] = {QC_AXIS_HEIGHT, QC_AXIS_WIDTH,
                                 QC_AXIS_CHANNELS}; /* of a node's numbers, slowest first */

static uint32_t size_of_role(const QcValue *v, const QcAxes *roles, uint8_t role)
{
    uint64_t size = 1;
    for (uint32_t i = 0; i < v->n_atoms; i++)
        if (roles->of[v->atoms[i].axis] == role) size *= v->atoms[i].size;
    return size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

/* How a node that lies as the roles say reads v: neighbouring loops as one. 0: too many. */
static int make_loops(QcLoops *l, const QcValue *v, const QcAxes *roles)
{
    *l = (QcLoops){.offset = v->offset};
    for (int r = 0; r < 3; r++)
        for (uint32_t i = 0; i < v->n_atoms; i++) {
            const QcAtom *a = &v->atoms[i];
            if (roles->of[a->axis] != order[r]) continue;
            if (l->n && l->stride[l->n - 1] == a->size * a->stride) {
                l->size[l->n - 1] *= a->size;
                l->stride[l->n - 1] = a->stride;
                continue;
            }
            if (l->n == QC_MAX_LOOPS) return 0;
            l->size[l->n] = a->size;
            l->stride[l->n++] = a->stride;
        }
    if (!l->n) l->size[l->n] = 1, l->stride[l->n++] = 1;
    return 1;
}

static int in_order(const QcLoops *l, const QcNode *node)
{
    return l->n == 1 && l->stride[0] == 1 && !l->offset && l->size[0] == node->height * node->width * node->channels;
}

int qc_layout_lies(const QcOnnxImport *im, const QcValue *v, const QcAxes *roles)
{
    const QcNode *node = &im->g->nodes[v->node];
    QcLoops l;
    return make_loops(&l, v, roles) && in_order(&l, node) && size_of_role(v, roles, QC_AXIS_HEIGHT) == node->height &&
           size_of_role(v, roles, QC_AXIS_WIDTH) == node->width;
}

void qc_layout_restride(QcValue *v, const QcAxes *roles)
{
    uint32_t stride = 1;
    for (int r = 3; r-- > 0;)
        for (uint32_t i = v->n_atoms; i-- > 0;) {
            if (roles->of[v->atoms[i].axis] != order[r]) continue;
            v->atoms[i].stride = stride;
            stride *= v->atoms[i].size;
        }
    v->offset = 0;
}

/* The node that orders v's node so already; -1: there is none. */
static int find_turn(const QcGraph *g, uint32_t input, uint32_t height, uint32_t width, uint32_t channels,
                     const QcLoops *l)
{
    for (uint32_t i = input + 1; i < g->n_nodes; i++) {
        const QcNode *n = &g->nodes[i];
        if (n->op == QC_OP_TURN && n->inputs[0] == input && n->height == height && n->width == width &&
            n->channels == channels && n->loops.n == l->n && n->loops.offset == l->offset &&
            !memcmp(n->loops.size, l->size, l->n * sizeof *l->size) &&
            !memcmp(n->loops.stride, l->stride, l->n * sizeof *l->stride))
            return (int)i;
    }
    return -1;
}

int qc_layout_arrange(QcOnnxImport *im, QcValue *v, const QcAxes *roles)
{
    char name[QC_NAME_MAX + 1];
    QcLoops l;
    if (qc_layout_lies(im, v, roles)) {
        qc_layout_restride(v, roles);
        return 0;
    }
    if (qc_wait_apply(im, v)) return -1;
    if (!make_loops(&l, v, roles))
        return qc_onnx_refuse(im, "its input is reordered in more than %d ways at once", QC_MAX_LOOPS);
    uint32_t height = size_of_role(v, roles, QC_AXIS_HEIGHT), width = size_of_role(v, roles, QC_AXIS_WIDTH),
             channels = size_of_role(v, roles, QC_AXIS_CHANNELS);
    qc_onnx_name(im, name, NULL);
    int flat = in_order(&l, &im->g->nodes[v->node]) && height == 1 && width == 1;
    int there = flat ? -1 : find_turn(im->g, v->node, height, width, channels, &l);
    int node = there >= 0 ? there
               : flat     ? qc_graph_simple(im->g, name, QC_OP_FLATTEN, v->node, im->err)
                          : qc_graph_turn(im->g, name, v->node, height, width, channels, &l, im->err);
    if (node < 0) return -1;
    v->node = (uint32_t)node;
    v->alone = there < 0;
    qc_layout_restride(v, roles);
    return 0;
}

/* ---- search ---- */

int qc_fit_any(const QcAxes *roles, uint32_t rank, uint32_t set)
{
    (void)roles, (void)rank, (void)set;
    return 1;
}

int qc_fit_channels_have(const QcAxes *roles, uint32_t rank, uint32_t set)
{
    for (uint32_t k = 0; k < rank; k++)
        if ((set >> k & 1) && roles->of[k] != QC_AXIS_CHANNELS && roles->of[k] != QC_AXIS_NONE) return 0;
    return 1;
}

int qc_fit_channels_are(const QcAxes *roles, uint32_t rank, uint32_t set)
{
    for (uint32_t k = 0; k < rank; k++)
        if (!(set >> k & 1) && roles->of[k] == QC_AXIS_CHANNELS) return 0;
    return qc_fit_channels_have(roles, rank, set);
}

QcAxes qc_layout_find(const QcOnnxImport *im, const QcValue *v, QcAxesFit fits, uint32_t set, const QcAxes *otherwise)
{
    uint32_t open[QC_ONNX_RANK], n = 0, ways = 1;
    QcAxes roles;
    memset(roles.of, QC_AXIS_NONE, sizeof roles.of);
    for (uint32_t k = 0; k < v->rank; k++)
        if (qc_view_size(v, k) > 1) open[n++] = k, ways *= 3;
    for (uint32_t way = 0; way < ways; way++) {
        for (uint32_t i = 0, rest = way; i < n; i++, rest /= 3) roles.of[open[i]] = (uint8_t)(rest % 3);
        if (fits(&roles, v->rank, set) && qc_layout_lies(im, v, &roles)) return roles;
    }
    return *otherwise;
}

QcAxes qc_layout_of_channels(const QcValue *v, uint32_t set)
{
    uint32_t left = 0, seen = 0;
    QcAxes roles;
    memset(roles.of, QC_AXIS_NONE, sizeof roles.of);
    for (uint32_t k = 0; k < v->rank; k++) left += !(set >> k & 1) && qc_view_size(v, k) > 1;
    for (uint32_t k = 0; k < v->rank; k++) {
        if (set >> k & 1) roles.of[k] = QC_AXIS_CHANNELS;
        else if (qc_view_size(v, k) > 1) roles.of[k] = left == 2 && !seen++ ? QC_AXIS_HEIGHT : QC_AXIS_WIDTH;
    }
    return roles;
}

int qc_layout_spatial(QcOnnxImport *im, const QcValue *v, QcAxes *roles)
{
    if (v->rank < 3 || v->rank > 4)
        return qc_onnx_refuse(im, "its input has %u dimensions, not [N, C, T] or [N, C, H, W]", v->rank);
    if (qc_view_size(v, 0) > 1) return qc_onnx_refuse(im, "its input has other axes inside the batch axis");
    QcAxes usual = {{QC_AXIS_NONE, QC_AXIS_CHANNELS, QC_AXIS_HEIGHT, QC_AXIS_WIDTH}},
           turned = {{QC_AXIS_NONE, QC_AXIS_CHANNELS, QC_AXIS_WIDTH, QC_AXIS_HEIGHT}};
    *roles = v->rank == 3 || (qc_view_size(v, 2) > 1 && qc_view_size(v, 3) == 1)
                 ? turned
                 : usual; /* series lie along the width */
    if (!qc_layout_lies(im, v, roles) && qc_layout_lies(im, v, &usual)) *roles = usual;
    if (!qc_layout_lies(im, v, roles) && qc_layout_lies(im, v, &turned)) *roles = turned;
    return 0;
}

size_t *qc_layout_channel_map(QcOnnxImport *im, const QcValue *v, const QcAxes *roles, const int64_t *dims)
{
    uint32_t channels = im->g->nodes[v->node].channels, sizes[QC_ONNX_ATOMS], n = 0;
    size_t steps[QC_ONNX_ATOMS], step[QC_ONNX_RANK], inside[QC_ONNX_RANK], all = 1;
    for (uint32_t k = v->rank; k-- > 0;) {
        step[k] = dims[k] > 1 ? all : 0; /* a dimension of 1 is the same for all */
        inside[k] = 1;
        all *= (size_t)dims[k];
    }
    for (uint32_t i = v->n_atoms; i-- > 0;) { /* fastest first */
        const QcAtom *a = &v->atoms[i];
        if (roles->of[a->axis] == QC_AXIS_CHANNELS) {
            sizes[n] = a->size;
            steps[n++] = step[a->axis] * inside[a->axis];
        }
        inside[a->axis] *= a->size;
    }
    size_t *map = qc_onnx_room(im, channels, sizeof *map);
    for (uint32_t c = 0; map && c < channels; c++)
        for (uint32_t i = 0, rest = c; i < n; rest /= sizes[i], i++) map[c] += rest % sizes[i] * steps[i];
    return map;
}
