/* Backward passes as forward ones. Of kernels wider than 14 (gradient of weights) and 20 or so (gradient of data)
 * oneDNN 2.6 has only a matrix product after a copy of every window, at a third to a half of the speed of its forward
 * convolution. Without strides both gradients are forward convolutions themselves (39 taps, 16 channels, 48 windows of
 * 500, AVX-512, one thread: weights 16.3 to 4.7 ms, data 10.2 to 4.5 ms):
 *   dx[n][t][i] = sum_o,k  W[o][k][i] dy[n][t + before - k][o]          dy convolved with the kernel reversed, in and
 *                          out exchanged
 *   dW[o][k][i] = sum_n,t  dy[n][t][o] x[n][t + k - before][i]          x, its channels taken for windows and its
 *                          windows for channels, convolved with dy for a kernel
 */
#include <stdlib.h>
#include <string.h>

#include "runconvparts.h"

/* Four logical dimensions, of which the first is innermost in memory, then the fourth, the third and the second: what
 * [n][h][w][c] is when n and c change places. */
static dnnl_status_t describe_exchanged(dnnl_memory_desc_t *desc, dnnl_dim_t a, dnnl_dim_t b, dnnl_dim_t h,
                                        dnnl_dim_t w)
{
    dnnl_dims_t dims = {a, b, h, w}, steps = {1, h * w * a, w * a, a};
    return dnnl_memory_desc_init_by_strides(desc, 4, dims, dnnl_f32, steps);
}

static dnnl_status_t describe_plain(dnnl_memory_desc_t *desc, dnnl_dim_t n, dnnl_dim_t c, dnnl_dim_t h, dnnl_dim_t w)
{
    dnnl_dims_t dims = {n, c, h, w};
    return dnnl_memory_desc_init_by_tag(desc, 4, dims, dnnl_f32, dnnl_nhwc);
}

static int can_turn(const QcConvShape *s)
{
    /* one group, and more than one tap */
    int can = s->weights.ndims == 4 && s->weights.dims[2] * s->weights.dims[3] > 1;
    for (int k = 0; k < 2; k++)
        can = can && s->strides[k] == 1 && !s->dilates[k] && s->before[k] < s->weights.dims[2 + k] &&
              s->after[k] < s->weights.dims[2 + k];
    return can;
}

static dnnl_status_t turn_shape(QcConvShape *t, const QcConvShape *s, int pass)
{
    const dnnl_dim_t *x = s->x.dims, *y = s->y.dims, *w = s->weights.dims;
    dnnl_status_t bad = dnnl_success;
    *t = (QcConvShape){.strides = {1, 1}};
    if (pass == QC_BACK_DATA) {
        t->x = s->y;
        t->y = s->x;
        bad = describe_exchanged(&t->weights, w[1], w[0], w[2], w[3]);
        for (int k = 0; k < 2; k++) {
            t->before[k] = w[2 + k] - 1 - s->before[k];
            t->after[k] = w[2 + k] - 1 - s->after[k];
        }
    } else {
        bad = describe_plain(&t->x, x[1], x[0], x[2], x[3]);
        if (!bad) bad = describe_plain(&t->y, x[1], y[1], w[2], w[3]);
        if (!bad) bad = describe_exchanged(&t->weights, y[1], y[0], y[2], y[3]);
        memcpy(t->before, s->before, sizeof t->before);
        memcpy(t->after, s->after, sizeof t->after);
    }
    return bad ? bad : dnnl_memory_desc_init_by_tag(&t->weights_any, 4, t->weights.dims, dnnl_f32, dnnl_format_tag_any);
}

static int by_product(dnnl_primitive_desc_t desc)
{
    const char *name = "";
    dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name);
    return strstr(name, "gemm") || strstr(name, "ref");
}

static dnnl_status_t memory_of(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc)
{
    return dnnl_memory_create(memory, desc, qc_dnnl_engine(), DNNL_MEMORY_NONE);
}

static dnnl_status_t make_ways(QcTurn *turn, const QcConvShape *t, QcConvNeeds *needs)
{
    dnnl_memory_desc_t x, y;
    dnnl_status_t bad = describe_exchanged(&x, t->x.dims[0], t->x.dims[1], t->x.dims[2], t->x.dims[3]);
    if (!bad) bad = describe_exchanged(&y, t->y.dims[0], t->y.dims[1], t->y.dims[2], t->y.dims[3]);
    if (!bad) bad = memory_of(&turn->x_here, &x);
    if (!bad) bad = memory_of(&turn->y_here, &y);
    if (!bad) bad = qc_dnnl_reorder(&turn->turn_x, &x, &t->x);
    if (!bad) bad = qc_dnnl_reorder(&turn->turn_y, &t->y, &y);
    qc_dnnl_raise(&needs->picked, &t->x);
    qc_dnnl_raise(&needs->turned, &t->y);
    return bad;
}

