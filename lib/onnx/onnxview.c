/* Views: which number of a node each position of an ONNX value is. */
#include <string.h>

#include "../nn/graphshape.h"
#include "onnxparts.h"

uint32_t qc_view_size(const QcValue *v, uint32_t axis)
{
    uint32_t size = 1;
    for (uint32_t i = 0; i < v->n_atoms; i++)
        if (v->atoms[i].axis == axis) size *= v->atoms[i].size;
    return size;
}

int64_t qc_view_dim(const QcOnnxImport *im, const QcValue *v, uint32_t axis)
{
    return (axis ? 1 : im->batch) * (int64_t)qc_view_size(v, axis) + v->pads[axis][0] + v->pads[axis][1];
}

uint32_t qc_view_values(const QcValue *v)
{
    uint32_t values = 1;
    for (uint32_t i = 0; i < v->n_atoms; i++) values *= v->atoms[i].size;
    return values;
}

int qc_view_covers(const QcOnnxImport *im, const QcValue *v)
{
    const QcNode *node = &im->g->nodes[v->node];
    uint32_t stride = 1, found = 0;
    for (uint32_t n = 0; n < v->n_atoms; n++, found = 0) { /* by stride, the smallest first */
        for (uint32_t i = 0; i < v->n_atoms && !found; i++)
            if (v->atoms[i].stride == stride) found = v->atoms[i].size;
        if (!found) return 0;
        stride *= found;
    }
    return !v->offset && stride == node->height * node->width * node->channels;
}

void qc_view_clean(QcValue *v)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < v->n_atoms; i++) /* a stable sort by axis */
        for (uint32_t k = i; k > 0 && v->atoms[k - 1].axis > v->atoms[k].axis; k--) {
            QcAtom atom = v->atoms[k];
            v->atoms[k] = v->atoms[k - 1];
            v->atoms[k - 1] = atom;
        }
    for (uint32_t i = 0; i < v->n_atoms; i++) {
        QcAtom atom = v->atoms[i], *before = n ? &v->atoms[n - 1] : NULL;
        if (atom.size == 1) continue;
        if (before && before->axis == atom.axis && before->stride == atom.size * atom.stride) {
            before->size *= atom.size;
            before->stride = atom.stride;
        } else {
            v->atoms[n++] = atom;
        }
    }
    v->n_atoms = n;
}

void qc_view_of_node(const QcOnnxImport *im, QcValue *v, uint32_t node, uint32_t rank, const QcAxes *roles)
{
    const QcNode *from = &im->g->nodes[node];
    *v = (QcValue){.kind = QC_VALUE_COMPUTED, .node = node, .rank = rank, .alone = 1};
    for (uint32_t k = 0; k < rank; k++) {
        uint32_t size = roles->of[k] == QC_AXIS_CHANNELS ? from->channels
                        : roles->of[k] == QC_AXIS_HEIGHT ? from->height
                        : roles->of[k] == QC_AXIS_WIDTH  ? from->width
                                                         : 1;
        if (size > 1) v->atoms[v->n_atoms++] = (QcAtom){size, 0, k};
    }
    qc_layout_restride(v, roles);
}

/* Fills axes of `dims` with the atoms of `v`, splitting atoms where a dimension ends inside one; 0 if a dimension ends
 * across one. */
static int regroup(QcValue *out, const QcValue *v, const int64_t *dims, uint32_t rank)
{
    uint32_t at = 0;
    QcAtom rest = {1, 0, 0};
    out->n_atoms = 0;
    for (uint32_t k = 0; k < rank; k++) {
        int64_t need = dims[k];
        while (need > 1) {
            if (rest.size == 1 && at < v->n_atoms) rest = v->atoms[at++];
            if (rest.size == 1 || out->n_atoms == QC_ONNX_ATOMS) return 0;
            if (need % rest.size == 0) {
                out->atoms[out->n_atoms++] = (QcAtom){rest.size, rest.stride, k};
                need /= rest.size;
                rest.size = 1;
            } else if (rest.size % need == 0) {
                uint32_t inner = rest.size / (uint32_t)need;
                out->atoms[out->n_atoms++] = (QcAtom){(uint32_t)need, rest.stride * inner, k};
                rest.size = inner;
                need = 1;
            } else {
                return 0;
            }
        }
    }
    return rest.size == 1 && at == v->n_atoms;
}

