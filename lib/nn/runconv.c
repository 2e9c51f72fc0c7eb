/* Convolutions and linear layers by oneDNN. Measured on AVX2 with 16 and 32 channels and kernels of 9 to 39 (64 windows
 * of 125, two threads): activations plain, weights in the layout that oneDNN asks for, is up to 2.5 times as fast as
 * blocked activations, for which wide kernels fall back to the same matrix product after a slower im2col. A linear
 * layer is a 1 x 1 convolution over one row of n positions. */
#include <stdlib.h>
#include <sys/mman.h>

#include "runconvparts.h"

enum { GENERATORS = 16 << 20 }; /* bytes, more than the code of a primitive takes */

struct QcConv {
    QcPass pass[QC_PASSES];
    QcTurn *turn[QC_PASSES];           /* in place of that pass; NULL: it is computed as it is */
    dnnl_memory_t x, y, weights, bias; /* plain; handles are set at each use */
};

/* One engine and one stream serve the whole process; they hold no state. */
static dnnl_engine_t engine;
static dnnl_stream_t stream;

static int engine_start(QcErr *err)
{
    if (!engine && dnnl_engine_create(&engine, dnnl_cpu, 0))
        return qc_fail(err, QC_EFAIL, "oneDNN finds no CPU engine");
    if (!stream && dnnl_stream_create(&stream, engine, dnnl_stream_default_flags))
        return qc_fail(err, QC_EFAIL, "oneDNN makes no stream");
    return 0;
}

void omp_set_num_threads(int threads); /* of the OpenMP runtime; its header is not there for every compiler */
void qc_convs_single_threaded(void) { omp_set_num_threads(1); }

dnnl_engine_t qc_dnnl_engine(void) { return engine; }
dnnl_stream_t qc_dnnl_stream(void) { return stream; }

static int set_dims(dnnl_dims_t dims, dnnl_dim_t a, dnnl_dim_t b, dnnl_dim_t c, dnnl_dim_t d)
{
    dims[0] = a;
    dims[1] = b;
    dims[2] = c;
    dims[3] = d;
    return 4;
}

static dnnl_status_t describe_weights(QcConvShape *s, dnnl_dim_t groups, dnnl_dim_t out, dnnl_dim_t in, dnnl_dim_t kh,
                                      dnnl_dim_t kw)
{
    dnnl_dims_t dims, steps; /* logically [groups][out][in][kh][kw], in memory [groups][out][kh][kw][in] */
    int first = groups > 1 ? 1 : 0;
    dims[0] = groups;
    steps[0] = out * in * kh * kw;
    set_dims(dims + first, out, in, kh, kw);
    set_dims(steps + first, kh * kw * in, 1, kw * in, in);
    dnnl_status_t bad = dnnl_memory_desc_init_by_strides(&s->weights, 4 + first, dims, dnnl_f32, steps);
    return bad ? bad : dnnl_memory_desc_init_by_tag(&s->weights_any, 4 + first, dims, dnnl_f32, dnnl_format_tag_any);
}

static dnnl_status_t describe_tensors(QcConvShape *s, dnnl_dims_t x, dnnl_dims_t y)
{
    dnnl_status_t bad = dnnl_memory_desc_init_by_tag(&s->x, 4, x, dnnl_f32, dnnl_nhwc);
    if (!bad) bad = dnnl_memory_desc_init_by_tag(&s->y, 4, y, dnnl_f32, dnnl_nhwc);
    dnnl_dims_t bias = {y[1]};
    return bad ? bad : dnnl_memory_desc_init_by_tag(&s->bias, 1, bias, dnnl_f32, dnnl_x);
}

