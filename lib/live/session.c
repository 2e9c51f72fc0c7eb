#include "session.h"

#include <math.h>
#include <string.h>

#include "../base/file.h"
#include "../device/ask.h"
#include "../format/flipfile.h"
#include "../format/learnedfile.h"
#include "../format/modelplan.h"
#include "../format/parametertable.h"
#include "../format/qgraphfile.h"
#include "../quant/windows.h"
#include "../nn/loss.h"
#include "devicestep.h"
#include "methodtable.h"

static uint32_t batches_of(const QcInputs *stream, const QcSessionOptions *o)
{
    return o->batches ? o->batches : (stream->n + o->batch_size - 1) / o->batch_size;
}

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
        if (qc_split_batches(s->order + at, starts, &s->streams[k].data, batches, o->order, o->seed, err)) return -1;
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
    if (qc_qgraphfile_decode(&s->g, &s->model, &s->arena, err)) return qc_within(err, qc_input_name(path));
    if (!*method)
        *method = qc_container_find(&s->model.container, "flip", &flip) ? &qc_method_qcore : &qc_method_closed;
    if ((*method)->needs_flip && qc_flipfile_decode(&s->flip, &s->model, &s->g, &s->arena, err))
        return qc_within(err, qc_input_name(path));
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

static uint32_t largest_batch(const QcSession *s)
{
    uint32_t most = 0;
    for (uint32_t b = 0; b < s->batches; b++)
        if (s->starts[b + 1] - s->starts[b] > most) most = s->starts[b + 1] - s->starts[b];
    return most;
}

static int has_all_labels(const QcSession *s)
{
    for (uint32_t i = 0; i < s->n_streams; i++)
        for (uint32_t j = 0; j < s->streams[i].data.n; j++)
            if (s->streams[i].label[j] < 0) return 0;
    return 1;
}

static int place_batch(QcSession *s, QcErr *err)
{
    QcPlan plan = {0};
    if (s->learner.method->observe) return 0;
    qc_session_plan_batch(&plan, s->learner.batch_max, s->streams[0].window);
    s->batch_bytes = qc_plan_bytes(&plan);
    QcPlacing p = {.memory = qc_arena_take(&s->arena, s->batch_bytes, 1, err)};
    if (!p.memory) return -1;
    lay_out_batch(s, s->learner.batch_max, s->streams[0].window, &p);
    return 0;
}

/* After what the model has learned, by which features are the same as they were. */
static int fill_coreset(QcSession *s, QcErr *err)
{
    QcMethodRun *l = &s->learner;
    uint8_t *window = qc_arena_take(&s->arena, s->coreset.window, 1, err);
    if (!window) return -1;
    for (uint32_t i = 0; i < s->coreset.n; i++) {
        QcKeptExample kept = qc_inputs_kept(&s->coreset, i);
        if (qc_inputs_read(&s->coreset, window, i, err)) return -1;
        qc_method_fill(l, i, window, kept.label, kept.misses, kept.flags, kept.id);
        if (!l->method->observe || kept.flags & QC_SLOT_STREAM) continue;
        s->source.n++; /* the learner has just been through it */
        s->source.right += qc_largest(qc_devicestep_learner(l)->logits, s->g.classes) == kept.label;
    }
    return 0;
}

static int load_learned(QcSession *s, const char *model, QcErr *err)
{
    if (!s->learner.method->observe) return 0;
    int known = qc_driftbase_decode(&s->drift, &s->model, &s->g, &s->arena, err);
    if (known < 0) return qc_within(err, qc_input_name(model));
    if (!known) s->drift.features = 0;
    int found = qc_learned_decode(qc_devicestep_learner(&s->learner), &s->model, err);
    s->has_learned = found > 0;
    return found < 0 ? qc_within(err, qc_input_name(model)) : 0;
}

