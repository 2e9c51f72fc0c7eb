#include <stdlib.h>
#include <string.h>

#include "../format/spareclasses.h"
#include "livesignals.h"
#include "livewindow.h"

/* 1 if windows, front-ends and classes of both are the same, so that one model can replace the other. */
static int is_alike(const QcModelFile *a, const QcModelFile *b)
{
    if (a->channels != b->channels || a->height != b->height || a->length != b->length || a->classes != b->classes ||
        !qc_frontfile_same(&a->front, &b->front))
        return 0;
    for (uint32_t k = 0; k < a->classes; k++)
        if (strcmp(a->labels[k], b->labels[k])) return 0;
    return 1;
}

static void use_model(QcLive *s, QcLiveModel *new)
{
    uint32_t next = s->model->learner.counters->next;
    qc_livemodel_close(s->model);
    free(s->model);
    s->model = new;
    new->learner.counters->next = next;
    s->late.m = &new->model;
    s->named = qc_named_classes(&new->model);
    s->alarm = s->is_drift_said = 0;
    qc_frames_init(&s->frames, &new->g.tensors[0], new->model.norm.mean, new->model.norm.deviation, s->frames.stride,
                   s->ring);
}

/* Reads the model again. If the new model cannot replace the running model, the running model stays. */
static void reload(QcLive *s, QcFrameReader *r)
{
    QcErr err;
    QcLiveOptions o = s->o;
    QcLiveModel *new = calloc(1, sizeof *new);
    QcPlausible plausible;
    const char *wrong = NULL;
    o.coreset = o.state = NULL; /* a learner's state is of its model */
    if (!new)
        wrong = "memory is out";
    else if (qc_livemodel_open(new, s->path, &o, &err))
        wrong = err.text;
    else if (!is_alike(&s->model->model, &new->model))
        wrong = "the model in the file has other windows or classes";
    else if (!memcmp(s->model->model.container.digest, new->model.container.digest, QC_DIGEST_BYTES))
        wrong = "the file is unchanged";
    else if (s->model->learns)
        wrong = "the state is of the running model: start again with another --state";
    else if (qc_plausible_init(&plausible, &new->model, &err))
        wrong = err.text;
    if (wrong) {
        qc_live_say(s, QC_LIVE_WARNING, "the model stays as it is: %s", wrong);
        qc_livemodel_close(new);
        free(new);
        return;
    }
    use_model(s, new);
    qc_plausible_release(&s->plausible);
    s->plausible = plausible;
    r->m = &new->model;
    qc_live_say(s, QC_LIVE_WORDS, "the model was read again; windows start anew");
}

void qc_live_take_signals(QcLive *s, QcFrameReader *r)
{
    int signals = qc_livesignals_take();
    if (signals & QC_SIGNAL_STATUS) qc_live_report(s, (QcLiveReport){.event = QC_LIVE_STATUS});
    if (signals & QC_SIGNAL_RELOAD && r) reload(s, r);
    if (signals & QC_SIGNAL_RELOAD && !r)
        qc_live_say(s, QC_LIVE_WARNING, "the model stays as it is: a data file is read (-d)");
    if (signals & QC_SIGNAL_END) s->is_over = 1;
}
