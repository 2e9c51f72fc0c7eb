#include "livelog.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "../format/spareclasses.h"
#include "../live/livesignals.h"
#include "cli.h"

/* ---- classes, the most probable first ---- */

/* Spare rows are never the answer. */
static uint32_t classes_of(const QcLive *s) { return qc_named_classes(&s->model->model); }

/* The most probable class after class `last`; if logits are equal, the first class. last UINT32_MAX: the most
 * probable of all. */
static uint32_t class_after(const float *logits, uint32_t classes, uint32_t last)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t k = 0; k < classes; k++) {
        int is_left = last == UINT32_MAX || logits[k] < logits[last] || (!(logits[k] > logits[last]) && k > last);
        if (is_left && (best == UINT32_MAX || logits[k] > logits[best])) best = k;
    }
    return best;
}

static double probability_of(const QcLiveWindow *w, uint32_t k)
{
    return (double)w->answer->probability * exp((double)w->logits[k] - (double)w->logits[w->answer->class_index]);
}

/* By how much the first class is more probable than the second. */
static double confidence_of(const QcLive *s, const QcLiveWindow *w)
{
    uint32_t first = class_after(w->logits, classes_of(s), UINT32_MAX),
             second = class_after(w->logits, classes_of(s), first);
    return second == UINT32_MAX ? (double)w->answer->probability : probability_of(w, first) - probability_of(w, second);
}

/* ---- a window ---- */

static void print_heading(const QcLiveLog *log, const QcLive *s)
{
    printf("window\ttime\tclass\tprobability\tconfidence\tdrift\talarm\tlabel");
    for (uint32_t n = 2; n <= log->top; n++) printf("\tclass%u\tprobability%u", n, n);
    printf("\tdistance\tunknown%s\n", s->ask ? "\task" : "");
}

static void print_time(const QcLiveWindow *w)
{
    if (*w->stamp)
        qc_print_text(w->stamp);
    else if (!isnan(w->seconds))
        printf("%.3f", w->seconds);
}

static void print_row(const QcLiveLog *log, const QcLive *s, const QcLiveWindow *w)
{
    char *const *names = s->model->model.labels;
    printf("%" PRIu64 "\t", w->id);
    print_time(w);
    putchar('\t');
    qc_print_text(names[w->answer->class_index]);
    printf("\t%.4f\t%.4f\t", (double)w->answer->probability, confidence_of(s, w));
    if (!isnan(w->drift))
        printf("%.3f\t%d", (double)w->drift, w->alarm);
    else
        putchar('\t');
    putchar('\t');
    if (w->label >= 0) qc_print_text(names[w->label]);
    for (uint32_t n = 2, k = w->answer->class_index; n <= log->top; n++) {
        if (k != UINT32_MAX) k = class_after(w->logits, classes_of(s), k);
        putchar('\t');
        if (k != UINT32_MAX) qc_print_text(names[k]);
        putchar('\t');
        if (k != UINT32_MAX) printf("%.4f", probability_of(w, k));
    }
    if (isnan(w->distance)) printf("\t\t");
    else printf("\t%.3f\t%d", (double)w->distance, w->distance > 1);
    if (s->ask) printf("\t%d", w->is_asked);
    putchar('\n');
}

static void print_top(const QcLiveLog *log, const QcLive *s, const QcLiveWindow *w)
{
    printf(", \"top\": [");
    for (uint32_t n = 1, k = w->answer->class_index; n <= log->top && k != UINT32_MAX;
         n++, k = class_after(w->logits, classes_of(s), k)) {
        printf("%s{\"class\": ", n > 1 ? ", " : "");
        qc_json_text(s->model->model.labels[k]);
        printf(", \"probability\": %.6g}", probability_of(w, k));
    }
    printf("]");
}

static void print_object(const QcLiveLog *log, const QcLive *s, const QcLiveWindow *w)
{
    printf("{\"window\": %" PRIu64, w->id);
    if (*w->stamp) {
        printf(", \"time\": ");
        qc_json_text(w->stamp);
    } else if (!isnan(w->seconds)) {
        printf(", \"time\": %.9g", w->seconds);
    }
    printf(", \"class\": ");
    qc_json_text(s->model->model.labels[w->answer->class_index]);
    printf(", \"probability\": %.6g, \"confidence\": %.6g", (double)w->answer->probability, confidence_of(s, w));
    if (!isnan(w->drift)) printf(", \"drift\": %.4g, \"alarm\": %s", (double)w->drift, w->alarm ? "true" : "false");
    if (!isnan(w->distance))
        printf(", \"distance\": %.4g, \"unknown\": %s", (double)w->distance, w->distance > 1 ? "true" : "false");
    if (w->label >= 0) {
        printf(", \"label\": ");
        qc_json_text(s->model->model.labels[w->label]);
    }
    if (s->ask) printf(", \"ask\": %s", w->is_asked ? "true" : "false");
    if (log->top > 1) print_top(log, s, w);
    printf("}\n");
}

/* ---- the other events ---- */