static dnnl_status_t describe_conv(QcConvShape *s, const QcNode *node, const QcNode *in, uint32_t n)
{
    QcWindow window = node->window, *w = &window;
    uint32_t height = in->height, width = in->width;
    dnnl_dims_t x, y;
    if (qc_only_strides(node)) { /* its input has been picked */
        w->stride_h = w->stride_w = 1;
        height = node->height;
        width = node->width;
    }
    set_dims(x, n, in->channels, height, width);
    set_dims(y, n, node->channels, node->height, node->width);
    s->strides[0] = w->stride_h;
    s->strides[1] = w->stride_w;
    s->dilates[0] = w->dilation_h - 1; /* oneDNN counts the gaps */
    s->dilates[1] = w->dilation_w - 1;
    s->before[0] = w->pad_top;
    s->before[1] = w->pad_left;
    /* what lies after the last window's reach is not seen by any; oneDNN wants padding that fits exactly */
    s->after[0] = (dnnl_dim_t)(node->height - 1) * w->stride_h + (dnnl_dim_t)(w->kernel_h - 1) * w->dilation_h + 1 -
                  height - w->pad_top;
    s->after[1] = (dnnl_dim_t)(node->width - 1) * w->stride_w + (dnnl_dim_t)(w->kernel_w - 1) * w->dilation_w + 1 -
                  width - w->pad_left;
    dnnl_status_t bad = describe_weights(s, node->groups, node->channels / node->groups, in->channels / node->groups,
                                         w->kernel_h, w->kernel_w);
    return bad ? bad : describe_tensors(s, x, y);
}

static dnnl_status_t describe_linear(QcConvShape *s, const QcNode *node, const QcNode *in, uint32_t n)
{
    dnnl_dim_t values = (dnnl_dim_t)qc_node_values(in);
    dnnl_dims_t x, y;
    set_dims(x, 1, values, 1, n);
    set_dims(y, 1, node->channels, 1, n);
    s->strides[0] = s->strides[1] = 1;
    dnnl_status_t bad = describe_weights(s, 1, node->channels, values, 1, 1);
    return bad ? bad : describe_tensors(s, x, y);
}

/* The caller provides the scratchpad, so that all layers share one. */
static dnnl_status_t describe_primitive(dnnl_primitive_desc_t *out, const void *op, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_attr_t attr;
    dnnl_status_t bad = dnnl_primitive_attr_create(&attr);
    if (bad) return bad;
    bad = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (!bad) bad = dnnl_primitive_desc_create(out, op, attr, engine, hint);
    dnnl_primitive_attr_destroy(attr);
    return bad;
}

dnnl_status_t qc_pass_describe(dnnl_primitive_desc_t *out, const QcConvShape *s, int pass, dnnl_primitive_desc_t hint)
{
    const dnnl_memory_desc_t *bias = s->has_bias ? &s->bias : NULL;
    dnnl_convolution_desc_t op;
    dnnl_status_t bad;
    if (pass == QC_FORWARD)
        bad = dnnl_dilated_convolution_forward_desc_init(&op, dnnl_forward_training, dnnl_convolution_direct, &s->x,
                                                         &s->weights_any, bias, &s->y, s->strides, s->dilates,
                                                         s->before, s->after);
    else if (pass == QC_BACK_DATA)
        bad = dnnl_dilated_convolution_backward_data_desc_init(&op, dnnl_convolution_direct, &s->x, &s->weights_any,
                                                               &s->y, s->strides, s->dilates, s->before, s->after);
    else
        bad = dnnl_dilated_convolution_backward_weights_desc_init(&op, dnnl_convolution_direct, &s->x, &s->weights_any,
                                                                  bias, &s->y, s->strides, s->dilates, s->before,
                                                                  s->after);
    return bad ? bad : describe_primitive(out, &op, hint);
}

/* oneDNN's code generators write to address 0 if the system has no memory for their code, so memory for all of them
 * must be reserved before. */
static dnnl_status_t create_primitive(dnnl_primitive_t *out, dnnl_primitive_desc_t desc)
{
    void *probe = mmap(NULL, GENERATORS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED) return dnnl_out_of_memory;
    munmap(probe, GENERATORS);
    return dnnl_primitive_create(out, desc);
}

