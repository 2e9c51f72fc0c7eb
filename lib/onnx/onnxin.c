/* A file of another tool -> a model file: the graph, and what surrounds it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../nn/graphfile.h"
#include "onnxparts.h"

enum { MAX_CLASSES = 4096 };

static const char *metadata(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++)
        if (model->metadata_props[i]->key && !strcmp(model->metadata_props[i]->key, key))
            return model->metadata_props[i]->value;
    return NULL;
}

/* ---- labels ---- */

/* What our own exports say: a label per line. */
static int labels_of_file(QcOnnxImport *im, char **labels, uint32_t n, const char *text)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t length = strcspn(text, "\n");
        if (!length || (i + 1 < n && text[length] != '\n') || (i + 1 == n && text[length] && text[length + 1]))
            return qc_fail(im->err, QC_EFORMAT, "the labels that the file names are not %u", n);
        if (!(labels[i] = qc_arena_text(&im->arena, text, length, im->err))) return -1;
        text += length + (text[length] == '\n');
    }
    return 0;
}

/* An autoencoder gives its input back; so few values may be classes. */
static int gives_back(const QcOnnxImport *im, uint32_t n)
{
    enum { FEW = 16 };
    const QcNode *in = &im->g->nodes[0];
    return n == (uint64_t)in->height * in->width * in->channels && n > FEW && !im->notes.softmax && !im->notes.sigmoid;
}

static int make_labels(QcOnnxImport *im, char **labels, uint32_t n)
{
    char number[16];
    const char *text = metadata(im->model, "qcore.labels");
    if (im->o->n_labels && im->o->n_labels != n)
        return qc_fail(im->err, QC_EUSAGE, "%u labels were given, and the model has %u logits", im->o->n_labels, n);
    if (!im->o->n_labels && text) return labels_of_file(im, labels, n, text);
    im->notes.numbered = !im->o->n_labels;
    if (im->notes.numbered && gives_back(im, n))
        return qc_fail(im->err, QC_EUNSUPPORTED,
                       "the model gives as many values as it takes (%u), as an autoencoder does: it has no classes, "
                       "and only classifiers are supported (--labels names them if it has)", n);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(number, sizeof number, "%u", i);
        const char *label = im->o->n_labels ? im->o->labels[i] : number;
        if (!(labels[i] = qc_arena_text(&im->arena, label, strlen(label), im->err))) return -1;
    }
    return 0;
}

/* ---- normalization ---- */

static int check_count(QcOnnxImport *im, uint32_t n, uint32_t channels, const char *what)
{
    return n <= 1 || n == channels
               ? 0
               : qc_fail(im->err, QC_EUSAGE, "%u %s were given, and the model has %u channels", n, what, channels);
}

/* The user's, and after it what stood in front of the graph: gain * ((x - mean) / deviation) + shift. */
static int make_norm(QcOnnxImport *im, QcNorm *norm, uint32_t channels)
{
    const QcOnnxOptions *o = im->o;
    *norm = (QcNorm){.channels = channels,
                     .mean = qc_arena_take(&im->arena, channels, sizeof *norm->mean, im->err),
                     .deviation = qc_arena_take(&im->arena, channels, sizeof *norm->deviation, im->err)};
    if (!norm->mean || !norm->deviation || check_count(im, o->n_mean, channels, "means") ||
        check_count(im, o->n_deviation, channels, "deviations"))
        return -1;
    for (uint32_t c = 0; c < channels; c++) {
        double mean = o->n_mean ? (double)o->mean[o->n_mean == 1 ? 0 : c] : 0,
               deviation = o->n_deviation ? (double)o->deviation[o->n_deviation == 1 ? 0 : c] : 1;
        if (im->gain) {
            mean -= (double)im->shift[c] * deviation / (double)im->gain[c];
            deviation /= (double)im->gain[c];
        }
        norm->mean[c] = (float)mean;
        norm->deviation[c] = (float)deviation;
    }
    return 0;
}