int qc_view_reshape(QcOnnxImport *im, QcValue *v, const int64_t *dims, uint32_t rank)
{
    int64_t own[QC_ONNX_RANK];
    if (!rank || dims[0] % im->batch) return qc_onnx_refuse(im, "it moves values from one window to another");
    memcpy(own, dims, rank * sizeof *own);
    own[0] /= im->batch;
    QcValue out = *v;
    out.rank = rank;
    if (!regroup(&out, v, own, rank)) { /* a copy whose numbers lie in order can be cut anywhere */
        QcAxes flat = {{0}};
        if (qc_layout_arrange(im, v, &flat)) return -1;
        out = *v;
        out.rank = rank;
        QcValue line = *v;
        for (uint32_t i = 0; i < line.n_atoms; i++) line.atoms[i].axis = 0;
        qc_view_clean(&line);
        if (!regroup(&out, &line, own, rank)) return qc_onnx_wrong(im, "its values cannot take the shape it asks for");
    }
    *v = out;
    qc_view_clean(v);
    return 0;
}

/* ---- parts ---- */

int qc_view_join(QcOnnxImport *im, QcValue *v, uint32_t axis, uint32_t *at)
{
    uint32_t atoms = 0;
    for (uint32_t i = 0; i < v->n_atoms; i++)
        if (v->atoms[i].axis == axis) atoms++, *at = i;
    if (atoms < 2) return 0;
    QcAxes axes = qc_layout_of_channels(v, 1u << axis);
    if (qc_layout_arrange(im, v, &axes)) return -1;
    qc_view_clean(v);
    for (uint32_t i = 0; i < v->n_atoms; i++)
        if (v->atoms[i].axis == axis) *at = i;
    return 0;
}

/* The loops, slowest first, that count the places; 0: there are none, or too many. */
static uint32_t count_by_loops(QcAtom loops[QC_MAX_LOOPS], const int64_t *places, size_t count)
{
    QcAtom all[QC_MAX_LOOPS];
    uint32_t n = 0;
    size_t inner = 1;
    while (inner < count) {
        int64_t stride = places[inner] - places[0];
        size_t size = 1, left = count / inner;
        while (size < left && places[size * inner] - places[(size - 1) * inner] == stride) size++;
        if (stride < 0 || left % size || n == QC_MAX_LOOPS) return 0;
        all[n++] = (QcAtom){(uint32_t)size, (uint32_t)stride, 0};
        inner *= size;
    }
    for (size_t i = 0; i < count; i++) {
        int64_t at = places[0];
        size_t rest = i;
        for (uint32_t k = 0; k < n; rest /= all[k++].size) at += (int64_t)(rest % all[k].size * all[k].stride);
        if (at != places[i]) return 0;
    }
    for (uint32_t k = 0; k < n; k++) loops[k] = all[n - 1 - k];
    return n ? n : 1;
}

int qc_view_pick(QcOnnxImport *im, QcValue *v, uint32_t axis, const int64_t *places, size_t count)
{
    QcAtom loops[QC_MAX_LOOPS] = {{1, 0, 0}};
    uint32_t at = 0, kept = 0;
    int64_t size = qc_view_size(v, axis), *all = qc_onnx_room(im, count, sizeof *all);
    if (!all || (size > 1 && qc_view_join(im, v, axis, &at))) return -1;
    for (size_t k = 0; k < count; k++) {
        all[k] = places[k] + (places[k] < 0 ? size : 0);
        if (all[k] < 0 || all[k] >= size)
            return qc_onnx_wrong(im, "it takes place %lld of %lld", (long long)places[k], (long long)size);
    }
    uint32_t n = count > QC_MAX_WINDOW_VALUES ? 0 : count_by_loops(loops, all, count);
    if (!n || qc_view_values(v) / (uint64_t)size * count > QC_MAX_WINDOW_VALUES)
        return qc_onnx_refuse(im, "it takes %zu places, too many or in an order that %d loops do not count", count,
                              QC_MAX_LOOPS);
    QcAtom old = size > 1 ? v->atoms[at] : (QcAtom){1, 0, axis};
    v->offset += (uint32_t)all[0] * old.stride;
    for (uint32_t i = 0; i < v->n_atoms; i++)
        if (v->atoms[i].axis != axis) v->atoms[kept++] = v->atoms[i];
    v->n_atoms = kept;
    for (uint32_t k = 0; k < n; k++) {
        if (v->n_atoms == QC_ONNX_ATOMS) return qc_onnx_refuse(im, "its input has too many axes");
        v->atoms[v->n_atoms++] = (QcAtom){loops[k].size, loops[k].stride * old.stride, axis};
    }
    v->alone = 0; /* its node may be read elsewhere, too */
    qc_view_clean(v);
    return 0;
}
