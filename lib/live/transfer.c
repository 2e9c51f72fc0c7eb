#include "transfer.h"

#include <math.h>

typedef struct Mean {
    double sum;
    uint32_t n;
} Mean;

static void add(Mean *m, double x)
{
    m->sum += x;
    m->n++;
}

static double mean(const Mean *m) { return m->n ? m->sum / m->n : NAN; }

/* The row after which test j was learned. */
static uint32_t learned(const QcTransfer *t, uint32_t j) { return j < t->n_streams ? j + 1 : 0; }

static double best(const QcTransfer *t, uint32_t j)
{
    double most = 0;
    for (uint32_t i = learned(t, j); i < t->n_streams; i++) most = fmax(most, t->r[i][j]);
    return most;
}

QcTransferFigures qc_transfer_figures(const QcTransfer *t)
{
    Mean acc = {0, 0}, bwt = {0, 0}, fwt = {0, 0}, forgetting = {0, 0};
    uint32_t last = t->n_streams;
    for (uint32_t j = 0; j < t->n_tests; j++) {
        uint32_t l = learned(t, j);
        add(&acc, t->r[last][j]);
        if (l > 1) add(&fwt, t->r[l - 1][j] - t->r[0][j]);
        if (l == last) continue;
        add(&bwt, t->r[last][j] - t->r[l][j]);
        add(&forgetting, best(t, j) - t->r[last][j]);
    }
    return (QcTransferFigures){mean(&acc), mean(&bwt), mean(&fwt), mean(&forgetting)};
}
