#include "importmodel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../base/plural.h"
#include "../format/qgraphfile.h"
#include "../nn/graphfile.h"
#include "../onnx/tflite.h"
#include "../onnx/weightsin.h"
#include "../quant/accuracy.h"
#include "../quant/keep.h"
#include "cli.h"

static int ends_in(const char *path, const char *ending)
{
    size_t letters = strlen(path), last = strlen(ending);
    return letters > last && !strcmp(path + letters - last, ending);
}

static int is_format(const QcModelImport *m, const char *name, const char *ending)
{
    return m->format ? !strcmp(m->format, name) : ends_in(m->path, ending);
}

static int is_onnx(const QcModelImport *m) { return is_format(m, "onnx", ".onnx"); }
static int is_tflite(const QcModelImport *m) { return is_format(m, "tflite", ".tflite"); }
static int is_safetensors(const QcModelImport *m) { return is_format(m, "safetensors", ".safetensors"); }
static int has_graph(const QcModelImport *m) { return is_onnx(m) || is_tflite(m); }

int qc_modelimport_is_for(const QcModelImport *m)
{
    return has_graph(m) || is_safetensors(m) || m->like || m->arch;
}

int qc_modelimport_given(const QcModelImport *m)
{
    const QcModelHints *h = &m->hints;
    return h->labels || h->labels_from || h->norm || h->mean || h->std || h->shape || m->logits || m->measure ||
           m->width > 0 || m->external_data || m->real;
}

static void report(const QcModelImport *import, const QcModelFile *m, const QcOnnxNotes *notes, uint32_t wide,
                   const QcScore *score)
{
    if (import->json)
        printf("{\"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u", m->channels, m->height, m->length,
               m->classes);
    if (import->json && score->n) printf(", \"accuracy\": %.6g", score->accuracy);
    if (import->json) puts("}");
    else
        qc_note("a model for windows of %u channel%s x %u x %u, %u classes", m->channels, qc_plural(m->channels, "s"),
                m->height, m->length, m->classes);
    if (notes->channels_last) qc_note("the last axis of its input was read as the channels");
    if (notes->graphs > 1) qc_note("of its %u graphs, the first was read", notes->graphs);
    if (notes->outputs > 1) qc_note("of its %u outputs, '%s' was taken as the logits", notes->outputs, notes->output);
    if (notes->steps)
        qc_note("it is quantized: its codes of 8 bits and its scales are kept (--real: as a float model)");
    if (import->real && !notes->has_codes) qc_note("--real has no effect: the file has no quantized values");
    if (wide)
        qc_note("the weights of %u of its layers need 9 bits: each weight is kept as a sum of codes of 8 bits, which "
                "takes two or three times the memory",
                wide);
    if (notes->mixed)
        qc_note("the weights of '%s' are not codes of 8 bits: the model is imported as float, for qc-quantize",
                notes->real_layer);
    if (notes->uncut)
        qc_note("%u of its values are not clipped to the range of their codes, unlike in the quantized model: "
                "-d DATA shows the accuracy",
                notes->uncut);
    if (import->hints.labels_from)
        qc_note("its logits were given the class names of %s in their order: %s, ..., %s", import->hints.labels_from,
                m->labels[0], m->labels[m->classes - 1]);
    else if (notes->numbered)
        qc_note("its classes have no names but 0 to %u (--labels or --labels-from names them)", m->classes - 1);
    if (notes->softmax) qc_note("its final softmax was left out: the model gives logits");
    if (notes->sigmoid) qc_note("its final sigmoid was left out: the model gives logits");
    if (notes->two_classes) qc_note("its one logit is the logit of class 1; class 0 has the logit 0");
    if (!score->n) return;
    qc_note("accuracy on %u examples of %s: %.4f%s", score->n, import->measure, score->accuracy,
            qc_is_chance(score) ? " - no better than guessing: is the order of the classes right, and the "
                                       "normalization (--mean, --std, --norm)?"
                                     : "");
}

/* A model that comes quantized keeps its codes and scales. */
static int keep_quantized(QcModelFile *m, const QcOnnxNotes *notes, uint32_t *wide, QcErr *err)
{
    QcQGraph g;
    QcArena arena = {0};
    if (!notes->steps) return 0;
    int status = qc_keep(&g, &notes->graph, notes->steps, wide, &arena, err) || qc_qgraphfile_encode(m, &g, err)
                     ? -1 : 0;
    qc_arena_release(&arena);
    return status;
}

static int check_usage(const QcModelImport *m, QcErr *err)
{
    if (m->format && !has_graph(m) && !is_safetensors(m) && strcmp(m->format, "npz"))
        return qc_fail(err, QC_EUSAGE, "weights are read from npz and safetensors, not from '%.40s'", m->format);
    if (m->width > 0 && !m->arch)
        return qc_fail(err, QC_EUSAGE, "--width multiplies the channels of an architecture, which -a names");
    if (has_graph(m) && (m->like || m->arch))
        return qc_fail(err, QC_EUSAGE, "--like and -a are for weights, and a file of %s has a graph of its own",
                       is_onnx(m) ? "ONNX" : "TensorFlow Lite");
    return 0;
}

static int load(QcModelFile *model, uint8_t *digest, QcOnnxNotes *notes, const QcModelImport *m, const QcOnnxOptions *o,
                QcErr *err)
{
    QcWeightsSource weights = {
        .path = m->path, .safetensors = is_safetensors(m), .like = m->like, .arch = m->arch, .width = m->width};
    if (is_onnx(m)) return qc_onnx_load(model, digest, m->path, o, notes, err);
    if (is_tflite(m)) return qc_tflite_load(model, digest, m->path, o, notes, err);
    return qc_import_weights(model, digest, &weights, o, err);
}

/* A model of the features that name its classes takes sound as they do. */
static int take_front(QcModelFile *m, const QcOnnxOptions *o, const char *path, QcErr *err)
{
    if (!o->front.rate) return 0;
    if (m->height > 1 || m->channels != qc_front_features(&o->front))
        return qc_fail(err, QC_EFORMAT, "%.300s has %u features of sound per step, and the model takes other windows",
                       qc_input_name(path), qc_front_features(&o->front));
    m->front = o->front;
    return 0;
}

int qc_modelimport_run(const QcModelImport *m, QcErr *err)
{
    QcModelFile model = {0};
    QcArena arena = {0};
    QcOnnxOptions o;
    uint8_t digest[QC_DIGEST_BYTES];
    QcOnnxNotes notes = {0};
    QcScore score = {0};
    uint32_t wide = 0;
    int status = -1;
    if (check_usage(m, err) || qc_modelhints_read(&o, &m->hints, &arena, err)) goto end;
    o.folder = m->external_data;
    o.output = m->logits;
    o.real = m->real;
    if (load(&model, digest, &notes, m, &o, err) || take_front(&model, &o, m->hints.labels_from, err)) goto end;
    if (keep_quantized(&model, &notes, &wide, err)) {
        qc_within(err, qc_input_name(m->path));
        goto end;
    }
    if (m->measure && qc_model_score(&score, &model, m->measure, m->threads, err)) goto end;
    QcInput input = {is_onnx(m) ? "onnx" : is_tflite(m) ? "tflite" : "weights", digest};
    if (qc_modelfile_stamp(&model, qc_cli_command(), &input, 1, err) || qc_modelfile_save(&model, m->output, err))
        goto end;
    report(m, &model, &notes, wide, &score);
    status = 0;
end:
    qc_onnxnotes_release(&notes);
    qc_score_release(&score);
    qc_modelfile_release(&model);
    qc_arena_release(&arena);
    return status;
}
