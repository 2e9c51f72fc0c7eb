#include "session.h"

#include <math.h>
#include <string.h>

#include "../base/file.h"
#include "../format/flipfile.h"
#include "../format/qgraphfile.h"
#include "../quant/slotfill.h"
#include "../quant/windows.h"
#include "../nn/loss.h"
#include "methodtable.h"

static int cut_stream(QcSession *s, const QcSessionOptions *o, QcErr *err)
{
    s->batches = o->batches ? o->batches : (s->stream.n + o->batch_size - 1) / o->batch_size;
    s->order = qc_arena_take(&s->arena, s->stream.n, sizeof *s->order, err);
    s->starts = qc_arena_take(&s->arena, (size_t)s->batches + 1, sizeof *s->starts, err);
    if (!s->order || !s->starts) return -1;
    return qc_split_batches(s->order, s->starts, &s->stream.data, s->batches, o->order, o->device.seed, err);
}

static uint64_t bytes_of_model(const QcQGraph *g, const QcFlip *flip)
{
    uint64_t network = sizeof *flip + flip->n_layers * (sizeof *flip->layers + sizeof(float)) + flip->n_feedback;
    return g->n_code_bytes + (uint64_t)g->n_channels * (sizeof *g->scale + sizeof *g->bias + sizeof *g->multiplier + sizeof *g->shift) +
           g->n_nodes * sizeof *g->nodes + g->n_tensors * sizeof *g->tensors + (flip->n_layers ? network : 0);
}

static QcCalibrateOptions complete(const QcCalibrateOptions *asked, int bits)
{
    QcCalibrateOptions o = *asked, defaults = qc_calibrate_defaults(bits);
    if (!(o.phi0 > 0)) o.phi0 = defaults.phi0;
    if (!(o.cap > 0)) o.cap = defaults.cap;
    if (!(o.phi_max > 0)) o.phi_max = defaults.phi_max;
    if (o.by_layer < 0) o.by_layer = defaults.by_layer;
    if (o.stop < 0) o.stop = defaults.stop;
    return o;
}

static int load_model(QcSession *s, const QcMethod *method, const char *path, QcErr *err)
{
    if (qc_modelfile_load(&s->model, path, err)) return -1;
    if (qc_qgraph_decode(&s->g, &s->model, &s->arena, err)) return qc_within(err, qc_input_name(path));
    if (method->needs_flip && qc_flip_decode(&s->flip, &s->model, &s->g, &s->arena, err)) return qc_within(err, qc_input_name(path));
    return 0;
}

static int place_batch(QcSession *s, QcErr *err)
{
    uint32_t batch_max = 0, window = s->stream.window;
    for (uint32_t b = 0; b < s->batches; b++)
        if (s->starts[b + 1] - s->starts[b] > batch_max) batch_max = s->starts[b + 1] - s->starts[b];
    s->learner.batch_max = batch_max;
    s->batch_bytes = (uint64_t)batch_max * window;
    s->batch = qc_arena_take(&s->arena, batch_max, window, err);
    s->labels = qc_arena_take(&s->arena, batch_max, sizeof *s->labels, err);
    s->ids = qc_arena_take(&s->arena, batch_max, sizeof *s->ids, err);
    return s->batch && s->labels && s->ids ? 0 : -1;
}

static int open_learner(QcSession *s, const QcMethod *method, const QcSessionOptions *o, QcErr *err)
{
    QcLearner *l = &s->learner;
    l->method = method;
    l->kernels = qc_kernels_need(err);
    if (!l->kernels) return -1;
    l->g = &s->g;
    l->flip = s->flip.n_layers ? &s->flip : NULL;
    l->device = complete(&o->device, s->g.bits);
    l->seed = o->device.seed;
    l->capacity = s->coreset.data.capacity;
    l->threads = o->threads;
    s->model_bytes = bytes_of_model(&s->g, &s->flip);
    return place_batch(s, err) || qc_learner_place(l, err) || qc_slots_fill(l->slots, &s->coreset, err) || qc_learner_open(l, err) ? -1 : 0;
}

int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *stream, const QcSessionOptions *o, QcErr *err)
{
    const QcMethod *method = o->method ? o->method : &qc_method_qcore;
    *s = (QcSession){.command = o->command};
    if (qc_method_settings(s->learner.setting, method, o->settings, o->n_settings, err)) return -1;
    if (load_model(s, method, model, err) || qc_inputs_open(&s->coreset, coreset, &s->model, &s->g, 1, 1, err) ||
        qc_inputs_open(&s->stream, stream, &s->model, &s->g, 0, 1, err) || cut_stream(s, o, err) || open_learner(s, method, o, err)) {
        qc_session_close(s);
        return -1;
    }
    return 0;
}

int qc_session_next(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at], window = s->learner.window;
    for (uint32_t i = 0; i < n; i++) {
        if (qc_inputs_read(&s->stream, s->batch + (size_t)i * window, index[i], err)) return -1;
        s->labels[i] = (uint16_t)s->stream.label[index[i]];
        s->ids[i] = s->stream.data.id[index[i]];
    }
    QcMethodBatch batch = {n, s->batch, s->labels, s->ids};
    if (qc_learner_next(&s->learner, report, &batch, ms, err)) return -1;
    s->at++;
    return 0;
}

