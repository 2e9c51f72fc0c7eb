#include "session.h"

#include <math.h>
#include <string.h>

#include "../base/file.h"
#include "../format/flipfile.h"
#include "../format/modelplan.h"
#include "../format/qgraphfile.h"
#include "../quant/complete.h"
#include "../quant/slotfill.h"
#include "../quant/windows.h"
#include "../nn/loss.h"
#include "methodtable.h"

static uint32_t batches_of(const QcInputs *stream, const QcSessionOptions *o) { return o->batches ? o->batches : (stream->n + o->batch_size - 1) / o->batch_size; }

static int cut_streams(QcSession *s, const QcSessionOptions *o, QcErr *err)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->n_streams; k++) {
        n += s->streams[k].n;
        s->batches += batches_of(&s->streams[k], o);
    }
    s->order = qc_arena_take(&s->arena, n, sizeof *s->order, err);
    s->starts = qc_arena_take(&s->arena, (size_t)s->batches + 1, sizeof *s->starts, err);
    s->ends = qc_arena_take(&s->arena, s->n_streams, sizeof *s->ends, err);
    if (!s->order || !s->starts || !s->ends) return -1;
    for (uint32_t k = 0, at = 0, done = 0; k < s->n_streams; k++) {
        uint32_t batches = batches_of(&s->streams[k], o), *starts = s->starts + done;
        if (qc_split_batches(s->order + at, starts, &s->streams[k].data, batches, o->order, o->device.seed, err)) return -1;
        for (uint32_t b = 0; b <= batches; b++) starts[b] += at;
        at += s->streams[k].n;
        done += batches;
        s->ends[k] = done;
    }
    return 0;
}

uint32_t qc_session_stream(const QcSession *s, uint32_t b)
{
    uint32_t k = 0;
    while (b >= s->ends[k]) k++;
    return k;
}

/* *method NULL: what the model is made for. */
static int load_model(QcSession *s, const QcMethod **method, const char *path, QcErr *err)
{
    QcCursor flip;
    if (qc_modelfile_load(&s->model, path, err)) return -1;
    if (qc_qgraph_decode(&s->g, &s->model, &s->arena, err)) return qc_within(err, qc_input_name(path));
    if (!*method) *method = qc_container_find(&s->model.container, "flip", &flip) ? &qc_method_qcore : &qc_method_closed;
    if ((*method)->needs_flip && qc_flip_decode(&s->flip, &s->model, &s->g, &s->arena, err)) return qc_within(err, qc_input_name(path));
    return 0;
}

static void lay_out_batch(QcSession *s, uint32_t n, uint32_t window, QcPlacing *p)
{
    qc_placing_part(p, "windows");
    s->batch = qc_placing_take(p, (uint64_t)n * window);
    qc_placing_part(p, "labels and ids");
    s->labels = qc_placing_take(p, n * sizeof *s->labels);
    s->ids = qc_placing_take(p, n * sizeof *s->ids);
}

void qc_session_plan_batch(QcPlan *plan, uint32_t n, uint32_t window)
{
    QcSession s;
    QcPlacing p = {.plan = plan};
    lay_out_batch(&s, n, window, &p);
}

static int place_batch(QcSession *s, QcErr *err)
{
    uint32_t batch_max = 0;
    for (uint32_t b = 0; b < s->batches; b++)
        if (s->starts[b + 1] - s->starts[b] > batch_max) batch_max = s->starts[b + 1] - s->starts[b];
    s->learner.batch_max = batch_max;
    QcPlan plan = {0};
    qc_session_plan_batch(&plan, batch_max, s->streams[0].window);
    s->batch_bytes = qc_plan_bytes(&plan);
    QcPlacing p = {.memory = qc_arena_take(&s->arena, s->batch_bytes, 1, err)};
    if (!p.memory) return -1;
    lay_out_batch(s, batch_max, s->streams[0].window, &p);
    return 0;
}

static int open_learner(QcSession *s, const QcMethod *method, const QcSessionOptions *o, QcErr *err)
{
    QcMethodRun *l = &s->learner;
    l->method = method;
    l->kernels = qc_kernels_need(err);
    if (!l->kernels) return -1;
    l->g = &s->g;
    l->flip = s->flip.n_layers ? &s->flip : NULL;
    l->device = o->device;
    qc_calibrate_complete(&l->device, s->g.bits);
    l->seed = o->device.seed;
    l->capacity = s->coreset.data.capacity;
    l->threads = o->threads;
    QcPlan model = {0};
    qc_model_plan(&model, &s->g, &s->flip);
    s->model_bytes = qc_plan_bytes(&model);
    return place_batch(s, err) || qc_method_place(l, err) || qc_slots_fill(l->slots, &s->coreset, err) || qc_method_open(l, err) ? -1 : 0;
}

