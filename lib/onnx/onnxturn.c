/* Values in another order, as ONNX nodes: channels last, flat, picked by their numbers, and back. */
#include <stdio.h>

#include "onnxwrite.h"

static int64_t *places(QcOnnxOut *out, const QcLoops *l, int64_t n)
{
    int64_t *list = qc_arena_take(&out->arena, (size_t)n, sizeof *list, NULL);
    for (int64_t i = 0; list && i < n; i++) {
        int64_t rest = i, at = l->offset;
        for (uint32_t k = l->n; k-- > 0; rest /= l->size[k]) at += rest % l->size[k] * l->stride[k];
        list[i] = at;
    }
    return list;
}

void qc_out_turn(QcOnnxOut *out, const char *output, const char *x, const QcLoops *loops, uint32_t height,
                 uint32_t width, uint32_t channels)
{
    char last[QC_ONNX_NAME], flat[QC_ONNX_NAME], picked[QC_ONNX_NAME], index[QC_ONNX_NAME], shape[QC_ONNX_NAME],
        shaped[QC_ONNX_NAME];
    static const int64_t to_last[2][4] = {{0, 2, 1}, {0, 2, 3, 1}}, to_first[2][4] = {{0, 2, 1}, {0, 3, 1, 2}};
    const int64_t rank = 2 + out->spatial, n = (int64_t)height * width * channels,
                  dims[2][4] = {{0, width, channels}, {0, height, width, channels}};
    int64_t *list = places(out, loops, n);
    if (!list) {
        out->bad = 1;
        return;
    }
    snprintf(last, sizeof last, "%.80s.last", output);
    snprintf(flat, sizeof flat, "%.80s.flat", output);
    snprintf(picked, sizeof picked, "%.80s.picked", output);
    snprintf(index, sizeof index, "%.80s.places", output);
    snprintf(shape, sizeof shape, "%.80s.shape", output);
    snprintf(shaped, sizeof shaped, "%.80s.shaped", output);
    qc_out_ints(out, qc_out_node(out, "Transpose", last, x, NULL, NULL), "perm", to_last[out->spatial - 1],
                (uint32_t)rank);
    qc_out_node(out, "Flatten", flat, last, NULL, NULL);
    qc_out_numbers(out, index, &n, 1, list);
    qc_out_int(out, qc_out_node(out, "Gather", picked, flat, index, NULL), "axis", 1);
    qc_out_numbers(out, shape, &rank, 1, dims[out->spatial - 1]);
    qc_out_node(out, "Reshape", shaped, picked, shape, NULL);
    qc_out_ints(out, qc_out_node(out, "Transpose", output, shaped, NULL, NULL), "perm", to_first[out->spatial - 1],
                (uint32_t)rank);
}
