/* Arithmetic on constants alone. Exporters write it for weights that are computed from other weights: weight norm,
 * spectral norm, weight standardization, learned gates. */
#include <math.h>
#include <string.h>

#include "onnxsteps.h"

static const QcTensor *constant_of(QcOnnxImport *im, uint32_t k)
{
    const QcValue *v = qc_onnx_input(im, k);
    return v ? &v->constant : NULL;
}

/* ---- two constants ---- */

enum { POWER = QC_STEP_COUNT };

static int operation(const char *name)
{
    static const struct {
        const char *name;
        int op;
    } all[] = {{"Add", ADD}, {"Sum", ADD}, {"Sub", SUB}, {"Mul", MUL},
               {"Div", DIV}, {"Min", MIN}, {"Max", MAX}, {"Pow", POWER}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!strcmp(all[k].name, name)) return all[k].op;
    return -1;
}

/* *out = a op b of two integers; 0: overflow, division by 0 or another operation. */
static int integers(int64_t *out, int op, int64_t a, int64_t b)
{
    switch (op) {
    case ADD: return !__builtin_add_overflow(a, b, out);
    case SUB: return !__builtin_sub_overflow(a, b, out);
    case MUL: return !__builtin_mul_overflow(a, b, out);
    case MIN: *out = a < b ? a : b; return 1;
    case MAX: *out = a > b ? a : b; return 1;
    case DIV:
        if (!b || (b == -1 && a == INT64_MIN)) return 0;
        *out = a / b;
        return 1;
    default: return 0;
    }
}

static float reals(int op, float a, float b)
{
    switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case MIN: return a < b ? a : b;
    case MAX: return a > b ? a : b;
    default: return powf(a, b);
    }
}

static int combine(QcOnnxImport *im, QcTensor *t, int op, const QcTensor *a, const QcTensor *b)
{
    float *f = NULL;
    int64_t *i = NULL, dims[QC_ONNX_RANK];
    uint32_t rank;
    if (!a->f != !b->f && !(op == POWER && a->f)) return qc_onnx_refuse(im, "constants of two types are not combined");
    if (qc_tensor_broadcast(&rank, dims, a, b))
        return qc_onnx_wrong(im, "its constants of %zu and %zu values do not fit", a->n, b->n);
    if (a->f ? qc_tensor_floats(im, t, &f, rank, dims) : qc_tensor_ints(im, t, &i, rank, dims)) return -1;
    for (size_t k = 0; k < t->n; k++) {
        size_t x = qc_tensor_place(a, rank, dims, k), y = qc_tensor_place(b, rank, dims, k);
        if (f) f[k] = reals(op, a->f[x], b->f ? b->f[y] : (float)b->i[y]);
        else if (!integers(&i[k], op, a->i[x], b->i[y]))
            return qc_onnx_refuse(im, "its result is no integer of 64 bits");
    }
    return 0;
}

int qc_fold_arithmetic(QcOnnxImport *im)
{
    const QcTensor *first = constant_of(im, 0);
    int op = operation(im->at->op_type);
    if (!first) return -1;
    QcTensor sum = *first;
    sum.step = NULL;
    for (uint32_t k = 1; k < im->at->n_input; k++) {
        const QcTensor *next = constant_of(im, k), before = sum;
        if (!next || combine(im, &sum, op, &before, next)) return -1;
    }
    return qc_onnx_put_tensor(im, sum);
}

/* ---- one constant ---- */

int qc_fold_function(QcOnnxImport *im, const QcTensor *x, const QcStep *steps, uint32_t n_steps)
{
    QcTensor t;
    float *f;
    if (!x->f) return qc_onnx_refuse(im, "its constant holds integers");
    if (qc_tensor_floats(im, &t, &f, x->rank, x->dims)) return -1;
    for (size_t k = 0; k < t.n; k++) f[k] = qc_function_at(steps, n_steps, x->f[k], NULL);
    return qc_onnx_put_tensor(im, t);
}

/* Softmax, LogSoftmax; before operator set 13 over all axes from the given one on. */
int qc_fold_softmax(QcOnnxImport *im)
{
    const QcTensor *x = qc_onnx_floats(im, 0);
    int old = im->opset < 13, logs = !strcmp(im->at->op_type, "LogSoftmax");
    int axis = x ? qc_onnx_axis(im, qc_onnx_int(im, "axis", old ? 1 : -1), x->rank) : -1;
    size_t size = 1, inner = 1;
    QcTensor t;
    float *f;
    if (axis < 0 || qc_tensor_floats(im, &t, &f, x->rank, x->dims)) return -1;
    for (uint32_t k = (uint32_t)axis; k < x->rank; k++)
        *(old || (int)k == axis ? &size : &inner) *= (size_t)x->dims[k];
    for (size_t k = 0; k < t.n; k++) {
        if (k / inner % size) continue; /* the first of its row */
        float most = -INFINITY;
        double sum = 0;
        for (size_t j = 0; j < size; j++) most = fmaxf(most, x->f[k + j * inner]);
        for (size_t j = 0; j < size; j++) sum += exp((double)(x->f[k + j * inner] - most));
        for (size_t j = 0; j < size; j++) {
            double over = (double)(x->f[k + j * inner] - most);
            f[k + j * inner] = (float)(logs ? over - log(sum) : exp(over) / sum);
        }
    }
    return qc_onnx_put_tensor(im, t);
}

