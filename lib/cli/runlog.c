#include "runlog.h"

#include <math.h>
#include <unistd.h>

#include "cli.h"

typedef unsigned long long Large;

static double share(QcTally t) { return t.n ? (double)t.right / t.n : NAN; }

static double mean(double sum, double n) { return n > 0 ? sum / n : NAN; }

/* A member of an object; nothing was counted for a figure that is not a number. */
static void print_figure(const QcRunLog *j, const char *name, double figure)
{
    fprintf(j->to, isnan(figure) ? "\"%s\": null, " : "\"%s\": %.6g, ", name, figure);
}

/* Accuracies and calibration errors of the test sets, each by the divisor: the part of an object that both kinds of
 * lines have. */
static void print_tests(const QcRunLog *j, const QcTestFigures *tests, double divisor)
{
    fprintf(j->to, "\"test\": [");
    for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "%s%.6g", t ? ", " : "", tests[t].accuracy / divisor);
    fprintf(j->to, "], \"ece\": [");
    for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "%s%.6g", t ? ", " : "", tests[t].ece / divisor);
    fprintf(j->to, "], ");
}

/* ---- a terminal gets at most nine aligned columns; a pipe or file gets all, as TSV ---- */

enum { SHOWN_TESTS = 3 };

static int is_terminal(const QcRunLog *j) { return !j->json && isatty(fileno(j->to)); }

static int shown_tests(const QcRunLog *j) { return j->n_tests < SHOWN_TESTS ? j->n_tests : SHOWN_TESTS; }

static void print_heading(const QcRunLog *j)
{
    char name[16];
    fprintf(j->to, "%5s %5s %7s %7s", "batch", "n", "before", "after");
    for (int t = 0; t < shown_tests(j); t++) {
        snprintf(name, sizeof name, "test%d", t + 1);
        fprintf(j->to, " %7s", name);
    }
    fprintf(j->to, " %8s %8s\n", "flips", "ms");
}

/* Sums, each to be divided by the divisor. */
static void print_aligned(const QcRunLog *j, const char *batch, const char *n, double before, double after,
                          const QcTestFigures *tests, double flips, double ms, double divisor)
{
    fprintf(j->to, "%5s %5s %7.4f %7.4f", batch, n, before / divisor, after / divisor);
    for (int t = 0; t < shown_tests(j); t++) fprintf(j->to, " %7.4f", tests[t].accuracy / divisor);
    fprintf(j->to, " %8.*f %8.1f\n", divisor > 1 ? 1 : 0, flips / divisor, ms / divisor);
}

static void print_batch(const QcRunLog *j, const QcSession *s, const QcMethodReport *report, const QcTestFigures *tests,
                        double ms)
{
    const QcAdaptReport *r = &report->step;
    Large forwards = report->forwards, backwards = report->backwards, operations = report->operations;
    double before = share(report->before), after = share(report->after);
    Large bytes = s->learner.bytes + s->model_bytes;
    if (is_terminal(j)) {
        char batch[16], n[16];
        snprintf(batch, sizeof batch, "%u", s->at);
        snprintf(n, sizeof n, "%u", report->before.n);
        if (!j->n) print_heading(j);
        print_aligned(j, batch, n, before, after, tests, r->flips, ms, 1);
    } else if (!j->json) {
        if (s->at == 1) {
            fprintf(j->to, "batch\tn\tbefore\tafter");
            for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\ttest%d", t + 1);
            fprintf(
                j->to,
                "\tloss_before\tloss_after\tflips\tproposals\taccepted\tsource\tstream\tnew\tms\tbytes\tforwards\t"
                "backwards\toperations\tdrift\talarm\n");
        }
        fprintf(j->to, "%u\t%u\t%.4f\t%.4f", s->at, report->before.n, before, after);
        for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\t%.4f", tests[t].accuracy);
        fprintf(j->to, "\t%.4f\t%.4f\t%u\t%u\t%u\t%u\t%u\t%u\t%.1f\t%llu\t%llu\t%llu\t%llu\t", (double)r->loss_before,
                (double)r->loss_after, r->flips, r->proposals, r->accepted, r->from_source, r->from_stream,
                r->from_batch, ms, bytes, forwards, backwards, operations);
        if (!isnan(report->drift)) fprintf(j->to, "%.3f\t%u\n", (double)report->drift, report->alarms);
        else fprintf(j->to, "\t\n");
    } else {
        fprintf(j->to, "{\"batch\": %u, \"n\": %u, \"unlabelled\": %u, ", s->at, report->before.n, report->unlabelled);
        if (s->asks) fprintf(j->to, "\"asked\": %u, ", report->asked);
        print_figure(j, "accuracy_before", before);
        print_figure(j, "accuracy_after", after);
        if (s->n_streams > 1) fprintf(j->to, "\"stream\": %u, ", qc_session_stream(s, s->at - 1) + 1);
        print_tests(j, tests, 1);
        print_figure(j, "drift", (double)report->drift);
        print_figure(j, "alarm", isnan(report->drift) ? NAN : (double)report->alarms);
        fprintf(j->to, "\"flips\": %u, \"proposals\": %u, \"accepted\": %u, ", r->flips, r->proposals, r->accepted);
        print_figure(j, "loss_before", (double)r->loss_before);
        print_figure(j, "loss_after", (double)r->loss_after);
        fprintf(j->to,
                "\"coreset\": {\"source\": %u, \"stream\": %u, "
                "\"new\": %u}, \"set\": %llu, \"forwards\": %llu, \"backwards\": %llu, \"statistics\": %u, "
                "\"flips_skipped\": %u, \"solved\": %u, \"refused\": %u, \"operations\": %llu, \"ms\": %.3f, "
                "\"predict_ms\": %.3f, \"bytes\": %llu}\n",
                r->from_source, r->from_stream, r->from_batch, (Large)report->set, forwards, backwards, r->statistics,
                r->mode == QC_FLIPS_SKIPPED, r->solved, r->refused, operations, ms, report->predict_ms, bytes);
    }
    fflush(j->to);
}

