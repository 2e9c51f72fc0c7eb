/* weights, as archives of NumPy arrays and as safetensors, for a small graph */
#include "../../lib/nn/weights.h"
#include "fuzz.h"

static void make_graph(QcGraph *g)
{
    QcErr err = {0};
    fuzz_demand(!qc_graph_init(g, 2, 1, 6, &err) &&
                    qc_graph_conv(g, "conv", 0, 3, qc_window_same_1d(3), 1, 1, &err) == 1 &&
                    qc_graph_simple(g, "bn", QC_OP_BATCHNORM, 1, &err) == 2 &&
                    qc_graph_simple(g, "gap", QC_OP_GAP, 2, &err) == 3 &&
                    qc_graph_linear(g, "fc", 3, 2, 0, &err) == 4 && !qc_graph_finish(g, &err),
                "no graph");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    QcErr err = {0};
    QcGraph g;
    QcWeights w;
    make_graph(&g);
    fuzz_demand(!qc_weights_init(&w, &g, &err), "no weights");
    qc_max_bytes = 1 << 22;
    int is_archive = length > 1 && bytes[0] == 'P' && bytes[1] == 'K';
    if ((is_archive ? qc_weights_read_npz : qc_weights_read_safetensors)(&w, bytes, length, "fuzz", &err))
        fuzz_refused(&err);
    else fuzz_demand(!qc_graph_check(&g, &err), err.text);
    qc_weights_release(&w);
    qc_graph_release(&g);
    return 0;
}
