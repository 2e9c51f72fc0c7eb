/* sessionbatch.c - the next batch of a session: gives its windows and labels to the method, or lets the learner ask
 * for labels. Also evaluates test sets.
 */
#include <math.h>

#include "../device/ask.h"
#include "../nn/loss.h"
#include "devicestep.h"
#include "session.h"

/* ---- windows and labels of a batch ---- */

/* 1: the figure is above the threshold after the latest window. */
static int follow_drift(QcSession *s)
{
    if (!s->drift.features) return 0;
    return qc_driftwatch_follow(&s->drift, qc_devicestep_learner(&s->learner)) > s->drift.threshold;
}

/* The learner that chooses windows to label; NULL: none has a choice. */
static QcMethodRun *asking_method(QcSession *s)
{
    return s->learner.method->observe ? &s->learner : s->asker.method ? &s->asker : NULL;
}

/* Each window is written directly into the input of the forward pass. If labels are requested, no window is labelled
 * yet. */
static int observe_batch(QcSession *s, QcMethodRun *l, const QcInputs *stream, const uint32_t *index, uint32_t n,
                         uint32_t *alarms, QcErr *err)
{
    uint8_t *window = qc_method_input(l);
    *alarms = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (qc_inputs_read(stream, window, index[i], err)) return -1;
        qc_method_observe(l, window, s->asks ? -1 : stream->label[index[i]], stream->data.id[index[i]]);
        *alarms += (uint32_t)follow_drift(s);
    }
    return 0;
}

/* The stream of the example at this place in the order of all streams, in this batch or an earlier batch. */
static const QcInputs *stream_at(const QcSession *s, uint32_t at)
{
    uint32_t batch = s->at;
    while (s->starts[batch] > at) batch--;
    return &s->streams[qc_session_stream(s, batch)];
}

static int32_t label_at(const QcSession *s, uint32_t at) { return stream_at(s, at)->label[s->order[at]]; }

static int is_given(const QcSession *s, uint32_t at)
{
    uint32_t low = 0, high = s->n_labelled; /* places are ascending */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->labelled[middle] < at) low = middle + 1;
        else high = middle;
    }
    return low < s->n_labelled && s->labelled[low] == at;
}

static void give_label(QcSession *s, uint32_t at)
{
    uint32_t i = s->n_labelled++;
    for (; i > 0 && s->labelled[i - 1] > at; i--) s->labelled[i] = s->labelled[i - 1];
    s->labelled[i] = at;
}

/* The learner may ask for a window of an earlier batch, too, also of an earlier stream. */
static void label_asked(QcSession *s, QcLearner *l)
{
    uint32_t end = s->starts[s->at + 1], asked = qc_learner_ask(l, s->numbers, s->ask, UINT32_MAX);
    for (uint32_t i = 0; i < asked; i++) {
        uint32_t age = l->counters->next - s->numbers[i];
        int32_t label = age <= end ? label_at(s, end - age) : -1;
        if (label >= 0 && !qc_learner_label(l, s->numbers[i], (uint16_t)label)) give_label(s, end - age);
    }
}

static void label_all(QcSession *s)
{
    for (uint32_t at = s->starts[s->at]; at < s->starts[s->at + 1]; at++)
        if (label_at(s, at) >= 0) give_label(s, at);
}

/* ---- a batch of a method off the device ---- */

static int read_example(QcSession *s, uint32_t row, uint32_t at, QcErr *err)
{
    const QcInputs *stream = stream_at(s, at);
    s->ids[row] = stream->data.id[s->order[at]];
    s->labels[row] = (uint16_t)stream->label[s->order[at]];
    return qc_inputs_read(stream, s->batch + (size_t)row * s->learner.window, s->order[at], err);
}

/* Windows whose label is given, then the others of the batch if the method can use them. */
static int read_batch(QcSession *s, QcBatch *batch, QcErr *err)
{
    QcMethodRun *l = &s->learner;
    l->n_unlabelled = 0;
    for (; batch->n < s->n_labelled; batch->n++)
        if (read_example(s, batch->n, s->labelled[batch->n], err)) return -1;
    for (uint32_t at = s->starts[s->at]; l->method->unlabelled && at < s->starts[s->at + 1]; at++)
        if (!is_given(s, at) && read_example(s, batch->n + l->n_unlabelled++, at, err)) return -1;
    return 0;
}

/* ---- figures ---- */

typedef struct Judged {
    QcTally tally;
    QcEce ece;
} Judged;

static void judge_window(Judged *j, const float *logits, uint32_t classes, int32_t label)
{
    uint32_t answer = qc_largest(logits, classes);
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[answer]);
    qc_ece_add(&j->ece, 1 / sum, (int32_t)answer == label);
    j->tally.n++;
    j->tally.right += (int32_t)answer == label;
}

