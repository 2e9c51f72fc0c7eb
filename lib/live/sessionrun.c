#include "sessionrun.h"

#include <math.h>

#include "../base/file.h"
#include "devicestep.h"
#include "sourcewatch.h"

static int to_pipe(const QcSessionRun *run) { return run->output && qc_is_standard(run->output); }

static int save(QcSession *s, const QcSessionRun *run, QcErr *err)
{
    if (run->output && (!to_pipe(run) || s->at == s->batches) && qc_session_save_model(s, run->output, err)) return -1;
    return run->coreset ? qc_session_save_coreset(s, run->coreset, err) : 0;
}

static int test_all(QcSession *s, QcTestFigures *figures, const QcSessionRun *run, QcErr *err)
{
    for (int t = 0; t < run->n_tests; t++)
        if (qc_session_test(s, &figures[t], &run->tests[t], err)) return -1;
    return 0;
}

static void report(const QcSession *s, const QcSessionRun *run, QcSessionEvent event, const QcTestFigures *tests)
{
    run->report(run->ctx, &(QcSessionReport){.event = event, .session = s, .tests = tests});
}

/* What an interrupted session had learned is there again; its last files may not have been written. */
static int resume(QcSession *s, const QcSessionRun *run, QcErr *err)
{
    if (!run->state) return 0;
    if (qc_session_keep(s, run->state, err)) return -1;
    const QcState *state = &s->kept.latest.state;
    if (!s->at && s->kept.was_there && state->newest < 0) report(s, run, QC_SESSION_ANEW, NULL);
    if (state->newest >= 0 && state->damaged) report(s, run, QC_SESSION_DAMAGED, NULL);
    const QcLearnerCounters *c = qc_devicestep_learner(&s->learner)->counters;
    if (c->input && c->input != s->input) report(s, run, QC_SESSION_OTHER, NULL);
    /* which may be impossible: said before anything is learned */
    if (!s->at) return run->coreset && state->newest >= 0 ? qc_session_save_coreset(s, run->coreset, err) : 0;
    report(s, run, QC_SESSION_RESUMED, NULL);
    return save(s, run, err);
}

int qc_session_has_matrix(const QcSession *s, int n_tests)
{
    return s->n_streams > 1 && (uint32_t)n_tests >= s->n_streams;
}

int qc_session_run(QcSession *s, const QcSessionRun *run, QcErr *err)
{
    QcTestFigures figures[QC_SESSION_TESTS];
    QcSourceWatch source;
    if (qc_sourcewatch_begin(&source, s, run->tests, run->n_tests, err) || resume(s, run, err)) return -1;
    if (qc_session_has_matrix(s, run->n_tests)) {
        if (test_all(s, figures, run, err)) return -1;
        report(s, run, QC_SESSION_BEGIN, figures);
    }
    while (s->at < s->batches) {
        QcMethodReport r;
        double ms;
        report(s, run, QC_SESSION_NEXT, NULL);
        if (qc_session_next(s, &r, &ms, err) || test_all(s, figures, run, err) || save(s, run, err)) return -1;
        QcSessionReport batch = {
            .event = QC_SESSION_BATCH, .session = s, .batch = &r, .tests = figures, .ms = ms, .source_before = NAN};
        if (qc_sourcewatch_fell(&source, &batch.source_now, &r, figures)) batch.source_before = source.start;
        run->report(run->ctx, &batch);
    }
    report(s, run, QC_SESSION_END, NULL);
    return 0;
}