static void print_adapt(const QcLiveLog *log, const QcLive *s, const QcAdaptReport *r)
{
    const char *what = r->refused ? "refused" : r->solved ? "a new last layer" : "the last layer stays";
    if (log->json)
        printf("{\"adapt\": %" PRIu32 ", \"labels\": %u, \"right_before\": %u, \"right_after\": %u, \"source\": %u, "
               "\"source_before\": %u, \"source_after\": %u, \"solved\": %s, "
               "\"refused\": %s}\n",
               s->model->learner.counters->adapts, r->n, r->right_before, r->right_after, r->source, r->source_before,
               r->source_after, r->solved ? "true" : "false", r->refused ? "true" : "false");
    else
        qc_note("qc-run: adapt %" PRIu32 ": %u labels, %u right before, %u after; source %u of %u, then %u; %s",
                s->model->learner.counters->adapts, r->n, r->right_before, r->right_after, r->source_before, r->source,
                r->source_after, what);
    if (r->refused)
        qc_warn("adapt %" PRIu32 " was refused: it would lose what was known, or labels look random (--tune guard)",
                s->model->learner.counters->adapts);
}

static void print_label(const QcLiveLog *log, const QcLive *s, uint32_t number, uint32_t class_index)
{
    const char *name = s->model->model.labels[class_index];
    if (!log->json) {
        qc_note("qc-run: late label: window %" PRIu32 " is %s", number, name);
        return;
    }
    printf("{\"late\": %" PRIu32 ", \"label\": ", number);
    qc_json_text(name);
    printf("}\n");
}

static void print_status(const QcLive *s)
{
    const QcLiveCounts *c = &s->counts;
    qc_progress_end();
    fprintf(stderr,
            "qc-run: %" PRIu64 " windows, %" PRIu64 " labelled, %" PRIu64 " right of these, %u labels wait, %" PRIu64
            " adapts, %" PRIu64 " refused, %" PRIu64 " breaks, %" PRIu64 " values filled, %" PRIu64 " alarms, %" PRIu64
            " unknown\n",
            c->windows, c->labelled, c->right, c->waiting, c->adapts, c->refused, c->breaks, c->filled, c->alarms,
            c->unknown);
}

static void print_start(QcLiveLog *log, const QcLive *s)
{
    const QcLiveModel *m = s->model;
    if (m->resumed)
        qc_note("qc-run: %s: the learner resumes at window %u, after %u adapts", s->o.state, m->learner.counters->next,
                m->learner.counters->adapts);
    if (m->resumed && m->kept.latest.state.damaged)
        qc_warn("one of the two states in %s is damaged: the learner goes on from the other, which may be older",
                s->o.state);
    if (!m->resumed && m->learns && m->kept.was_there)
        qc_warn("%s has no whole state: the learner starts anew", s->o.state);
    log->next = m->learner.counters->next;
    log->adapts = m->learner.counters->adapts;
}

/* Called before the first line and not at the start, so that standard output stays empty if the input cannot be
 * read. */
static void begin(QcLiveLog *log, const QcLive *s)
{
    const QcLiveModel *m = s->model;
    if (log->is_begun) return;
    log->is_begun = 1;
    if (!log->json) {
        print_heading(log, s);
        return;
    }
    printf("{\"start\": %" PRIu32 ", \"adapts\": %" PRIu32 ", \"learns\": %s", log->next, log->adapts,
           m->learns ? "true" : "false");
    if (m->drift.features) printf(", \"threshold\": %.6g", (double)m->drift.threshold);
    printf("}\n");
}

void qc_livelog_end(QcLiveLog *log, const QcLive *live)
{
    begin(log, live);
    if (fflush(stdout) && !log->error) log->error = errno;
}

/* Waits until a reader takes a line. 0: the process is to end first, and the line is left out: a reader that has
 * stopped must not keep it from saving its state. */
static int has_reader(QcLiveLog *log)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (qc_livesignals_poll(&out, 1, !qc_livesignals_end()) <= 0)
        if (qc_livesignals_end() || errno != EINTR) break;
    if (out.revents || !qc_livesignals_end()) return 1;
    if (!log->is_left_out) qc_warn("nobody reads standard output: lines are left out");
    log->is_left_out = 1;
    return 0;
}

static int is_printed(const QcLiveLog *log, QcLiveEvent event)
{
    return event == QC_LIVE_WINDOW || (log->json && (event == QC_LIVE_LABEL || event == QC_LIVE_ADAPT));
}

int qc_livelog_report(void *ctx, const QcLiveReport *r)
{
    QcLiveLog *log = ctx;
    if (is_printed(log, r->event) && !has_reader(log)) return 1;
    if (log->top > classes_of(r->live)) log->top = classes_of(r->live);
    if (r->event == QC_LIVE_WINDOW || r->event == QC_LIVE_LABEL || r->event == QC_LIVE_ADAPT) begin(log, r->live);
    switch (r->event) {
    case QC_LIVE_STARTED: print_start(log, r->live); break;
    case QC_LIVE_WINDOW: (log->json ? print_object : print_row)(log, r->live, r->window); break;
    case QC_LIVE_LABEL: print_label(log, r->live, r->number, r->class_index); break;
    case QC_LIVE_ADAPT: print_adapt(log, r->live, r->adapt); break;
    case QC_LIVE_WORDS: qc_note("qc-run: %s", r->words); break;
    case QC_LIVE_WARNING: qc_warn("%s", r->words); break;
    case QC_LIVE_STATUS: print_status(r->live); break;
    }
    if (log->status) qc_livestatus_take(log->status, r);
    if (fflush(stdout) && !log->error) log->error = errno;
    return log->error;
}
