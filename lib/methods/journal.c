#include "journal.h"

static void print_batch(const QcJournal *j, const QcSession *s, const QcCalibrateReport *r, const double *accuracy, double ms)
{
    double before = (double)r->right_before / r->n, after = (double)r->right_after / r->n;
    uint64_t bytes = s->memory_bytes + s->model_bytes;
    if (!j->json) {
        if (s->at == 1) {
            fprintf(j->to, "batch\tn\tbefore\tafter");
            for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\ttest%d", t + 1);
            fprintf(j->to, "\tloss_before\tloss_after\tflips\tdraws\taccepted\tsource\tstream\tnew\tms\tbytes\n");
        }
        fprintf(j->to, "%u\t%u\t%.4f\t%.4f", s->at, r->n, before, after);
        for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\t%.4f", accuracy[t]);
        fprintf(j->to, "\t%.4f\t%.4f\t%u\t%u\t%u\t%u\t%u\t%u\t%.1f\t%llu\n", (double)r->loss_before, (double)r->loss_after, r->flips, r->draws, r->accepted,
                r->from_source, r->from_stream, r->from_batch, ms, (unsigned long long)bytes);
    } else {
        fprintf(j->to, "{\"batch\": %u, \"n\": %u, \"accuracy_before\": %.6g, \"accuracy_after\": %.6g, \"test\": [", s->at, r->n, before, after);
        for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "%s%.6g", t ? ", " : "", accuracy[t]);
        fprintf(j->to,
                "], \"flips\": %u, \"draws\": %u, \"accepted\": %u, \"loss_before\": %.6g, \"loss_after\": %.6g, \"coreset\": {\"source\": %u, \"stream\": %u, "
                "\"new\": %u}, \"forwards\": %u, \"gathers\": %u, \"ms\": %.3f, \"bytes\": %llu}\n",
                r->flips, r->draws, r->accepted, (double)r->loss_before, (double)r->loss_after, r->from_source, r->from_stream, r->from_batch, r->forwards,
                r->gathers, ms, (unsigned long long)bytes);
    }
    fflush(j->to);
}

static void add(QcJournal *j, const QcCalibrateReport *r, const double *accuracy, double ms)
{
    j->n++;
    j->before += (double)r->right_before / r->n;
    j->after += (double)r->right_after / r->n;
    j->ms += ms;
    j->flips += r->flips;
    j->forwards += r->forwards;
    for (int t = 0; t < j->n_tests; t++) j->tests[t] += accuracy[t];
}

void qc_journal_batch(QcJournal *j, const QcSession *s, const QcCalibrateReport *r, const double *accuracy, double ms)
{
    print_batch(j, s, r, accuracy, ms);
    add(j, r, accuracy, ms);
}

void qc_journal_end(const QcJournal *j, const QcSession *s)
{
    double n = j->n > 0 ? j->n : 1;
    if (!j->json) {
        fprintf(j->to, "mean\t\t%.4f\t%.4f", j->before / n, j->after / n);
        for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "\t%.4f", j->tests[t] / n);
        fprintf(j->to, "\t\t\t%.1f\t\t\t\t\t\t%.1f\t%llu\n", (double)j->flips / n, j->ms / n, (unsigned long long)(s->memory_bytes + s->model_bytes));
        return;
    }
    fprintf(j->to, "{\"summary\": true, \"batches\": %.0f, \"accuracy_before\": %.6g, \"accuracy_after\": %.6g, \"test\": [", j->n, j->before / n, j->after / n);
    for (int t = 0; t < j->n_tests; t++) fprintf(j->to, "%s%.6g", t ? ", " : "", j->tests[t] / n);
    fprintf(j->to, "], \"flips\": %.6g, \"ms\": %.3f, \"forwards\": %.6g, \"model_bytes\": %llu, \"working_bytes\": %llu, \"batch_bytes\": %llu}\n",
            (double)j->flips / n, j->ms / n, (double)j->forwards / n, (unsigned long long)s->model_bytes, (unsigned long long)s->memory_bytes,
            (unsigned long long)s->batch_bytes);
}
