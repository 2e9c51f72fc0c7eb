#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/file.h"
#include "../format/flipfile.h"
#include "../format/qgraphfile.h"

typedef int (*LoadData)(QcDataset *d, const char *path, QcErr *err);

static int load_data(QcDataset *d, LoadData load, const QcModelFile *m, const char *path, int32_t **map, QcArena *arena, QcErr *err)
{
    if (load(d, path, err)) return -1;
    return qc_dataset_match(d, m, 1, map, arena, err) ? qc_within(err, qc_input_name(path)) : 0;
}

static int cut_stream(QcSession *s, const QcSessionOptions *o, QcErr *err)
{
    s->batches = o->batches ? o->batches : (s->stream.n + o->batch_size - 1) / o->batch_size;
    s->order = qc_arena_take(&s->arena, s->stream.n, sizeof *s->order, err);
    s->starts = qc_arena_take(&s->arena, (size_t)s->batches + 1, sizeof *s->starts, err);
    if (!s->order || !s->starts) return -1;
    return qc_split_batches(s->order, s->starts, &s->stream, s->batches, o->order, o->device.seed, err);
}

static uint64_t bytes_of_model(const QcQGraph *g, const QcFlip *flip)
{
    return g->n_code_bytes + (uint64_t)g->n_channels * (sizeof *g->scale + sizeof *g->bias + sizeof *g->multiplier + sizeof *g->shift) +
           g->n_nodes * sizeof *g->nodes + g->n_tensors * sizeof *g->tensors + sizeof *flip + flip->n_layers * (sizeof *flip->layers + sizeof(float)) +
           flip->n_feedback;
}

/* The coreset's examples become the device's slots, as the model's input. */
static void fill_slots(QcSession *s, const int32_t *map, float *window)
{
    QcSlots *slots = &s->calibrator.slots;
    for (uint32_t i = 0; i < s->coreset.n; i++) {
        qc_dataset_batch_window(window, &s->coreset, i, &s->model.norm);
        qc_q_input(slots->x + (size_t)i * slots->window, window, slots->window, &s->g.tensors[0]);
        slots->label[i] = (uint16_t)map[s->coreset.label[i]];
        slots->misses[i] = (uint16_t)(s->coreset.misses[i] < UINT16_MAX ? s->coreset.misses[i] : UINT16_MAX);
        slots->flags[i] = s->coreset.flags[i] & (QC_SLOT_RESERVED | QC_SLOT_NEVER_RIGHT | QC_SLOT_STREAM);
        slots->id[i] = s->coreset.id[i];
    }
}

static int place(QcSession *s, const QcCalibrateOptions *o, QcErr *err)
{
    uint32_t batch_max = 0, window = (uint32_t)qc_dataset_values(&s->stream);
    for (uint32_t b = 0; b < s->batches; b++)
        if (s->starts[b + 1] - s->starts[b] > batch_max) batch_max = s->starts[b + 1] - s->starts[b];
    const QcKernels *kernels = qc_kernels_need(err);
    if (!kernels) return -1;
    s->memory_bytes = qc_calibrator_bytes(&s->g, &s->flip, o, s->coreset.capacity, batch_max);
    s->model_bytes = bytes_of_model(&s->g, &s->flip);
    s->batch_bytes = (uint64_t)batch_max * window;
    if (s->memory_bytes > UINT32_MAX) return qc_fail(err, QC_EUNSUPPORTED, "the device would need %llu bytes", (unsigned long long)s->memory_bytes);
    s->memory = aligned_alloc(64, (s->memory_bytes + 63) / 64 * 64);
    s->batch = qc_arena_take(&s->arena, batch_max, window, err);
    s->labels = qc_arena_take(&s->arena, batch_max, sizeof *s->labels, err);
    s->ids = qc_arena_take(&s->arena, batch_max, sizeof *s->ids, err);
    if (!s->memory) return qc_fail_memory(err, "the device's working memory");
    if (!s->batch || !s->labels || !s->ids) return -1;
    qc_calibrator_place(&s->calibrator, &s->g, &s->flip, kernels, o, s->coreset.capacity, batch_max, s->memory);
    return 0;
}