int qc_session_test(QcSession *s, QcTestFigures *figures, const QcInputs *test, QcErr *err)
{
    QcArena scratch = {0};
    QcEce ece = {0};
    float *logits = qc_arena_take(&scratch, s->g.classes, sizeof *logits, err);
    uint8_t *q = qc_arena_take(&scratch, test->window, 1, err);
    int status = logits && q ? 0 : -1;
    uint32_t right = 0;
    for (uint32_t i = 0; i < test->n && !status; i++) {
        status = qc_inputs_read(test, q, i, err);
        if (status) break;
        uint32_t answer = qc_learner_answer(&s->learner, NULL, logits, q, 0);
        int is_right = (int32_t)answer == test->label[i];
        double sum = 0;
        for (uint32_t k = 0; k < s->g.classes; k++) sum += exp((double)logits[k] - (double)logits[answer]);
        qc_ece_add(&ece, 1 / sum, is_right);
        right += (uint32_t)is_right;
    }
    *figures = (QcTestFigures){(double)right / test->n, qc_ece(&ece)};
    qc_arena_release(&scratch);
    return status;
}

int qc_session_save_model(QcSession *s, const char *path, QcErr *err)
{
    QcInput inputs[] = {{"coreset", s->coreset.data.digest}, {"stream", s->stream.data.digest}};
    const char *unsaved = qc_method_unsaved(s->learner.method, s->learner.setting);
    if (unsaved) return qc_fail(err, QC_EUSAGE, "the result of method %s is no model to save: %s", s->learner.method->name, unsaved);
    if (qc_qgraph_encode(&s->model, &s->g, err)) return -1;
    if (!s->stamped && qc_modelfile_stamp(&s->model, s->command, inputs, 2, err)) return -1;
    s->stamped = 1;
    return qc_modelfile_save(&s->model, path, err);
}

static int64_t find_id(const QcDataset *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->id[i] == id) return i;
    return -1;
}

/* The originals behind the slots: those that were in the coreset file, then those of the stream. from [2][capacity] indices, slot [2][capacity]. */
static void trace_slots(const QcSession *s, uint32_t *from[2], uint32_t *slot[2], uint32_t n[2])
{
    const QcSlots *slots = s->learner.slots;
    n[0] = n[1] = 0;
    for (uint32_t i = 0; i < slots->capacity; i++) {
        if (slots->flags[i] & QC_SLOT_EMPTY) continue;
        int64_t in_stream = slots->flags[i] & QC_SLOT_STREAM ? find_id(&s->stream.data, slots->id[i]) : -1;
        int part = in_stream >= 0;
        from[part][n[part]] = (uint32_t)(part ? in_stream : find_id(&s->coreset.data, slots->id[i]));
        slot[part][n[part]++] = i;
    }
}

int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    QcArena scratch = {0};
    QcDataset parts[2], out = {0};
    memset(parts, 0, sizeof parts);
    const QcDataset *both[2] = {&parts[0], &parts[1]};
    uint32_t *from[2], *slot[2], n[2];
    int status = -1;
    for (int p = 0; p < 2; p++) {
        from[p] = qc_arena_take(&scratch, slots->capacity, sizeof(uint32_t), err);
        slot[p] = qc_arena_take(&scratch, slots->capacity, sizeof(uint32_t), err);
        if (!from[p] || !slot[p]) goto end;
    }
    trace_slots(s, from, slot, n);
    if (qc_dataset_subset(&parts[0], &s->coreset.data, from[0], n[0], 0, err) || qc_dataset_subset(&parts[1], &s->stream.data, from[1], n[1], 0, err)) goto end;
    if (qc_dataset_join(&out, both, 2, err)) goto end;
    out.capacity = slots->capacity;
    out.misses = qc_arena_take(&out.arena, out.n, sizeof *out.misses, err);
    out.flags = qc_arena_take(&out.arena, out.n, 1, err);
    if (!out.misses || !out.flags) goto end;
    for (uint32_t p = 0, at = 0; p < 2; p++)
        for (uint32_t i = 0; i < n[p]; i++, at++) {
            out.misses[at] = slots->misses[slot[p][i]];
            out.flags[at] = slots->flags[slot[p][i]];
        }
    if (qc_dataset_sign(&out, s->command, s->coreset.data.digest, err)) goto end;
    status = qc_dataset_save(&out, path, err);
end:
    qc_dataset_release(&out);
    qc_dataset_release(&parts[0]);
    qc_dataset_release(&parts[1]);
    qc_arena_release(&scratch);
    return status;
}

void qc_session_close(QcSession *s)
{
    if (!s) return;
    qc_learner_close(&s->learner);
    qc_inputs_close(&s->coreset);
    qc_inputs_close(&s->stream);
    qc_modelfile_release(&s->model);
    qc_arena_release(&s->arena);
    *s = (QcSession){0};
}