/* Examples index [n] of the data, all with a label. Windows whose answers depend on each other are
 * answered together. */
static int judge_examples(QcSession *s, Judged *judged, const QcInputs *data, const uint32_t *index, uint32_t n,
                          QcErr *err)
{
    QcArena scratch = {0};
    QcMethodRun *l = &s->learner;
    uint32_t most = l->method->logits_together ? n : 1, classes = s->g.classes;
    float *logits = qc_arena_take(&scratch, (size_t)most * classes, sizeof *logits, err);
    uint8_t *windows = qc_arena_take(&scratch, (size_t)most * data->window, 1, err);
    int status = logits && windows ? 0 : -1;
    *judged = (Judged){0};
    for (uint32_t i = 0; i < n && !status; i += most) {
        for (uint32_t k = 0; k < most && !status; k++)
            status = qc_inputs_read(data, windows + (size_t)k * data->window, index[i + k], err);
        status = status || qc_method_logits_of(l, logits, windows, most, err) ? -1 : 0;
        for (uint32_t k = 0; k < most && !status; k++)
            judge_window(judged, logits + (size_t)k * classes, classes, data->label[index[i + k]]);
    }
    qc_arena_release(&scratch);
    return status;
}

/* Windows of the batch whose label is known, but for windows whose label was given (rest): how many are right by the
 * layer that answers now. */
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

/* The same of a method off the device. */
static int judge_rival(QcSession *s, QcTally *tally, const QcInputs *stream, int rest, QcErr *err)
{
    QcArena scratch = {0};
    Judged judged = {0};
    uint32_t start = s->starts[s->at], end = s->starts[s->at + 1], n = 0;
    uint32_t *index = qc_arena_take(&scratch, end - start, sizeof *index, err);
    for (uint32_t at = start; index && at < end; at++)
        if (label_at(s, at) >= 0 && !(rest && is_given(s, at))) index[n++] = s->order[at];
    int status = index ? judge_examples(s, &judged, stream, index, n, err) : -1;
    *tally = judged.tally;
    qc_arena_release(&scratch);
    return status;
}

/* before: of all windows of the batch whose label is known; after: of those whose label was not requested. */
static int learn_asking(QcSession *s, QcMethodReport *report, double *ms, const QcInputs *stream, const uint32_t *index,
                        uint32_t n, QcErr *err)
{
    QcMethodRun *asking = asking_method(s);
    QcLearner *l = asking ? qc_devicestep_learner(asking) : NULL;
    QcTally before, after;
    if (asking == &s->learner) {
        before = judge_known(l, stream, index, n, 0);
        label_asked(s, l);
        if (qc_method_next(asking, report, NULL, ms, err)) return -1;
        after = judge_known(l, stream, index, n, 1);
    } else {
        QcBatch batch = {.windows = s->batch, .labels = s->labels, .ids = s->ids};
        if (asking) label_asked(s, l);
        if ((asking && qc_method_next(asking, report, NULL, NULL, err)) || judge_rival(s, &before, stream, 0, err) ||
            read_batch(s, &batch, err) || qc_method_next(&s->learner, report, &batch, ms, err) ||
            judge_rival(s, &after, stream, 1, err))
            return -1;
    }
    report->before = before;
    report->after = after;
    report->asked = s->n_labelled;
    return 0;
}

/* Labels are given without a request. */
static int learn_labelled(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    QcBatch batch = {.windows = s->batch, .labels = s->labels, .ids = s->ids};
    if (s->learner.method->observe) return qc_method_next(&s->learner, report, NULL, ms, err);
    label_all(s);
    return read_batch(s, &batch, err) || qc_method_next(&s->learner, report, &batch, ms, err) ? -1 : 0;
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
    QcMethodRun *observes = asking_method(s);
    s->n_labelled = 0;
    if ((observes && observe_batch(s, observes, stream, index, n, &alarms, err)) ||
        (s->asks ? learn_asking(s, report, ms, stream, index, n, err) : learn_labelled(s, report, ms, err)))
        return -1;
    report_batch(s, report, alarms, count_unlabelled(stream, index, n));
    s->at++;
    return save_state(s, err);
}

int qc_session_test(QcSession *s, QcTestFigures *figures, const QcInputs *test, QcErr *err)
{
    QcArena scratch = {0};
    Judged judged = {0};
    uint32_t n = 0, *index = qc_arena_take(&scratch, test->n, sizeof *index, err);
    for (uint32_t i = 0; index && i < test->n; i++)
        if (test->label[i] >= 0) index[n++] = i;
    int status = index ? judge_examples(s, &judged, test, index, n, err) : -1;
    if (!status)
        *figures = (QcTestFigures){n ? (double)judged.tally.right / n : NAN, qc_ece(&judged.ece)};
    qc_arena_release(&scratch);
    return status;
}