static int open_learner(QcSession *s, const QcMethod *method, const QcSessionOptions *o, const char *model, QcErr *err)
{
    QcMethodRun *l = &s->learner;
    l->method = method;
    l->kernels = qc_need_kernels(err);
    if (!l->kernels) return -1;
    l->g = &s->g;
    l->flip = s->flip.n_layers ? &s->flip : NULL;
    l->parameters = qc_parameters_default(s->g.bits);
    if (qc_parameters_tune(&l->parameters, o->tune, o->n_tune, err)) return -1;
    l->seed = o->seed;
    l->capacity = s->coreset.data.capacity;
    l->batch_max = largest_batch(s);
    l->threads = o->threads;
    l->all_labelled = !s->ask && has_all_labels(s);
    QcPlan plan = {0};
    qc_modelfile_plan(&plan, &s->g, &s->flip);
    s->model_bytes = qc_plan_bytes(&plan);
    if (s->ask && !l->method->observe)
        return qc_fail(err, QC_EUSAGE, "only methods of the device ask for labels; %s is not one", l->method->name);
    s->numbers = qc_arena_take(&s->arena, s->ask, sizeof *s->numbers, err);
    if (!s->numbers) return -1;
    return place_batch(s, err) || qc_method_place(l, err) || load_learned(s, model, err) || fill_coreset(s, err) ||
                   qc_method_open(l, err)
               ? -1
               : 0;
}

static int open_data(QcSession *s, const QcMethod *method, const char *coreset, const char *const *streams, int n,
                     QcErr *err)
{
    if (n > QC_TRANSFER_STREAMS) return qc_fail(err, QC_EUSAGE, "at most %d streams", QC_TRANSFER_STREAMS);
    if (qc_inputs_open(&s->coreset, coreset, &s->model, &s->g, 1, QC_LABELS_ALL, err)) return -1;
    QcLabelNeed need = method->observe ? QC_LABELS_OPTIONAL : QC_LABELS_SOME;
    for (; s->n_streams < (uint32_t)n; s->n_streams++)
        if (qc_inputs_open(&s->streams[s->n_streams], streams[s->n_streams], &s->model, &s->g, 0, need, err)) return -1;
    return 0;
}

int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *const *streams, int n_streams,
                    const QcSessionOptions *o, QcErr *err)
{
    const QcMethod *method = o->method;
    *s = (QcSession){.command = o->command, .ask = o->ask};
    if (load_model(s, &method, model, err) ||
        qc_method_settings(s->learner.setting, method, o->settings, o->n_settings, err) ||
        open_data(s, method, coreset, streams, n_streams, err) || cut_streams(s, o, err) ||
        open_learner(s, method, o, model, err)) {
        qc_session_close(s);
        return -1;
    }
    return 0;
}

static uint64_t number_of(QcDigest *d)
{
    uint8_t digest[QC_DIGEST_BYTES];
    uint64_t number = 0;
    qc_digest_end(d, digest);
    for (int i = 0; i < 8; i++) number = number << 8 | digest[i];
    return number;
}

/* The same model, coreset, method, parameters and seed: the same number. */
static uint64_t identify(const QcSession *s)
{
    QcDigest d;
    char text[64];
    qc_digest_init(&d);
    qc_digest_add(&d, text,
                  (size_t)snprintf(text, sizeof text, "%.30s %llu ", s->learner.method->name,
                                   (unsigned long long)s->learner.seed));
    qc_parameters_digest(&d, &s->learner.parameters);
    qc_digest_add(&d, s->model.container.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, s->coreset.data.digest, QC_DIGEST_BYTES);
    return number_of(&d);
}

/* The same streams, cut into the same batches: the same number. */
static uint64_t identify_input(const QcSession *s)
{
    QcDigest d;
    qc_digest_init(&d);
    for (uint32_t k = 0; k < s->n_streams; k++) qc_digest_add(&d, s->streams[k].data.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, s->starts, ((size_t)s->batches + 1) * sizeof *s->starts);
    qc_digest_add(&d, s->order, s->starts[s->batches] * sizeof *s->order);
    if (s->ask) qc_digest_add(&d, &s->ask, sizeof s->ask);
    return number_of(&d);
}