/* ---- reductions ---- */

static double reduce_real(const char *op, double sum, double x)
{
    if (!strcmp(op, "ReduceMax")) return fmax(sum, x);
    if (!strcmp(op, "ReduceMin")) return fmin(sum, x);
    if (!strcmp(op, "ReduceProd")) return sum * x;
    return sum + (strcmp(op, "ReduceL2") ? x : x * x);
}

static int reduce_integer(const char *op, int64_t *sum, int64_t x)
{
    int of = !strcmp(op, "ReduceSum") ? ADD : !strcmp(op, "ReduceProd") ? MUL : !strcmp(op, "ReduceMax") ? MAX : MIN;
    return integers(sum, of, *sum, x);
}

int qc_fold_reduce(QcOnnxImport *im)
{
    const QcTensor *x = constant_of(im, 0);
    const char *op = im->at->op_type;
    int keep = qc_onnx_int(im, "keepdims", 1) != 0, mean = !strcmp(op, "ReduceMean"), root = !strcmp(op, "ReduceL2");
    const int64_t *list;
    size_t n;
    uint8_t mark[QC_ONNX_RANK], *begun;
    int64_t full[QC_ONNX_RANK], dims[QC_ONNX_RANK];
    uint32_t rank = 0;
    QcTensor t;
    float *f = NULL;
    int64_t *i = NULL;
    if (!x || qc_onnx_list(im, &list, &n, "axes", 1) || qc_onnx_mark(im, mark, list, n, x->rank)) return -1;
    if (!n && qc_onnx_int(im, "noop_with_empty_axes", 0)) return qc_onnx_put_tensor(im, *x);
    if (!x->f && (mean || root)) return qc_onnx_refuse(im, "its constant holds integers");
    if (!x->n) return qc_onnx_refuse(im, "its constant is empty");
    for (uint32_t k = 0; k < x->rank; k++) {
        int gone = !n || mark[k];
        full[k] = gone ? 1 : x->dims[k];
        if (!gone || keep) dims[rank++] = full[k];
    }
    if (x->f ? qc_tensor_floats(im, &t, &f, rank, dims) : qc_tensor_ints(im, &t, &i, rank, dims)) return -1;
    QcTensor place = {.rank = x->rank};
    memcpy(place.dims, full, sizeof full);
    double *sum = qc_onnx_room(im, t.n, sizeof *sum);
    if (!sum || !(begun = qc_onnx_room(im, t.n, 1))) return -1;
    for (size_t k = 0; k < x->n; k++) {
        size_t to = qc_tensor_place(&place, x->rank, x->dims, k);
        if (f) {
            double value = (double)x->f[k];
            sum[to] = begun[to] ? reduce_real(op, sum[to], value) : root ? value * value : value;
        } else if (!begun[to]) {
            i[to] = x->i[k];
        } else if (!reduce_integer(op, &i[to], x->i[k])) {
            return qc_onnx_refuse(im, "its result is no integer of 64 bits");
        }
        begun[to] = 1;
    }
    for (size_t k = 0; k < t.n && f; k++) {
        double value = mean ? sum[k] * (double)t.n / (double)x->n : sum[k];
        f[k] = (float)(root ? sqrt(value) : value);
    }
    return qc_onnx_put_tensor(im, t);
}

/* ---- matrices ---- */

int qc_fold_matmul(QcOnnxImport *im)
{
    enum { MOST_PRODUCTS = 1 << 28 };
    const QcTensor *a = qc_onnx_floats(im, 0), *b = a ? qc_onnx_floats(im, 1) : NULL;
    int64_t dims[2];
    uint32_t rank = 0;
    QcTensor t;
    float *f;
    if (!b) return -1;
    if (!a->rank || !b->rank || a->rank > 2 || b->rank > 2)
        return qc_onnx_refuse(im, "only constants of one or two dimensions are multiplied");
    size_t rows = a->rank > 1 ? (size_t)a->dims[0] : 1, middle = (size_t)a->dims[a->rank - 1],
           columns = b->rank > 1 ? (size_t)b->dims[1] : 1;
    if ((size_t)b->dims[0] != middle) return qc_onnx_wrong(im, "the inner dimensions of its matrices differ");
    if ((double)rows * (double)columns * (double)middle > MOST_PRODUCTS)
        return qc_onnx_refuse(im, "its constant matrices are too large: export the model with constants folded");
    if (a->rank > 1) dims[rank++] = (int64_t)rows;
    if (b->rank > 1) dims[rank++] = (int64_t)columns;
    if (qc_tensor_floats(im, &t, &f, rank, dims)) return -1;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) {
            double sum = 0;
            for (size_t k = 0; k < middle; k++) sum += (double)a->f[r * middle + k] * (double)b->f[k * columns + c];
            f[r * columns + c] = (float)sum;
        }
    return qc_onnx_put_tensor(im, t);
}