static QcCalibrateOptions complete(const QcCalibrateOptions *asked, int bits)
{
    QcCalibrateOptions o = *asked, defaults = qc_calibrate_defaults(bits);
    if (!(o.phi0 > 0)) o.phi0 = defaults.phi0;
    if (!(o.cap > 0)) o.cap = defaults.cap;
    if (!(o.phi_max > 0)) o.phi_max = defaults.phi_max;
    if (o.by_layer < 0) o.by_layer = defaults.by_layer;
    return o;
}

int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *stream, const QcSessionOptions *o, QcErr *err)
{
    int32_t *map, *stream_map;
    *s = (QcSession){.command = o->command};
    if (qc_modelfile_load(&s->model, model, err)) goto fail;
    if (qc_qgraph_decode(&s->g, &s->model, &s->arena, err) || qc_flip_decode(&s->flip, &s->model, &s->g, &s->arena, err)) {
        qc_within(err, qc_input_name(model));
        goto fail;
    }
    if (load_data(&s->coreset, qc_dataset_load_coreset, &s->model, coreset, &map, &s->arena, err)) goto fail;
    if (load_data(&s->stream, qc_dataset_load, &s->model, stream, &stream_map, &s->arena, err)) goto fail;
    if (qc_windows_init(&s->windows, &s->stream, &s->model, err) || cut_stream(s, o, err)) goto fail;
    QcCalibrateOptions device = complete(&o->device, s->g.bits);
    if (place(s, &device, err)) goto fail;
    float *window = qc_arena_take(&s->arena, s->calibrator.slots.window, sizeof *window, err);
    if (!window) goto fail;
    fill_slots(s, map, window);
    return 0;
fail:
    qc_session_close(s);
    return -1;
}

void qc_session_next(QcSession *s, QcCalibrateReport *report, double *ms)
{
    const uint32_t *index = s->order + s->starts[s->at];
    uint32_t n = s->starts[s->at + 1] - s->starts[s->at], window = s->calibrator.slots.window;
    for (uint32_t i = 0; i < n; i++) {
        qc_q_input(s->batch + (size_t)i * window, s->windows.x + index[i] * s->windows.values, window, &s->g.tensors[0]);
        s->labels[i] = (uint16_t)s->windows.label[index[i]];
        s->ids[i] = s->stream.id[index[i]];
    }
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    qc_calibrate_batch(&s->calibrator, report, s->batch, s->labels, s->ids, n);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (ms) *ms = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) * 1e-6;
    s->at++;
}

int qc_session_save_model(QcSession *s, const char *path, QcErr *err)
{
    QcInput inputs[] = {{"coreset", s->coreset.digest}, {"stream", s->stream.digest}};
    if (qc_qgraph_encode(&s->model, &s->g, err) || qc_flip_encode(&s->model, &s->flip, err)) return -1;
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
    const QcSlots *slots = &s->calibrator.slots;
    n[0] = n[1] = 0;
    for (uint32_t i = 0; i < slots->capacity; i++) {
        if (slots->flags[i] & QC_SLOT_EMPTY) continue;
        int64_t in_stream = slots->flags[i] & QC_SLOT_STREAM ? find_id(&s->stream, slots->id[i]) : -1;
        int part = in_stream >= 0;
        from[part][n[part]] = (uint32_t)(part ? in_stream : find_id(&s->coreset, slots->id[i]));
        slot[part][n[part]++] = i;
    }
}

int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err)
{
    const QcSlots *slots = &s->calibrator.slots;
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
    if (qc_dataset_subset(&parts[0], &s->coreset, from[0], n[0], 0, err) || qc_dataset_subset(&parts[1], &s->stream, from[1], n[1], 0, err)) goto end;
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
    if (qc_dataset_sign(&out, s->command, s->coreset.digest, err)) goto end;
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
    free(s->memory);
    qc_windows_release(&s->windows);
    qc_dataset_release(&s->coreset);
    qc_dataset_release(&s->stream);
    qc_modelfile_release(&s->model);
    qc_arena_release(&s->arena);
    *s = (QcSession){0};
}