static dnnl_status_t make(QcTurn *turn, const QcConvShape *t, int pass, dnnl_primitive_desc_t desc, QcConvNeeds *needs)
{
    dnnl_status_t bad = memory_of(&turn->x, &t->x);
    if (!bad) bad = memory_of(&turn->y, &t->y);
    if (!bad) bad = memory_of(&turn->weights, &t->weights);
    if (!bad) bad = qc_pass_make(&turn->pass, t, QC_FORWARD, desc, needs);
    if (bad || pass == QC_BACK_WEIGHTS) return bad ? bad : make_ways(turn, t, needs);
    qc_dnnl_raise(&needs->turned, &t->weights);
    return bad;
}

dnnl_status_t qc_turn_make(QcTurn **turn, const QcConvShape *s, int pass, dnnl_primitive_desc_t desc,
                           QcConvNeeds *needs)
{
    QcConvShape t;
    dnnl_primitive_desc_t turned = NULL;
    *turn = NULL;
    if (!by_product(desc) || !can_turn(s)) return dnnl_success;
    dnnl_status_t bad = turn_shape(&t, s, pass);
    if (!bad && !qc_pass_describe(&turned, &t, QC_FORWARD, NULL) && !by_product(turned)) {
        *turn = calloc(1, sizeof **turn);
        bad = *turn ? make(*turn, &t, pass, turned, needs) : dnnl_out_of_memory;
    }
    if (turned) dnnl_primitive_desc_destroy(turned);
    return bad;
}

void qc_turn_free(QcTurn *turn)
{
    if (!turn) return;
    qc_pass_release(&turn->pass);
    dnnl_memory_t memories[] = {turn->x, turn->y, turn->weights, turn->x_here, turn->y_here};
    for (int k = 0; k < 5; k++)
        if (memories[k]) dnnl_memory_destroy(memories[k]);
    if (turn->turn_x) dnnl_primitive_destroy(turn->turn_x);
    if (turn->turn_y) dnnl_primitive_destroy(turn->turn_y);
    free(turn);
}

void qc_turn_lend(const QcTurn *turn, const QcConvs *convs)
{
    qc_pass_lend(&turn->pass, convs);
    if (!turn->turn_x) {
        qc_dnnl_point_at(turn->weights, convs->turned);
        return;
    }
    qc_dnnl_point_at(turn->x, convs->picked);
    qc_dnnl_point_at(turn->y, convs->turned);
}

static void run(const QcTurn *turn, int is_laid_out)
{
    const QcPass *pass = &turn->pass;
    if (pass->reorder && !is_laid_out) qc_dnnl_copy(pass->reorder, turn->weights, pass->weights);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, turn->x},
                              {DNNL_ARG_WEIGHTS, pass->reorder ? pass->weights : turn->weights},
                              {DNNL_ARG_DST, turn->y},
                              {DNNL_ARG_SCRATCHPAD, pass->scratchpad}};
    dnnl_primitive_execute(pass->primitive, qc_dnnl_stream(), 4, args);
}

/* to[out][taps reversed][in] */
static void reverse_taps(float *to, const float *from, size_t out, size_t taps, size_t in)
{
    for (size_t o = 0; o < out; o++)
        for (size_t k = 0; k < taps; k++)
            memcpy(to + (o * taps + taps - 1 - k) * in, from + (o * taps + k) * in, in * sizeof *to);
}

void qc_turn_back_data(const QcTurn *turn, const QcConvs *convs, const QcNode *node, uint32_t in_channels,
                       const float *weights, float *dx, const float *dy, int is_laid_out)
{
    size_t taps = (size_t)node->window.kernel_h * node->window.kernel_w;
    if (!is_laid_out) reverse_taps(convs->turned, weights, node->channels, taps, in_channels);
    qc_dnnl_point_at(turn->x, dy);
    qc_dnnl_point_at(turn->y, dx);
    run(turn, is_laid_out);
}

static void sum_rows(float *sum, const float *x, size_t rows, size_t width)
{
    memset(sum, 0, width * sizeof *sum);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) sum[c] += x[r * width + c];
}

void qc_turn_back_weights(const QcTurn *turn, const QcNode *node, float *grads, const float *dy, const float *x,
                          size_t rows)
{
    qc_dnnl_point_at(turn->x_here, x);
    qc_dnnl_point_at(turn->weights, dy);
    qc_dnnl_point_at(turn->y_here, grads + node->weight);
    qc_dnnl_copy(turn->turn_x, turn->x_here, turn->x);
    run(turn, 0);
    qc_dnnl_copy(turn->turn_y, turn->y, turn->y_here);
    if (node->has_bias) sum_rows(grads + node->bias, dy, rows, node->channels);
}
