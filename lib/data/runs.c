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
    QcSeries *s = qc_series_add(list, 0, err);
    float *x = s ? realloc(run->x, (uint64_t)run->steps * run->channels * sizeof *x) : NULL;
    if (s && !x) qc_fail_memory(err, "a recording");
    if (!x) return NULL;
    run->x = NULL;
    run->room = 0;
    if (qc_arena_adopt(&list->arena, x, err)) return NULL;
    s->x = x;
    s->length = run->steps;
    s->by_step = 1;
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
