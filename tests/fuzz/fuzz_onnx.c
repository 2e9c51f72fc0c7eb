/* models as ONNX */
#include "../../lib/nn/graphfile.h"
#include "../../lib/onnx/onnx.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const QcOnnxOptions plain = {0}, given = {.channels = 3, .height = 1, .length = 8};
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
