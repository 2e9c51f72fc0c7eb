/* sessionbatch.c - the next batch of a session: gives its windows and labels to the method, or lets the learner ask
 * for labels. Also evaluates test sets.
 */
#include <math.h>

#include "../device/ask.h"
#include "../nn/loss.h"
#include "devicestep.h"
#include "session.h"

/* ---- a batch with its labels ---- */

/* 1: the figure is above the threshold after the latest window. */
static int follow_drift(QcSession *s)
{
    if (!s->drift.features) return 0;
    return qc_driftwatch_follow(&s->drift, qc_devicestep_learner(&s->learner)) > s->drift.threshold;
}

/* Each window is written directly into the input of the forward pass. If the learner asks for labels, no window is
 * labelled yet. */
static int observe_batch(QcSession *s, const QcInputs *stream, const uint32_t *index, uint32_t n, uint32_t *alarms,
                         QcErr *err)
{
    uint8_t *window = qc_method_input(&s->learner);
    *alarms = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (qc_inputs_read(stream, window, index[i], err)) return -1;
        qc_method_observe(&s->learner, window, s->ask ? -1 : stream->label[index[i]], stream->data.id[index[i]]);
        *alarms += (uint32_t)follow_drift(s);
    }
    return 0;
}

/* Windows without a label are left out. */
static int read_batch(QcSession *s, QcBatch *batch, const QcInputs *stream, const uint32_t *index, uint32_t n,
                      QcErr *err)
{
    for (uint32_t i = 0; i < n; i++) {
        if (stream->label[index[i]] < 0) continue;
        if (qc_inputs_read(stream, s->batch + (size_t)batch->n * s->learner.window, index[i], err)) return -1;
        s->labels[batch->n] = (uint16_t)stream->label[index[i]];
        s->ids[batch->n++] = stream->data.id[index[i]];
    }
    return 0;
}

/* ---- a batch whose labels come on demand ---- */

/* Windows of the batch whose label is known, but for those that were asked for and learned from (rest): how many are
 * right by the layer that answers now. */
static QcTally judge_known(QcLearner *l, const QcInputs *stream, const uint32_t *index, uint32_t n, int rest)
{
    QcTally t = {0};
    for (uint32_t i = 0; i < n; i++) {
        QcAnswer answer;
        uint32_t number = l->counters->next - n + i;
        if (stream->label[index[i]] < 0 || (rest && qc_learner_is_labelled(l, number)) ||
            qc_learner_answer(l, &answer, number))
            continue;
        t.n++;
        t.right += answer.class_index == stream->label[index[i]];
    }
    return t;
}

/* Label of example `at` in the order of all streams, of this batch or an earlier one; -1: it has none. */
static int32_t label_at(const QcSession *s, uint32_t at)
{
    uint32_t batch = s->at;
    while (s->starts[batch] > at) batch--;
    return s->streams[qc_session_stream(s, batch)].label[s->order[at]];
}

/* The learner may ask for a window of an earlier batch, too, also of an earlier stream. */
static uint32_t label_asked(QcSession *s, QcLearner *l)
{
    uint32_t labelled = 0, end = s->starts[s->at + 1], asked = qc_learner_ask(l, s->numbers, s->ask, UINT32_MAX);
    for (uint32_t i = 0; i < asked; i++) {
        uint32_t age = l->counters->next - s->numbers[i];
        int32_t label = age <= end ? label_at(s, end - age) : -1;
        if (label >= 0) labelled += !qc_learner_label(l, s->numbers[i], (uint16_t)label);
    }
    return labelled;
}

/* before: of all windows of the batch whose label is known; after: of those that were not asked for. */
static int learn_asking(QcSession *s, QcMethodReport *report, double *ms, const QcInputs *stream, const uint32_t *index,
                        uint32_t n, QcErr *err)
{
    QcLearner *l = qc_devicestep_learner(&s->learner);
    QcTally before = judge_known(l, stream, index, n, 0);
    uint32_t asked = label_asked(s, l);
    if (qc_method_next(&s->learner, report, NULL, ms, err)) return -1;
    report->before = before;
    report->after = judge_known(l, stream, index, n, 1);
    report->asked = asked;
    return 0;
}

/* ---- the next batch ---- */

static uint32_t count_unlabelled(const QcInputs *stream, const uint32_t *index, uint32_t n)
{
    uint32_t unlabelled = 0;
    for (uint32_t i = 0; i < n; i++) unlabelled += (uint32_t)(stream->label[index[i]] < 0);
    return unlabelled;
}

static int save_state(QcSession *s, QcErr *err)
{
    if (!s->kept.is_open) return 0;
    QcLearner *l = qc_devicestep_learner(&s->learner);
    l->counters->input = s->input;
    l->counters->input_adapts = s->at;
    if (qc_statefile_write_names(&s->kept, &s->model, s->known, err)) return -1;
    return qc_statefile_save(&s->kept, l, err);
}

/* Codes that flips have changed make other features than the figure of drift knows. */
static void report_batch(QcSession *s, QcMethodReport *report, uint32_t alarms, uint32_t unlabelled)
{
    report->unlabelled = unlabelled;
    report->drift = s->drift.features ? qc_devicestep_learner(&s->learner)->counters->drift : NAN;
    report->alarms = alarms;
    if (report->step.flips) s->drift.features = 0;
}

int qc_session_next(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at], alarms = 0;
    const QcInputs *stream = &s->streams[qc_session_stream(s, s->at)];
    QcBatch batch = {.windows = s->batch, .labels = s->labels, .ids = s->ids};
    int status = s->learner.method->observe ? observe_batch(s, stream, index, n, &alarms, err)
                                            : read_batch(s, &batch, stream, index, n, err);
    if (!status)
        status = s->ask ? learn_asking(s, report, ms, stream, index, n, err)
                        : qc_method_next(&s->learner, report, &batch, ms, err);
    if (status) return -1;
    report_batch(s, report, alarms, count_unlabelled(stream, index, n));
    s->at++;
    return save_state(s, err);
}

int qc_session_test(QcSession *s, QcTestFigures *figures, const QcInputs *test, QcErr *err)
{
    QcArena scratch = {0};
    QcEce ece = {0};
    float *logits = qc_arena_take(&scratch, s->g.classes, sizeof *logits, err);
    uint8_t *q = qc_arena_take(&scratch, test->window, 1, err);
    int status = logits && q ? 0 : -1;
    uint32_t right = 0, labelled = 0;
    for (uint32_t i = 0; i < test->n && !status; i++) {
        if (test->label[i] < 0) continue;
        status = qc_inputs_read(test, q, i, err);
        if (status) break;
        uint32_t answer = qc_method_answer(&s->learner, NULL, logits, q, 0);
        int is_right = (int32_t)answer == test->label[i];
        double sum = 0;
        for (uint32_t k = 0; k < s->g.classes; k++) sum += exp((double)logits[k] - (double)logits[answer]);
        qc_ece_add(&ece, 1 / sum, is_right);
        right += (uint32_t)is_right;
        labelled++;
    }
    *figures = (QcTestFigures){labelled ? (double)right / labelled : NAN, qc_ece(&ece)};
    qc_arena_release(&scratch);
    return status;
}
