/* cmodel.c - the tables of an exported model. The code that goes with them is in ccode.c. */
#include "cmodel.h"

#include <inttypes.h>

#include "../device/state.h"
#include "../device/stream.h"
#include "../format/fronttables.h"
#include "../format/parametertable.h"
#include "../format/spareclasses.h"
#include "ccode.h"
#include "cfront.h"
#include "cwrite.h"

static const char *const op_names[QC_Q_OP_COUNT] = {"QC_Q_CONV",  "QC_Q_MAXPOOL", "QC_Q_AVGPOOL", "QC_Q_GAP",
                                                    "QC_Q_ADD",   "QC_Q_COPY",    "QC_Q_LOGITS",  "QC_Q_STD",
                                                    "QC_Q_TABLE", "QC_Q_MUL",     "QC_Q_TURN"};
static const char *const role_names[] = {"QC_ROLE_BOTTLENECK", "QC_ROLE_CONV", "QC_ROLE_SHORTCUT", "QC_ROLE_LINEAR"};

/* ---- tables ---- */

static void put_tensors(FILE *to, const QcQGraph *g)
{
    fprintf(to, "static const QcQTensor tensors[%u] = {\n", g->n_tensors);
    for (uint32_t i = 0; i < g->n_tensors; i++) {
        const QcQTensor *t = &g->tensors[i];
        fprintf(to, "    {.height = %u, .width = %u, .channels = %u, .bits = %u, .zero = %u, .scale = ", t->height,
                t->width, t->channels, t->bits, t->zero);
        qc_c_float(to, t->scale);
        fprintf(to, ", .offset = %" PRIu32 ", .inference_offset = %" PRIu32 "},\n", t->offset, t->inference_offset);
    }
    fputs("};\n\n", to);
}

static void put_node(FILE *to, const QcQNode *n)
{
    fprintf(to,
            "    {.op = %s, .relu = %u, .role = %s, .count_padding = %u, .code_bits = %u, .in = {%u, %u}, .out = %u, "
            ".out_channel = %u, .channels = %u, .groups = %u,\n",
            op_names[n->op], n->relu, role_names[n->role], n->count_padding, n->code_bits, n->in[0], n->in[1], n->out,
            n->out_channel, n->channels, n->groups);
    fprintf(
        to,
        "     .kernel_h = %u, .kernel_w = %u, .stride_h = %u, .stride_w = %u, .dilation_h = %u, .dilation_w = %u,\n",
        n->kernel_h, n->kernel_w, n->stride_h, n->stride_w, n->dilation_h, n->dilation_w);
    fprintf(to, "     .pad_top = %u, .pad_bottom = %u, .pad_left = %u, .pad_right = %u,", n->pad_top, n->pad_bottom,
            n->pad_left, n->pad_right);
    fprintf(to, " .code = %" PRIu32 ", .code_byte = %" PRIu32 ", .n_codes = %" PRIu32 ", .channel = %" PRIu32 "},\n",
            n->code, n->code_byte, n->n_codes, n->channel);
}

static void put_graph(FILE *to, const QcQGraph *g)
{
    put_tensors(to, g);
    fprintf(to, "static const QcQNode nodes[%u] = {\n", g->n_nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) put_node(to, &g->nodes[i]);
    fputs("};\n\n", to);
    qc_c_f32s(to, "static const float scale", g->scale, g->n_channels);
    qc_c_i32s(to, "static const int32_t bias", g->bias, g->n_channels);
    qc_c_i32s(to, "static const int32_t multiplier", g->multiplier, g->n_channels);
    qc_c_u8s(to, "static const uint8_t shift", g->shift, g->n_channels);
    fprintf(to, "/* %" PRIu32 " weights of %u bits, packed: as the workstation made them. */\n", g->n_codes, g->bits);
    qc_c_u8s(to, "static const uint8_t codes", g->codes, g->n_code_bytes);
}

