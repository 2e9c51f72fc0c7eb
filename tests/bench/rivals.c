#include "rivals.h"

#include <immintrin.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

struct Rival {
    xnn_operator_t xnn;
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_engine_t engine;
    dnnl_memory_t x, y, w, bias;
    dnnl_exec_arg_t args[4];
    char words[64];
    uint8_t *in, *out;
    float *scales;
};

static const float SCALE_X = .02f, SCALE_W = .004f, SCALE_Y = .05f;

static Rival *rival_new(const RivalShape *s)
{
    Rival *r = calloc(1, sizeof *r);
    size_t n_in = (size_t)s->in * s->length, n_out = (size_t)s->out * s->length;
    r->in = aligned_alloc(64, (n_in + XNN_EXTRA_BYTES + 63) / 64 * 64);
    r->out = aligned_alloc(64, (n_out + XNN_EXTRA_BYTES + 63) / 64 * 64);
    r->scales = calloc(s->out, sizeof *r->scales);
    for (size_t i = 0; i < n_in; i++) r->in[i] = (uint8_t)(i * 2654435761u >> 13);
    for (uint32_t o = 0; o < s->out; o++) r->scales[o] = SCALE_W * (1 + .01f * (float)o);
    return r;
}

void rival_free(Rival *r)
{
    if (!r) return;
    if (r->xnn) xnn_delete_operator(r->xnn);
    if (r->primitive) dnnl_primitive_destroy(r->primitive);
    dnnl_memory_t memories[] = {r->x, r->y, r->w, r->bias};
    for (int i = 0; i < 4; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    if (r->stream) dnnl_stream_destroy(r->stream);
    if (r->engine) dnnl_engine_destroy(r->engine);
    free(r->in);
    free(r->out);
    free(r->scales);
    free(r);
}

const char *rival_words(const Rival *r) { return r->words; }

void rival_run(void *rival)
{
    Rival *r = rival;
    if (r->xnn) {
        xnn_run_operator(r->xnn, NULL);
    } else {
        dnnl_primitive_execute(r->primitive, r->stream, 4, r->args);
        dnnl_stream_wait(r->stream);
    }
}

Rival *rival_xnnpack_new(const RivalShape *s, const int8_t *w)
{
    Rival *r = rival_new(s);
    int32_t *bias = calloc(s->out, sizeof *bias);
    uint32_t left = (s->kernel - 1) / 2, right = s->kernel - 1 - left;
    int bad = xnn_initialize(NULL) != xnn_status_success ||
              xnn_create_convolution2d_nhwc_qc8(0, right, 0, left, 1, s->kernel, 1, 1, 1, 1, 1, s->in, s->out, s->in,
                                                s->out, 0, SCALE_X, r->scales, w, bias, 0, SCALE_Y, -128, 127, 0,
                                                &r->xnn) != xnn_status_success ||
              xnn_setup_convolution2d_nhwc_qc8(r->xnn, 1, 1, s->length, (int8_t *)r->in, (int8_t *)r->out, NULL) !=
                  xnn_status_success;
    free(bias);
    if (!bad) return r;
    rival_free(r);
    return NULL;
}

static dnnl_status_t describe(dnnl_primitive_desc_t *out, Rival *r, const RivalShape *s, dnnl_memory_desc_t *plain,
                              dnnl_memory_desc_t *bias)
{
    int64_t left = (s->kernel - 1) / 2, right = s->kernel - 1 - left;
    dnnl_dims_t dx = {1, s->in, s->length}, dy = {1, s->out, s->length}, dw = {s->out, s->in, s->kernel}, db = {s->out};
    dnnl_dims_t steps = {(int64_t)s->in * s->kernel, 1, s->in}, strides = {1}, before = {left}, after = {right};
    dnnl_memory_desc_t x, y, w;
    dnnl_status_t bad = dnnl_memory_desc_init_by_tag(&x, 3, dx, dnnl_u8, dnnl_nwc);
    if (!bad) bad = dnnl_memory_desc_init_by_tag(&y, 3, dy, dnnl_u8, dnnl_nwc);
    if (!bad) bad = dnnl_memory_desc_init_by_tag(&w, 3, dw, dnnl_s8, dnnl_format_tag_any);
    if (!bad) bad = dnnl_memory_desc_init_by_strides(plain, 3, dw, dnnl_s8, steps);
    if (!bad) bad = dnnl_memory_desc_init_by_tag(bias, 1, db, dnnl_s32, dnnl_x);
    dnnl_convolution_desc_t op;
    if (!bad)
        bad = dnnl_convolution_forward_desc_init(&op, dnnl_forward_inference, dnnl_convolution_direct, &x, &w, bias, &y,
                                                 strides, before, after);
    dnnl_primitive_attr_t attr;
    if (bad || (bad = dnnl_primitive_attr_create(&attr))) return bad;
    for (uint32_t o = 0; o < s->out; o++) r->scales[o] *= SCALE_X / SCALE_Y;
    bad = dnnl_primitive_attr_set_output_scales(attr, s->out, 1 << 1, r->scales);
    if (!bad) bad = dnnl_primitive_desc_create(out, &op, attr, r->engine, NULL);
    dnnl_primitive_attr_destroy(attr);
    return bad;
}

static dnnl_status_t reorder_weights(Rival *r, const dnnl_memory_desc_t *plain, const int8_t *w)
{
    dnnl_memory_t from;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t reorder;
    dnnl_status_t bad = dnnl_memory_create(&from, plain, r->engine, (void *)(uintptr_t)w);
    const dnnl_memory_desc_t *to;
    if (bad || (bad = dnnl_memory_get_memory_desc(r->w, &to))) return bad;
    bad = dnnl_reorder_primitive_desc_create(&desc, plain, r->engine, to, r->engine, NULL);
    if (bad || (bad = dnnl_primitive_create(&reorder, desc))) return bad;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, r->w}};
    bad = dnnl_primitive_execute(reorder, r->stream, 2, args);
    if (!bad) bad = dnnl_stream_wait(r->stream);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    dnnl_memory_destroy(from);
    return bad;
}

