/* models as TensorFlow Lite */
#include "../../lib/nn/graphfile.h"
#include "../../lib/onnx/tflite.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const QcOnnxOptions o = {0};
    QcErr err = {0};
    QcModelFile m;
    QcGraph g;
    if (qc_tflite_decode(&m, bytes, length, &o, NULL, &err)) {
        fuzz_refused(&err);
        return 0;
    }
    fuzz_demand(!qc_graph_decode(&g, &m, &err), err.text);
    qc_graph_release(&g);
    qc_modelfile_release(&m);
    return 0;
}