dnnl_status_t qc_dnnl_reorder(dnnl_primitive_t *out, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t desc;
    dnnl_status_t bad = dnnl_reorder_primitive_desc_create(&desc, from, engine, to, engine, NULL);
    if (bad) return bad;
    bad = create_primitive(out, desc);
    dnnl_primitive_desc_destroy(desc);
    return bad;
}

void qc_dnnl_raise(size_t *most, const dnnl_memory_desc_t *desc)
{
    size_t bytes = dnnl_memory_desc_get_size(desc);
    if (bytes > *most) *most = bytes;
}

dnnl_status_t qc_pass_make(QcPass *out, const QcConvShape *s, int pass, dnnl_primitive_desc_t desc, QcConvNeeds *needs)
{
    dnnl_status_t bad = create_primitive(&out->primitive, desc);
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(
        desc, pass == QC_BACK_WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    if (!bad) bad = dnnl_memory_create(&out->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE);
    qc_dnnl_raise(&needs->scratchpad, scratchpad);
    if (bad || dnnl_memory_desc_equal(wanted, &s->weights)) return bad;
    qc_dnnl_raise(&needs->weights, wanted);
    bad = dnnl_memory_create(&out->weights, wanted, engine, DNNL_MEMORY_NONE);
    if (bad) return bad;
    return pass == QC_BACK_WEIGHTS ? qc_dnnl_reorder(&out->reorder, wanted, &s->weights)
                                   : qc_dnnl_reorder(&out->reorder, &s->weights, wanted);
}

static dnnl_status_t make_conv(QcConv *conv, const QcConvShape *s, int passes, QcConvNeeds *needs)
{
    dnnl_primitive_desc_t forward = NULL, desc = NULL;
    dnnl_status_t bad = dnnl_memory_create(&conv->x, &s->x, engine, DNNL_MEMORY_NONE);
    if (!bad) bad = dnnl_memory_create(&conv->y, &s->y, engine, DNNL_MEMORY_NONE);
    if (!bad) bad = dnnl_memory_create(&conv->weights, &s->weights, engine, DNNL_MEMORY_NONE);
    if (!bad && s->has_bias) bad = dnnl_memory_create(&conv->bias, &s->bias, engine, DNNL_MEMORY_NONE);
    if (!bad) bad = qc_pass_describe(&forward, s, QC_FORWARD, NULL);
    if (!bad) bad = qc_pass_make(&conv->pass[QC_FORWARD], s, QC_FORWARD, forward, needs);
    for (int pass = QC_BACK_DATA; pass < passes && !bad; pass++) {
        bad = qc_pass_describe(&desc, s, pass, forward);
        if (!bad) bad = qc_turn_make(&conv->turn[pass], s, pass, desc, needs);
        if (!bad && !conv->turn[pass]) bad = qc_pass_make(&conv->pass[pass], s, pass, desc, needs);
        if (desc) dnnl_primitive_desc_destroy(desc);
        desc = NULL;
    }
    if (forward) dnnl_primitive_desc_destroy(forward);
    return bad;
}

static void *room_for(size_t bytes) { return aligned_alloc(64, (bytes + 64) / 64 * 64); }

void qc_pass_lend(const QcPass *pass, const QcConvs *convs)
{
    if (pass->scratchpad) qc_dnnl_point_at(pass->scratchpad, convs->scratchpad);
    if (pass->weights) qc_dnnl_point_at(pass->weights, convs->weights);
}

static void lend_rooms(const QcConvs *convs, uint32_t n_nodes)
{
    for (uint32_t i = 0; i < n_nodes; i++)
        for (int k = 0; k < QC_PASSES; k++) {
            qc_pass_lend(&convs->layers[i].pass[k], convs);
            if (convs->layers[i].turn[k]) qc_turn_lend(convs->layers[i].turn[k], convs);
        }
}

int qc_convs_make(QcConvs *convs, const QcGraph *g, int goes_back, uint32_t n, QcErr *err)
{
    QcConvNeeds needs = {0};
    *convs = (QcConvs){.n = n};
    if (!n) return 0; /* a slice without windows */
    if (engine_start(err)) return -1;
    convs->layers = calloc(g->n_nodes, sizeof *convs->layers);
    if (!convs->layers) return qc_fail_memory(err, "the layers of a network");
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op != QC_OP_CONV && node->op != QC_OP_LINEAR) continue;
        const QcNode *in = &g->nodes[node->inputs[0]];
        QcConvShape s = {.has_bias = node->has_bias};
        dnnl_status_t bad = node->op == QC_OP_CONV ? describe_conv(&s, node, in, n) : describe_linear(&s, node, in, n);
        if (!bad && qc_only_strides(node)) qc_dnnl_raise(&needs.picked, &s.x);
        if (!bad) bad = make_conv(&convs->layers[i], &s, goes_back ? QC_PASSES : 1, &needs);
        if (bad) {
            qc_convs_release(convs, g->n_nodes);
            return bad == dnnl_out_of_memory
                       ? qc_fail_memory(err, "the layers of a network")
                       : qc_fail(err, QC_EFAIL, "oneDNN cannot compute node '%.63s' (status %d)", node->name, (int)bad);
        }
    }
    convs->weights = room_for(needs.weights);
    convs->scratchpad = room_for(needs.scratchpad);
    convs->picked = room_for(needs.picked);
    convs->turned = room_for(needs.turned);
    convs->bytes = needs.weights + needs.scratchpad + needs.picked + needs.turned;
    if (!convs->weights || !convs->scratchpad || !convs->picked || !convs->turned) {
        qc_convs_release(convs, g->n_nodes);
        return qc_fail_memory(err, "the layers of a network");
    }
    lend_rooms(convs, g->n_nodes);
    return 0;
}

