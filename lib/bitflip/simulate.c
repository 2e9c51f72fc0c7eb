#include "simulate.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 512 };

static int add_name(QcNames *names, QcArena *arena, uint32_t subject, const char *rest, uint32_t *index, QcErr *err)
{
    char name[NAME_MAX_BYTES];
    if (snprintf(name, sizeof name, "x%u%s%s", subject + 1, *rest ? "/" : "", rest) >= (int)sizeof name)
        return qc_fail(err, QC_EFORMAT, "the recording '%.60s...' has too long a name", rest);
    return qc_names_add(names, arena, name, index, err);
}

/* [height][length][channels] of normalized values back to what is recorded. */
static void put_window(float *x, const float *window, const QcDataset *d, const QcNorm *norm)
{
    size_t places = (size_t)d->height * d->length;
    for (uint32_t c = 0; c < d->channels; c++)
        for (size_t p = 0; p < places; p++)
            x[c * places + p] = window[p * d->channels + c] * norm->deviation[c] + norm->mean[c];
}

static int add_subject(QcDataset *out, const QcDataset *source, uint32_t subject, const QcModelFile *m,
                      const QcSimulateOptions *o, float *room, QcErr *err)
{
    QcRng rng = qc_rng_seed(o->seed, QC_STREAM_SIMULATED0 + subject);
    QcArena arena = {0};
    QcDrift drift;
    uint32_t group, first = subject * source->n;
    uint64_t values = qc_dataset_values(source);
    int status = qc_drifts_init(&drift, qc_drifts_guess(m), m, &arena, err) ||
                         add_name(&out->groups, &out->arena, subject, "", &group, err)
                     ? -1
                     : 0;
    if (!status) qc_drifts_draw(&drift, o->strength, &rng);
    for (uint32_t i = 0; i < source->n && !status; i++) {
        uint32_t at = first + i;
        qc_dataset_batch_window(room, source, i, &m->norm);
        qc_drifts_apply(&drift, room + values, room, &rng);
        put_window(out->x + at * values, room + values, source, &m->norm);
        out->label[at] = source->label[i];
        out->group[at] = group;
        out->id[at] = (UINT64_C(1) << 63) + at;
        const char *recording = source->recordings.n ? source->recordings.names[source->recording[i]] : "";
        status = add_name(&out->recordings, &out->arena, subject, recording, &out->recording[at], err);
    }
    qc_arena_release(&arena);
    return status;
}

int qc_simulate(QcDataset *out, const QcDataset *source, const QcSimulateOptions *o, QcErr *err)
{
    QcArena arena = {0};
    QcModelFile m = {
        .channels = source->channels, .height = source->height, .length = source->length, .front = source->front};
    *out = (QcDataset){0};
    if ((uint64_t)source->n * o->subjects > UINT32_MAX / 2)
        return qc_fail(err, QC_EUSAGE, "%u subjects of %u windows each are too many", o->subjects, source->n);
    float *room = qc_arena_take(&arena, 2 * qc_dataset_values(source), sizeof *room, err);
    int status =
        !room || qc_norm_measure(&m.norm, source, &arena, err) ||
                qc_dataset_init(out, source->n * o->subjects, source->channels, source->height, source->length, 0, err)
            ? -1
            : 0;
    out->front = source->front;
    for (uint32_t c = 0; c < source->labels.n && !status; c++)
        status = qc_names_add(&out->labels, &out->arena, source->labels.names[c], NULL, err);
    for (uint32_t p = 0; p < o->subjects && !status; p++) status = add_subject(out, source, p, &m, o, room, err);
    qc_arena_release(&arena);
    if (status) qc_dataset_release(out);
    return status;
}
