#include "ccode.h"

const char qc_c_code_head[] =
    ".\n"
    " * Compile @.c, all of qcore's lib/device, lib/kernels/scalar.c and lib/kernels/cortexm_*.c as C11 with -ffp-contract=off and -I where\n"
    " * qcore's lib is. On a Cortex-M the compiler's flags choose the kernels; -D@@_KERNELS=... takes another table. See qc-export(1) for a\n"
    " * complete program. */\n"
    "#ifndef @@_H\n"
    "#define @@_H\n"
    "\n";

#define HEADER_COMMON                                                                                                                  \
    "\n"                                                                                                                               \
    "extern const char *const @_class_names[@@_CLASSES];\n"                                                                            \
    "\n"                                                                                                                               \
    "/* Before all else. 0; or -1 where lib/device is not of the version that made this file. */\n"                                    \
    "int @_init(void);\n"                                                                                                              \
    "\n"                                                                                                                               \
    "/* Raw values to what the model takes: x [steps][@@_CHANNELS] in the units of the recordings it was trained on. A window is\n"     \
    " * @@_STEPS steps; they may come in parts, one step at a time if need be. */\n"                                                   \
    "void @_quantize(uint8_t *window, const float *x, uint32_t steps);\n"                                                              \
    "\n"                                                                                                                               \
    "/* The class of a window [@@_WINDOW]. logits [@@_CLASSES] may be NULL. */\n"                                                      \
    "uint32_t @_predict(float *logits, const uint8_t *window);\n"                                                                      \
    "\n"

const char qc_c_code_header_predict[] = HEADER_COMMON "#endif\n";

const char qc_c_code_header_calibrate[] = HEADER_COMMON
    "/* Learns from a labelled batch: windows [n][@@_WINDOW], labels [n], n from 1 to @@_BATCH. ids [n] name the windows for life, each\n"
    " * another; NULL numbers them as they come. report may be NULL. -1, and nothing changes, where n or a label is out of range. */\n"
    "int @_calibrate(QcCalibrateReport *report, const uint8_t *windows, const uint16_t *labels, const uint64_t *ids, uint32_t n);\n"
    "\n"
    "/* What was learned, kept through a power cut (device/state.h says what a QcFlash is). Load once behind @_init: anything but\n"
    " * QC_STATE_LOADED leaves the model as it was exported. Save between batches: 0, or -1 where the memory failed. */\n"
    "QcStateFound @_load_state(const QcFlash *flash);\n"
    "int @_save_state(const QcFlash *flash);\n"
    "\n"
    "/* To look at: codes; slots, phi, batches so far. */\n"
    "extern QcQGraph @_graph;\n"
    "extern QcCalibrator @_calibrator;\n"
    "\n"
    "#endif\n";

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
    "    if (qc_qgraph_lean_bytes(&graph) != sizeof memory) return -1;\n"
    "    qc_qrun_place_lean(&run, &graph, &@@_KERNELS, memory);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "uint32_t @_predict(float *logits, const uint8_t *window) { return classify(&run, logits, window); }\n";

const char qc_c_code_calibrate[] =
    "static uint64_t numbers[@@_BATCH]; /* ids of windows that came without */\n"
    "QcCalibrator @_calibrator;\n"
    "static QcState state;\n"
    "\n"
    "int @_init(void)\n"
    "{\n"
    "    QcCalibrator *c = &@_calibrator;\n"
    "    if (qc_calibrator_bytes(&@_graph, &flip, &options, @@_CAPACITY, @@_BATCH) != sizeof memory) return -1;\n"
    "    memcpy(codes, first_codes, sizeof codes);\n"
    "    memcpy(scale, first_scale, sizeof scale);\n"
    "    memcpy(bias, first_bias, sizeof bias);\n"
    "    qc_calibrator_place(c, &@_graph, &flip, &@@_KERNELS, &options, @@_CAPACITY, @@_BATCH, memory);\n"
    "    memcpy(c->slots.x, first_x, (size_t)FIRST_SLOTS * @@_WINDOW);\n"
    "    memcpy(c->slots.label, first_label, FIRST_SLOTS * sizeof *first_label);\n"
    "    memcpy(c->slots.misses, first_misses, FIRST_SLOTS * sizeof *first_misses);\n"
    "    memcpy(c->slots.flags, first_flags, FIRST_SLOTS);\n"
    "    memcpy(c->slots.id, first_id, FIRST_SLOTS * sizeof *first_id);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "uint32_t @_predict(float *logits, const uint8_t *window) { return classify(&@_calibrator.run, logits, window); }\n"
    "\n"
    "int @_calibrate(QcCalibrateReport *report, const uint8_t *windows, const uint16_t *labels, const uint64_t *ids, uint32_t n)\n"
    "{\n"
    "    QcCalibrateReport unwanted;\n"
    "    if (n < 1 || n > @@_BATCH) return -1;\n"
    "    for (uint32_t i = 0; i < n; i++) {\n"
    "        if (labels[i] >= @@_CLASSES) return -1;\n"
    "        numbers[i] = (uint64_t)1 << 63 | (@_calibrator.seen + i);\n"
    "    }\n"
    "    qc_calibrate_batch(&@_calibrator, report ? report : &unwanted, windows, labels, ids ? ids : numbers, n);\n"
    "    return 0;\n"
    "}\n"
    "\n"
    "QcStateFound @_load_state(const QcFlash *flash)\n"
    "{\n"
    "    qc_state_init(&state, flash, identity);\n"
    "    QcStateFound found = qc_state_load(&state, &@_calibrator);\n"
    "    if (found == QC_STATE_BROKEN) @_init();\n"
    "    return found;\n"
    "}\n"
    "\n"
    "int @_save_state(const QcFlash *flash)\n"
    "{\n"
    "    if (state.flash != flash) qc_state_init(&state, flash, identity);\n"
    "    return qc_state_save(&state, &@_calibrator);\n"
    "}\n";
