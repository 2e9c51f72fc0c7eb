/* models as ONNX */
#include "../../lib/nn/graphfile.h"
#include "../../lib/onnx/onnx.h"
#include "../../lib/quant/keep.h"
#include "fuzz.h"

/* As qc-import does it: a quantized model keeps its codes. */
static void keep(const uint8_t *bytes, size_t length)
{
    static const QcOnnxOptions plain = {0};
    QcErr err = {0};
    QcModelFile m;
    QcOnnxNotes notes = {0};
    QcQGraph g;
    QcArena arena = {0};
    uint32_t wide;
    if (qc_onnx_decode(&m, bytes, length, &plain, &notes, &err)) return;
    if (notes.steps && qc_keep(&g, &notes.graph, notes.steps, &wide, &arena, &err)) fuzz_refused(&err);
    qc_onnxnotes_release(&notes);
    qc_modelfile_release(&m);
    qc_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcOnnxOptions plain = {0}, given = {.channels = 3, .height = 1, .length = 8};
    keep(bytes, length);
    for (int k = 0; k < 2; k++) {
        QcErr err = {0};
        QcModelFile m;
        QcGraph g;
        if (qc_onnx_decode(&m, bytes, length, k ? &given : &plain, NULL, &err)) {
            fuzz_refused(&err);
            continue;
        }
        fuzz_demand(!qc_graph_decode(&g, &m, &err), err.text);
        qc_graph_release(&g);
        qc_modelfile_release(&m);
    }
    return 0;
}