void qc_pass_release(QcPass *pass)
{
    if (pass->primitive) dnnl_primitive_destroy(pass->primitive);
    if (pass->reorder) dnnl_primitive_destroy(pass->reorder);
    if (pass->weights) dnnl_memory_destroy(pass->weights);
    if (pass->scratchpad) dnnl_memory_destroy(pass->scratchpad);
}

static void release_conv(QcConv *conv)
{
    for (int k = 0; k < QC_PASSES; k++) {
        qc_pass_release(&conv->pass[k]);
        qc_turn_free(conv->turn[k]);
    }
    dnnl_memory_t plain[] = {conv->x, conv->y, conv->weights, conv->bias};
    for (int k = 0; k < 4; k++)
        if (plain[k]) dnnl_memory_destroy(plain[k]);
}

void qc_convs_release(QcConvs *convs, uint32_t n_nodes)
{
    if (convs->layers)
        for (uint32_t i = 0; i < n_nodes; i++) release_conv(&convs->layers[i]);
    free(convs->layers);
    free(convs->weights);
    free(convs->scratchpad);
    free(convs->picked);
    free(convs->turned);
    *convs = (QcConvs){0};
}

void qc_dnnl_copy(dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    dnnl_primitive_execute(reorder, stream, 2, args);
}

void qc_dnnl_point_at(dnnl_memory_t memory, const void *values)
{
    dnnl_memory_set_data_handle(memory, (void *)(uintptr_t)values);
}

/* The input of a layer as its primitives read it. */
static const float *input_of(const QcConvs *convs, const QcGraph *g, uint32_t node, const float *x)
{
    const QcNode *layer = &g->nodes[node];
    if (!qc_only_strides(layer)) return x;
    qc_stride_pick(convs->picked, x, layer, &g->nodes[layer->inputs[0]], convs->n);
    return convs->picked;
}

