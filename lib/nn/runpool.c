#include <math.h>
#include <string.h>

#include "runparts.h"

enum { STRIP = 64 }; /* channels worked on at a time, so that their state stays in registers and cache */

/* The taps of a window along one dimension that lie inside the input: kernel indices first .. last-1. */
typedef struct Taps {
    uint32_t first, last;
    int64_t start; /* input position of tap 0 */
} Taps;

static Taps taps_at(uint32_t out, uint32_t in, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before)
{
    Taps t = {.start = (int64_t)out * stride - before};
    t.first = t.start >= 0 ? 0 : (uint32_t)((-t.start + dilation - 1) / dilation);
    int64_t inside = (int64_t)in - t.start; /* tap k is inside when k * dilation < inside */
    int64_t end = inside <= 0 ? 0 : (inside + dilation - 1) / dilation;
    t.last = end < kernel ? (uint32_t)end : kernel;
    return t;
}

typedef struct Span { /* one output position and what it sees */
    Taps h, w;
    const QcNode *in;
    uint32_t dilation_h, dilation_w;
} Span;

static Span span_at(const QcNode *node, const QcNode *in, uint32_t position)
{
    const QcWindow *w = &node->window;
    return (Span){.h = taps_at(position / node->width, in->height, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top),
                  .w = taps_at(position % node->width, in->width, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left),
                  .in = in, .dilation_h = w->dilation_h, .dilation_w = w->dilation_w};
}

/* Offset of the row of channels that tap (i, j) sees. */
static size_t tap_row(const Span *s, uint32_t i, uint32_t j)
{
    size_t h = (size_t)(s->h.start + (int64_t)i * s->dilation_h), w = (size_t)(s->w.start + (int64_t)j * s->dilation_w);
    return (h * s->in->width + w) * s->in->channels;
}

static void max_of(float *best, const float *x, size_t width)
{
    for (size_t c = 0; c < width; c++) best[c] = x[c] > best[c] ? x[c] : best[c];
}

void qc_run_maxpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(node);
    for (size_t at = 0; at < n * positions; at++) {
        Span s = span_at(node, in, (uint32_t)(at % positions));
        const float *window = x + at / positions * qc_node_values(in);
        float *best = y + at * channels;
        memcpy(best, window + tap_row(&s, s.h.first, s.w.first), channels * sizeof *best);
        for (uint32_t i = s.h.first; i < s.h.last; i++)
            for (uint32_t j = s.w.first; j < s.w.last; j++) max_of(best, window + tap_row(&s, i, j), channels);
    }
}

/* The rest of the gradient of each channel goes to x if x is the maximum. Short loops, because compilers vectorize
 * them. */
static void give(float *restrict dx, float *restrict left, const float *restrict best, const float *restrict x,
                 size_t width)
{
    float gift[STRIP];
    for (size_t c = 0; c < width; c++) gift[c] = x[c] == best[c] ? 1.0f : 0.0f;
    for (size_t c = 0; c < width; c++) gift[c] *= left[c];
    for (size_t c = 0; c < width; c++) dx[c] += gift[c];
    for (size_t c = 0; c < width; c++) left[c] -= gift[c];
}

/* The first tap that holds the maximum gets the gradient. */
static void maxpool_scatter(float *dx, const float *dy, const float *x, const Span *s, size_t channels)
{
    for (size_t first = 0; first < channels; first += STRIP) {
        size_t width = channels - first < STRIP ? channels - first : STRIP;
        float best[STRIP], left[STRIP]; /* the maximum; the gradient that is still to be given */
        memcpy(best, x + tap_row(s, s->h.first, s->w.first) + first, width * sizeof *best);
        for (uint32_t i = s->h.first; i < s->h.last; i++)
            for (uint32_t j = s->w.first; j < s->w.last; j++) max_of(best, x + tap_row(s, i, j) + first, width);
        memcpy(left, dy + first, width * sizeof *left);
        for (uint32_t i = s->h.first; i < s->h.last; i++)
            for (uint32_t j = s->w.first; j < s->w.last; j++) {
                size_t row = tap_row(s, i, j) + first;
                give(dx + row, left, best, x + row, width);
            }
    }
}

