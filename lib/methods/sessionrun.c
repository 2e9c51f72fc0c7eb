#include "sessionrun.h"

#include "../base/file.h"
#include "../cli/cli.h"

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

/* What an interrupted session had learned is there again; its last files may not have been written. */
static int resume(QcSession *s, const QcSessionRun *run, QcErr *err)
{
    if (!run->state) return 0;
    if (qc_session_keep(s, run->state, err)) return -1;
    if (!s->at && s->kept.was_there) qc_warn("%s has no whole state: the session begins anew", run->state);
    if (!s->at) return 0;
    qc_say("going on behind batch %u of %u", s->at, s->batches);
    return save(s, run, err);
}

int qc_session_run(QcSession *s, const QcSessionRun *run, QcErr *err)
{
    if (resume(s, run, err)) return -1;
    QcJournal journal = {.to = to_pipe(run) ? stderr : stdout, .json = run->json, .n_tests = run->n_tests};
    QcTestFigures figures[QC_JOURNAL_TESTS];
    if (qc_journal_has_matrix(&journal, s)) {
        if (test_all(s, figures, run, err)) return -1;
        qc_journal_begin(&journal, s, figures);
    }
    while (s->at < s->batches) {
        QcMethodReport r;
        double ms;
        qc_progress(s->at, s->batches, "batches");
        if (qc_session_next(s, &r, &ms, err) || test_all(s, figures, run, err) || save(s, run, err)) return -1;
        qc_progress_end();
        qc_journal_batch(&journal, s, &r, figures, ms);
    }
    qc_journal_end(&journal, s);
    return 0;
}