static int open_data(QcSession *s, const char *coreset, const char *const *streams, int n, QcErr *err)
{
    if (n > QC_TRANSFER_STREAMS) return qc_fail(err, QC_EUSAGE, "at most %d streams", QC_TRANSFER_STREAMS);
    if (qc_inputs_open(&s->coreset, coreset, &s->model, &s->g, 1, 1, err)) return -1;
    for (; s->n_streams < (uint32_t)n; s->n_streams++)
        if (qc_inputs_open(&s->streams[s->n_streams], streams[s->n_streams], &s->model, &s->g, 0, 1, err)) return -1;
    return 0;
}

int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *const *streams, int n_streams, const QcSessionOptions *o, QcErr *err)
{
    const QcMethod *method = o->method;
    *s = (QcSession){.command = o->command};
    if (load_model(s, &method, model, err) || qc_method_settings(s->learner.setting, method, o->settings, o->n_settings, err) ||
        open_data(s, coreset, streams, n_streams, err) || cut_streams(s, o, err) || open_learner(s, method, o, err)) {
        qc_session_close(s);
        return -1;
    }
    return 0;
}

/* The same model, coreset, batches and options: the same number. */
static uint64_t identify(const QcSession *s)
{
    const QcCalibrateOptions *o = &s->learner.device;
    uint8_t digest[QC_DIGEST_BYTES];
    uint64_t identity = 0;
    char text[512];
    QcDigest d;
    int n = snprintf(text, sizeof text, "%s %u %a %a %a %a %a %a %a %d %a %a %a %d %a %a %a %a %a %a %u %d %d %u %llu", s->learner.method->name, o->rounds, (double)o->phi0, (double)o->cap,
                     (double)o->phi_max, (double)o->phi_min, (double)o->grow, (double)o->shrink, (double)o->stop, o->by_layer, (double)o->balance, (double)o->prior,
                     (double)o->scarce, o->second, (double)o->lead, (double)o->rest, (double)o->temper, (double)o->unseen, (double)o->ridge, (double)o->worth, o->recent, (int)o->choose, (int)o->update, o->chunk, (unsigned long long)o->seed);
    qc_digest_init(&d);
    qc_digest_add(&d, text, (size_t)n);
    qc_digest_add(&d, s->model.container.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, s->coreset.data.digest, QC_DIGEST_BYTES);
    for (uint32_t k = 0; k < s->n_streams; k++) qc_digest_add(&d, s->streams[k].data.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, s->starts, ((size_t)s->batches + 1) * sizeof *s->starts);
    qc_digest_add(&d, s->order, s->starts[s->batches] * sizeof *s->order);
    qc_digest_end(&d, digest);
    for (int i = 0; i < 8; i++) identity = identity << 8 | digest[i];
    return identity;
}

int qc_session_keep(QcSession *s, const char *path, QcErr *err)
{
    QcCalibrator *c = s->learner.state;
    if (!s->learner.method->on_device) return qc_fail(err, QC_EUSAGE, "only methods of the device keep a state; %s is not one", s->learner.method->name);
    if (s->n_streams > 1) return qc_fail(err, QC_EUSAGE, "a session of several streams keeps no state: what it says in the end needs all of them");
    if (qc_statefile_open(&s->kept, path, c, identify(s), err)) return -1;
    int found = qc_statefile_load(&s->kept, c, err);
    if (found < 0) return qc_within(err, path);
    if (c->batches > s->batches) return qc_fail(err, QC_EFORMAT, "%s: the state has learned %u batches, and there are %u", path, c->batches, s->batches);
    s->at = c->batches;
    return 0;
}

int qc_session_next(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at], window = s->learner.window;
    const QcInputs *stream = &s->streams[qc_session_stream(s, s->at)];
    for (uint32_t i = 0; i < n; i++) {
        if (qc_inputs_read(stream, s->batch + (size_t)i * window, index[i], err)) return -1;
        s->labels[i] = (uint16_t)stream->label[index[i]];
        s->ids[i] = stream->data.id[index[i]];
    }
    QcMethodBatch batch = {n, s->batch, s->labels, s->ids};
    if (qc_method_next(&s->learner, report, &batch, ms, err)) return -1;
    s->at++;
    return s->kept.is_open ? qc_statefile_save(&s->kept, s->learner.state, err) : 0;
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
        uint32_t answer = qc_method_answer(&s->learner, NULL, logits, q, 0);
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
    QcInput inputs[1 + QC_TRANSFER_STREAMS] = {{"coreset", s->coreset.data.digest}};
    for (uint32_t k = 0; k < s->n_streams; k++) inputs[1 + k] = (QcInput){"stream", s->streams[k].data.digest};
    const char *unsaved = qc_method_unsaved(s->learner.method, s->learner.setting);
    if (unsaved) return qc_fail(err, QC_EUSAGE, "the result of method %s is no model to save: %s", s->learner.method->name, unsaved);
    if (qc_qgraph_encode(&s->model, &s->g, err)) return -1;
    if (!s->stamped && qc_modelfile_stamp(&s->model, s->command, inputs, 1 + (int)s->n_streams, err)) return -1;
    s->stamped = 1;
    return qc_modelfile_save(&s->model, path, err);
}