/* ---- the whole ---- */

static int make_model(QcModelFile *m, QcOnnxImport *im, int keeps_graph)
{
    const QcNode *input = &im->g->nodes[0];
    const char *name = im->graph->name && *im->graph->name ? im->graph->name : "onnx";
    char short_name[QC_NAME_MAX + 1];
    QcNorm norm;
    snprintf(short_name, sizeof short_name, "%.*s", QC_NAME_MAX, name);
    for (char *c = short_name; *c; c++)
        if (*c <= ' ' || *c >= 0x7f) *c = '_';
    if (im->g->classes > MAX_CLASSES)
        return qc_fail(im->err, QC_EUNSUPPORTED, "a model of %u classes is not supported; at most %d are",
                       im->g->classes, MAX_CLASSES);
    char **labels = qc_arena_take(&im->arena, im->g->classes, sizeof *labels, im->err);
    if (!labels || make_labels(im, labels, im->g->classes) || make_norm(im, &norm, input->channels)) return -1;
    if (qc_modelfile_init(m, short_name, input->channels, input->height, input->width, im->g->classes, labels, &norm,
                          im->err))
        return -1;
    if (im->notes.steps && keeps_graph) return 0;
    if (!qc_graph_encode(m, im->g, im->err)) return 0;
    qc_modelfile_release(m);
    return -1;
}

void qc_onnxnotes_release(QcOnnxNotes *notes)
{
    free(notes->steps);
    qc_graph_release(&notes->graph);
    notes->steps = NULL;
}

static int import(QcModelFile *m, QcOnnxImport *im, QcOnnxNotes *notes)
{
    int status = qc_onnx_build(im) || make_model(m, im, notes != NULL) ? -1 : 0;
    if (!status && notes && im->notes.steps) im->notes.graph = *im->g, *im->g = (QcGraph){0};
    qc_graph_release(im->g);
    if (status || !notes) qc_onnxnotes_release(&im->notes);
    if (notes) *notes = im->notes;
    qc_arena_release(&im->work);
    return status;
}

int qc_onnx_import(QcModelFile *m, const Onnx__ModelProto *model, uint64_t file_bytes, const QcOnnxShapes *shapes,
                   const QcOnnxOptions *o, QcOnnxNotes *notes, QcErr *err)
{
    QcErr own = {0};
    QcGraph g = {0};
    QcOnnxImport im = {.model = model, .g = &g, .o = o, .file_bytes = file_bytes, .shapes = shapes,
                       .channels_last = 1, .err = err ? err : &own};
    *m = (QcModelFile){0};
    int status = import(m, &im, notes);
    qc_arena_release(&im.arena);
    return status;
}

int qc_onnx_decode(QcModelFile *m, const uint8_t *bytes, size_t length, const QcOnnxOptions *o, QcOnnxNotes *notes,
                   QcErr *err)
{
    QcErr own = {0};
    QcGraph g = {0};
    QcOnnxImport im = {.o = o, .g = &g, .file_bytes = length, .err = err ? err : &own};
    *m = (QcModelFile){0};
    if (notes) *notes = im.notes;
    im.model = qc_onnx_unpack(bytes, length, &im.arena, im.err);
    int status = im.model ? import(m, &im, notes) : -1;
    qc_arena_release(&im.arena);
    return status;
}

int qc_onnx_load(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const char *path, const QcOnnxOptions *o,
                 QcOnnxNotes *notes, QcErr *err)
{
    uint8_t *bytes = NULL;
    size_t length;
    *m = (QcModelFile){0};
    if (qc_read_all(path, &bytes, &length, err)) return -1;
    qc_digest(digest, bytes, length);
    int status = qc_onnx_decode(m, bytes, length, o, notes, err);
    free(bytes);
    return status ? qc_within(err, qc_input_name(path)) : 0;
}
