/* qpool.c - maxima, means and standard deviations over windows or the whole of a tensor. */
#include "qnode.h"

#include "../kernels/mem.h"

/* Which of a window's taps lie inside the image: tap k reads at + k * dilation of the padded image. */
typedef struct Inside {
    uint32_t first, end;
} Inside;

static Inside inside_of(uint32_t at, uint32_t kernel, uint32_t dilation, uint32_t pad, uint32_t size)
{
    uint32_t end = pad + size > at ? (pad + size - at + dilation - 1) / dilation : 0;
    return (Inside){at < pad ? (pad - at + dilation - 1) / dilation : 0, end < kernel ? end : kernel};
}

/* Maxima of one row of windows, rows.first .. rows.end-1 of each inside the image. Where positions lie side by side in
 * both tensors, all whole windows are done at once. */
static void maxpool_row(QcQRun *run, const QcOutputView *view, const QcQNode *node, const uint8_t *x, uint32_t top,
                        Inside rows, uint32_t positions)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    uint32_t n = in->channels, column = node->dilation_w * n, reach = (node->kernel_w - 1u) * node->dilation_w;
    uint8_t *maxima = (uint8_t *)run->sums, *q = view->q; /* maxima: of each row of the window */
    int is_dense = rows.end - rows.first == 1 && node->stride_w == 1 && view->step == n;
    for (uint32_t t = 0, span; t < positions; t += span, q += (size_t)span * view->step) {
        Inside columns = inside_of(t * node->stride_w, node->kernel_w, node->dilation_w, node->pad_left, in->width);
        uint32_t whole = node->pad_left + in->width - t; /* positions until the window leaves the image, and `reach` */
        span = is_dense && !columns.first && whole > reach + 1 && t >= node->pad_left ? whole - reach : 1;
        if (span > positions - t) span = positions - t;
        for (uint32_t k = rows.first; k < rows.end; k++) {
            uint32_t row = top + k * node->dilation_h - node->pad_top,
                     at = t * node->stride_w + columns.first * node->dilation_w - node->pad_left;
            uint8_t *to = rows.end - rows.first == 1 ? q : maxima + (k - rows.first) * n;
            run->k->max_rows(to, x + ((size_t)row * in->width + at) * n, columns.end - columns.first, column, span * n);
        }
        if (rows.end - rows.first > 1) run->k->max_rows(q, maxima, rows.end - rows.first, n, n);
    }
}

/* Column `at` of a padded series. Positions outside are 0, the smallest code. */
static void pool_column(uint8_t *to, const uint8_t *x, const QcQTensor *in, uint32_t at, uint32_t pad)
{
    if (at < pad || at >= pad + in->width) memset(to, 0, in->channels);
    else memcpy(to, x + (size_t)(at - pad) * in->channels, in->channels);
}

/* A series whose output lies where its input does: run->padded holds the columns that a stretch of positions sees, and
 * keeps those that the next sees too. */
static void maxpool_in_place(QcQRun *run, const QcQNode *node, uint8_t *x)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    /* columns in run->padded */
    uint32_t n = in->channels, column = node->dilation_w * n, more = (node->kernel_w - 1u) * node->dilation_w,
             ready = 0;
    for (uint32_t t = 0; t < in->width; t += QC_Q_POOL) {
        uint32_t positions = in->width - t < QC_Q_POOL ? in->width - t : QC_Q_POOL;
        for (; ready < positions + more; ready++)
            pool_column(run->padded + (size_t)ready * n, x, in, t + ready, node->pad_left);
        run->k->max_rows(x + (size_t)t * n, run->padded, node->kernel_w, column, positions * n);
        memmove(run->padded, run->padded + (size_t)positions * n, (size_t)more * n);
        ready = more;
    }
}

void qc_qnode_maxpool(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]], *out = &run->g->tensors[node->out];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    QcOutputView view = qc_output_view(run, node), row = view;
    uint32_t n = in->channels;
    if (view.q == x) maxpool_in_place(run, node, view.q);
    for (uint32_t h = 0; view.q != x && h < out->height; h++, row.q += (size_t)out->width * row.step) {
        uint32_t top = h * node->stride_h;
        Inside rows = inside_of(top, node->kernel_h, node->dilation_h, node->pad_top, in->height);
        maxpool_row(run, &row, node, x, top, rows, out->width);
    }
    if (view.low == 0 && view.high >= (1 << in->bits) - 1) return;
    for (uint32_t t = 0; t < (uint32_t)out->height * out->width; t++) {
        uint8_t *q = view.q + (size_t)t * view.step;
        for (uint32_t i = 0; i < n; i++)
            q[i] = (uint8_t)(q[i] < view.low ? view.low : q[i] > view.high ? view.high : q[i]);
    }
}

