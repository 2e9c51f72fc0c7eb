#include "runs.h"

#include <stdlib.h>

float *qc_recording_step(QcRecording *run, QcErr *err)
{
    uint64_t needed = ((uint64_t)run->steps + 1) * run->channels;
    if (needed > run->room) {
        uint64_t room = run->room ? run->room * 2 : 1024 * (uint64_t)run->channels;
        float *larger = run->steps < UINT32_MAX ? realloc(run->x, room * sizeof *larger) : NULL;
        if (!larger) {
            qc_fail_memory(err, "a recording");
            return NULL;
        }
        run->x = larger;
        run->room = room;
    }
    return run->x + run->channels * (uint64_t)run->steps++;
}

QcSeries *qc_recording_close(QcRecording *run, QcSeriesList *list, QcErr *err)
{
    QcSeries *s = qc_series_add(list, run->steps, err);
    if (!s) return NULL;
    for (uint32_t t = 0; t < run->steps; t++)
        for (uint32_t c = 0; c < run->channels; c++)
            s->x[(uint64_t)c * run->steps + t] = run->x[(uint64_t)t * run->channels + c];
    run->steps = 0;
    return s;
}

int qc_recording_end(QcRecording *run, QcSeriesList *list, const char *recording, const char *file, QcErr *err)
{
    if (!run->steps) return 0;
    QcSeries *s = qc_recording_close(run, list, err);
    if (!s || qc_names_add(&list->recordings, &list->arena, recording, &s->recording, err)) return -1;
    s->label = run->label;
    s->group = run->group;
    s->id = run->id;
    s->line = run->line;
    s->file = file;
    return 0;
}

void qc_recording_release(QcRecording *run)
{
    free(run->x);
    *run = (QcRecording){0};
}