int qc_session_keep(QcSession *s, const char *path, QcErr *err)
{
    if (!s->learner.method->on_device)
        return qc_fail(err, QC_EUSAGE, "only methods of the device keep a state; %s is not one",
                       s->learner.method->name);
    if (s->n_streams > 1)
        return qc_fail(err, QC_EUSAGE,
                       "a session of several streams keeps no state: what it reports in the end needs all of them");
    QcLearner *l = qc_devicestep_learner(&s->learner);
    if (qc_statefile_open(&s->kept, path, l, identify(s), err)) return -1;
    int found = qc_statefile_load(&s->kept, l, err);
    if (found < 0) return qc_within(err, path);
    s->input = identify_input(s);
    if (l->counters->input != s->input) return 0;
    if (l->counters->input_adapts > s->batches)
        return qc_fail(err, QC_EFORMAT, "%s: the state has learned %u batches of %u", path, l->counters->input_adapts,
                       s->batches);
    s->at = l->counters->input_adapts;
    return 0;
}

/* ---- a batch ---- */

/* 1: the figure is above the threshold after the latest window. */
static int follow_drift(QcSession *s)
{
    if (!s->drift.features) return 0;
    s->drift_figure =
        qc_driftwatch_figure(s->drift_figure, qc_driftwatch_of_latest(&s->drift, qc_devicestep_learner(&s->learner)));
    return s->drift_figure > s->drift.threshold;
}

/* Window after window goes straight to where the forward pass reads it. If the learner asks, no window is labelled
 * yet. */
static int observe_batch(QcSession *s, const QcInputs *stream, const uint32_t *index, uint32_t n, uint32_t *alarms,
                         QcErr *err)
{
    uint8_t *window = qc_method_input(&s->learner);
    *alarms = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (qc_inputs_read(stream, window, index[i], err)) return -1;
        qc_method_observe(&s->learner, window, s->ask ? -1 : stream->label[index[i]], stream->data.id[index[i]]);
        *alarms += (uint32_t)follow_drift(s);
    }
    return 0;
}

/* Codes that flips have changed make other features than the figure knows. */
static void report_drift(QcSession *s, QcMethodReport *report, uint32_t alarms)
{
    report->drift = s->drift.features ? s->drift_figure : NAN;
    report->alarms = alarms;
    if (report->step.flips) s->drift.features = 0;
}

/* Windows without a label are left out. */
static int read_batch(QcSession *s, QcBatch *batch, const QcInputs *stream, const uint32_t *index, uint32_t n,
                      QcErr *err)
{
    for (uint32_t i = 0; i < n; i++) {
        if (stream->label[index[i]] < 0) continue;
        if (qc_inputs_read(stream, s->batch + (size_t)batch->n * s->learner.window, index[i], err)) return -1;
        s->labels[batch->n] = (uint16_t)stream->label[index[i]];
        s->ids[batch->n++] = stream->data.id[index[i]];
    }
    return 0;
}

static uint32_t count_unlabelled(const QcInputs *stream, const uint32_t *index, uint32_t n)
{
    uint32_t unlabelled = 0;
    for (uint32_t i = 0; i < n; i++) unlabelled += (uint32_t)(stream->label[index[i]] < 0);
    return unlabelled;
}

static int save_state(QcSession *s, QcErr *err)
{
    if (!s->kept.is_open) return 0;
    QcLearner *l = qc_devicestep_learner(&s->learner);
    l->counters->input = s->input;
    l->counters->input_adapts = s->at;
    return qc_statefile_save(&s->kept, l, err);
}

/* ---- a batch whose labels come on demand ---- */

/* Windows of the batch whose label is known, but for those that were asked for and learned from (rest): how many are
 * right by the layer that answers now. */
static QcTally judge_known(QcLearner *l, const QcInputs *stream, const uint32_t *index, uint32_t n, int rest)
{
    QcTally t = {0};
    for (uint32_t i = 0; i < n; i++) {
        QcAnswer answer;
        uint32_t number = l->counters->next - n + i;
        if (stream->label[index[i]] < 0 || (rest && qc_learner_is_labelled(l, number)) ||
            qc_learner_answer(l, &answer, number))
            continue;
        t.n++;
        t.right += answer.class_index == stream->label[index[i]];
    }
    return t;
}

