#include "accuracy.h"

#include <math.h>
#include <string.h>

#include "../base/file.h"
#include "../nn/run.h"
#include "qpredict.h"

int qc_model_score(QcScore *s, const QcModelFile *m, const char *path, int threads, QcErr *err)
{
    QcDataset data = {0};
    QcArena arena = {0};
    int32_t *map, *label;
    float *logits;
    int status = -1;
    if ((qc_modelfile_is_quantized(m) ? qc_dataset_open : qc_dataset_load)(&data, path, err)) return -1;
    if (qc_dataset_match(&data, m, QC_LABELS_SOME, &map, &arena, err)) {
        qc_within(err, qc_input_name(path));
        goto end;
    }
    logits = qc_arena_take(&arena, data.n, m->classes * sizeof *logits, err);
    label = qc_arena_take(&arena, data.n, sizeof *label, err);
    if (!logits || !label || qc_model_predict(m, &data, threads, logits, err)) goto end;
    for (uint32_t i = 0; i < data.n; i++) label[i] = data.label[i] < 0 ? -1 : map[data.label[i]];
    status = qc_score(s, logits, label, data.n, m->classes, err);
end:
    qc_arena_release(&arena);
    qc_dataset_release(&data);
    return status;
}

/* logits [w->n][classes] */
static int predict(float *logits, QcGraph *g, const QcWindows *w, int threads, QcErr *err)
{
    enum { BATCH = 64 };
    uint32_t batch = w->n < BATCH ? w->n : BATCH;
    QcRun *run = batch ? qc_run_new(g, batch, QC_RUN_EVAL, threads, err) : NULL;
    int status = run ? 0 : -1;
    for (uint32_t from = 0; from < w->n && !status; from += batch) {
        uint32_t some = w->n - from < batch ? w->n - from : batch;
        const float *out = qc_run_forward(run, w->x + from * w->values, some);
        if (!out) status = qc_fail_memory(err, "a batch");
        else memcpy(logits + (size_t)from * g->classes, out, (size_t)some * g->classes * sizeof *logits);
    }
    qc_run_free(run);
    return status;
}

int qc_windows_score(QcScore *s, QcGraph *g, const QcWindows *w, int threads, QcErr *err)
{
    enum { MOST = 1024 };
    QcArena arena = {0};
    QcWindows some;
    if (qc_windows_thin(&some, w, MOST, err)) return -1;
    float *logits = qc_arena_take(&arena, some.n, g->classes * sizeof *logits, err);
    int status = logits ? predict(logits, g, &some, threads, err) : -1;
    if (!status) status = qc_score(s, logits, some.label, some.n, g->classes, err);
    qc_arena_release(&arena);
    qc_windows_release(&some);
    return status;
}

int qc_is_chance(const QcScore *s)
{
    double guess = 1.0 / s->classes;
    return s->n && s->recall_mean <= guess + sqrt(guess * (1 - guess) / s->n);
}

int qc_windows_refuse_guessing(QcGraph *g, const QcWindows *w, int threads, QcErr *err)
{
    QcScore score = {0};
    int status = qc_windows_score(&score, g, w, threads, err);
    if (!status && qc_is_chance(&score))
        status = qc_fail(err, QC_EFORMAT,
                         "the float model is no better than guessing on this data (accuracy %.3f): is the order of its "
                         "classes right, and its normalization? --force quantizes it all the same",
                         score.accuracy);
    qc_score_release(&score);
    return status;
}
