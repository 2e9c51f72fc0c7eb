#include "ccode.h"

const char qc_c_code_head[] = ".\n"
                              " * Compile @.c, all of qcore's lib/device, lib/kernels/scalar.c and "
                              "lib/kernels/cortexm_*.c as C11 with -ffp-contract=off and -I where\n"
                              " * qcore's lib is. On a Cortex-M the compiler's flags choose the kernels; "
                              "-D@@_KERNELS=... takes another table. See qc-firmware(7) for a\n"
                              " * complete program. */\n"
                              "#ifndef @@_H\n"
                              "#define @@_H\n"
                              "\n";

#define HEADER_COMMON                                                                                                  \
    "\n"                                                                                                               \
    "#ifdef __cplusplus\n"                                                                                             \
    "extern \"C\" {\n"                                                                                                 \
    "#endif\n"                                                                                                         \
    "\n"                                                                                                               \
    "extern const char *const @_class_names[@@_CLASSES];\n"                                                            \
    "\n"                                                                                                               \
    "/* Before all else. 0; or -1 if lib/device is not of the version that made this file. */\n"                    \
    "int @_init(void);\n"                                                                                              \
    "\n"                                                                                                               \
    "/* Raw values to what the model takes: x [steps][@@_CHANNELS] in the units of the recordings it was trained on. " \
    "A window is\n"                                                                                                    \
    " * @@_STEPS steps; they may come in parts, one step at a time if need be. */\n"                                   \
    "void @_quantize(uint8_t *window, const float *x, uint32_t steps);\n"                                              \
    "\n"                                                                                                               \
    "/* The class of a window [@@_WINDOW]. logits [@@_CLASSES] may be NULL. */\n"                                      \
    "uint32_t @_predict(float *logits, const uint8_t *window);\n"                                                      \
    "\n"                                                                                                               \
    "/* A frame of a live stream: values [@@_CHANNELS] in the units of the recordings. Returns 1 if it completes a "   \
    "window, whose answer is\n"                                                                                        \
    " * then in @_answer; else 0. Windows overlap without being moved. */\n"                                           \
    "int @_push(const float *frame);\n"                                                                                \
    "extern QcAnswer @_answer;\n"                                                                                      \
    "\n"                                                                                                               \
    "/* Windows of @_push start anew, as after a gap in time, and then again after every `stride` frames (0: "         \
    "@@_STEPS, as from the\n"                                                                                          \
    " * start). */\n"                                                                                                  \
    "void @_restart(uint32_t stride);\n"                                                                               \
    "\n"

const char qc_c_code_header_drift[] = "/* How far the latest windows are from what the model knows, without labels "
                                      "(device/driftwatch.h). Call it once after each window that @_push\n"
                                      " * or @_observe predicted; above @@_DRIFT_THRESHOLD it is an alarm. */\n"
                                      "#define @@_DRIFT_THRESHOLD (@_drift_base.threshold)\n"
                                      "extern const QcDriftBase @_drift_base;\n"
                                      "float @_drift(void);\n"
                                      "\n";

const char qc_c_code_header_spare[] =
    "/* A new class: @_label(number, class) with class @@_CLASSES - @@_SPARE_CLASSES or above, then @_adapt. This is "
    "how many classes @_observe\n"
    " * can answer now, new ones included. */\n"
    "uint32_t @_classes(void);\n"
    "\n";

const char qc_c_code_header_end[] =
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n"
    "\n"
    "#endif\n";

const char qc_c_code_header_predict[] = HEADER_COMMON;