/* Label of example `at` in the order of all streams, of this batch or an earlier one; -1: it has none. */
static int32_t label_at(const QcSession *s, uint32_t at)
{
    uint32_t batch = s->at;
    while (s->starts[batch] > at) batch--;
    return s->streams[qc_session_stream(s, batch)].label[s->order[at]];
}

/* The learner may ask for a window of an earlier batch, too, also of an earlier stream. */
static uint32_t label_asked(QcSession *s, QcLearner *l)
{
    uint32_t labelled = 0, end = s->starts[s->at + 1], asked = qc_learner_ask(l, s->numbers, s->ask);
    for (uint32_t i = 0; i < asked; i++) {
        uint32_t age = l->counters->next - s->numbers[i];
        int32_t label = age <= end ? label_at(s, end - age) : -1;
        if (label >= 0) labelled += !qc_learner_label(l, s->numbers[i], (uint16_t)label);
    }
    return labelled;
}

static int next_asking(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at];
    const QcInputs *stream = &s->streams[qc_session_stream(s, s->at)];
    QcLearner *l = qc_devicestep_learner(&s->learner);
    uint32_t alarms;
    if (observe_batch(s, stream, index, n, &alarms, err)) return -1;
    QcTally before = judge_known(l, stream, index, n, 0);
    uint32_t asked = label_asked(s, l);
    if (qc_method_next(&s->learner, report, NULL, ms, err)) return -1;
    report->before = before;
    report->after = judge_known(l, stream, index, n, 1);
    report->asked = asked;
    report_drift(s, report, alarms);
    report->unlabelled = count_unlabelled(stream, index, n);
    s->at++;
    return save_state(s, err);
}

int qc_session_next(QcSession *s, QcMethodReport *report, double *ms, QcErr *err)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at];
    const QcInputs *stream = &s->streams[qc_session_stream(s, s->at)];
    QcBatch batch = {.windows = s->batch, .labels = s->labels, .ids = s->ids};
    if (s->ask) return next_asking(s, report, ms, err);
    uint32_t alarms = 0;
    int status = s->learner.method->observe ? observe_batch(s, stream, index, n, &alarms, err)
                                            : read_batch(s, &batch, stream, index, n, err);
    if (status || qc_method_next(&s->learner, report, &batch, ms, err)) return -1;
    report->unlabelled = count_unlabelled(stream, index, n);
    report_drift(s, report, alarms);
    s->at++;
    return save_state(s, err);
}

int qc_session_test(QcSession *s, QcTestFigures *figures, const QcInputs *test, QcErr *err)
{
    QcArena scratch = {0};
    QcEce ece = {0};
    float *logits = qc_arena_take(&scratch, s->g.classes, sizeof *logits, err);
    uint8_t *q = qc_arena_take(&scratch, test->window, 1, err);
    int status = logits && q ? 0 : -1;
    uint32_t right = 0, labelled = 0;
    for (uint32_t i = 0; i < test->n && !status; i++) {
        if (test->label[i] < 0) continue;
        status = qc_inputs_read(test, q, i, err);
        if (status) break;
        uint32_t answer = qc_method_answer(&s->learner, NULL, logits, q, 0);
        int is_right = (int32_t)answer == test->label[i];
        double sum = 0;
        for (uint32_t k = 0; k < s->g.classes; k++) sum += exp((double)logits[k] - (double)logits[answer]);
        qc_ece_add(&ece, 1 / sum, is_right);
        right += (uint32_t)is_right;
        labelled++;
    }
    *figures = (QcTestFigures){labelled ? (double)right / labelled : NAN, qc_ece(&ece)};
    qc_arena_release(&scratch);
    return status;
}

/* The line of a learner's session: the same however its stream is cut, so that many short sessions end in the bytes of
 * one. What it has learned is in section "learned". */
