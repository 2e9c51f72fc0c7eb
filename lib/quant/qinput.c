#include "qinput.h"

#include <string.h>

#include "../format/spareclasses.h"

enum { PIECE = 1024 }; /* values at a time */

int qc_inputs_quantize(uint8_t *q, const QcDataset *d, uint32_t i, const QcNorm *norm, const QcQTensor *input,
                       QcErr *err)
{
    float x[PIECE];
    uint8_t code[PIECE];
    uint64_t plane = (uint64_t)d->height * d->length;
    for (uint32_t c = 0; c < d->channels; c++)
        for (uint64_t from = 0, n; from < plane; from += n) {
            n = plane - from < PIECE ? plane - from : PIECE;
            if (qc_dataset_read(x, d, i, c * plane + from, n, err)) return -1;
            for (uint64_t k = 0; k < n; k++) x[k] = (x[k] - norm->mean[c]) / norm->deviation[c];
            qc_q_input(code, x, (uint32_t)n, input);
            for (uint64_t k = 0; k < n; k++) q[(from + k) * d->channels + c] = code[k];
        }
    return 0;
}

static int label_all(QcInputs *in, const QcModelFile *m, QcLabelNeed need, QcErr *err)
{
    const QcDataset *d = &in->data;
    int32_t *map;
    if (qc_dataset_match(d, m, need, &map, &in->arena, err)) return -1;
    in->label = qc_arena_take(&in->arena, d->n, sizeof *in->label, err);
    if (!in->label) return -1;
    for (uint32_t i = 0; i < d->n; i++) {
        in->label[i] = d->label[i] < 0 ? -1 : map[d->label[i]];
        if (d->label[i] < 0 || in->label[i] >= 0) continue;
        if (!in->n_unknown++) in->unknown = d->labels.names[d->label[i]];
    }
    in->n = d->n;
    in->window = (uint32_t)qc_dataset_values(d);
    return 0;
}

/* needed [d->labels.n]: 1 if an example has the name, and the model does not know it. Returns how many, or -1. */
static int64_t find_new_names(uint8_t **needed, const QcDataset *d, const QcModelFile *m, QcArena *arena, QcErr *err)
{
    int64_t n = 0;
    uint8_t *used = *needed = qc_arena_take(arena, d->labels.n, 1, err);
    if (!used) return -1;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->label[i] >= 0) used[d->label[i]] = 1;
    for (uint32_t k = 0; k < d->labels.n; k++) {
        const char *name = d->labels.names[k];
        if (used[k]) used[k] = *name && qc_class_of_name(m, name, strlen(name)) < 0;
        n += used[k];
    }
    return n;
}

static int take_names(QcModelFile *m, const QcDataset *d, QcArena *arena, QcErr *err)
{
    uint32_t spare = m->classes - qc_named_classes(m);
    uint8_t *needed;
    int64_t n = spare ? find_new_names(&needed, d, m, arena, err) : 0;
    if (n > spare)
        return qc_fail(err, QC_EFORMAT,
                       "the data has %lld classes that the model does not know, and the model has spare rows for %u: "
                       "quantize it with --spare-classes %lld",
                       (long long)n, spare, (long long)n);
    for (uint32_t k = 0; k < d->labels.n && n > 0; k++) {
        const char *name = d->labels.names[k], *like = qc_class_in_other_case(m, name, strlen(name));
        if (needed[k] && like)
            return qc_fail(err, QC_EFORMAT, "the data has the class '%.60s' and the model '%.60s': give both one name",
                           name, like);
    }
    for (uint32_t k = 0; k < d->labels.n && n > 0; k++)
        if (needed[k] && qc_class_of_label(m, d->labels.names[k], strlen(d->labels.names[k]), 1) < 0)
            return qc_fail_memory(err, "the name of a class");
    return n < 0 ? -1 : 0;
}

int qc_inputs_open_stream(QcInputs *in, const char *path, QcModelFile *m, const QcQGraph *g, QcLabelNeed need,
                          QcErr *err)
{
    *in = (QcInputs){.norm = &m->norm, .input = &g->tensors[0]};
    if (qc_dataset_open(&in->data, path, err)) return -1;
    if (!take_names(m, &in->data, &in->arena, err) && !label_all(in, m, need, err)) return 0;
    qc_inputs_close(in);
    return qc_within(err, qc_input_name(path));
}

int qc_inputs_open(QcInputs *in, const char *path, const QcModelFile *m, const QcQGraph *g, int coreset,
                   QcLabelNeed need, QcErr *err)
{
    *in = (QcInputs){.norm = &m->norm, .input = &g->tensors[0]};
    if ((coreset ? qc_dataset_open_coreset : qc_dataset_open)(&in->data, path, err)) return -1;
    if (!label_all(in, m, need, err)) return 0;
    qc_inputs_close(in);
    return qc_within(err, qc_input_name(path));
}

int qc_inputs_read(const QcInputs *in, uint8_t *q, uint32_t i, QcErr *err)
{
    return qc_inputs_quantize(q, &in->data, i, in->norm, in->input, err);
}

void qc_inputs_close(QcInputs *in)
{
    if (!in) return;
    qc_dataset_release(&in->data);
    qc_arena_release(&in->arena);
    *in = (QcInputs){0};
}

QcKeptExample qc_inputs_kept(const QcInputs *coreset, uint32_t i)
{
    const QcDataset *d = &coreset->data;
    return (QcKeptExample){(uint16_t)coreset->label[i],
                           (uint16_t)(d->misses[i] < UINT16_MAX ? d->misses[i] : UINT16_MAX),
                           d->flags[i] & (QC_SLOT_RESERVED | QC_SLOT_NEVER_RIGHT | QC_SLOT_STREAM), d->id[i]};
}
