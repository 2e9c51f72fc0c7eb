#include "session.h"

#include <string.h>

#include "../base/file.h"
#include "../format/flipfile.h"
#include "../format/learnedfile.h"
#include "../format/modelplan.h"
#include "../format/parametertable.h"
#include "../format/qgraphfile.h"
#include "../format/spareclasses.h"
#include "../quant/windows.h"
#include "devicestep.h"
#include "labelsonly.h"
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
    s->known = qc_named_classes(&s->model);
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
    uint32_t most = s->learner.batch_max, room = s->asks ? 2 * most : most; /* a late label adds its window */
    s->numbers = qc_arena_take(&s->arena, s->ask, sizeof *s->numbers, err);
    s->labelled = qc_arena_take(&s->arena, s->ask > most ? s->ask : most, sizeof *s->labelled, err);
    if (!s->numbers || !s->labelled) return -1;
    if (s->learner.method->observe) return 0;
    qc_session_plan_batch(&plan, room, s->streams[0].window);
    s->batch_bytes = qc_plan_bytes(&plan);
    QcPlacing p = {.memory = qc_arena_take(&s->arena, s->batch_bytes, 1, err)};
    if (!p.memory) return -1;
    lay_out_batch(s, room, s->streams[0].window, &p);
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
        s->source.n++; /* the learner has just observed this example */
        s->source.right += qc_largest(qc_devicestep_learner(l)->logits, s->g.classes) == kept.label;
    }
    return 0;
}

static int load_drift(QcSession *s, const char *model, QcErr *err)
{
    int known = qc_driftbase_decode(&s->drift, &s->model, &s->g, &s->arena, err);
    if (known < 0) return qc_within(err, qc_input_name(model));
    if (known) s->learner.source = (QcHeadSource){s->drift.mean, s->drift.weight};
    if (!known || !s->learner.method->observe) s->drift.features = 0;
    return 0;
}

static int load_learned(QcSession *s, const char *model, QcErr *err)
{
    if (!s->learner.method->observe) return 0;
    int found = qc_learned_decode(qc_devicestep_learner(&s->learner), &s->model, err);
    s->has_learned = found > 0;
    return found < 0 ? qc_within(err, qc_input_name(model)) : 0;
}

/* A graph of its own: the method may change codes and channels of the session's. */
static int open_asker(QcSession *s, const char *model, QcErr *err)
{
    if (!s->ask || s->learner.method->observe) return 0;
    if (qc_qgraphfile_decode(&s->asker_graph, &s->model, &s->arena, err)) return qc_within(err, qc_input_name(model));
    return qc_labels_only_open(&s->asker, &s->learner, &s->asker_graph, err);
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
    l->all_labelled = !s->asks && has_all_labels(s);
    QcPlan plan = {0};
    qc_modelfile_plan(&plan, &s->g, &s->flip);
    s->model_bytes = qc_plan_bytes(&plan);
    return place_batch(s, err) || load_drift(s, model, err) || qc_method_place(l, err) ||
                   load_learned(s, model, err) || fill_coreset(s, err) || qc_method_open(l, err) ||
                   open_asker(s, model, err)
               ? -1
               : 0;
}

/* Only the closed-form head makes a class of a spare row. */
static int check_spare(const QcSession *s, const QcMethod *method, QcErr *err)
{
    if (s->known == s->model.classes || method == &qc_method_closed || method == &qc_method_none) return 0;
    return qc_fail(err, QC_EUNSUPPORTED,
                   "method %s cannot learn a model with spare classes: quantize it without --spare-classes",
                   method->name);
}

/* Where nothing is learned from labels alone, a stream needs none. */
static QcLabelNeed need_labels(const QcSession *s, const QcMethod *method)
{
    int learns_nothing = method == &qc_method_none || (s->asks && !s->ask);
    return method->observe || method->unlabelled || learns_nothing ? QC_LABELS_OPTIONAL : QC_LABELS_SOME;
}

