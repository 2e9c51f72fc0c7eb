/* modelpredict.c - qc_model_predict. It is separate from qpredict.c so that programs with quantized models only link
 * neither the float forward pass nor oneDNN. */
#include "qpredict.h"

#include "../format/qgraphfile.h"
#include "../nn/graphfile.h"
#include "../nn/score.h"

/* The graph in the file must agree with the description in the file, because the data was matched with this
 * description. */
static int check_shape(const QcModelFile *m, uint32_t channels, uint32_t height, uint32_t length, uint32_t classes,
                       QcErr *err)
{
    if (channels == m->channels && height == m->height && length == m->length && classes == m->classes) return 0;
    return qc_fail(
        err, QC_EFORMAT,
        "the model's graph takes %u x %u x %u and gives %u classes, but its description says %u x %u x %u and %u",
        channels, height, length, classes, m->channels, m->height, m->length, m->classes);
}

static int predict_float(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    QcGraph g;
    if (qc_graph_decode(&g, m, err)) return -1;
    const QcNode *in = &g.nodes[0];
    int status = check_shape(m, in->channels, in->height, in->width, g.classes, err) ||
                         qc_predict(&g, d, &m->norm, threads, logits, err)
                     ? -1
                     : 0;
    qc_graph_release(&g);
    return status;
}

static int predict_integer(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    QcArena arena = {0};
    QcQGraph g;
    int status = qc_qgraphfile_decode(&g, m, &arena, err);
    const QcQTensor *in = status ? NULL : &g.tensors[0];
    if (!status) status = check_shape(m, in->channels, in->height, in->width, g.classes, err);
    if (!status) status = qc_qpredict(&g, d, &m->norm, threads, logits, err);
    qc_arena_release(&arena);
    return status;
}

int qc_model_predict(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    return (qc_modelfile_is_quantized(m) ? predict_integer : predict_float)(m, d, threads, logits, err);
}
