#include "weightsin.h"

#include <stdlib.h>

#include "../base/file.h"
#include "../nn/arch.h"
#include "../nn/graphfile.h"
#include "../nn/weights.h"

static int fill(QcGraph *g, uint8_t digest[QC_DIGEST_BYTES], const QcWeightsSource *s, QcErr *err)
{
    QcWeights w = {0};
    uint8_t *bytes = NULL;
    size_t length;
    int status = -1;
    if (qc_weights_init(&w, g, err) || qc_read_all(s->path, &bytes, &length, err)) goto end;
    qc_digest(digest, bytes, length);
    status = (s->safetensors ? qc_weights_read_safetensors : qc_weights_read_npz)(&w, bytes, length,
                                                                                  qc_input_name(s->path), err);
end:
    free(bytes);
    qc_weights_release(&w);
    return status;
}

static int from_model(QcModelFile *m, uint8_t *digest, const QcWeightsSource *s, const QcOnnxOptions *o, QcErr *err)
{
    QcGraph g = {0};
    if (o->channels || o->n_labels || o->n_mean || o->n_deviation)
        return qc_fail(err, QC_EUSAGE, "shape, class names and normalization come from the model that --like names");
    if (qc_is_standard(s->like) && qc_is_standard(s->path))
        return qc_fail(err, QC_EUSAGE, "only one of the inputs can be standard input");
    if (qc_modelfile_load(m, s->like, err)) return -1;
    int status = qc_graph_decode(&g, m, err) ? qc_within(err, qc_input_name(s->like)) : 0;
    if (!status) status = fill(&g, digest, s, err) || qc_graph_encode(m, &g, err) ? -1 : 0;
    qc_graph_release(&g);
    if (status) qc_modelfile_release(m);
    return status;
}

static int make_norm(QcNorm *norm, const QcOnnxOptions *o, QcArena *arena, QcErr *err)
{
    if ((o->n_mean > 1 && o->n_mean != o->channels) || (o->n_deviation > 1 && o->n_deviation != o->channels))
        return qc_fail(err, QC_EUSAGE, "--mean and --std want one number, or one for each of %u channels", o->channels);
    *norm = (QcNorm){.channels = o->channels, .mean = qc_arena_take(arena, o->channels, sizeof *norm->mean, err),
                     .deviation = qc_arena_take(arena, o->channels, sizeof *norm->deviation, err)};
    if (!norm->mean || !norm->deviation) return -1;
    for (uint32_t c = 0; c < o->channels; c++) {
        norm->mean[c] = o->n_mean ? o->mean[o->n_mean == 1 ? 0 : c] : 0;
        norm->deviation[c] = o->n_deviation ? o->deviation[o->n_deviation == 1 ? 0 : c] : 1;
    }
    return 0;
}

static int from_arch(QcModelFile *m, uint8_t *digest, const QcWeightsSource *s, const QcOnnxOptions *o, QcErr *err)
{
    QcGraph g = {0};
    QcArena arena = {0};
    QcNorm norm;
    char path[4096], name[QC_NAME_MAX + 1];
    int status = -1;
    if (!o->channels || !o->n_labels)
        return qc_fail(err, QC_EUSAGE,
                       "with an architecture, --shape and --labels say how large its input and output are");
    if (make_norm(&norm, o, &arena, err) || qc_arch_find(path, sizeof path, s->arch, err)) goto end;
    if (qc_arch_load(&g, name, path, s->width, o->channels, o->height, o->length, o->n_labels, err) ||
        fill(&g, digest, s, err))
        goto end;
    if (qc_modelfile_init(m, name, o->channels, o->height, o->length, o->n_labels, o->labels, &norm, err)) goto end;
    status = qc_graph_encode(m, &g, err);
    if (status) qc_modelfile_release(m);
end:
    qc_graph_release(&g);
    qc_arena_release(&arena);
    return status;
}

int qc_import_weights(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const QcWeightsSource *s, const QcOnnxOptions *o,
                      QcErr *err)
{
    *m = (QcModelFile){0};
    if (!s->like == !s->arch)
        return qc_fail(
            err, QC_EUSAGE,
            "weights alone are no model: give one that is built alike (--like MODEL), or else an architecture (-a)");
    return s->like ? from_model(m, digest, s, o, err) : from_arch(m, digest, s, o, err);
}
