#include "targetmodel.h"

#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../format/driftfile.h"
#include "../format/flipfile.h"
#include "../format/fronttables.h"
#include "../format/learnedfile.h"
#include "../format/qgraphfile.h"
#include "../quant/qpredict.h"
#include "cmodel.h"

typedef struct Job {
    QcArena arena;
    QcModelFile file;
    QcQGraph g;
    QcFlip flip;
    QcDriftBase drift;
    QcFrontEnd front;
    QcLearner learner;
    void *memory; /* the learner's */
} Job;

static const char *const kinds[QC_Q_OP_COUNT] = {"convolution", "maximum pool", "mean pool", "mean",
                                                 "addition",    "copy",         "linear",    "deviation",
                                                 "table",       "product",      "order"};

static int has_flip(const Job *job)
{
    QcCursor c;
    return qc_container_find(&job->file.container, "flip", &c);
}

static int decode(Job *job, QcErr *err)
{
    if (qc_qgraphfile_decode(&job->g, &job->file, &job->arena, err)) return -1;
    if (job->file.front.rate && qc_fronttables_make(&job->front, &job->file.front, &job->arena, err)) return -1;
    return has_flip(job) ? qc_flipfile_decode(&job->flip, &job->file, &job->g, &job->arena, err) : 0;
}

/* A learner with an empty coreset: a real one has the same sizes. */
static int place_learner(Job *job, uint32_t slots, uint32_t batch, QcErr *err)
{
    QcLearnerSetup setup = {.graph = &job->g,
                            .flips = has_flip(job) ? &qc_flip_rounds : NULL,
                            .flip = &job->flip,
                            .parameters = qc_parameters_default(job->g.bits),
                            .capacity = slots,
                            .ring = batch};
    const QcKernels *kernels = qc_need_kernels(err);
    uint64_t bytes = qc_learner_bytes(&setup);
    if (!kernels) return -1;
    if (bytes > UINT32_MAX) return qc_fail(err, QC_EUNSUPPORTED, "a learner of so many slots has more than 4 GB");
    job->memory = qc_aligned_new(bytes, "the learner", err);
    if (!job->memory) return -1;
    qc_learner_place(&job->learner, &setup, kernels, job->memory);
    memset(job->learner.coreset.flags, 0, slots);
    return 0;
}

static void measure(QcTargetModel *m, Job *job, int learns, int knows_source)
{
    QcCModel c = {.file = &job->file,
                  .g = &job->g,
                  .learner = learns ? &job->learner : NULL,
                  .drift = knows_source ? &job->drift : NULL,
                  .front = job->file.front.rate ? &job->front : NULL};
    qc_cmodel_measure(&c);
    m->ram = c.ram + qc_cmodel_frames(&c);
    m->flash = c.flash;
    m->stack = qc_cmodel_stack(&c);
    m->code = (uint64_t)m->target.c[!learns         ? QC_TARGET_code_predict
                                    : has_flip(job) ? QC_TARGET_code_flips
                                                    : QC_TARGET_code_learn];
}

static int estimate(QcTargetModel *m, Job *job, uint32_t slots, uint32_t batch, QcErr *err)
{
    int knows_source = qc_driftbase_decode(&job->drift, &job->file, &job->g, &job->arena, err);
    int learns = slots && (has_flip(job) || qc_head_fits(&job->g));
    if (knows_source > 0 && !learns && qc_learned_is_there(&job->file)) knows_source = 0; /* as qc-export has it */
    if (knows_source < 0 || (learns && place_learner(job, slots, batch, err))) return -1;
    m->layers = calloc(job->g.n_nodes, sizeof *m->layers);
    double *each = qc_arena_take(&job->arena, job->g.n_nodes, sizeof *each, err);
    if (!each) return -1;
    if (!m->layers) return qc_fail_memory(err, "layers");
    m->n_layers = job->g.n_nodes;
    m->quantize = qc_target_quantize(&m->target, &job->g);
    m->predict = qc_target_predict(&m->target, &job->g, each);
    m->frames = job->file.length;
    if (job->file.front.rate) m->frame = qc_target_front(&m->target, &job->front);
    if (learns && !has_flip(job)) m->adapt = qc_target_adapt(&m->target, &job->g, slots, batch);
    for (uint32_t i = 0; i < m->n_layers; i++)
        m->layers[i] = (QcTargetLayer){kinds[job->g.nodes[i].op], job->g.nodes[i].channels, each[i]};
    measure(m, job, learns, knows_source);
    return 0;
}

int qc_target_of_model(QcTargetModel *m, const char *path, const char *target, uint32_t slots, uint32_t batch,
                       QcErr *err)
{
    Job job = {0};
    *m = (QcTargetModel){0};
    if (qc_target_open(&m->target, target, err) || qc_modelfile_load(&job.file, path, err)) return -1;
    int status = decode(&job, err) || estimate(m, &job, slots, batch, err) ? -1 : 0;
    free(job.memory);
    qc_modelfile_release(&job.file);
    qc_arena_release(&job.arena);
    if (!status) return 0;
    qc_target_release(m);
    return qc_within(err, qc_input_name(path));
}

void qc_target_release(QcTargetModel *m)
{
    free(m->layers);
    m->layers = NULL;
}
