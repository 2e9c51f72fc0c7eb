/* Weights of a quantized model that the file has as real numbers, although they are codes times a scale: our own
 * .tflite exports have such a last layer. Scales that give every weight to the last bit are found. */
#include <math.h>

#include "onnxparts.h"

enum { MOST = 128 }; /* of a code, without its sign */

/* Are all weights codes of at most 8 bits times the step, bit by bit? */
static int is_step(const float *w, size_t n, float step)
{
    if (!(step > 0)) return 0;
    for (size_t i = 0; i < n; i++) {
        float code = rintf(w[i] / step), made = code * step;
        if (code < -MOST || code > MOST - 1 || made < w[i] || made > w[i]) return 0;
    }
    return 1;
}

/* The step of one row of weights, of which the bias (in steps times the input's scale) is a whole number, too, if there
 * is such a step. 0: none. */
static float step_of(const float *w, size_t n, float bias, float in_scale)
{
    float most = 0, first = 0;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(w[i]));
    if (!(most > 0)) return fabsf(bias) > 0 ? fabsf(bias) / in_scale * 0x1p-20f : 1;
    for (int code = 1; code <= MOST; code++) {
        float near = most / (float)code, step = nextafterf(nextafterf(near, 0), 0);
        for (int k = 0; k < 5; k++, step = nextafterf(step, INFINITY)) {
            if (!is_step(w, n, step)) continue;
            double units = (double)bias / ((double)step * (double)in_scale);
            if (fabs(units - rint(units)) < 1e-3 * fmax(1, 1e-3 * fabs(units))) return step;
            if (!(first > 0)) first = step;
        }
    }
    return first;
}

int qc_onnx_find_steps(QcOnnxImport *im, uint32_t node)
{
    const QcNode *n = &im->g->nodes[node];
    QcFill *f = &im->fills[node];
    const QcNode *codes = qc_onnx_codes_of(im, n->inputs[0]);
    float in_scale = codes ? codes->scale : 0;
    size_t row = n->n_weight / n->channels;
    if (!(in_scale > 0) || !f->weight) return 0;
    float *steps = qc_onnx_room(im, n->channels, sizeof *steps);
    if (!steps) return -1;
    for (uint32_t o = 0; o < n->channels; o++) {
        steps[o] = step_of(f->weight + o * row, row, f->bias ? f->bias[o] : 0, in_scale);
        if (!(steps[o] > 0)) return 0;
    }
    f->step = steps;
    return 0;
}