/* The graph is constant: a learner has its own last layers. */
static void put_graph_struct(FILE *to, const QcCModel *m)
{
    const QcQGraph *g = m->g;
    qc_c_code(to, "const QcQGraph @_graph", m->prefix);
    fprintf(to,
            " = {\n    .n_tensors = %" PRIu32 ", .n_nodes = %" PRIu32 ", .classes = %" PRIu32 ", .n_codes = %" PRIu32
            ", .n_code_bytes = %" PRIu32 ", .n_channels = %" PRIu32 ", .bits = %u,\n",
            g->n_tensors, g->n_nodes, g->classes, g->n_codes, g->n_code_bytes, g->n_channels, g->bits);
    fputs("    .tensors = tensors, .nodes = nodes, .multiplier = multiplier, .shift = shift,\n", to);
    fputs("    .codes = (uint8_t *)(uintptr_t)codes, .scale = (float *)(uintptr_t)scale, .bias = (int32_t "
          "*)(uintptr_t)bias,\n",
          to);
    if (g->spare) fprintf(to, "    .spare = %" PRIu32 ",\n", g->spare);
    fprintf(to, "    .activation_bytes = %" PRIu32 ", .inference_bytes = %" PRIu32 ",\n};\n\n", g->activation_bytes,
            g->inference_bytes);
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
    fprintf(to, "static const QcFlipLayer flip_layers[%" PRIu32 "] = {\n", f->n_layers);
    for (uint32_t l = 0; l < f->n_layers; l++) {
        const QcFlipLayer *y = &f->layers[l];
        fprintf(to,
                "    {.node = %u, .gate = %u, .gate_node = %u, .exact = %u, .masked = %u, .feedback = %" PRIu32 "},\n",
                y->node, y->gate, y->gate_node, y->exact, y->masked, y->feedback);
    }
    fputs("};\n\n", to);
    qc_c_i8s(to, "static const int8_t feedback", f->feedback, f->n_feedback);
    qc_c_f32s(to, "static const float feedback_scale", f->feedback_scale, f->n_layers);
    fprintf(to,
            "static const QcFlip flip = {\n    .n_layers = %" PRIu32 ", .n_feedback = %" PRIu32
            ", .layers = flip_layers, .feedback = feedback, .feedback_scale = feedback_scale,\n",
            f->n_layers, f->n_feedback);
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

static void put_setup(FILE *to, const QcCModel *m)
{
    const QcLearnerSetup *s = &m->learner->setup;
    qc_c_code(to, "static const QcLearnerSetup setup = {\n    .graph = &@_graph,", m->prefix);
    fprintf(to, "%s .seed = %" PRIu64 "u, .capacity = %" PRIu32 ", .ring = %" PRIu32 ",\n    .parameters = {",
            qc_cmodel_flips(m) ? " .flips = &qc_flip_rounds, .flip = &flip," : "", s->seed, s->capacity, s->ring);
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        fprintf(to, "%s.%s = ", i ? ", " : "", row->name);
        if (row->whole) fprintf(to, "%" PRIu32, (uint32_t)qc_parameter_value(&s->parameters, row));
        else qc_c_float(to, (float)qc_parameter_value(&s->parameters, row));
    }
    fputs("},\n", to);
    if (s->source.mean) fputs("    .source = {drift_mean, drift_weight},\n", to);
    fputs("};\n\n", to);
}

static void put_coreset(FILE *to, const QcSlots *s)
{
    uint32_t n = qc_cmodel_filled(s);
    fprintf(to, "/* The coreset to start with: %" PRIu32 " examples. */\nenum { FIRST_SLOTS = %" PRIu32 " };\n", n, n);
    qc_c_u8s(to, "static const uint8_t first_features", s->feature, (size_t)n * s->features);
    qc_c_u8s(to, "static const uint8_t first_windows", s->windows, (size_t)n * s->window);
    qc_c_u16s(to, "static const uint16_t first_labels", s->label, n);
    qc_c_u16s(to, "static const uint16_t first_misses", s->misses, n);
    qc_c_u8s(to, "static const uint8_t first_flags", s->flags, n);
    qc_c_u64s(to, "static const uint64_t first_id", s->id, n);
}

