/* propagate.c - label propagation (learning with local and global consistency; Zhou et al., 2004): labels flow over a
 * graph of windows that are near each other.
 *
 * Nodes are the coreset's source examples and all labelled windows of the stream, whose classes are known, the windows
 * without a label of the latest batch, and the windows to answer, which come together. With x the features,
 *
 *   w_ij = exp(-|x_i - x_j|^2 / (2 sigma^2)),  w_ii = 0,   S = D^-1/2 W D^-1/2,   F = (I - alpha S)^-1 Y
 *
 * D is the diagonal of the row sums of W, and Y_ik is 1 if node i is known to be of class k. A window is of the class
 * with the largest F. sigma is the mean distance to the `neighbour`-th nearest node, times `width`.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../nn/cholesky.h"
#include "floathead.h"
#include "propagate.h"
#include "rivaltable.h"

enum { ALPHA, NEIGHBOUR, WIDTH };

static const QcSetting settings[] = {
    {"alpha", 0.99, 0, 0.9999, "share of an answer that comes from neighbours", 0},
    {"neighbour", 7, 1, 100, "sigma is the mean distance to the nearest node of this rank", 1},
    {"width", 0.5, 0.01, 100, "sigma is this many times the mean distance", 0},
    {0},
};

typedef struct Propagate {
    QcFloatHead head;  /* for the features */
    float *x;          /* [room][features]: n_known nodes with a class, then n_other without */
    uint16_t *label;   /* [room] */
    uint32_t n_known, n_other, room;
} Propagate;

/* ---- the graph ---- */

static double squared_distance(const float *a, const float *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Mean distance to the nearest node of that rank; w [n][n] has squared distances. row [n]: scratch. */
static double mean_distance(const double *w, uint32_t n, uint32_t rank, double *row)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(row, w + (size_t)i * n, n * sizeof *row);
        qsort(row, n, sizeof *row, ascending); /* the first is the node itself */
        sum += sqrt(row[rank < n ? rank : n - 1]);
    }
    return sum / n;
}

int qc_propagate(float *f, const float *x, const uint16_t *label, uint32_t n_known, uint32_t n, uint32_t features,
                 uint32_t classes, const double *setting, QcErr *err)
{
    QcArena scratch = {0};
    int status = -1;
    double *w = qc_arena_take(&scratch, (size_t)n * n, sizeof *w, err);
    double *row = qc_arena_take(&scratch, n, sizeof *row, err), *degree = qc_arena_take(&scratch, n, sizeof *row, err);
    if (!w || !row || !degree) goto end;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < i; j++)
            w[(size_t)i * n + j] = w[(size_t)j * n + i] =
                squared_distance(x + (size_t)i * features, x + (size_t)j * features, features);
    double sigma = setting[WIDTH] * mean_distance(w, n, (uint32_t)setting[NEIGHBOUR], row);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            double *at = &w[(size_t)i * n + j];
            *at = i == j ? 0 : exp(-*at / (2 * sigma * sigma + 1e-30));
            degree[i] += *at;
        }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) {
            double *at = &w[(size_t)i * n + j], both = sqrt(degree[i] * degree[j]);
            *at = (i == j ? 1.0 : 0.0) - (both > 0 ? setting[ALPHA] * *at / both : 0);
        }
    if (qc_cholesky(w, n)) { /* alpha < 1 makes it positive definite */
        qc_fail(err, QC_EUNSUPPORTED, "the graph of label propagation cannot be solved");
        goto end;
    }
    for (uint32_t k = 0; k < classes; k++) {
        for (uint32_t i = 0; i < n; i++) row[i] = i < n_known && label[i] == k;
        qc_cholesky_solve(w, row, n, 1);
        for (uint32_t i = 0; i < n; i++) f[(size_t)i * classes + k] = (float)row[i];
    }
    status = 0;
end:
    qc_arena_release(&scratch);
    return status;
}

/* ---- the method ---- */

static int add_node(Propagate *p, QcMethodRun *l, const uint8_t *window, uint16_t label, QcErr *err)
{
    uint32_t features = p->head.n - 1, n = p->n_known + p->n_other;
    if (n == p->room) {
        uint32_t room = 2 * n + 64;
        float *x = realloc(p->x, (size_t)room * features * sizeof *x);
        if (x) p->x = x;
        uint16_t *labels = realloc(p->label, room * sizeof *labels);
        if (labels) p->label = labels;
        if (!x || !labels) return qc_fail_memory(err, "label propagation");
        qc_method_count(l, (uint64_t)(room - p->room) * (features * sizeof *x + sizeof *labels));
        p->room = room;
    }
    qc_float_head_features(&p->head, l, window);
    memcpy(p->x + (size_t)n * features, p->head.x, features * sizeof *p->x);
    p->label[n] = label;
    return 0;
}

static int open_propagate(QcMethodRun *l, QcErr *err)
{
    const QcSlots *slots = l->slots;
    Propagate *p = l->state = qc_method_take(l, 1, sizeof *p, err);
    if (!p || qc_float_head_init(&p->head, l, 0, err)) return -1;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        if (add_node(p, l, qc_slot_window(slots, s), slots->label[s], err)) return -1;
        p->n_known++;
    }
    return 0;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Propagate *p = l->state;
    uint32_t n = batch->n + l->n_unlabelled;
    p->n_other = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *window = batch->windows + (size_t)i * l->window;
        if (add_node(p, l, window, i < batch->n ? batch->labels[i] : 0, err)) return -1;
        if (i < batch->n) p->n_known++;
        else p->n_other++;
    }
    report->set = p->n_known + p->n_other;
    report->forwards = report->set; /* features are kept: fewer are computed */
    report->operations = report->forwards * l->macs;
    return 0;
}

static int logits_together(QcMethodRun *l, float *logits, const uint8_t *windows, uint32_t n, QcErr *err)
{
    Propagate *p = l->state;
    QcArena scratch = {0};
    uint32_t features = p->head.n - 1, classes = l->g->classes, known = p->n_known + p->n_other, all = known + n;
    float *x = qc_arena_take(&scratch, (size_t)all * features, sizeof *x, err);
    float *f = qc_arena_take(&scratch, (size_t)all * classes, sizeof *f, err);
    int status = x && f ? 0 : -1;
    if (!status) memcpy(x, p->x, (size_t)known * features * sizeof *x);
    for (uint32_t i = 0; i < n && !status; i++) {
        qc_float_head_features(&p->head, l, windows + (size_t)i * l->window);
        memcpy(x + (size_t)(known + i) * features, p->head.x, features * sizeof *x);
    }
    if (!status) status = qc_propagate(f, x, p->label, p->n_known, all, features, classes, l->setting, err);
    for (size_t i = 0; i < (size_t)n * classes && !status; i++)
        logits[i] = logf(fmaxf(f[(size_t)known * classes + i], 1e-20f));
    qc_arena_release(&scratch);
    return status;
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x)
{
    if (logits_together(l, to, x, 1, NULL)) memset(to, 0, l->g->classes * sizeof *to);
}

static void close_propagate(QcMethodRun *l)
{
    Propagate *p = l->state;
    if (!p) return;
    free(p->x);
    free(p->label);
}

const QcMethod qc_method_propagate = {.name = "propagate",
                                      .summary = "label propagation over a graph of windows",
                                      .settings = settings,
                                      .unlabelled = 1,
                                      .unsaved = qc_lab_unsaved,
                                      .open = open_propagate,
                                      .next = next,
                                      .logits = logits_of,
                                      .logits_together = logits_together,
                                      .close = close_propagate};
