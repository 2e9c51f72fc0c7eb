#include "livewindow.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "../base/plural.h"
#include "../device/ask.h"
#include "../format/spareclasses.h"
#include "sourcewatch.h"

#define CALM 0.75f /* of the threshold: below it, the next alarm is a new warning */

void qc_live_report(QcLive *s, QcLiveReport r)
{
    r.live = s;
    if (s->report(s->ctx, &r)) s->is_over = 1;
}

void qc_live_say(QcLive *s, QcLiveEvent event, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    qc_live_report(s, (QcLiveReport){.event = event, .words = text});
}

/* After a label was read. */
void qc_live_new_classes(QcLive *s)
{
    const QcModelFile *m = &s->model->model;
    for (uint32_t named = qc_named_classes(m); s->named < named; s->named++)
        qc_live_say(s, QC_LIVE_WORDS, "new class '%.200s' takes a spare row; %u left", m->labels[s->named],
                    m->classes - s->named - 1);
}

/* Compares accuracy on the kept source examples now with accuracy before anything was learned. */
static void check_source(QcLive *s, const QcAdaptReport *r)
{
    const QcLiveModel *m = s->model;
    double before = m->source ? (double)m->source_right / m->source : 0,
           now = r->source ? (double)r->source_after / r->source : 1;
    if (s->is_fall_said || !qc_source_fell(before, now)) return;
    s->is_fall_said = 1;
    qc_live_say(s, QC_LIVE_WARNING, "source accuracy fell from %.3f to %.3f", before, now);
}

/* 1 if the learner may learn from windows alone (parameter first_trust), and enough of them have come. */
static int learns_without_labels(const QcLive *s)
{
    const QcLearner *l = &s->model->learner;
    return s->model->learns && l->setup.parameters.first_trust > 0 && l->counters->trust > 0 &&
           s->counts.since_adapt >= s->every;
}

int qc_live_adapt_if_due(QcLive *s, QcErr *err)
{
    return s->counts.waiting >= s->every || learns_without_labels(s) ? qc_live_adapt(s, err) : 0;
}

int qc_live_adapt(QcLive *s, QcErr *err)
{
    QcAdaptReport r;
    if (!s->counts.waiting && !learns_without_labels(s)) return 0;
    if (qc_livemodel_adapt(s->model, &r, err)) return -1;
    s->counts.waiting = s->counts.since_adapt = 0;
    s->counts.adapts++;
    s->counts.refused += r.refused;
    qc_live_report(s, (QcLiveReport){.event = QC_LIVE_ADAPT, .adapt = &r});
    check_source(s, &r);
    return 0;
}

static void count_label(QcLive *s, uint32_t number, uint32_t class_index)
{
    uint32_t row = number % QC_LIVE_RING;
    if (s->is_labelled[row]) return;
    s->is_labelled[row] = 1;
    s->counts.labelled++;
    s->counts.right += s->answer[row] == class_index;
    s->counts.waiting += (uint32_t)s->model->learns;
}

/* -1: the window was learned from already. */
int qc_live_label(QcLive *s, uint32_t number, uint32_t class_index)
{
    if (s->model->learns && qc_learner_label(&s->model->learner, number, (uint16_t)class_index)) return -1;
    count_label(s, number, class_index);
    return 0;
}

/* Called before a window enters the model's input. If a window with an unlearned label would leave the ring, it is
 * learned first. */
int qc_live_save_labels(QcLive *s, QcErr *err)
{
    const QcLearner *l = &s->model->learner;
    return l->ring.flags[l->next_row] == QC_RING_LABELLED ? qc_live_adapt(s, err) : 0;
}

void qc_live_check_inputs(QcLive *s, int is_end)
{
    char words[QC_PLAUSIBLE_WORDS];
    if (qc_plausible_report(&s->plausible, words, is_end)) qc_live_say(s, QC_LIVE_WARNING, "%s", words);
}

/* The drift score after the latest window; NaN if the model has no base for it. Learned means count, so the score
 * falls after an adapt. */
