/* Batch norm over the rows [n*h*w][channels]. The rows of each slice are summed in float within a block and in double
 * over blocks. After a barrier, each member adds up the sums of all slices in the same order. */
#include <math.h>
#include <string.h>

#include "runparts.h"

enum { STRIP = 64, BLOCK = 128 }; /* channels and rows that are summed at a time */

/* s[c] += sum a, t[c] += sum a * (b - centre[c]) over rows from .. to. With a NULL a is (b - centre[c]) itself, and so
 * t sums squares. */
static void sum_rows(double *s, double *t, const float *a, const float *b, const float *centre, size_t channels,
                     size_t from, size_t to)
{
    for (size_t first = 0; first < channels; first += STRIP) {
        size_t width = channels - first < STRIP ? channels - first : STRIP;
        for (size_t block = from; block < to; block += BLOCK) {
            float one[STRIP] = {0}, two[STRIP] = {0};
            size_t end = to - block < BLOCK ? to : block + BLOCK;
            for (size_t r = block; r < end; r++) {
                const float *bs = b + r * channels + first, *as = a ? a + r * channels + first : NULL,
                            *ms = centre + first;
                if (as)
                    for (size_t c = 0; c < width; c++) {
                        one[c] += as[c];
                        two[c] += as[c] * (bs[c] - ms[c]);
                    }
                else
                    for (size_t c = 0; c < width; c++) {
                        float d = bs[c] - ms[c];
                        one[c] += d;
                        two[c] += d * d;
                    }
            }
            for (size_t c = 0; c < width; c++) {
                s[first + c] += one[c];
                t[first + c] += two[c];
            }
        }
    }
}

/* Stores the two sums of a slice for every channel in memory that all members share. */
static void sum_slice(const QcRun *run, const QcRunSlice *slice, const QcNode *node, const float *a, const float *b,
                      const float *centre)
{
    size_t channels = node->channels, rows = slice->n * qc_node_positions(node);
    double *mine = run->sums + node->stat * (size_t)run->parts + 2 * channels * (size_t)slice->number;
    for (size_t c = 0; c < 2 * channels; c++) mine[c] = 0;
    sum_rows(mine, mine + channels, a, b, centre, channels, 0, rows);
    if (a || !rows) return;
    /* statistics: to mean and sum of squares around it, which can be joined whatever the centre was */
    for (size_t c = 0; c < channels; c++) {
        double shift = mine[c] / (double)rows;
        mine[channels + c] -= mine[c] * shift;
        mine[c] = (double)centre[c] + shift;
    }
}

/* Waits for all members. Returns the sums of slice 0; the sums of the next slice are 2 * channels further. */
static const double *meet(QcRun *run, const QcNode *node)
{
    qc_team_barrier(run->team);
    return run->sums + node->stat * (size_t)run->parts;
}

/* Mean and squares of channel c over all slices (Chan, Golub and LeVeque, 1983). */
static void join_slices(double *mean, double *squares, const double *all, const QcRun *run, const QcNode *node,
                        size_t c)
{
    double n = 0;
    *mean = *squares = 0;
    for (int k = 0; k < run->parts; k++) {
        const double *one = all + 2 * (size_t)node->channels * (size_t)k;
        double m = (double)(run->slices[k].n * qc_node_positions(node)), apart = one[c] - *mean;
        if (m <= 0) continue;
        *squares += one[node->channels + c] + apart * apart * n * m / (n + m);
        n += m;
        *mean += apart * m / n;
    }
}

/* Statistics of this batch; member 0 lets the running ones follow (momentum .1, variance unbiased, as PyTorch has
 * it). */
static void measure(const QcRunMember *member, uint32_t i, float *mean, float *inverse)
{
    QcRun *run = member->run;
    const QcNode *node = &run->g->nodes[i];
    float *running_mean = run->g->stats + node->stat, *running_variance = running_mean + node->channels;
    double n = (double)(run->n * qc_node_positions(node));
    for (const QcRunSlice *s = member->slices; s < member->end; s++) {
        const float *x = s->value[node->inputs[0]];
        sum_slice(run, s, node, NULL, x, x); /* around its first row, so that a large mean costs no precision */
    }
    const double *all = meet(run, node);
    for (uint32_t c = 0; c < node->channels; c++) {
        double middle, squares;
        join_slices(&middle, &squares, all, run, node, c);
        double variance = squares < 0 ? 0 : squares / n; /* what is no number stays none */
        mean[c] = (float)middle;
        inverse[c] = (float)(1 / sqrt(variance + (double)node->eps));
        if (member != run->members) continue;
        running_mean[c] = (float)(.9 * (double)running_mean[c] + .1 * (double)mean[c]);
        running_variance[c] = (float)(.9 * (double)running_variance[c] + .1 * variance * (n > 1 ? n / (n - 1) : 1));
    }
}

