#include "livemodel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../format/learnedfile.h"
#include "../format/parametertable.h"
#include "../format/qgraphfile.h"
#include "../format/spareclasses.h"
#include "../quant/windows.h"

static int load_model(QcLiveModel *m, const char *path, QcErr *err)
{
    if (qc_modelfile_load(&m->model, path, err)) return -1;
    if (!qc_modelfile_is_quantized(&m->model))
        return qc_fail(err, QC_EFORMAT,
                       "%.300s: a float model does not run on a stream: quantize it (qc-quantize)",
                       qc_input_name(path));
    if (qc_qgraphfile_decode(&m->g, &m->model, &m->arena, err)) return qc_within(err, qc_input_name(path));
    m->known = qc_named_classes(&m->model);
    int found = qc_driftbase_decode(&m->drift, &m->model, &m->g, &m->arena, err);
    if (!found) m->drift.features = 0;
    return found < 0 ? qc_within(err, qc_input_name(path)) : 0;
}

static int place_learner(QcLiveModel *m, const QcLiveOptions *o, QcErr *err)
{
    QcLearnerSetup setup = {.graph = &m->g,
                            .parameters = qc_parameters_default(m->g.bits),
                            .seed = o->seed,
                            .capacity = m->coreset.data.capacity,
                            .ring = m->learns ? QC_LIVE_RING : 1};
    if (m->drift.features) setup.source = (QcHeadSource){m->drift.mean, m->drift.weight};
    const QcKernels *kernels = qc_need_kernels(err);
    if (!kernels || qc_parameters_tune(&setup.parameters, o->tune, o->n_tune, err)) return -1;
    if (m->learns && !qc_head_fits(&m->g))
        return qc_fail(err, QC_EUNSUPPORTED,
                       "the last layer is too large for a closed form (more than %d features or %d classes): it can "
                       "predict, but not learn",
                       QC_HEAD_MAX_FEATURES, QC_HEAD_MAX_CLASSES);
    uint64_t bytes = qc_learner_bytes(&setup);
    m->memory = bytes > UINT32_MAX ? NULL : qc_aligned_new(bytes, "the learner", err);
    if (!m->memory)
        return bytes > UINT32_MAX ? qc_fail(err, QC_EUNSUPPORTED, "the learner would need %" PRIu64 " bytes", bytes)
                                  : -1;
    qc_learner_place(&m->learner, &setup, kernels, m->memory);
    return 0;
}

static int fill_coreset(QcLiveModel *m, QcErr *err)
{
    uint8_t *window = qc_livemodel_input(m);
    for (uint32_t i = 0; i < m->coreset.n; i++) {
        QcKeptExample kept = qc_inputs_kept(&m->coreset, i);
        if (qc_inputs_read(&m->coreset, window, i, err)) return -1;
        qc_learner_fill(&m->learner, i, window, NULL, kept.label, kept.misses, kept.flags, kept.id);
        if (kept.flags & QC_SLOT_STREAM) continue;
        m->source++;
        m->source_right += qc_largest(m->learner.logits, m->g.classes) == kept.label;
    }
    return 0;
}

static int take_up_state(QcLiveModel *m, const char *path, QcErr *err)
{
    const QcLearnerSetup *setup = &m->learner.setup;
    QcStateOwner owner = qc_stateowner_of("live", setup->seed, &setup->parameters, m->model.container.digest,
                                          m->coreset.data.digest);
    if (qc_statefile_open(&m->kept, path, &m->learner, &owner, err)) return -1;
    int found = qc_statefile_load(&m->kept, &m->learner, err);
    m->resumed = found > 0;
    if (found < 0 || qc_statefile_check_names(&m->learner, qc_named_classes(&m->model), err))
        return qc_within(err, path);
    return qc_statefile_write_names(&m->kept, &m->model, m->known, err);
}

/* The learned content of the model file comes before the coreset, whose features do not depend on it. A model that only
 * predicts needs it for its drift figures, and counts windows from 0. */
static int open_learner(QcLiveModel *m, const char *path, const QcLiveOptions *o, QcErr *err)
{
    if (m->learns) qc_statefile_read_names(&m->model, o->state);
    if (place_learner(m, o, err)) return -1;
    if (qc_learned_decode(&m->learner, &m->model, err) < 0) return qc_within(err, qc_input_name(path));
    if (!m->learns) {
        m->learner.counters->next = 0;
        return 0;
    }
    m->before = qc_aligned_new(m->learner.state_bytes, "the state before an adapt", err);
    return !m->before || fill_coreset(m, err) || take_up_state(m, o->state, err) ? -1 : 0;
}

int qc_livemodel_open(QcLiveModel *m, const char *path, const QcLiveOptions *o, QcErr *err)
{
    *m = (QcLiveModel){.learns = o->coreset != NULL};
    if (!load_model(m, path, err) &&
        (!m->learns || !qc_inputs_open(&m->coreset, o->coreset, &m->model, &m->g, 1, 1, err)) &&
        !open_learner(m, path, o, err))
        return 0;
    qc_livemodel_close(m);
    return -1;
}

int qc_livemodel_save(QcLiveModel *m, QcErr *err)
{
    if (m->kept.is_open && qc_statefile_write_names(&m->kept, &m->model, m->known, err)) return -1;
    return m->kept.is_open ? qc_statefile_save(&m->kept, &m->learner, err) : 0;
}

int qc_livemodel_adapt(QcLiveModel *m, QcAdaptReport *report, QcErr *err)
{
    memcpy(m->before, m->learner.state, m->learner.state_bytes);
    qc_learner_adapt(&m->learner, report);
    if ((report->n || report->solved) && !report->refused && m->kept.is_open &&
        qc_statefile_save_before(&m->kept, &m->learner, m->before, err))
        return -1;
    return qc_livemodel_save(m, err);
}

int qc_livemodel_undo(QcLiveModel *m, uint64_t *labels, QcErr *err)
{
    QcLearnerCounters *c = m->learner.counters;
    const QcLearnerCounters now = *c;
    int found = qc_statefile_load_before(&m->kept, &m->learner, err);
    if (found <= 0) return found;
    if (c->adapts >= now.adapts) return 0; /* the adapt after it was never saved */
    c->next = now.next;
    c->adapts = now.adapts;
    c->drift = now.drift;
    c->can_undo = 0;
    *labels = now.seen - c->seen;
    return qc_livemodel_save(m, err) || qc_statefile_drop_before(&m->kept, err) ? -1 : 1;
}

uint8_t *qc_livemodel_input(QcLiveModel *m) { return qc_qrun_tensor(&m->learner.run, 0); }

void qc_livemodel_close(QcLiveModel *m)
{
    if (!m) return;
    qc_statefile_close(&m->kept);
    qc_inputs_close(&m->coreset);
    free(m->memory);
    free(m->before);
    qc_modelfile_release(&m->model);
    qc_arena_release(&m->arena);
    *m = (QcLiveModel){0};
}