static int64_t find_id(const QcDataset *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->id[i] == id) return i;
    return -1;
}

/* The originals behind the slots by where they are from: part 0 is the coreset file, the others the streams. */
typedef struct Origins {
    QcDataset parts[1 + QC_TRANSFER_STREAMS]; /* those that are kept */
    uint32_t *from[1 + QC_TRANSFER_STREAMS], *slot[1 + QC_TRANSFER_STREAMS], n[1 + QC_TRANSFER_STREAMS]; /* [capacity] examples, slots; how many */
} Origins;

static const QcDataset *origin(const QcSession *s, uint32_t part) { return part ? &s->streams[part - 1].data : &s->coreset.data; }

/* Two streams may have given the same id: then the windows tell. A stream's example may also be of a session before this one: then it is in the coreset's file. */
static int find_origin(const QcSession *s, uint32_t slot, uint8_t *q, uint32_t *part, uint32_t *at, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    for (*part = slots->flags[slot] & QC_SLOT_STREAM ? s->n_streams : 0; *part; --*part) {
        int64_t found = find_id(origin(s, *part), slots->id[slot]);
        if (found < 0) continue;
        *at = (uint32_t)found;
        if (qc_inputs_read(&s->streams[*part - 1], q, *at, err)) return -1;
        if (!memcmp(q, slots->x + (size_t)slot * slots->window, slots->window)) return 0;
    }
    *at = (uint32_t)find_id(&s->coreset.data, slots->id[slot]);
    return 0;
}

static int trace_slots(const QcSession *s, Origins *o, QcArena *scratch, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    uint8_t *q = qc_arena_take(scratch, slots->window, 1, err);
    if (!q) return -1;
    for (uint32_t p = 0; p <= s->n_streams; p++) {
        o->from[p] = qc_arena_take(scratch, slots->capacity, sizeof(uint32_t), err);
        o->slot[p] = qc_arena_take(scratch, slots->capacity, sizeof(uint32_t), err);
        if (!o->from[p] || !o->slot[p]) return -1;
    }
    for (uint32_t i = 0; i < slots->capacity; i++) {
        if (slots->flags[i] & QC_SLOT_EMPTY) continue;
        uint32_t part, at;
        if (find_origin(s, i, q, &part, &at, err)) return -1;
        o->from[part][o->n[part]] = at;
        o->slot[part][o->n[part]++] = i;
    }
    return 0;
}

/* The traced examples as one dataset, with the slots' misses and flags. */
static int join_origins(const QcSession *s, QcDataset *out, Origins *o, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    const QcDataset *parts[1 + QC_TRANSFER_STREAMS];
    for (uint32_t p = 0; p <= s->n_streams; p++) {
        parts[p] = &o->parts[p];
        if (qc_dataset_subset(&o->parts[p], origin(s, p), o->from[p], o->n[p], 0, err)) return -1;
    }
    if (qc_dataset_join(out, parts, 1 + s->n_streams, err)) return -1;
    for (uint32_t p = 0; p <= s->n_streams; p++) qc_dataset_release(&o->parts[p]);
    out->capacity = slots->capacity;
    out->misses = qc_arena_take(&out->arena, out->n, sizeof *out->misses, err);
    out->flags = qc_arena_take(&out->arena, out->n, 1, err);
    if (!out->misses || !out->flags) return -1;
    for (uint32_t p = 0, at = 0; p <= s->n_streams; p++)
        for (uint32_t i = 0; i < o->n[p]; i++, at++) {
            out->misses[at] = slots->misses[o->slot[p][i]];
            out->flags[at] = slots->flags[o->slot[p][i]];
        }
    return 0;
}

int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err)
{
    QcArena scratch = {0};
    QcDataset out = {0};
    Origins *o = qc_arena_take(&scratch, 1, sizeof *o, err);
    int status = !o || trace_slots(s, o, &scratch, err) || join_origins(s, &out, o, err) || qc_dataset_sign(&out, s->command, s->coreset.data.digest, err) ||
                         qc_dataset_save(&out, path, err)
                     ? -1
                     : 0;
    qc_dataset_release(&out);
    for (uint32_t p = 0; o && p <= s->n_streams; p++) qc_dataset_release(&o->parts[p]);
    qc_arena_release(&scratch);
    return status;
}

void qc_session_close(QcSession *s)
{
    if (!s) return;
    qc_statefile_close(&s->kept);
    qc_method_close(&s->learner);
    qc_inputs_close(&s->coreset);
    for (uint32_t k = 0; k < QC_TRANSFER_STREAMS; k++) qc_inputs_close(&s->streams[k]);
    qc_modelfile_release(&s->model);
    qc_arena_release(&s->arena);
    *s = (QcSession){0};
}