static void add_pixel(int32_t *sums, const uint8_t *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) sums[i] += x[i];
}

/* floor(sum * area / inside + 1/2), area >= inside, by 32 bits: a division of 64 bits is as large as a kernel where the
 * processor has none. */
static int64_t scale_sum(int32_t sum, uint32_t area, uint32_t inside)
{
    int32_t whole = sum / (int32_t)inside, rest = sum % (int32_t)inside;
    if (rest < 0) whole--, rest += (int32_t)inside;
    uint32_t over = 0, quotient = 0; /* of rest * area by inside, as far as the bits of area are read */
    for (uint32_t bit = (uint32_t)1 << 31; bit; bit >>= 1) {
        over = 2 * over + (area & bit ? (uint32_t)rest : 0);
        for (quotient *= 2; over >= inside; quotient++) over -= inside;
    }
    return (int64_t)whole * area + quotient + (2 * over >= inside);
}

/* run->sums are sums of `inside` pixels that stand for `area` pixels. */
static void requantize_sums(QcQRun *run, uint8_t *q, const QcQNode *node, const QcOutputView *view, uint32_t inside,
                            uint32_t area)
{
    const QcQGraph *g = run->g;
    const QcQTensor *in = &g->tensors[node->in[0]];
    int32_t zero = (int32_t)inside * in->zero;
    for (uint32_t i = 0; i < in->channels; i++) {
        int64_t sum = run->sums[i] - zero;
        if (inside != area) sum = scale_sum((int32_t)sum, area, inside);
        q[i] = qc_requantize(sum * g->multiplier[node->channel], g->shift[node->channel], view);
    }
}

void qc_qnode_avgpool(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]], *out = &run->g->tensors[node->out];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    QcOutputView view = qc_output_view(run, node);
    uint32_t area = (uint32_t)node->kernel_h * node->kernel_w;
    for (uint32_t h = 0; h < out->height; h++)
        for (uint32_t w = 0; w < out->width; w++) {
            uint32_t inside = 0;
            memset(run->sums, 0, in->channels * sizeof *run->sums);
            for (uint32_t kh = 0; kh < node->kernel_h; kh++)
                for (uint32_t kw = 0; kw < node->kernel_w; kw++) {
                    /* wraps to huge above the image */
                    uint32_t y = h * node->stride_h + kh * node->dilation_h - node->pad_top;
                    uint32_t z = w * node->stride_w + kw * node->dilation_w - node->pad_left;
                    if (y >= in->height || z >= in->width) continue;
                    add_pixel(run->sums, x + ((size_t)y * in->width + z) * in->channels, in->channels);
                    inside++;
                }
            uint32_t of = node->count_padding || inside == 0 ? inside : area; /* padding has the value 0 */
            requantize_sums(run, view.q + ((size_t)h * out->width + w) * view.step, node, &view, inside, of);
        }
}

void qc_qnode_gap(QcQRun *run, const QcQNode *node)
{
    static const uint8_t on = 1;
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    uint32_t count = (uint32_t)in->height * in->width, n = in->channels;
    QcOutputView view = qc_output_view(run, node);
    run->k->masked_sum(run->sums, qc_qrun_tensor(run, node->in[0]), &on, count, n, 0, n, 1);
    requantize_sums(run, view.q, node, &view, count, count);
}

/* The largest integer whose square is not above x < 2^62: a bit at a time. */
static int64_t whole_root(uint64_t x)
{
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 30; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= x) root += bit;
    return (int64_t)root;
}

enum { STRIP = 64 }; /* channels at a time */

void qc_qnode_std(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const QcQTensor *in = &g->tensors[node->in[0]];
    const uint8_t *x = qc_qrun_tensor(run, node->in[0]);
    uint32_t count = (uint32_t)in->height * in->width, n;
    QcOutputView view = qc_output_view(run, node);
    for (uint32_t c = 0; c < in->channels; c += n) {
        uint32_t sum[STRIP], squares[STRIP]; /* fit 32 bits: at most QC_Q_STD_PIXELS times 255^2 */
        n = in->channels - c < STRIP ? in->channels - c : STRIP;
        run->k->moments(sum, squares, x + c, count, in->channels, n);
        for (uint32_t i = 0; i < n; i++) {
            int64_t root = whole_root(((uint64_t)count * squares[i] - (uint64_t)sum[i] * sum[i]) << 16);
            view.q[c + i] = qc_requantize(root * g->multiplier[node->channel], g->shift[node->channel], &view);
        }
    }
}