const char qc_c_code_header_learner[] = HEADER_COMMON
    "/* Predicts a window and keeps its features, so that it can be labelled (device/learner.h: QcAnswer has the "
    "number for that). Returns the class. */\n"
    "uint32_t @_observe(QcAnswer *answer, const uint8_t *window);\n"
    "\n"
    "/* Labels an observed window, now or later: -1, and nothing changes, if it is not among the latest @@_BATCH, was "
    "learned from already, or the label is\n"
    " * not a class. */\n"
    "int @_label(uint32_t number, uint16_t label);\n"
    "\n"
    "/* Which windows deserve a label: the numbers of up to n observed windows without one, the most useful first "
    "(device/ask.h). Returns how many. */\n"
    "uint32_t @_ask(uint32_t *numbers, uint32_t n);\n"
    "\n"
    "/* Learns from the windows labelled since the last call. report may be NULL. */\n"
    "void @_adapt(QcAdaptReport *report);\n"
    "\n"
    "/* Back to the last layer before the latest adapt that changed it; -1 if there is none. */\n"
    "int @_undo(void);\n"
    "\n"
    "/* The three in a row for a labelled batch: windows [n][@@_WINDOW], labels [n], n from 1 to @@_BATCH. ids [n] "
    "name the windows for life, each\n"
    " * another; NULL numbers them as they come. -1, and nothing changes, if n or a label is out of range. */\n"
    "int @_calibrate(QcAdaptReport *report, const uint8_t *windows, const uint16_t *labels, const uint64_t *ids, "
    "uint32_t n);\n"
    "\n"
    "/* What was learned, kept through a power cut (device/state.h says what a QcFlash is). Load once after @_init: "
    "anything but\n"
    " * QC_STATE_LOADED leaves the model as it was exported. Save between calls of @_adapt: 0, or -1 if the memory "
    "failed. */\n"
    "QcStateFound @_load_state(const QcFlash *flash);\n"
    "int @_save_state(const QcFlash *flash);\n"
    "\n"
    "/* To look at: coreset, last layers, counters. */\n"
    "extern QcLearner @_learner;\n"
    "\n";

const char qc_c_code_common[] =
    "#ifndef @@_KERNELS\n"
    "#define @@_KERNELS QC_KERNELS_CORTEXM\n"
    "#endif\n"
    "\n"
    "static _Alignas(64) uint8_t memory[@@_MEMORY_BYTES];\n"
    "\n"
    "void @_quantize(uint8_t *window, const float *x, uint32_t steps)\n"
    "{\n"
    "    qc_q_frames(window, x, steps, @@_CHANNELS, mean, deviation, &tensors[0]);\n"
    "}\n"
    "\n"
    "static QcFrames frames;\n"
    "static uint8_t frame_ring[@@_WINDOW];\n"
    "QcAnswer @_answer;\n"
    "\n"
    "void @_restart(uint32_t stride)\n"
    "{\n"
    "    qc_frames_init(&frames, &tensors[0], mean, deviation, stride ? stride : @@_STEPS, frame_ring);\n"
    "}\n"
    "\n"
    "/* 1: a window is full, and lies where the run reads it. */\n"
    "static int take_frame(const QcQRun *run, const float *frame)\n"
    "{\n"
    "    if (!frames.stride) @_restart(0);\n"
    "    if (!qc_frames_push(&frames, frame)) return 0;\n"
    "    qc_frames_window(&frames, qc_qrun_tensor(run, 0));\n"
    "    return 1;\n"
    "}\n"
    "\n"
    "static uint32_t classify(QcQRun *run, float *logits, const uint8_t *window)\n"
    "{\n"
    "    static float unwanted[@@_CLASSES];\n"
    "    uint32_t best = 0;\n"
    "    if (!logits) logits = unwanted;\n"
    "    qc_qrun_forward(run, logits, window);\n"
    "    for (uint32_t k = 1; k < @@_CLASSES; k++)\n"
    "        if (logits[k] > logits[best]) best = k;\n"
    "    return best;\n"
    "}\n"
    "\n";

const char qc_c_code_predict[] =
    "static QcQRun run;\n"
    "\n"
    "int @_init(void)\n"
    "{\n"
    "    if (qc_qgraph_inference_bytes(&@_graph) != sizeof memory) return -1;\n"
    "    qc_qrun_place_inference(&run, &@_graph, &@@_KERNELS, memory);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "uint32_t @_predict(float *logits, const uint8_t *window) { return classify(&run, logits, window); }\n"
    "\n"
    "int @_push(const float *frame)\n"
    "{\n"
    "    static float logits[@@_CLASSES];\n"
    "    static uint32_t number;\n"
    "    float sum = 0;\n"
    "    if (!take_frame(&run, frame)) return 0;\n"
    "    uint32_t best = classify(&run, logits, qc_qrun_tensor(&run, 0));\n"
    "    for (uint32_t k = 0; k < @@_CLASSES; k++) sum += qc_exp(logits[k] - logits[best]);\n"
    "    @_answer = (QcAnswer){number++, (uint16_t)best, 1 / sum};\n"
    "    return 1;\n"
    "}\n";

