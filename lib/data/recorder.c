#include "recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void qc_recorder_init(QcRecorder *r, QcSeriesList *list, const QcImportOptions *o, const char *file, double leap)
{
    *r = (QcRecorder){.list = list, .rule = o->label_rule, .file = file, .leap = leap, .run.channels = list->channels};
}

int qc_recorder_break(QcRecorder *r, QcErr *err)
{
    uint32_t steps = r->run.steps;
    if (!steps) return 0;
    QcSeries *s = qc_recording_close(&r->run, r->list, err);
    if (!s) return -1;
    s->label = r->place.label;
    s->group = r->place.group;
    s->recording = r->place.recording;
    s->id = r->place.id;
    s->line = r->place.line;
    s->file = r->file;
    if (r->rule == QC_LABEL_CHANGE) return 0;
    s->labels = qc_arena_take(&r->list->arena, steps, sizeof *s->labels, err);
    if (!s->labels) return -1;
    memcpy(s->labels, r->labels, steps * sizeof *s->labels);
    return 0;
}

static int goes_on(QcRecorder *r, const QcPlace *place)
{
    const QcPlace *first = &r->place;
    if (!r->run.steps || place->group != first->group || place->recording != first->recording) return 0;
    if (r->rule == QC_LABEL_CHANGE && place->label != first->label) return 0;
    if (!(r->leap > 0)) return 1;
    int falls = place->time < r->run.time, gap = !falls && !(place->time - r->run.time <= r->leap);
    r->list->falls += falls ? 1 : 0;
    r->list->gaps += gap ? 1 : 0;
    return !falls && !gap;
}

static int note_label(QcRecorder *r, int32_t label, QcErr *err)
{
    if (r->run.steps >= r->label_room) {
        uint32_t room = r->label_room ? r->label_room * 2 : 1024;
        int32_t *larger = room > r->label_room ? realloc(r->labels, room * sizeof *larger) : NULL;
        if (!larger) return qc_fail_memory(err, "labels of samples");
        r->labels = larger;
        r->label_room = room;
    }
    r->labels[r->run.steps] = label;
    return 0;
}

float *qc_recorder_sample(QcRecorder *r, const QcPlace *place, QcErr *err)
{
    if (!goes_on(r, place)) {
        if (qc_recorder_break(r, err)) return NULL;
        r->place = *place;
    }
    if (r->rule != QC_LABEL_CHANGE && note_label(r, place->label, err)) return NULL;
    r->run.time = place->time;
    return qc_recording_step(&r->run, err);
}

void qc_recorder_release(QcRecorder *r)
{
    qc_recording_release(&r->run);
    free(r->labels);
    *r = (QcRecorder){0};
}