static void learner_line(const QcSession *s, char *line, size_t room)
{
    /* "qc-calibrate VERSION" */
    const char *space = strchr(s->command, ' '), *end = space ? strchr(space + 1, ' ') : NULL;
    QcDigest d;
    qc_digest_init(&d);
    qc_parameters_digest(&d, &s->learner.parameters);
    snprintf(line, room, "%.*s method=%s seed=%llu parameters=%08llx",
             (int)(end ? end - s->command : (ptrdiff_t)strlen(s->command)), s->command, s->learner.method->name,
             (unsigned long long)s->learner.seed, (unsigned long long)(number_of(&d) >> 32));
}

/* 1 if the newest line of a provenance is that one: the session goes on from one like it. */
static int goes_on(const QcProvenance *p, const char *line)
{
    size_t n = strlen(line);
    return p->n && !strncmp(p->lines[p->n - 1], line, n) &&
           (!p->lines[p->n - 1][n] || !strncmp(p->lines[p->n - 1] + n, " ;", 2));
}

static int stamp(QcSession *s, QcErr *err)
{
    QcInput inputs[1 + QC_TRANSFER_STREAMS] = {{"coreset", s->coreset.data.digest}};
    char line[200];
    if (s->stamped) return 0;
    s->stamped = 1;
    if (!s->learner.method->observe) {
        for (uint32_t k = 0; k < s->n_streams; k++) inputs[1 + k] = (QcInput){"stream", s->streams[k].data.digest};
        return qc_modelfile_stamp(&s->model, s->command, inputs, 1 + (int)s->n_streams, err);
    }
    learner_line(s, line, sizeof line);
    return s->has_learned && goes_on(&s->model.provenance, line) ? 0
                                                                 : qc_modelfile_stamp(&s->model, line, inputs, 1, err);
}

int qc_session_save_model(QcSession *s, const char *path, QcErr *err)
{
    const char *unsaved = qc_method_unsaved(s->learner.method, s->learner.setting);
    const QcLearner *l = s->learner.method->observe ? qc_devicestep_learner(&s->learner) : NULL;
    if (unsaved)
        return qc_fail(err, QC_EUSAGE, "the result of method %s is no model to save: %s", s->learner.method->name,
                       unsaved);
    if (l) qc_learner_store(l, &s->g);
    if (qc_qgraphfile_encode(&s->model, &s->g, err) || (l && qc_learned_encode(&s->model, l, err)) || stamp(s, err))
        return -1;
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
    /* [capacity] examples, slots; how many */
    uint32_t *from[1 + QC_TRANSFER_STREAMS], *slot[1 + QC_TRANSFER_STREAMS], n[1 + QC_TRANSFER_STREAMS];
} Origins;

static const QcDataset *origin(const QcSession *s, uint32_t part)
{
    return part ? &s->streams[part - 1].data : &s->coreset.data;
}

/* A learner without flips keeps the features of a window alone. */
static int is_in_slot(const QcSession *s, const uint8_t *q, uint32_t slot)
{
    const QcSlots *slots = s->learner.slots;
    if (slots->window) return !memcmp(q, qc_slot_window(slots, slot), slots->window);
    return qc_devicestep_has(&s->learner, slot, q);
}

/* Two streams may have given the same id: then the windows decide. A stream's example may also be of a session before
 * this one: then it is in the coreset's file. */
static int find_origin(const QcSession *s, uint32_t slot, uint8_t *q, uint32_t *part, uint32_t *at, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    for (*part = slots->flags[slot] & QC_SLOT_STREAM ? s->n_streams : 0; *part; --*part) {
        int64_t found = find_id(origin(s, *part), slots->id[slot]);
        if (found < 0) continue;
        *at = (uint32_t)found;
        if (qc_inputs_read(&s->streams[*part - 1], q, *at, err)) return -1;
        if (is_in_slot(s, q, slot)) return 0;
    }
    int64_t found = find_id(&s->coreset.data, slots->id[slot]);
    if (found < 0)
        return qc_fail(err, QC_EUSAGE,
                       "-C cannot be written: example %llu of the coreset is of a stream before, and the state keeps "
                       "its features alone",
                       (unsigned long long)slots->id[slot]);
    *at = (uint32_t)found;
    return 0;
}