static void add_tally(double *sum, double *n, QcTally t)
{
    if (!t.n) return;
    *sum += share(t);
    ++*n;
}

static void add(QcRunLog *j, const QcMethodReport *report, const QcTestFigures *tests, double ms)
{
    const QcAdaptReport *r = &report->step;
    j->n++;
    add_tally(&j->before, &j->n_before, report->before);
    add_tally(&j->after, &j->n_after, report->after);
    j->ms += ms;
    j->flips += r->flips;
    j->refused += r->refused;
    j->forwards += report->forwards;
    j->backwards += report->backwards;
    j->operations += report->operations;
    j->set += report->set;
    for (int t = 0; t < j->n_tests; t++) {
        j->tests[t].accuracy += tests[t].accuracy;
        j->tests[t].ece += tests[t].ece;
    }
}

static void keep_row(QcRunLog *j, uint32_t row, const QcTestFigures *tests)
{
    for (uint32_t t = 0; t < j->transfer.n_tests; t++) j->transfer.r[row][t] = tests[t].accuracy;
}

static void begin(QcRunLog *j, const QcSession *s, const QcTestFigures *tests)
{
    j->transfer.n_streams = s->n_streams;
    j->transfer.n_tests = (uint32_t)j->n_tests > s->n_streams ? s->n_streams + 1 : s->n_streams;
    keep_row(j, 0, tests);
}

/* A JSON list of lists and the figures, or rows under the columns of the tests. */
static void print_matrix(const QcRunLog *j)
{
    const QcTransfer *t = &j->transfer;
    QcTransferFigures f = qc_transfer_figures(t);
    const struct {
        const char *name;
        double value;
    } figures[] = {{"acc", f.acc}, {"bwt", f.bwt}, {"fwt", f.fwt}, {"forgetting", f.forgetting}};
    if (is_terminal(j)) {
        for (uint32_t i = 0; i <= t->n_streams; i++) {
            fprintf(j->to, "%s%-3u %19s", i ? "R" : "\nR", i, "");
            for (uint32_t k = 0; k < t->n_tests && k < 8; k++) fprintf(j->to, " %7.4f", t->r[i][k]);
            fprintf(j->to, "\n");
        }
        for (int k = 0; k < 4; k++) fprintf(j->to, "%-23s %8.4f\n", figures[k].name, figures[k].value);
        return;
    }
    if (j->json) fprintf(j->to, "\"R\": [");
    for (uint32_t i = 0; i <= t->n_streams; i++) {
        fprintf(j->to, j->json ? i ? ", [" : "[" : "R%u\t\t\t", i);
        for (uint32_t k = 0; k < t->n_tests; k++)
            fprintf(j->to, j->json ? k ? ", %.6g" : "%.6g" : "\t%.4f", t->r[i][k]);
        fprintf(j->to, j->json ? "]" : "\n");
    }
    if (j->json) fprintf(j->to, "], ");
    for (int k = 0; k < 4; k++) {
        if (j->json && isnan(figures[k].value)) fprintf(j->to, "\"%s\": null, ", figures[k].name);
        else fprintf(j->to, j->json ? "\"%s\": %.6g, " : "%s\t\t\t\t%.4f\n", figures[k].name, figures[k].value);
    }
}

