#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A graph of series has kernels of one dimension. */
static int is_series(const QcGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].height > 1 || (g->nodes[i].op == QC_OP_CONV && g->nodes[i].window.kernel_h > 1)) return 0;
    return 1;
}

static QcWeight *add(QcWeights *w, const QcNode *node, const char *ending, float *place, size_t n)
{
    QcWeight *entry = &w->list[w->n++];
    *entry =
        (QcWeight){.rank = 1, .dims = {n}, .n = n, .rows = n, .height = 1, .width = 1, .within = 1, .place = place};
    snprintf(entry->name, sizeof entry->name, "%s.%s", node->name, ending);
    return entry;
}

static void add_kernel(QcWeights *w, const QcGraph *g, const QcNode *node, int series)
{
    QcWeight *entry = add(w, node, "weight", g->params + node->weight, node->n_weight);
    const QcNode *in = &g->nodes[node->inputs[0]];
    int conv = node->op == QC_OP_CONV;
    entry->rows = node->channels;
    entry->height = conv ? node->window.kernel_h : in->height;
    entry->width = conv ? node->window.kernel_w : in->width;
    entry->within = conv ? in->channels / node->groups : in->channels;
    entry->dims[0] = node->channels;
    entry->dims[1] = conv ? entry->within : node->n_weight / node->channels;
    entry->dims[2] = series ? entry->width : entry->height;
    entry->dims[3] = entry->width;
    entry->rank = !conv ? 2 : series ? 3 : 4;
}

int qc_weights_init(QcWeights *w, QcGraph *g, QcErr *err)
{
    int series = is_series(g);
    *w = (QcWeights){0};
    w->list = qc_arena_take(&w->arena, 4 * (size_t)g->n_nodes, sizeof *w->list, err);
    if (!w->list) return -1;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op == QC_OP_CONV || node->op == QC_OP_LINEAR) add_kernel(w, g, node, series);
        if (node->op == QC_OP_BATCHNORM) add(w, node, "weight", g->params + node->weight, node->n_weight);
        if (node->n_bias) add(w, node, "bias", g->params + node->bias, node->n_bias);
        if (node->op != QC_OP_BATCHNORM) continue;
        add(w, node, "running_mean", g->stats + node->stat, node->channels);
        add(w, node, "running_var", g->stats + node->stat + node->channels, node->channels);
    }
    for (uint32_t i = 0; i < w->n; i++)
        if (qc_nametable_add(&w->table, &w->arena, w->list[i].name, i, err) < 0) return -1;
    return 0;
}

const QcWeight *qc_weights_find(const QcWeights *w, const char *name)
{
    int64_t i = qc_nametable_find(&w->table, name);
    return i < 0 ? NULL : &w->list[i];
}

void qc_weights_release(QcWeights *w)
{
    if (!w) return;
    qc_arena_release(&w->arena);
    *w = (QcWeights){0};
}

/* Where value (row, k, p) of [rows][within][positions] lies in the graph. */
static size_t at(const QcWeight *w, size_t row, size_t k, size_t p)
{
    return (row * w->height * w->width + p) * w->within + k;
}

void qc_weight_get(float *out, const QcWeight *w)
{
    for (size_t r = 0; r < w->rows; r++)
        for (size_t k = 0; k < w->within; k++)
            for (size_t p = 0; p < w->height * w->width; p++) *out++ = w->place[at(w, r, k, p)];
}

void qc_weight_set(const QcWeight *w, const float *values)
{
    for (size_t r = 0; r < w->rows; r++)
        for (size_t k = 0; k < w->within; k++)
            for (size_t p = 0; p < w->height * w->width; p++) w->place[at(w, r, k, p)] = *values++;
}

/* ---- what readers ask ---- */

static int ends_in(const char *name, const char *ending)
{
    size_t a = strlen(name), b = strlen(ending);
    return a >= b && !strcmp(name + a - b, ending);
}

int qc_weights_ignores(const char *name) { return ends_in(name, ".num_batches_tracked"); }

static uint32_t without_ones(uint64_t out[8], const uint64_t *dims, uint32_t rank)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < rank && n < 8; k++)
        if (dims[k] != 1) out[n++] = dims[k];
    return n;
}

static void shape_text(char *text, size_t room, const uint64_t *dims, uint32_t rank)
{
    size_t used = 0;
    *text = 0;
    for (uint32_t k = 0; k < rank && used < room; k++)
        used += (size_t)snprintf(text + used, room - used, "%s%llu", k ? " x " : "", (unsigned long long)dims[k]);
}

int qc_weight_check_shape(const QcWeight *w, const uint64_t *dims, uint32_t rank, const char *file, QcErr *err)
{
    uint64_t a[8], b[8];
    char is[64], wanted[64];
    uint32_t n = without_ones(a, dims, rank);
    if (n == without_ones(b, w->dims, w->rank) && !memcmp(a, b, n * sizeof *a)) return 0;
    shape_text(is, sizeof is, dims, rank);
    shape_text(wanted, sizeof wanted, w->dims, w->rank);
    return qc_fail(err, QC_EFORMAT, "%.200s: array '%s' is %s; the model wants %s", file, w->name,
                   *is ? is : "one number", wanted);
}

int qc_weight_take(const QcWeight *w, const float *values, const char *file, QcErr *err)
{
    int variance = ends_in(w->name, ".running_var");
    for (size_t i = 0; i < w->n; i++)
        if (!isfinite(values[i]) || (variance && values[i] < 0))
            return qc_fail(err, QC_EFORMAT, "%.200s: array '%s' has the value %g", file, w->name, (double)values[i]);
    qc_weight_set(w, values);
    return 0;
}
