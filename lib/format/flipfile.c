#include "flipfile.h"

#include <math.h>
#include <string.h>

int qc_flipfile_allocate(QcFlip *flip, const QcQGraph *g, int8_t **feedback, float **feedback_scale, QcArena *arena,
                         QcErr *err)
{
    QcFlipLayer described[QC_FLIP_MAX_LAYERS];
    *flip = (QcFlip){0};
    flip->n_layers = qc_flip_describe(g, described, &flip->n_feedback);
    QcFlipLayer *layers = qc_arena_take(arena, flip->n_layers, sizeof *layers, err);
    if (!layers) return -1;
    memcpy(layers, described, flip->n_layers * sizeof *layers);
    flip->layers = layers;
    if (!flip->n_layers)
        return qc_fail(err, QC_EUNSUPPORTED, "the model has more than %d layers with weights", QC_FLIP_MAX_LAYERS);
    *feedback = qc_arena_take(arena, flip->n_feedback, 1, err);
    *feedback_scale = qc_arena_take(arena, flip->n_layers, sizeof **feedback_scale, err);
    flip->feedback = *feedback;
    flip->feedback_scale = *feedback_scale;
    return *feedback && *feedback_scale ? 0 : -1;
}

int qc_flipfile_encode(QcModelFile *m, const QcFlip *flip, QcErr *err)
{
    QcWriter w = {0};
    qc_put_u32(&w, flip->n_layers);
    qc_put_u32(&w, flip->n_feedback);
    qc_put_f32s(&w, flip->feedback_scale, flip->n_layers);
    qc_put_bytes(&w, flip->feedback, flip->n_feedback);
    qc_put_f32s(&w, flip->mean, QC_FLIP_FEATURES);
    qc_put_f32s(&w, flip->inverse, QC_FLIP_FEATURES);
    qc_put_bytes(&w, flip->w1, sizeof flip->w1);
    qc_put_bytes(&w, flip->w2, sizeof flip->w2);
    qc_put_bytes(&w, flip->w3, sizeof flip->w3);
    qc_put_f32s(&w, flip->s1, QC_FLIP_HIDDEN);
    qc_put_f32s(&w, flip->b1, QC_FLIP_HIDDEN);
    qc_put_f32s(&w, flip->s2, QC_FLIP_HIDDEN);
    qc_put_f32s(&w, flip->b2, QC_FLIP_HIDDEN);
    qc_put_f32s(&w, flip->s3, 3);
    qc_put_f32s(&w, flip->b3, 3);
    return qc_container_add(&m->container, "flip", 0, &w, err);
}

static int get_reals(float *to, QcCursor *c, uint32_t n)
{
    int finite = 1;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = qc_get_f32(c);
        finite &= isfinite(to[i]) && fabsf(to[i]) < 1e12f;
    }
    return finite;
}

static void get_codes(int8_t *to, QcCursor *c, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = (int8_t)qc_get_u8(c);
}

int qc_flipfile_decode(QcFlip *flip, const QcModelFile *m, const QcQGraph *g, QcArena *arena, QcErr *err)
{
    QcCursor c;
    int8_t *feedback;
    float *scale;
    if (!qc_container_find(&m->container, "flip", &c))
        return qc_fail(err, QC_EFORMAT, "the model has no bit-flip network yet (qc-bitflip-train gives it one)");
    if (qc_flipfile_allocate(flip, g, &feedback, &scale, arena, err)) return -1;
    uint32_t n_layers = qc_get_u32(&c), n_feedback = qc_get_u32(&c);
    if (n_layers != flip->n_layers || n_feedback != flip->n_feedback)
        return qc_fail(err, QC_EFORMAT,
                       "the bit-flip network is for %u layers and %u feedback weights, but the graph has %u and %u",
                       n_layers, n_feedback, flip->n_layers, flip->n_feedback);
    int finite = get_reals(scale, &c, flip->n_layers);
    get_codes(feedback, &c, flip->n_feedback);
    finite &= get_reals(flip->mean, &c, QC_FLIP_FEATURES) & get_reals(flip->inverse, &c, QC_FLIP_FEATURES);
    get_codes(&flip->w1[0][0], &c, sizeof flip->w1);
    get_codes(&flip->w2[0][0], &c, sizeof flip->w2);
    get_codes(&flip->w3[0][0], &c, sizeof flip->w3);
    finite &= get_reals(flip->s1, &c, QC_FLIP_HIDDEN) & get_reals(flip->b1, &c, QC_FLIP_HIDDEN);
    finite &= get_reals(flip->s2, &c, QC_FLIP_HIDDEN) & get_reals(flip->b2, &c, QC_FLIP_HIDDEN);
    finite &= get_reals(flip->s3, &c, 3) & get_reals(flip->b3, &c, 3);
    if (qc_cursor_end(&c, "section 'flip'", err)) return -1;
    return finite
               ? 0
               : qc_fail(err, QC_EFORMAT, "the bit-flip network holds a number that is not finite or out of range");
}