Rival *rival_onednn_new(const RivalShape *s, const int8_t *w)
{
    Rival *r = rival_new(s);
    dnnl_primitive_desc_t desc = NULL;
    dnnl_memory_desc_t plain, bias;
    dnnl_status_t bad = dnnl_engine_create(&r->engine, dnnl_cpu, 0);
    if (!bad) bad = dnnl_stream_create(&r->stream, r->engine, dnnl_stream_default_flags);
    if (!bad) bad = describe(&desc, r, s, &plain, &bias);
    if (!bad) bad = dnnl_primitive_create(&r->primitive, desc);
    if (!bad)
        bad = dnnl_memory_create(&r->x, dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0), r->engine, r->in);
    if (!bad)
        bad = dnnl_memory_create(&r->y, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0), r->engine, r->out);
    if (!bad)
        bad = dnnl_memory_create(&r->w, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0), r->engine,
                                 DNNL_MEMORY_ALLOCATE);
    if (!bad) bad = dnnl_memory_create(&r->bias, &bias, r->engine, DNNL_MEMORY_ALLOCATE);
    void *zeros;
    if (!bad) bad = dnnl_memory_get_data_handle(r->bias, &zeros);
    if (!bad) memset(zeros, 0, s->out * sizeof(int32_t));
    if (!bad) bad = reorder_weights(r, &plain, w);
    const char *words = "";
    if (!bad) bad = dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &words);
    strncpy(r->words, words, sizeof r->words - 1);
    const dnnl_exec_arg_t args[4] = {
        {DNNL_ARG_SRC, r->x}, {DNNL_ARG_DST, r->y}, {DNNL_ARG_WEIGHTS, r->w}, {DNNL_ARG_BIAS, r->bias}};
    memcpy(r->args, args, sizeof args);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (!bad) return r;
    rival_free(r);
    return NULL;
}