const char qc_c_code_learner[] =
    "QcLearner @_learner;\n"
    "static QcState state;\n"
    "\n"
    "int @_init(void)\n"
    "{\n"
    "    QcLearner *l = &@_learner;\n"
    "    if (qc_learner_bytes(&setup) != sizeof memory) return -1;\n"
    "    qc_learner_place(l, &setup, &@@_KERNELS, memory);\n"
    "    for (uint32_t i = 0; i < FIRST_SLOTS; i++)\n"
    "        qc_learner_fill(l, i, first_windows + (size_t)i * l->coreset.window, first_features + (size_t)i * "
    "l->coreset.features, first_label[i],\n"
    "                        first_misses[i], first_flags[i], first_id[i]);\n"
    "    memcpy(l->state, learned, LEARNED);\n"
    "    qc_learner_resume(l);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "uint32_t @_predict(float *logits, const uint8_t *window) { return classify(&@_learner.run, logits, window); }\n"
    "\n"
    "uint32_t @_observe(QcAnswer *answer, const uint8_t *window)\n"
    "{\n"
    "    qc_learner_predict(&@_learner, answer, window, (uint64_t)1 << 63 | @_learner.counters->next);\n"
    "    return answer->class_index;\n"
    "}\n"
    "\n"
    "int @_push(const float *frame)\n"
    "{\n"
    "    if (!take_frame(&@_learner.run, frame)) return 0;\n"
    "    @_observe(&@_answer, qc_qrun_tensor(&@_learner.run, 0));\n"
    "    return 1;\n"
    "}\n"
    "\n"
    "int @_label(uint32_t number, uint16_t label) { return qc_learner_label(&@_learner, number, label); }\n"
    "\n"
    "uint32_t @_ask(uint32_t *numbers, uint32_t n) { return qc_learner_ask(&@_learner, numbers, n); }\n"
    "\n"
    "void @_adapt(QcAdaptReport *report)\n"
    "{\n"
    "    QcAdaptReport unwanted;\n"
    "    qc_learner_adapt(&@_learner, report ? report : &unwanted);\n"
    "}\n"
    "\n"
    "int @_undo(void) { return qc_learner_undo(&@_learner); }\n"
    "\n"
    "int @_calibrate(QcAdaptReport *report, const uint8_t *windows, const uint16_t *labels, const uint64_t *ids, "
    "uint32_t n)\n"
    "{\n"
    "    if (n < 1 || n > @@_BATCH) return -1;\n"
    "    for (uint32_t i = 0; i < n; i++)\n"
    "        if (labels[i] >= @@_CLASSES) return -1;\n"
    "    for (uint32_t i = 0; i < n; i++) {\n"
    "        QcAnswer answer;\n"
    "        qc_learner_predict(&@_learner, &answer, windows + (size_t)i * @@_WINDOW, ids ? ids[i] : (uint64_t)1 << 63 "
    "| @_learner.counters->next);\n"
    "        qc_learner_label(&@_learner, answer.number, labels[i]);\n"
    "    }\n"
    "    @_adapt(report);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "QcStateFound @_load_state(const QcFlash *flash)\n"
    "{\n"
    "    qc_state_init(&state, flash, identity);\n"
    "    QcStateFound found = qc_state_load(&state, &@_learner);\n"
    "    if (found == QC_STATE_BROKEN) @_init();\n"
    "    return found;\n"
    "}\n"
    "\n"
    "int @_save_state(const QcFlash *flash)\n"
    "{\n"
    "    if (state.flash != flash) qc_state_init(&state, flash, identity);\n"
    "    return qc_state_save(&state, &@_learner);\n"
    "}\n";

const char qc_c_code_spare[] = "\n"
                               "uint32_t @_classes(void) { return qc_learner_classes(&@_learner); }\n";

const char qc_c_code_drift_predict[] =
    "\n"
    "float @_drift(void)\n"
    "{\n"
    "    static float figure;\n"
    "    const uint32_t features = nodes[@_graph.n_nodes - 1].in[0];\n"
    "    figure = qc_driftwatch_figure(figure, qc_driftwatch_score(&@_drift_base, 0, qc_qrun_tensor(&run, features), "
    "tensors[features].zero, @_answer.class_index));\n"
    "    return figure;\n"
    "}\n";

const char qc_c_code_drift_learner[] =
    "\n"
    "float @_drift(void)\n"
    "{\n"
    "    static float figure;\n"
    "    figure = qc_driftwatch_figure(figure, qc_driftwatch_of_latest(&@_drift_base, &@_learner));\n"
    "    return figure;\n"
    "}\n";
