/* sessionsave.c - the files that a session writes: the model with its learned state, and the coreset of its slots.
 *
 * A learner without flips has only the features of its slots, so the windows of the coreset are copied from the
 * files that they came from.
 */
#include <string.h>

#include "../format/learnedfile.h"
#include "../format/parametertable.h"
#include "../format/qgraphfile.h"
#include "../format/spareclasses.h"
#include "devicestep.h"
#include "session.h"

/* ---- provenance ---- */

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
             (unsigned long long)s->learner.seed, (unsigned long long)(qc_digest_number(&d) >> 32));
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

/* Rows that took a name but that no adapt has learned yet are spare in the file, too, if no later row is learned. */
static int name_rows(char ***labels, const QcSession *s, QcArena *scratch, QcErr *err)
{
    const QcModelFile *m = &s->model;
    uint32_t named = qc_named_classes(m), learned = named;
    const QcLearner *l = s->learner.method->observe ? qc_devicestep_learner(&s->learner) : NULL;
    *labels = qc_arena_take(scratch, m->classes, sizeof **labels, err);
    char *empty = qc_arena_text(scratch, "", 0, err);
    if (!*labels || !empty) return -1;
    while (l && learned > s->known && qc_is_spare_row(&l->layers[l->counters->active], &l->shape, learned - 1))
        learned--;
    for (uint32_t k = 0; k < m->classes; k++) (*labels)[k] = k < learned || k >= named ? m->labels[k] : empty;
    return 0;
}

static int save_named(QcSession *s, const char *path, QcErr *err)
{
    QcArena scratch = {0};
    char **names = s->model.labels, **labels;
    int status = name_rows(&labels, s, &scratch, err);
    if (!status) {
        s->model.labels = labels;
        status = qc_modelfile_save(&s->model, path, err);
        s->model.labels = names;
    }
    qc_arena_release(&scratch);
    return status;
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
    return save_named(s, path, err);
}

static int64_t find_id(const QcDataset *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->id[i] == id) return i;
    return -1;
}

/* The original examples of the slots by their origin: part 0 is the coreset file, the others the streams. */
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

/* `joined`, whose examples lie part after part, in the order of the filled slots, with the slots' misses and flags. */
static int order_by_slot(const QcSession *s, QcDataset *out, const QcDataset *joined, const Origins *o, QcErr *err)
{
    const QcSlots *slots = s->learner.slots;
    QcArena scratch = {0};
    uint32_t *example = qc_arena_take(&scratch, slots->capacity, sizeof *example, err), /* of a slot */
             *slot = qc_arena_take(&scratch, slots->capacity, sizeof *slot, err),
             *index = qc_arena_take(&scratch, slots->capacity, sizeof *index, err), n = 0;
    int status = example && slot && index ? 0 : -1;
    for (uint32_t p = 0, at = 0; !status && p <= s->n_streams; p++)
        for (uint32_t i = 0; i < o->n[p]; i++) example[o->slot[p][i]] = at++;
    for (uint32_t i = 0; !status && i < slots->capacity; i++) {
        if (slots->flags[i] & QC_SLOT_EMPTY) continue;
        index[n] = example[i];
        slot[n++] = i;
    }
    if (!status) status = qc_dataset_subset(out, joined, index, n, slots->capacity, err);
    if (!status && !out->misses) out->misses = qc_arena_take(&out->arena, out->n, sizeof *out->misses, err);
    if (!status && !out->flags) out->flags = qc_arena_take(&out->arena, out->n, 1, err);
    if (!status && (!out->misses || !out->flags)) status = -1;
    for (uint32_t i = 0; !status && i < out->n; i++) {
        out->misses[i] = slots->misses[slot[i]];
        out->flags[i] = slots->flags[slot[i]];
    }
    qc_arena_release(&scratch);
    return status;
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
