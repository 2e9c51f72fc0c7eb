/* cmodel.c - the tables of an exported model. The code that goes with them is in ccode.c. */
#include "cmodel.h"

#include <inttypes.h>

#include "../device/state.h"
#include "ccode.h"
#include "cwrite.h"

static const char *const op_names[QC_Q_OP_COUNT] = {"QC_Q_CONV", "QC_Q_MAXPOOL", "QC_Q_AVGPOOL", "QC_Q_GAP", "QC_Q_ADD", "QC_Q_COPY", "QC_Q_LOGITS", "QC_Q_STD", "QC_Q_TABLE", "QC_Q_MUL", "QC_Q_TURN"};
static const char *const role_names[] = {"QC_ROLE_BOTTLENECK", "QC_ROLE_CONV", "QC_ROLE_SHORTCUT", "QC_ROLE_LINEAR"};
static const char *const choose_names[QC_CHOOSE_COUNT] = {"QC_CHOOSE_NETWORK", "QC_CHOOSE_RANDOM", "QC_CHOOSE_GREEDY"};
static const char *const update_names[QC_UPDATE_COUNT] = {"QC_UPDATE_MISSES", "QC_UPDATE_BALANCED", "QC_UPDATE_RANDOM", "QC_UPDATE_RESERVOIR"};

/* ---- sizes ---- */

static uint64_t aligned(uint64_t bytes) { return (bytes + QC_PLACING_ALIGN - 1) / QC_PLACING_ALIGN * QC_PLACING_ALIGN; }

void qc_cmodel_measure(QcCModel *m)
{
    const QcQGraph *g = m->g;
    uint64_t window = (uint64_t)m->file->channels * m->file->height * m->file->length;
    m->flash = g->n_code_bytes + (uint64_t)g->n_channels * 13 + g->n_nodes * sizeof(QcQNode) + g->n_tensors * sizeof(QcQTensor) + m->file->channels * 8u;
    if (!m->flip) {
        m->memory[0] = m->memory[1] = qc_qgraph_lean_bytes(g);
        m->ram = m->memory[0] + sizeof(float) * g->classes;
        return;
    }
    uint64_t z = (uint64_t)m->slots->capacity + m->batch; /* of the calibrator's arrays only that of pointers to the set depends on the processor */
    m->memory[1] = qc_calibrator_bytes(g, m->flip, m->options, m->slots->capacity, m->batch) + aligned(z * 8) - aligned(z * sizeof(void *));
    m->memory[0] = m->memory[1] - aligned(z * 8) + aligned(z * 4);
    m->flash += sizeof(QcFlip) + m->flip->n_feedback + m->flip->n_layers * (sizeof(QcFlipLayer) + 4) + m->slots->capacity * (window + 13);
    m->ram = m->memory[0] + g->n_code_bytes + 8u * (uint64_t)g->n_channels + 8u * m->batch + sizeof(float) * g->classes;
}

static uint64_t state_bytes(const QcCModel *m)
{
    QcPlacing count = {0};
    QcCalibrator c = {.g = (QcQGraph *)m->g, .flip = m->flip, .slots = {.capacity = m->slots->capacity, .window = m->slots->window}};
    if (qc_calibrator_solves(m->g, m->options)) qc_lda_place(&c.lda, c.g, 1, 1, 1, &count);
    return qc_state_bytes(&c, QC_STATE_PAGE_MAX);
}

/* ---- tables ---- */

static void put_tensors(FILE *to, const QcQGraph *g)
{
    fprintf(to, "static const QcQTensor tensors[%u] = {\n", g->n_tensors);
    for (uint32_t i = 0; i < g->n_tensors; i++) {
        const QcQTensor *t = &g->tensors[i];
        fprintf(to, "    {.height = %u, .width = %u, .channels = %u, .bits = %u, .zero = %u, .scale = ", t->height, t->width, t->channels, t->bits, t->zero);
        qc_c_float(to, t->scale);
        fprintf(to, ", .offset = %" PRIu32 ", .lean = %" PRIu32 "},\n", t->offset, t->lean);
    }
    fputs("};\n\n", to);
}