void qc_run_conv_forward(const QcConvs *convs, const QcGraph *g, uint32_t node, float *y, const float *x,
                         int is_laid_out)
{
    if (!convs->n) return;
    const QcConv *conv = &convs->layers[node];
    const QcPass *pass = &conv->pass[QC_FORWARD];
    qc_dnnl_point_at(conv->x, input_of(convs, g, node, x));
    qc_dnnl_point_at(conv->y, y);
    qc_dnnl_point_at(conv->weights, g->params + g->nodes[node].weight);
    if (pass->reorder && !is_laid_out) qc_dnnl_copy(pass->reorder, conv->weights, pass->weights);
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, conv->x},
                               {DNNL_ARG_WEIGHTS, pass->reorder ? pass->weights : conv->weights},
                               {DNNL_ARG_DST, conv->y},
                               {DNNL_ARG_SCRATCHPAD, pass->scratchpad},
                               {DNNL_ARG_BIAS, conv->bias}};
    if (conv->bias) qc_dnnl_point_at(conv->bias, g->params + g->nodes[node].bias);
    dnnl_primitive_execute(pass->primitive, stream, conv->bias ? 5 : 4, args);
    dnnl_stream_wait(stream);
}

static void back_weights(const QcConv *conv, const QcNode *node, float *grads, const float *dy, const float *x)
{
    const QcPass *pass = &conv->pass[QC_BACK_WEIGHTS];
    qc_dnnl_point_at(conv->x, x);
    qc_dnnl_point_at(conv->y, dy);
    qc_dnnl_point_at(conv->weights, grads + node->weight);
    if (conv->bias) qc_dnnl_point_at(conv->bias, grads + node->bias);
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, conv->x},
                               {DNNL_ARG_DIFF_DST, conv->y},
                               {DNNL_ARG_DIFF_WEIGHTS, pass->reorder ? pass->weights : conv->weights},
                               {DNNL_ARG_SCRATCHPAD, pass->scratchpad},
                               {DNNL_ARG_DIFF_BIAS, conv->bias}};
    dnnl_primitive_execute(pass->primitive, stream, conv->bias ? 5 : 4, args);
    if (pass->reorder) qc_dnnl_copy(pass->reorder, pass->weights, conv->weights);
}

void qc_run_conv_back_weights(const QcConvs *convs, const QcGraph *g, uint32_t node, float *grads, const float *dy,
                              const float *x)
{
    if (!convs->n) return;
    const QcConv *conv = &convs->layers[node];
    const QcNode *layer = &g->nodes[node];
    if (conv->turn[QC_BACK_WEIGHTS])
        qc_turn_back_weights(conv->turn[QC_BACK_WEIGHTS], layer, grads, dy, x, convs->n * qc_node_positions(layer));
    else
        back_weights(conv, layer, grads, dy, input_of(convs, g, node, x));
    dnnl_stream_wait(stream);
}

static void back_data(const QcConv *conv, const float *weights, float *dx, const float *dy, int is_laid_out)
{
    const QcPass *pass = &conv->pass[QC_BACK_DATA];
    qc_dnnl_point_at(conv->x, dx);
    qc_dnnl_point_at(conv->y, dy);
    qc_dnnl_point_at(conv->weights, weights);
    if (pass->reorder && !is_laid_out) qc_dnnl_copy(pass->reorder, conv->weights, pass->weights);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_SRC, conv->x},
                              {DNNL_ARG_DIFF_DST, conv->y},
                              {DNNL_ARG_WEIGHTS, pass->reorder ? pass->weights : conv->weights},
                              {DNNL_ARG_SCRATCHPAD, pass->scratchpad}};
    dnnl_primitive_execute(pass->primitive, stream, 4, args);
}

void qc_run_conv_back_data(const QcConvs *convs, const QcGraph *g, uint32_t node, float *dx, const float *dy,
                           int is_laid_out)
{
    if (!convs->n) return;
    const QcConv *conv = &convs->layers[node];
    const QcNode *layer = &g->nodes[node], *in = &g->nodes[layer->inputs[0]];
    const QcTurn *turn = conv->turn[QC_BACK_DATA];
    const float *weights = g->params + layer->weight;
    int picked = qc_only_strides(layer);
    if (turn) qc_turn_back_data(turn, convs, layer, in->channels, weights, dx, dy, is_laid_out);
    else back_data(conv, weights, picked ? convs->picked : dx, dy, is_laid_out);
    dnnl_stream_wait(stream);
    if (picked) qc_stride_spread(dx, convs->picked, layer, in, convs->n);
}