static float follow_drift(QcLive *s)
{
    const QcDriftBase *b = &s->model->drift;
    if (!b->features) return NAN;
    float figure = qc_driftwatch_follow(b, &s->model->learner);
    s->alarm = figure > b->threshold;
    s->counts.alarms += (uint64_t)s->alarm;
    if (s->alarm && !s->is_drift_said)
        qc_live_say(s, QC_LIVE_WARNING,
                    "drift: the stream is far from what the model knows (figure %.3f, threshold %.3f): label some "
                    "windows",
                    (double)figure, (double)b->threshold);
    s->is_drift_said = s->alarm || (s->is_drift_said && figure > CALM * b->threshold);
    return figure;
}

/* The window's own class may be none of the model's. */
static float find_distance(QcLive *s)
{
    const QcDriftBase *b = &s->model->drift;
    if (!b->features || !(b->farthest > 0)) return NAN;
    float distance = qc_driftwatch_nearest_of_latest(b, &s->model->learner);
    s->counts.unknown += distance > 1;
    return distance;
}

/* 1 if the label of the latest window is to be requested. The window must be among the `ask` most useful of the latest
 * QC_LIVE_ASKS windows, and fewer than `ask` of these may have been requested before. */
static int asks_for(QcLive *s, uint32_t number)
{
    QcLearner *l = &s->model->learner;
    QcAnswer again;
    uint32_t numbers[QC_LIVE_ASKS], n;
    if (!s->ask || s->counts.windows < QC_LIVE_ASKS) return 0;
    if (s->n_asked >= s->ask && number - s->asked[(s->n_asked - s->ask) % QC_LIVE_ASKS] < QC_LIVE_ASKS) return 0;
    n = qc_learner_ask(l, numbers, s->ask, QC_LIVE_ASKS);
    qc_learner_answer(l, &again, number); /* restores l->logits, which some rules overwrite */
    while (n > 0 && numbers[n - 1] != number) n--;
    if (n > 0) s->asked[s->n_asked++ % QC_LIVE_ASKS] = number;
    return n > 0;
}

/* Processes the window in the model's input. label: -1 none. */
int qc_live_window(QcLive *s, QcLiveWindow w, double from, QcErr *err)
{
    QcLearner *l = &s->model->learner;
    QcAnswer answer;
    uint32_t late;
    qc_learner_predict(l, &answer, qc_livemodel_input(s->model),
                       w.id == UINT64_MAX ? (uint64_t)1 << 63 | l->counters->next : w.id);
    if (w.id == UINT64_MAX) w.id = answer.number;
    s->answer[answer.number % QC_LIVE_RING] = answer.class_index;
    s->is_labelled[answer.number % QC_LIVE_RING] = 0;
    s->counts.windows++;
    s->counts.since_adapt++;
    s->breaks_said = 0;
    if (qc_latelabels_window(&s->late, (QcWindowTimes){answer.number, from, w.seconds}, &late)) w.label = (int32_t)late;
    w.answer = &answer;
    w.logits = l->logits;
    w.drift = follow_drift(s);
    w.alarm = s->alarm;
    w.distance = find_distance(s);
    w.is_asked = w.label < 0 && asks_for(s, answer.number);
    qc_live_report(s, (QcLiveReport){.event = QC_LIVE_WINDOW, .window = &w});
    if (w.label >= 0) qc_live_label(s, answer.number, (uint32_t)w.label);
    return qc_live_adapt_if_due(s, err);
}

/* At the end: learns labelled windows and saves the state. */
int qc_live_finish(QcLive *s, QcErr *err)
{
    uint64_t unmatched = qc_latelabels_unmatched(&s->late);
    qc_live_check_inputs(s, 1);
    if (s->dropped > 1)
        qc_live_say(s, QC_LIVE_WARNING, "%" PRIu64 " labels were dropped: %d labels waited for windows already",
                    s->dropped, QC_LABELS_WAITING);
    if (unmatched)
        qc_live_say(s, QC_LIVE_WARNING, "%" PRIu64 " label%s matched no window", unmatched, qc_plural(unmatched, "s"));
    return qc_live_adapt(s, err) || qc_livemodel_save(s->model, err) ? -1 : 0;
}