static void put_node(FILE *to, const QcQNode *n)
{
    fprintf(to, "    {.op = %s, .relu = %u, .role = %s, .count_padding = %u, .code_bits = %u, .in = {%u, %u}, .out = %u, .out_channel = %u, .channels = %u, .groups = %u,\n",
            op_names[n->op], n->relu, role_names[n->role], n->count_padding, n->code_bits, n->in[0], n->in[1], n->out, n->out_channel, n->channels, n->groups);
    fprintf(to, "     .kernel_h = %u, .kernel_w = %u, .stride_h = %u, .stride_w = %u, .dilation_h = %u, .dilation_w = %u,\n", n->kernel_h, n->kernel_w,
            n->stride_h, n->stride_w, n->dilation_h, n->dilation_w);
    fprintf(to, "     .pad_top = %u, .pad_bottom = %u, .pad_left = %u, .pad_right = %u,", n->pad_top, n->pad_bottom, n->pad_left, n->pad_right);
    fprintf(to, " .code = %" PRIu32 ", .code_byte = %" PRIu32 ", .n_codes = %" PRIu32 ", .channel = %" PRIu32 "},\n", n->code, n->code_byte, n->n_codes,
            n->channel);
}

static void put_graph(FILE *to, const QcQGraph *g)
{
    put_tensors(to, g);
    fprintf(to, "static const QcQNode nodes[%u] = {\n", g->n_nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) put_node(to, &g->nodes[i]);
    fputs("};\n\n", to);
    qc_c_f32s(to, "static const float first_scale", g->scale, g->n_channels);
    qc_c_i32s(to, "static const int32_t first_bias", g->bias, g->n_channels);
    qc_c_i32s(to, "static const int32_t multiplier", g->multiplier, g->n_channels);
    qc_c_u8s(to, "static const uint8_t shift", g->shift, g->n_channels);
    fprintf(to, "/* %" PRIu32 " weights of %u bits, packed: as the workstation made them. */\n", g->n_codes, g->bits);
    qc_c_u8s(to, "static const uint8_t first_codes", g->codes, g->n_code_bytes);
}

/* What the graph is made of; what calibration changes are arrays of their own. */
static void put_graph_struct(FILE *to, const QcCModel *m)
{
    const QcQGraph *g = m->g;
    qc_c_code(to, m->flip ? "QcQGraph @_graph" : "static const QcQGraph graph", m->prefix);
    fprintf(to, " = {\n    .n_tensors = %" PRIu32 ", .n_nodes = %" PRIu32 ", .classes = %" PRIu32 ", .n_codes = %" PRIu32 ", .n_code_bytes = %" PRIu32
            ", .n_channels = %" PRIu32 ", .bits = %u,\n", g->n_tensors, g->n_nodes, g->classes, g->n_codes, g->n_code_bytes, g->n_channels, g->bits);
    fputs("    .tensors = tensors, .nodes = nodes, .multiplier = multiplier, .shift = shift,\n", to);
    fputs(m->flip ? "    .codes = codes, .scale = scale, .bias = bias,\n"
                  : "    .codes = (uint8_t *)(uintptr_t)first_codes, .scale = (float *)(uintptr_t)first_scale, .bias = (int32_t *)(uintptr_t)first_bias,\n", to);
    fprintf(to, "    .activation_bytes = %" PRIu32 ", .lean_bytes = %" PRIu32 ",\n};\n\n", g->activation_bytes, g->lean_bytes);
}

static void put_matrix(FILE *to, const char *field, const int8_t *w, uint32_t rows, uint32_t columns)
{
    fprintf(to, "    .%s = {\n", field);
    for (uint32_t r = 0; r < rows; r++) {
        fputs("        ", to);
        qc_c_row_i8(to, w + r * columns, columns);
        fputs(",\n", to);
    }
    fputs("    },\n", to);
}

static void put_reals(FILE *to, const char *field, const float *values, uint32_t n)
{
    fprintf(to, "    .%s = ", field);
    qc_c_row_f32(to, values, n);
    fputs(",\n", to);
}