static void recall(const QcRun *run, const QcNode *node, float *mean, float *inverse)
{
    const float *running_mean = run->g->stats + node->stat, *running_variance = running_mean + node->channels;
    for (uint32_t c = 0; c < node->channels; c++) {
        mean[c] = running_mean[c];
        inverse[c] = (float)(1 / sqrt((double)running_variance[c] + (double)node->eps));
    }
}

void qc_run_norm_forward(QcRunMember *member, uint32_t i)
{
    QcRun *run = member->run;
    const QcNode *node = &run->g->nodes[i];
    size_t channels = node->channels;
    float *mean = member->channel, *inverse = mean + channels;
    if (run->mode == QC_RUN_TRAIN)
        measure(member, i, mean, inverse);
    else
        recall(run, node, mean, inverse);
    /* for the way back */
    if (member == run->members) memcpy(run->norm + node->stat, mean, 2 * channels * sizeof *mean);
    const float *gain = run->g->params + node->weight, *shift = run->g->params + node->bias;
    float *scale = inverse, *offset = mean; /* in their place */
    for (size_t c = 0; c < channels; c++) {
        scale[c] = gain[c] * inverse[c];
        offset[c] = shift[c] - mean[c] * scale[c];
    }
    for (const QcRunSlice *s = member->slices; s < member->end; s++)
        for (size_t r = 0, rows = s->n * qc_node_positions(node); r < rows; r++) {
            const float *xs = s->value[node->inputs[0]] + r * channels;
            float *ys = s->value[i] + r * channels;
            for (size_t c = 0; c < channels; c++) ys[c] = xs[c] * scale[c] + offset[c];
        }
}

void qc_run_norm_backward(QcRunMember *member, uint32_t i, float *const *target)
{
    QcRun *run = member->run;
    const QcNode *node = &run->g->nodes[i];
    size_t channels = node->channels;
    const float *mean = run->norm + node->stat, *inverse = mean + channels, *gain = run->g->params + node->weight;
    float *scale = member->channel, *slope = scale + channels, *offset = slope + channels;
    for (const QcRunSlice *s = member->slices; s < member->end; s++)
        sum_slice(run, s, node, s->gradient[i], s->value[node->inputs[0]], mean);
    const double *all = meet(run, node);
    double n = (double)(run->n * qc_node_positions(node));
    /* dx = gain * inverse * (dy - mean(dy) - xhat * mean(dy xhat)), the two means only where they depend on x */
    for (size_t c = 0; c < channels; c++) {
        double dshift = 0, dgain = 0;
        for (int k = 0; k < run->parts; k++) {
            dshift += all[2 * channels * (size_t)k + c];
            dgain += all[2 * channels * (size_t)k + channels + c] * (double)inverse[c];
        }
        if (member == run->members) { /* the shares of slices but the first stay 0 */
            run->slices[0].grads[node->weight + c] = (float)dgain;
            run->slices[0].grads[node->bias + c] = (float)dshift;
        }
        scale[c] = gain[c] * inverse[c];
        double step = run->mode == QC_RUN_TRAIN ? -(double)scale[c] * (double)inverse[c] * dgain / n : 0;
        slope[c] = (float)step;
        offset[c] = run->mode == QC_RUN_TRAIN ? (float)(-(double)scale[c] * dshift / n - step * (double)mean[c]) : 0;
    }
    for (const QcRunSlice *s = member->slices; s < member->end && target[s->number]; s++)
        for (size_t r = 0, rows = s->n * qc_node_positions(node); r < rows; r++) {
            const float *dys = s->gradient[i] + r * channels, *xs = s->value[node->inputs[0]] + r * channels;
            float *dxs = target[s->number] + r * channels;
            for (size_t c = 0; c < channels; c++) dxs[c] = scale[c] * dys[c] + slope[c] * xs[c] + offset[c];
        }
}
