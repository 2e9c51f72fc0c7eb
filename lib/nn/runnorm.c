/* Batch norm over the rows [n*h*w][channels]. Rows are cut into as many chunks as there are threads, sums are float within a block of rows and double
 * beyond, and chunks are added in order: the same sums every time. */
#include <math.h>

#include "runparts.h"

enum { STRIP = 64, BLOCK = 128 }; /* channels and rows that are summed at a time */

/* s[c] += sum a, t[c] += sum a * (b - centre[c]) over rows from .. to. With a NULL a is (b - centre[c]) itself, and so t sums squares. */
static void sum_rows(double *s, double *t, const float *a, const float *b, const float *centre, size_t channels, size_t from, size_t to)
{
    for (size_t first = 0; first < channels; first += STRIP) {
        size_t width = channels - first < STRIP ? channels - first : STRIP;
        for (size_t block = from; block < to; block += BLOCK) {
            float one[STRIP] = {0}, two[STRIP] = {0};
            size_t end = to - block < BLOCK ? to : block + BLOCK;
            for (size_t r = block; r < end; r++) {
                const float *bs = b + r * channels + first, *as = a ? a + r * channels + first : NULL, *ms = centre + first;
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

/* Leaves the totals in run->sums[0 .. 2*channels). */
static void sum_columns(QcRun *run, const float *a, const float *b, const float *centre, size_t channels, size_t rows)
{
    double *sums = run->sums;
    int chunks = run->threads;
#pragma omp parallel for schedule(static)
    for (int k = 0; k < chunks; k++) {
        double *mine = sums + 2 * channels * (size_t)k;
        for (size_t c = 0; c < 2 * channels; c++) mine[c] = 0;
        sum_rows(mine, mine + channels, a, b, centre, channels, rows * (size_t)k / (size_t)chunks, rows * ((size_t)k + 1) / (size_t)chunks);
    }
    for (int k = 1; k < chunks; k++)
        for (size_t c = 0; c < 2 * channels; c++) sums[c] += sums[2 * channels * (size_t)k + c];
}

/* Statistics of this batch, around the batch's first row so that a large mean costs no precision; the running ones follow (momentum .1, variance
 * unbiased, as PyTorch has it). */
static void measure(QcRun *run, const QcNode *node, const float *x, size_t rows)
{
    float *mean = run->norm + node->stat, *inverse = mean + node->channels;
    float *running_mean = run->g->stats + node->stat, *running_variance = running_mean + node->channels;
    float *centre = run->channel;
    double n = (double)rows;
    for (uint32_t c = 0; c < node->channels; c++) centre[c] = x[c];
    sum_columns(run, NULL, x, centre, node->channels, rows);
    for (uint32_t c = 0; c < node->channels; c++) {
        double shift = run->sums[c] / n, variance = run->sums[node->channels + c] / n - shift * shift;
        if (!(variance > 0)) variance = 0;
        mean[c] = (float)(centre[c] + shift);
        inverse[c] = (float)(1 / sqrt(variance + (double)node->eps));
        running_mean[c] = (float)(.9 * (double)running_mean[c] + .1 * (double)mean[c]);
        running_variance[c] = (float)(.9 * (double)running_variance[c] + .1 * variance * (rows > 1 ? n / (n - 1) : 1));
    }
}

static void recall(QcRun *run, const QcNode *node)
{
    float *mean = run->norm + node->stat, *inverse = mean + node->channels;
    const float *running_mean = run->g->stats + node->stat, *running_variance = running_mean + node->channels;
    for (uint32_t c = 0; c < node->channels; c++) {
        mean[c] = running_mean[c];
        inverse[c] = (float)(1 / sqrt((double)running_variance[c] + (double)node->eps));
    }
}

void qc_norm_forward(QcRun *run, const QcNode *node, float *y, const float *x, size_t rows)
{
    size_t channels = node->channels;
    if (run->mode == QC_RUN_TRAIN)
        measure(run, node, x, rows);
    else
        recall(run, node);
    const float *mean = run->norm + node->stat, *inverse = mean + channels;
    const float *gain = run->g->params + node->weight, *shift = run->g->params + node->bias;
    float *scale = run->channel, *offset = scale + channels;
    for (size_t c = 0; c < channels; c++) {
        scale[c] = gain[c] * inverse[c];
        offset[c] = shift[c] - mean[c] * scale[c];
    }
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < rows; r++) {
        const float *xs = x + r * channels;
        float *ys = y + r * channels;
        for (size_t c = 0; c < channels; c++) ys[c] = xs[c] * scale[c] + offset[c];
    }
}

void qc_norm_backward(QcRun *run, const QcNode *node, float *dx, float *grads, const float *dy, const float *x, size_t rows)
{
    size_t channels = node->channels;
    const float *mean = run->norm + node->stat, *inverse = mean + channels, *gain = run->g->params + node->weight;
    float *scale = run->channel, *slope = scale + channels, *offset = slope + channels;
    sum_columns(run, dy, x, mean, channels, rows);
    /* dx = gain * inverse * (dy - mean(dy) - xhat * mean(dy xhat)), the two means only where they depend on x */
    for (size_t c = 0; c < channels; c++) {
        double dshift = run->sums[c], dgain = run->sums[channels + c] * (double)inverse[c], n = (double)rows;
        grads[node->weight + c] = (float)dgain;
        grads[node->bias + c] = (float)dshift;
        scale[c] = gain[c] * inverse[c];
        double step = run->mode == QC_RUN_TRAIN ? -(double)scale[c] * (double)inverse[c] * dgain / n : 0;
        slope[c] = (float)step;
        offset[c] = run->mode == QC_RUN_TRAIN ? (float)(-(double)scale[c] * dshift / n - step * (double)mean[c]) : 0;
    }
    if (!dx) return;
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < rows; r++) {
        const float *dys = dy + r * channels, *xs = x + r * channels;
        float *dxs = dx + r * channels;
        for (size_t c = 0; c < channels; c++) dxs[c] = scale[c] * dys[c] + slope[c] * xs[c] + offset[c];
    }
}