static void put_flip(FILE *to, const QcFlip *f)
{
    if (!f->n_layers) {
        fputs("/* Nothing is flipped: the last layer learns. */\nstatic const QcFlip flip = {.n_layers = 0};\n\n", to);
        return;
    }
    fprintf(to, "static const QcFlipLayer flip_layers[%" PRIu32 "] = {\n", f->n_layers);
    for (uint32_t l = 0; l < f->n_layers; l++) {
        const QcFlipLayer *y = &f->layers[l];
        fprintf(to, "    {.node = %u, .gate = %u, .gate_node = %u, .exact = %u, .masked = %u, .feedback = %" PRIu32 "},\n", y->node, y->gate, y->gate_node,
                y->exact, y->masked, y->feedback);
    }
    fputs("};\n\n", to);
    qc_c_i8s(to, "static const int8_t feedback", f->feedback, f->n_feedback);
    qc_c_f32s(to, "static const float feedback_scale", f->feedback_scale, f->n_layers);
    fprintf(to, "static const QcFlip flip = {\n    .n_layers = %" PRIu32 ", .n_feedback = %" PRIu32
            ", .layers = flip_layers, .feedback = feedback, .feedback_scale = feedback_scale,\n", f->n_layers, f->n_feedback);
    put_reals(to, "mean", f->mean, QC_FLIP_FEATURES);
    put_reals(to, "inverse", f->inverse, QC_FLIP_FEATURES);
    put_matrix(to, "w1", &f->w1[0][0], QC_FLIP_HIDDEN, QC_FLIP_FEATURES);
    put_matrix(to, "w2", &f->w2[0][0], QC_FLIP_HIDDEN, QC_FLIP_HIDDEN);
    put_matrix(to, "w3", &f->w3[0][0], 3, QC_FLIP_HIDDEN);
    put_reals(to, "s1", f->s1, QC_FLIP_HIDDEN);
    put_reals(to, "s2", f->s2, QC_FLIP_HIDDEN);
    put_reals(to, "s3", f->s3, 3);
    put_reals(to, "b1", f->b1, QC_FLIP_HIDDEN);
    put_reals(to, "b2", f->b2, QC_FLIP_HIDDEN);
    put_reals(to, "b3", f->b3, 3);
    fputs("};\n\n", to);
}

static void put_real_option(FILE *to, const char *field, float value)
{
    fprintf(to, " .%s = ", field);
    qc_c_float(to, value);
    putc(',', to);
}

static void put_options(FILE *to, const QcCalibrateOptions *o)
{
    fprintf(to, "static const QcCalibrateOptions options = {\n    .rounds = %" PRIu32 ",", o->rounds);
    put_real_option(to, "phi0", o->phi0);
    put_real_option(to, "cap", o->cap);
    put_real_option(to, "phi_max", o->phi_max);
    put_real_option(to, "phi_min", o->phi_min);
    put_real_option(to, "grow", o->grow);
    put_real_option(to, "shrink", o->shrink);
    fputs("\n   ", to);
    put_real_option(to, "stop", o->stop);
    put_real_option(to, "balance", o->balance);
    put_real_option(to, "prior", o->prior);
    put_real_option(to, "scarce", o->scarce);
    fprintf(to, " .second = %d,", o->second);
    put_real_option(to, "lead", o->lead);
    put_real_option(to, "rest", o->rest);
    put_real_option(to, "temper", o->temper);
    put_real_option(to, "unseen", o->unseen);
    put_real_option(to, "ridge", o->ridge);
    put_real_option(to, "worth", o->worth);
    fprintf(to, " .recent = %" PRIu32 ", .by_layer = %d, .choose = %s, .update = %s, .chunk = %" PRIu32 ", .seed = %" PRIu64 "u,\n};\n\n", o->recent, o->by_layer, choose_names[o->choose],
            update_names[o->update], o->chunk, o->seed);
}

/* The filled slots come first; the others are empty. */
static uint32_t filled(const QcSlots *s)
{
    uint32_t n = 0;
    while (n < s->capacity && !(s->flags[n] & QC_SLOT_EMPTY)) n++;
    return n;
}

static void put_coreset(FILE *to, const QcSlots *s)
{
    uint32_t n = filled(s);
    fprintf(to, "/* The coreset to begin with: %" PRIu32 " examples. */\nenum { FIRST_SLOTS = %" PRIu32 " };\n", n, n);
    qc_c_u8s(to, "static const uint8_t first_x", s->x, (size_t)n * s->window);
    qc_c_u16s(to, "static const uint16_t first_label", s->label, n);
    qc_c_u16s(to, "static const uint16_t first_misses", s->misses, n);
    qc_c_u8s(to, "static const uint8_t first_flags", s->flags, n);
    qc_c_u64s(to, "static const uint64_t first_id", s->id, n);
}