static int open_data(QcSession *s, const QcMethod *method, const char *coreset, const char *const *streams, int n,
                     const char *state, QcErr *err)
{
    if (n > QC_TRANSFER_STREAMS) return qc_fail(err, QC_EUSAGE, "at most %d streams", QC_TRANSFER_STREAMS);
    if (state) qc_statefile_read_names(&s->model, state);
    s->named = qc_named_classes(&s->model);
    if (qc_inputs_open(&s->coreset, coreset, &s->model, &s->g, 1, QC_LABELS_ALL, err)) return -1;
    QcLabelNeed need = need_labels(s, method);
    for (; s->n_streams < (uint32_t)n; s->n_streams++) {
        QcInputs *stream = &s->streams[s->n_streams];
        const char *path = streams[s->n_streams];
        if (method == &qc_method_closed ? qc_inputs_open_stream(stream, path, &s->model, &s->g, need, err)
                                        : qc_inputs_open(stream, path, &s->model, &s->g, 0, need, err))
            return -1;
    }
    return 0;
}

int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *const *streams, int n_streams,
                    const QcSessionOptions *o, QcErr *err)
{
    const QcMethod *method = o->method;
    *s = (QcSession){.command = o->command, .asks = o->asks, .ask = o->asks ? o->ask : 0};
    if (load_model(s, &method, model, err) ||
        qc_method_settings(s->learner.setting, method, o->settings, o->n_settings, err) ||
        check_spare(s, method, err) || open_data(s, method, coreset, streams, n_streams, o->state, err) ||
        cut_streams(s, o, err) ||
        open_learner(s, method, o, model, err)) {
        qc_session_close(s);
        return -1;
    }
    return 0;
}

/* The same streams, cut into the same batches: the same number. */
static uint64_t identify_input(const QcSession *s)
{
    QcDigest d;
    qc_digest_init(&d);
    for (uint32_t k = 0; k < s->n_streams; k++) qc_digest_add(&d, s->streams[k].data.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, s->starts, ((size_t)s->batches + 1) * sizeof *s->starts);
    qc_digest_add(&d, s->order, s->starts[s->batches] * sizeof *s->order);
    if (s->asks) qc_digest_add(&d, &s->ask, sizeof s->ask);
    return qc_digest_number(&d);
}

/* Flips of the kept state have changed codes below the last layer, so features are not those that the figure of drift
 * knows. */
static int has_other_features(const QcSession *s, const QcLearner *l)
{
    const QcQNode *last = &s->g.nodes[s->g.n_nodes - 1];
    return memcmp(l->graph.codes, s->g.codes, last->code_byte) != 0;
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
    QcStateOwner owner = qc_stateowner_of(s->learner.method->name, s->learner.seed, &s->learner.parameters,
                                          s->model.container.digest, s->coreset.data.digest);
    if (qc_statefile_open(&s->kept, path, l, &owner, err)) return -1;
    int found = qc_statefile_load(&s->kept, l, err);
    if (found < 0 || qc_statefile_check_names(l, s->named, err)) return qc_within(err, path);
    if (found && has_other_features(s, l)) s->drift.features = 0;
    s->input = identify_input(s);
    if (l->counters->input != s->input) return 0;
    if (l->counters->input_adapts > s->batches)
        return qc_fail(err, QC_EFORMAT, "%s: the state has learned %u batches of %u", path, l->counters->input_adapts,
                       s->batches);
    s->at = l->counters->input_adapts;
    return 0;
}

void qc_session_close(QcSession *s)
{
    if (!s) return;
    qc_statefile_close(&s->kept);
    qc_method_close(&s->asker);
    qc_method_close(&s->learner);
    qc_inputs_close(&s->coreset);
    for (uint32_t k = 0; k < QC_TRANSFER_STREAMS; k++) qc_inputs_close(&s->streams[k]);
    qc_modelfile_release(&s->model);
    qc_arena_release(&s->arena);
    *s = (QcSession){0};
}
