/* What the axes of a computed value mean in our graph, whose nodes are [height][width][channels] whatever ONNX makes of them. */
#include <math.h>

#include "onnxparts.h"

enum { TOP, BOTTOM, LEFT, RIGHT };

static int is_padded(const QcValue *v) { return (v->pad[TOP] | v->pad[BOTTOM] | v->pad[LEFT] | v->pad[RIGHT]) != 0; }

int64_t qc_value_axis_size(const QcOnnxImport *im, const QcValue *v, QcAxis axis)
{
    const QcNode *node = &im->g->nodes[v->node];
    int64_t size = 1;
    switch (axis) {
    case QC_AXIS_BATCH: return im->batch;
    case QC_AXIS_CHANNEL: return node->channels;
    case QC_AXIS_HEIGHT: return (int64_t)node->height + v->pad[TOP] + v->pad[BOTTOM];
    case QC_AXIS_WIDTH: return (int64_t)node->width + v->pad[LEFT] + v->pad[RIGHT];
    case QC_AXIS_FLAT:
        for (uint32_t i = 0; i < v->n_flat; i++) size *= qc_value_axis_size(im, v, (QcAxis)v->flat[i]);
        return size;
    default: return 1;
    }
}

int64_t qc_value_dim(const QcOnnxImport *im, const QcValue *v, uint32_t k) { return qc_value_axis_size(im, v, (QcAxis)v->axis[k]); }

uint32_t qc_value_order(const QcOnnxImport *im, const QcValue *v, uint8_t order[3])
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < v->rank; k++) {
        if (v->axis[k] == QC_AXIS_FLAT)
            for (uint32_t i = 0; i < v->n_flat; i++) order[n++] = v->flat[i];
        else if (v->axis[k] <= QC_AXIS_WIDTH && qc_value_dim(im, v, k) > 1) order[n++] = v->axis[k];
    }
    return n;
}

int qc_value_same_axes(const QcOnnxImport *im, const QcValue *a, const QcValue *b)
{
    uint8_t x[3], y[3];
    uint32_t n = qc_value_order(im, a, x);
    if (a->rank != b->rank || qc_value_order(im, b, y) != n) return 0;
    for (uint32_t k = 0; k < a->rank; k++)
        if (qc_value_dim(im, a, k) != qc_value_dim(im, b, k)) return 0;
    for (uint32_t i = 0; i < n; i++)
        if (x[i] != y[i]) return 0;
    return 1;
}

int qc_value_spatial(QcOnnxImport *im, const QcValue *v, int where[2])
{
    int taken[2] = {0, 0};
    if (v->rank < 3 || v->rank > 4) return qc_onnx_refuse(im, "a value of %u dimensions, where [N, C, T] or [N, C, H, W] is expected", v->rank);
    if (v->axis[0] != QC_AXIS_BATCH || !(v->axis[1] == QC_AXIS_CHANNEL || (v->axis[1] == QC_AXIS_ONE && qc_value_axis_size(im, v, QC_AXIS_CHANNEL) == 1)))
        return qc_onnx_refuse(im, "the axes before it were moved so that the second is not that of the channels");
    for (uint32_t k = 2; k < v->rank; k++) {
        where[k - 2] = v->axis[k] == QC_AXIS_HEIGHT ? 0 : v->axis[k] == QC_AXIS_WIDTH ? 1 : -1;
        if (where[k - 2] < 0 && v->axis[k] != QC_AXIS_ONE) return qc_onnx_refuse(im, "the axes before it were moved so that axis %u is not one of space or time", k);
        if (where[k - 2] >= 0) taken[where[k - 2]] = 1;
    }
    for (uint32_t k = v->rank; k-- > 2;) { /* an axis of size 1 that was made up becomes the one that is free */
        if (where[k - 2] >= 0) continue;
        where[k - 2] = !taken[1];
        taken[where[k - 2]] = 1;
        if (qc_value_axis_size(im, v, where[k - 2] ? QC_AXIS_WIDTH : QC_AXIS_HEIGHT) != 1)
            return qc_onnx_refuse(im, "the axes before it were moved so that axis %u is not one of space or time", k);
    }
    return 0;
}

static const float *same_values(QcOnnxImport *im, uint32_t n, float value)
{
    float *values = qc_arena_take(&im->arena, n, sizeof *values, im->err);
    for (uint32_t i = 0; values && i < n; i++) values[i] = value;
    return values;
}

/* Zero padding by itself is a convolution that copies. */
int qc_value_settle(QcOnnxImport *im, QcValue *v)
{
    char name[QC_NAME_MAX + 1];
    if (!is_padded(v)) return 0;
    if (v->padding < 0) return qc_onnx_refuse(im, "its input is padded with minus infinity, which only a MaxPool may read");
    uint32_t channels = im->g->nodes[v->node].channels;
    QcWindow w = {1, 1, 1, 1, 1, 1, v->pad[TOP], v->pad[BOTTOM], v->pad[LEFT], v->pad[RIGHT]};
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_conv(im->g, name, v->node, channels, w, channels, 0, im->err);
    const float *ones = node < 0 ? NULL : same_values(im, channels, 1);
    if (!ones) return -1;
    im->fills[node].weight = ones;
    v->node = (uint32_t)node;
    v->pad[TOP] = v->pad[BOTTOM] = v->pad[LEFT] = v->pad[RIGHT] = 0;
    v->alone = 1;
    return 0;
}

const float *qc_value_channels(QcOnnxImport *im, const QcValue *v, const QcTensor *t)
{
    uint32_t channels = im->g->nodes[v->node].channels;
    if (t->n == 1) return same_values(im, channels, t->f[0]);
    if (t->rank > v->rank || t->n != channels) goto refuse;
    for (uint32_t k = 0; k < t->rank; k++)
        if (t->dims[k] != 1 && v->axis[v->rank - t->rank + k] != QC_AXIS_CHANNEL) goto refuse;
    return t->f;
refuse:
    qc_onnx_refuse(im, "its constant of %zu values is neither one number nor one for each of %u channels", t->n, channels);
    return NULL;
}
