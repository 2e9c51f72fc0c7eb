/* Files of ours whose checksums are made right again, so that what lies after them is searched: model, float graph,
 * integer graph with its plan and a forward pass, flip network, data, miss log. Seeds: files that 0.1.0
 * wrote, and small models of every kind of layer that 0.2.0 wrote. */
#include "fuzz.h"
#include "resealed.h"

#include "../../lib/coreset/misslog.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/modelfile.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/quant/qpredict.h"

enum { MOST_VALUES = 4096, MOST_CLASSES = 256, MOST_MACS = 1000000 };

static void predict(const QcModelFile *m)
{
    static int32_t label[2];
    static float x[2 * MOST_VALUES], logits[2 * MOST_CLASSES];
    static uint64_t id[2] = {1, 2};
    static uint32_t group[2], recording[2];
    QcErr err = {0};
    uint64_t values = (uint64_t)m->channels * m->height * m->length;
    if (!values || values > MOST_VALUES || m->classes > MOST_CLASSES) return;
    for (size_t i = 0; i < 2 * values; i++) x[i] = (float)(i % 17) - 8;
    QcDataset d = {.n = 2,
                   .channels = m->channels,
                   .height = m->height,
                   .length = m->length,
                   .x = x,
                   .label = label,
                   .id = id,
                   .group = group,
                   .recording = recording};
    if (qc_model_predict(m, &d, 1, logits, &err)) fuzz_refused(&err);
}

static int decode_quantized(QcModelFile *m, QcErr *err)
{
    QcArena arena = {0};
    QcCursor any;
    QcQGraph g;
    QcFlip flip;
    int status = qc_qgraphfile_decode(&g, m, &arena, err);
    if (!status && qc_container_find(&m->container, "flip", &any) && qc_flipfile_decode(&flip, m, &g, &arena, err))
        fuzz_refused(err);
    qc_arena_release(&arena);
    return status;
}

static int decode_float(QcModelFile *m, QcErr *err)
{
    QcGraph g = {0};
    int status = qc_graph_decode(&g, m, err);
    if (!status && qc_graph_macs(&g) > MOST_MACS) status = 1; /* right, and too slow to run */
    qc_graph_release(&g);
    return status;
}

static void try_model(QcContainer *c)
{
    QcErr err = {0};
    QcModelFile m;
    if (qc_modelfile_decode(&m, c, &err)) {
        fuzz_refused(&err);
        qc_container_release(c);
        return;
    }
    int status = (qc_modelfile_is_quantized(&m) ? decode_quantized : decode_float)(&m, &err);
    if (status < 0) fuzz_refused(&err);
    if (!status) predict(&m);
    qc_modelfile_release(&m);
}

static void try_data(QcContainer *c)
{
    QcErr err = {0};
    QcDataset d = {0};
    if (qc_dataset_decode(&d, c, &err)) fuzz_refused(&err);
    else fuzz_dataset(&d);
}

static void try_misslog(QcContainer *c)
{
    QcErr err = {0};
    QcCursor cursor;
    QcMissLog log = {0};
    if (!qc_container_find(c, "misslog", &cursor)) return;
    if (qc_misslog_get(&log, &cursor, &err)) fuzz_refused(&err);
    else qc_misslog_release(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    QcErr err = {0};
    QcContainer c = {0};
    uint8_t *copy = malloc(length ? length : 1);
    qc_max_bytes = 1 << 22;
    memcpy(copy, bytes, length);
    reseal_container(copy, length);
    if (qc_container_decode(&c, copy, length, QC_KIND_ANY, &err)) { /* the container's from here on, or freed */
        fuzz_refused(&err);
        return 0;
    }
    if (c.kind == QC_KIND_MODEL) {
        try_model(&c);
        return 0;
    }
    if (c.kind == QC_KIND_DATA) try_data(&c);
    if (c.kind == QC_KIND_MISSLOG) try_misslog(&c);
    qc_container_release(&c);
    return 0;
}