void qc_run_maxpool_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in,
                             uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(node), values = qc_node_values(in);
    for (uint32_t k = 0; k < n; k++) {
        memset(dx + k * values, 0, values * sizeof *dx);
        for (uint32_t at = 0; at < positions; at++) {
            Span s = span_at(node, in, at);
            maxpool_scatter(dx + k * values, dy + (k * positions + at) * channels, x + k * values, &s, channels);
        }
    }
}

static float share(const Span *s, const QcNode *node)
{
    uint32_t inside = (s->h.last - s->h.first) * (s->w.last - s->w.first);
    return 1 / (float)(node->count_padding ? node->window.kernel_h * node->window.kernel_w : inside);
}

void qc_run_avgpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(node);
    for (size_t at = 0; at < n * positions; at++) {
        Span s = span_at(node, in, (uint32_t)(at % positions));
        const float *window = x + at / positions * qc_node_values(in);
        float *sum = y + at * channels, scale = share(&s, node);
        memset(sum, 0, channels * sizeof *sum);
        for (uint32_t i = s.h.first; i < s.h.last; i++)
            for (uint32_t j = s.w.first; j < s.w.last; j++) {
                const float *row = window + tap_row(&s, i, j);
                for (size_t c = 0; c < channels; c++) sum[c] += row[c];
            }
        for (size_t c = 0; c < channels; c++) sum[c] *= scale;
    }
}

void qc_run_avgpool_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(node), values = qc_node_values(in);
    for (uint32_t k = 0; k < n; k++) {
        memset(dx + k * values, 0, values * sizeof *dx);
        for (uint32_t at = 0; at < positions; at++) {
            Span s = span_at(node, in, at);
            const float *from = dy + (k * positions + at) * channels;
            float scale = share(&s, node);
            for (uint32_t i = s.h.first; i < s.h.last; i++)
                for (uint32_t j = s.w.first; j < s.w.last; j++) {
                    float *row = dx + k * values + tap_row(&s, i, j);
                    for (size_t c = 0; c < channels; c++) row[c] += scale * from[c];
                }
        }
    }
}

void qc_run_gap_forward(float *y, const float *x, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(in);
    float scale = 1 / (float)positions;
    for (uint32_t k = 0; k < n; k++) {
        float *sum = y + k * channels;
        memset(sum, 0, channels * sizeof *sum);
        for (size_t p = 0; p < positions; p++) {
            const float *row = x + (k * positions + p) * channels;
            for (size_t c = 0; c < channels; c++) sum[c] += row[c];
        }
        for (size_t c = 0; c < channels; c++) sum[c] *= scale;
    }
}

void qc_run_gap_backward(float *dx, const float *dy, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(in);
    float scale = 1 / (float)positions;
    for (size_t at = 0; at < n * positions; at++) {
        const float *from = dy + at / positions * channels;
        float *row = dx + at * channels;
        for (size_t c = 0; c < channels; c++) row[c] = scale * from[c];
    }
}

/* Means come first, so that large ones cost no digits; a channel at a time, for this is done once a window. */
static float mean_of(const float *x, size_t positions, size_t channels)
{
    float sum = 0;
    for (size_t p = 0; p < positions; p++) sum += x[p * channels];
    return sum / (float)positions;
}

void qc_run_std_forward(float *y, const float *x, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(in);
    for (size_t k = 0; k < n * channels; k++) {
        const float *from = x + k / channels * positions * channels + k % channels;
        float mean = mean_of(from, positions, channels), sum = 0;
        for (size_t p = 0; p < positions; p++) sum += (from[p * channels] - mean) * (from[p * channels] - mean);
        y[k] = sqrtf(sum / (float)positions);
    }
}

void qc_run_std_backward(float *dx, const float *dy, const float *y, const float *x, const QcNode *in, uint32_t n)
{
    size_t channels = in->channels, positions = qc_node_positions(in);
    for (size_t k = 0; k < n * channels; k++) {
        size_t at = k / channels * positions * channels + k % channels;
        float mean = mean_of(x + at, positions, channels), scale = y[k] > 0 ? dy[k] / (y[k] * (float)positions) : 0;
        for (size_t p = 0; p < positions * channels; p += channels) dx[at + p] = scale * (x[at + p] - mean);
    }
}
