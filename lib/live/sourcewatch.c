#include "sourcewatch.h"

#include <math.h>

/* 1: an example has a group of that name. source: only examples that are not of a stream count. */
static int has_group(const QcDataset *d, const char *name, int source)
{
    int64_t group = qc_names_find(&d->groups, name);
    for (uint32_t i = 0; i < d->n && group >= 0; i++)
        if (d->group[i] == group && !(source && d->flags && d->flags[i] & QC_EXAMPLE_STREAM)) return 1;
    return 0;
}

static int is_of_source(const QcSession *s, const QcDataset *test)
{
    for (uint32_t i = 0; i < test->n; i++) {
        const char *name = test->groups.names[test->group[i]];
        if (i && test->group[i] == test->group[i - 1]) continue;
        if (!has_group(&s->coreset.data, name, 1)) return 0;
        for (uint32_t k = 0; k < s->n_streams; k++)
            if (has_group(&s->streams[k].data, name, 0)) return 0;
    }
    return test->n > 0;
}

int qc_sourcewatch_begin(QcSourceWatch *w, QcSession *s, const QcInputs *tests, int n_tests, QcErr *err)
{
    *w = (QcSourceWatch){s->source.n ? (double)s->source.right / s->source.n : NAN, -1, 0};
    for (int t = 0; t < n_tests; t++) {
        QcTestFigures figures;
        if (!is_of_source(s, &tests[t].data)) continue;
        if (qc_session_test(s, &figures, &tests[t], err)) return -1;
        *w = (QcSourceWatch){figures.accuracy, t, 0};
        return 0;
    }
    return 0;
}

int qc_sourcewatch_fell(QcSourceWatch *w, double *now, const QcMethodReport *report, const QcTestFigures *figures)
{
    const QcAdaptReport *r = &report->step;
    *now = w->test >= 0 ? figures[w->test].accuracy : r->source ? (double)r->source_after / r->source : NAN;
    if (w->is_said || !qc_source_fell(w->start, *now)) return 0;
    return w->is_said = 1;
}