static void put_names(FILE *to, const QcCModel *m)
{
    qc_c_code(to, "const char *const @_class_names[@@_CLASSES] = {\n", m->prefix);
    for (uint32_t k = 0; k < m->file->classes; k++) {
        fputs("    ", to);
        qc_c_string(to, m->file->labels[k]);
        fputs(",\n", to);
    }
    fputs("};\n\n", to);
}

/* ---- the two files ---- */

static void put_head(FILE *to, const QcCModel *m, const char *suffix, const char *what)
{
    fprintf(to, "/* %s%s - %s '", m->prefix, suffix, what);
    qc_c_comment(to, m->file->name);
    fputs("'.\n * ", to);
    qc_c_comment(to, m->origin);
    fputs("\n", to);
}

void qc_cmodel_source(FILE *to, const QcCModel *m)
{
    put_head(to, m, ".c", "the quantized classifier");
    fputs(" * Do not edit: export again. */\n", to);
    qc_c_code(to, "#include \"@.h\"\n\n#include \"kernels/mem.h\"\n\n", m->prefix);
    put_names(to, m);
    qc_c_f32s(to, "static const float mean", m->file->norm.mean, m->file->channels);
    qc_c_f32s(to, "static const float deviation", m->file->norm.deviation, m->file->channels);
    put_graph(to, m->g);
    if (m->flip) {
        put_flip(to, m->flip);
        put_options(to, m->options);
        put_coreset(to, m->slots);
        fprintf(to, "/* States of this model and coreset have it. */\nstatic const uint64_t identity = 0x%016" PRIx64 "u;\n\n", m->identity);
        fprintf(to, "/* What changes. */\nstatic uint8_t codes[%" PRIu32 "];\nstatic float scale[%" PRIu32 "];\nstatic int32_t bias[%" PRIu32 "];\n",
                m->g->n_code_bytes, m->g->n_channels, m->g->n_channels);
    }
    put_graph_struct(to, m);
    qc_c_code(to, qc_c_code_common, m->prefix);
    qc_c_code(to, m->flip ? qc_c_code_calibrate : qc_c_code_predict, m->prefix);
}

static void put_number(FILE *to, const char *prefix, const char *name, uint64_t value, const char *what)
{
    fputs("#define ", to);
    qc_c_code(to, "@@", prefix);
    fprintf(to, "_%s %" PRIu64 "u /* %s */\n", name, value, what);
}

void qc_cmodel_header(FILE *to, const QcCModel *m)
{
    const QcModelFile *f = m->file;
    uint64_t steps = (uint64_t)f->height * f->length;
    put_head(to, m, ".h", "what a firmware calls of the quantized classifier");
    fprintf(to, " *\n * Constants: about %" PRIu64 " bytes of flash. Memory: about %" PRIu64 " bytes of RAM beside the stack, all of it static", m->flash, m->ram);
    if (!m->flip) fputs(".\n * It predicts only: to calibrate, a device needs a coreset beside the model", to);
    qc_c_code(to, qc_c_code_head, m->prefix);
    qc_c_code(to, m->flip ? "#include \"device/state.h\"\n\n" : "#include \"device/qgraph.h\"\n\n", m->prefix);
    put_number(to, m->prefix, "CLASSES", f->classes, "what a window can be");
    put_number(to, m->prefix, "CHANNELS", f->channels, "values of a step");
    put_number(to, m->prefix, "STEPS", steps, f->height > 1 ? "pixels of a window, row by row" : "moments of a window");
    put_number(to, m->prefix, "WINDOW", steps * f->channels, "bytes of a window as the model takes it: [STEPS][CHANNELS]");
    if (m->flip) {
        put_number(to, m->prefix, "BATCH", m->batch, "most windows that are learned from at once");
        put_number(to, m->prefix, "CAPACITY", m->slots->capacity, "slots of the coreset");
        put_number(to, m->prefix, "STATE_BYTES", state_bytes(m), "enough for a slot of the state, whatever the flash's pages");
    }
    if (m->memory[0] == m->memory[1]) {
        put_number(to, m->prefix, "MEMORY_BYTES", m->memory[0], "working memory");
    } else {
        qc_c_code(to, "#define @@_MEMORY_BYTES", m->prefix);
        fprintf(to, " (sizeof(void *) == 4 ? %" PRIu64 "u : %" PRIu64 "u) /* working memory, coreset included */\n", m->memory[0], m->memory[1]);
    }
    qc_c_code(to, m->flip ? qc_c_code_header_calibrate : qc_c_code_header_predict, m->prefix);
}