static int trace_slots(const QcSession *s, Origins *o, QcArena *scratch, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    uint8_t *q = qc_arena_take(scratch, s->learner.window, 1, err);
    if (!q) return -1;
    for (uint32_t p = 0; p <= s->n_streams; p++) {
        o->from[p] = qc_arena_take(scratch, slots->capacity, sizeof(uint32_t), err);
        o->slot[p] = qc_arena_take(scratch, slots->capacity, sizeof(uint32_t), err);
        if (!o->from[p] || !o->slot[p]) return -1;
    }
    for (uint32_t i = 0; i < slots->capacity; i++) {
        if (slots->flags[i] & QC_SLOT_EMPTY) continue;
        uint32_t part = 0, at = 0;
        if (find_origin(s, i, q, &part, &at, err)) return -1;
        o->from[part][o->n[part]] = at;
        o->slot[part][o->n[part]++] = i;
    }
    return 0;
}

/* `joined`, whose examples lie part after part, in the order of the slots, with the slots' misses and flags. */
static int order_by_slot(const QcSession *s, QcDataset *out, const QcDataset *joined, const Origins *o, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    QcArena scratch = {0};
    uint32_t *index = qc_arena_take(&scratch, slots->capacity, sizeof *index, err);
    for (uint32_t p = 0, at = 0; index && p <= s->n_streams; p++)
        for (uint32_t i = 0; i < o->n[p]; i++) index[o->slot[p][i]] = at++; /* filled slots come first */
    int status = index ? qc_dataset_subset(out, joined, index, joined->n, slots->capacity, err) : -1;
    qc_arena_release(&scratch);
    if (status) return -1;
    if (!out->misses) out->misses = qc_arena_take(&out->arena, out->n, sizeof *out->misses, err);
    if (!out->flags) out->flags = qc_arena_take(&out->arena, out->n, 1, err);
    if (!out->misses || !out->flags) return -1;
    for (uint32_t i = 0; i < out->n; i++) {
        out->misses[i] = slots->misses[i];
        out->flags[i] = slots->flags[i];
    }
    return 0;
}

static int join_origins(const QcSession *s, QcDataset *out, Origins *o, QcErr *err)
{
    QcDataset joined = {0};
    const QcDataset *parts[1 + QC_TRANSFER_STREAMS];
    for (uint32_t p = 0; p <= s->n_streams; p++) {
        parts[p] = &o->parts[p];
        if (qc_dataset_subset(&o->parts[p], origin(s, p), o->from[p], o->n[p], 0, err)) return -1;
    }
    int status = qc_dataset_join(&joined, parts, 1 + s->n_streams, err);
    for (uint32_t p = 0; p <= s->n_streams; p++) qc_dataset_release(&o->parts[p]);
    if (!status) status = order_by_slot(s, out, &joined, o, err);
    qc_dataset_release(&joined);
    return status;
}

/* A learner's coreset has the provenance of the coreset that the session started from, and the session's line. */
static int sign_coreset(const QcSession *s, QcDataset *out, QcErr *err)
{
    const QcProvenance *before = &s->coreset.data.provenance;
    char line[200];
    if (!s->learner.method->observe) return qc_dataset_sign(out, s->command, s->coreset.data.digest, err);
    learner_line(s, line, sizeof line);
    out->provenance = (QcProvenance){0};
    for (uint32_t i = 0; i < before->n; i++)
        if (qc_provenance_add(&out->provenance, &out->arena, before->lines[i], err)) return -1;
    return goes_on(before, line) ? 0 : qc_dataset_sign(out, line, s->coreset.data.digest, err);
}

int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err)
{
    QcArena scratch = {0};
    QcDataset out = {0};
    Origins *o = qc_arena_take(&scratch, 1, sizeof *o, err);
    int status = !o || trace_slots(s, o, &scratch, err) || join_origins(s, &out, o, err) ||
                         sign_coreset(s, &out, err) || qc_dataset_save(&out, path, err)
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