static void put_learned(FILE *to, const QcCModel *m)
{
    fputs("/* What the model has learned already: the first bytes of the learner's state; 0 bytes: nothing. */\n", to);
    fprintf(to, "enum { LEARNED = %" PRIu32 " };\n", m->has_learned ? m->learner->learned_bytes : 0);
    qc_c_u8s(to, "static const uint8_t learned", m->learner->state, m->has_learned ? m->learner->learned_bytes : 0);
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

static void put_drift(FILE *to, const QcCModel *m)
{
    const QcDriftBase *b = m->drift;
    fputs("/* What the model knows of its source's features. */\n", to);
    qc_c_u8s(to, "static const uint8_t drift_mean", b->mean, (size_t)b->classes * b->features);
    qc_c_f32s(to, "static const float drift_weight", b->weight, b->features);
    qc_c_f32s(to, "static const float drift_centre", b->centre, b->classes);
    qc_c_code(to, "const QcDriftBase @_drift_base = {", m->prefix);
    fprintf(to,
            ".features = %" PRIu32 ", .classes = %" PRIu32
            ", .mean = drift_mean, .weight = drift_weight, .centre = drift_centre, .spread = ",
            b->features, b->classes);
    qc_c_float(to, b->spread);
    fputs(", .threshold = ", to);
    qc_c_float(to, b->threshold);
    fputs(", .farthest = ", to);
    qc_c_float(to, b->farthest);
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
    qc_c_code(to, "#include \"@.h\"\n\n#include \"device/qmath.h\"\n#include \"kernels/mem.h\"\n\n", m->prefix);
    if (m->front) fputs("#include \"device/frontend.h\"\n\n", to);
    put_names(to, m);
    qc_c_f32s(to, "static const float mean", m->file->norm.mean, m->file->channels);
    qc_c_f32s(to, "static const float deviation", m->file->norm.deviation, m->file->channels);
    put_graph(to, m->g);
    put_graph_struct(to, m);
    if (qc_cmodel_flips(m)) put_flip(to, qc_cmodel_flips(m));
    if (m->drift) put_drift(to, m); /* the setup names it */
    if (m->learner) {
        put_setup(to, m);
        put_coreset(to, &m->learner->coreset);
        put_learned(to, m);
        fprintf(to,
                "/* States of this model, coreset and parameters have it. */\nstatic const uint64_t identity = "
                "0x%016" PRIx64 "u;\n\n",
                m->identity);
    }
    if (m->front) qc_c_front(to, "front_end", m->front);
    qc_c_code(to, qc_c_code_common, m->prefix);
    qc_c_code(to, m->learner ? qc_c_code_learner : qc_c_code_predict, m->prefix);
    qc_c_code(to, m->front ? qc_c_code_sound : qc_c_code_frames, m->prefix);
    if (m->learner && qc_named_classes(m->file) < m->file->classes) qc_c_code(to, qc_c_code_spare, m->prefix);
    if (m->drift) qc_c_code(to, m->learner ? qc_c_code_drift_learner : qc_c_code_drift_predict, m->prefix);
    if (m->drift && m->drift->farthest > 0)
        qc_c_code(to, m->learner ? qc_c_code_distance_learner : qc_c_code_distance_predict, m->prefix);
}

static void put_number(FILE *to, const char *prefix, const char *name, uint64_t value, const char *what)
{
    fputs("#define ", to);
    qc_c_code(to, "@@", prefix);
    fprintf(to, "_%s %" PRIu64 "u /* %s */\n", name, value, what);
}

static void put_front_size(FILE *to, const QcFrontEnd *f)
{
    char text[QC_FRONT_TEXT];
    qc_frontfile_text(text, &f->setup);
    fprintf(to, " * Of these bytes %" PRIu64 " of flash and %" PRIu32 " of RAM are the front-end's: %s.\n",
            qc_fronttables_bytes(f), 4 * qc_front_words(f), text);
}

void qc_cmodel_header(FILE *to, const QcCModel *m)
{
    const QcModelFile *f = m->file;
    uint64_t steps = (uint64_t)f->height * f->length;
    put_head(to, m, ".h", "what a firmware calls of the quantized classifier");
    fprintf(to,
            " *\n * Constants: about %" PRIu64 " bytes of flash. Memory: about %" PRIu64
            " bytes of RAM beside the stack, all of it static; a firmware that calls %s_push has %" PRIu64 " more.\n",
            m->flash, m->ram, m->prefix, qc_cmodel_frames(m));
    if (m->front) put_front_size(to, m->front);
    fprintf(to, " * A Cortex-M needs a stack of %d bytes to predict%s", QC_C_PREDICT_STACK,
            qc_cmodel_flips(m)  ? ", and of about 14 KB to learn by flips"
            : m->learner ? " and to learn"
                         : "");
    if (!m->learner) fputs(".\n * It predicts only: to learn, a device needs a coreset beside the model", to);
    qc_c_code(to, qc_c_code_head, m->prefix);
    qc_c_code(to, m->learner ? "#include \"device/ask.h\"\n" : "", m->prefix);
    qc_c_code(to, "#include \"device/driftwatch.h\"\n", m->prefix);
    qc_c_code(to, m->learner ? "#include \"device/state.h\"\n" : "", m->prefix);
    qc_c_code(to, "#include \"device/stream.h\"\n\n", m->prefix);
    uint32_t spare = f->classes - qc_named_classes(f);
    put_number(to, m->prefix, "CLASSES", f->classes, "what a window can be");
    if (spare)
        put_number(to, m->prefix, "SPARE_CLASSES", spare,
                   "the last of them: no answer until a label of one was learned");
    put_number(to, m->prefix, "CHANNELS", f->channels, "values of a step");
    put_number(to, m->prefix, "STEPS", steps,
               f->height > 1 ? "pixels of a window, row by row"
               : m->front    ? "frames of a window"
                             : "moments of a window");
    put_number(to, m->prefix, "WINDOW", steps * f->channels,
               "bytes of a window as the model takes it: [STEPS][CHANNELS]");
    if (m->learner) {
        put_number(to, m->prefix, "BATCH", m->learner->setup.ring,
                   "latest windows that can be labelled; most that are learned from at once");
        put_number(to, m->prefix, "CAPACITY", m->learner->setup.capacity, "slots of the coreset");
        put_number(to, m->prefix, "STATE_BYTES", qc_state_bytes(m->learner->state_bytes, QC_STATE_PAGE_MAX),
                   "enough for a slot of the state, whatever the flash's pages");
    }
    if (m->memory[0] == m->memory[1]) {
        put_number(to, m->prefix, "MEMORY_BYTES", m->memory[0], "working memory");
    } else {
        qc_c_code(to, "#define @@_MEMORY_BYTES", m->prefix);
        fprintf(to, " (sizeof(void *) == 4 ? %" PRIu64 "u : %" PRIu64 "u) /* working memory, coreset included */\n",
                m->memory[0], m->memory[1]);
    }
    if (m->front) {
        put_number(to, m->prefix, "RATE", m->front->setup.rate, "samples of sound per second");
        put_number(to, m->prefix, "FRONT_WORDS", qc_front_words(m->front), "32-bit words of the front-end's memory");
    }
    qc_c_code(to, qc_c_code_header_common, m->prefix);
    qc_c_code(to, m->front ? qc_c_code_header_sound : qc_c_code_header_frames, m->prefix);
    qc_c_code(to, qc_c_code_header_stream, m->prefix);
    if (m->learner) qc_c_code(to, qc_c_code_header_learner, m->prefix);
    if (m->learner && spare) qc_c_code(to, qc_c_code_header_spare, m->prefix);
    if (m->drift) qc_c_code(to, qc_c_code_header_drift, m->prefix);
    if (m->drift && m->drift->farthest > 0) qc_c_code(to, qc_c_code_header_distance, m->prefix);
    qc_c_code(to, qc_c_code_header_end, m->prefix);
}