static void end_batch(QcRunLog *j, const QcSession *s, const QcMethodReport *r, const QcTestFigures *tests, double ms)
{
    uint32_t stream = qc_session_stream(s, s->at - 1);
    if (j->transfer.n_streams && s->at == s->ends[stream]) keep_row(j, stream + 1, tests);
    print_batch(j, s, r, tests, ms);
    add(j, r, tests, ms);
}

/* Means over batches. */
static void print_means(const QcRunLog *j, const QcSession *s)
{
    double n = j->n, before = mean(j->before, j->n_before), after = mean(j->after, j->n_after);
    if (j->refused)
        qc_warn("%u of %.0f batches were refused: they would lose what was known, or their labels look random (--tune "
                "guard)",
                j->refused, n);
    if (is_terminal(j)) {
        print_aligned(j, "mean", "", n * before, n * after, j->tests, (double)j->flips, j->ms, n);
        return;
    }
    if (!j->json) {
        fprintf(j->to, "mean\t\t%.4f\t%.4f", before, after);
        for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\t%.4f", j->tests[t].accuracy / n);
        fprintf(j->to, "\t\t\t%.1f\t\t\t\t\t\t%.1f\t%llu\t%.1f\t%.1f\t%.0f\t\t\n", (double)j->flips / n, j->ms / n,
                (Large)(s->learner.bytes + s->model_bytes), (double)j->forwards / n, (double)j->backwards / n,
                (double)j->operations / n);
        return;
    }
    print_figure(j, "accuracy_before", before);
    print_figure(j, "accuracy_after", after);
    print_tests(j, j->tests, n);
    /* a pass over the data: every example of coreset and batch once through the net, one way */
    fprintf(j->to,
            "\"flips\": %.6g, \"ms\": %.3f, \"forwards\": %.6g, \"backwards\": %.6g, \"passes\": %.6g, \"operations\": "
            "%.6g, ",
            (double)j->flips / n, j->ms / n, (double)j->forwards / n, (double)j->backwards / n,
            j->set ? (double)(j->forwards + j->backwards) / (double)j->set : 0, (double)j->operations / n);
}

static void end(const QcRunLog *j, const QcSession *s)
{
    if (j->json)
        fprintf(j->to, "{\"summary\": true, \"method\": \"%s\", \"batches\": %.0f, ", s->learner.method->name, j->n);
    if (j->n > 0) print_means(j, s); /* a session that was over already has none */
    if (j->transfer.n_streams) print_matrix(j);
    if (j->json)
        fprintf(j->to, "\"model_bytes\": %llu, \"working_bytes\": %llu, \"batch_bytes\": %llu}\n",
                (Large)s->model_bytes, (Large)s->learner.bytes, (Large)s->batch_bytes);
}

void qc_runlog_report(void *log, const QcSessionReport *report)
{
    QcRunLog *j = log;
    const QcSession *s = report->session;
    switch (report->event) {
    case QC_SESSION_ANEW: qc_warn("%s has no whole state: the session starts anew", s->kept.path); break;
    case QC_SESSION_DAMAGED:
        qc_warn("one of the two states in %s is damaged: the session goes on from the other, which may be a batch "
                "older", s->kept.path);
        break;
    case QC_SESSION_OTHER:
        qc_note("%s has learned another stream, or this stream in other batches: the stream starts at its first batch",
                s->kept.path);
        break;
    case QC_SESSION_RESUMED: qc_note("resuming after batch %u of %u", s->at, s->batches); break;
    case QC_SESSION_BEGIN: begin(j, s, report->tests); break;
    case QC_SESSION_NEXT: qc_progress(s->at, s->batches, "batches"); break;
    case QC_SESSION_BATCH:
        qc_progress_end();
        end_batch(j, s, report->batch, report->tests, report->ms);
        if (!isnan(report->source_before))
            qc_note("source accuracy fell from %.3f to %.3f", report->source_before, report->source_now);
        break;
    case QC_SESSION_END: end(j, s); break;
    }
}
