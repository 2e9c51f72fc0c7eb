#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "train.h"

enum { BATCH = 64 };

int qc_predict(QcGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err)
{
    size_t values = (size_t)qc_dataset_values(d);
    uint32_t batch = d->n < BATCH ? d->n : BATCH;
    if (!d->n) return 0;
    QcRun *run = qc_run_new(g, batch, QC_RUN_EVAL, threads, err);
    float *x = run ? malloc(batch * values * sizeof *x) : NULL;
    int status = -1;
    if (!run) goto end;
    if (!x) {
        qc_fail_memory(err, "a batch of windows");
        goto end;
    }
    for (uint32_t from = 0; from < d->n; from += batch) {
        uint32_t n = d->n - from < batch ? d->n - from : batch;
        for (uint32_t i = 0; i < n; i++) qc_dataset_batch_window(x + i * values, d, from + i, norm);
        const float *out = qc_run_forward(run, x, n);
        if (!out) {
            qc_fail_memory(err, "the last batch");
            goto end;
        }
        memcpy(logits + (size_t)from * g->classes, out, (size_t)n * g->classes * sizeof *logits);
    }
    status = 0;
end:
    free(x);
    qc_run_free(run);
    return status;
}
