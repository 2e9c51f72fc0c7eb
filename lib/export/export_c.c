/* export_c.c - format c: loads and checks what is to be exported, and writes both files or neither. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../format/driftfile.h"
#include "../format/flipfile.h"
#include "../format/fronttables.h"
#include "../format/learnedfile.h"
#include "../format/parametertable.h"
#include "../format/qgraphfile.h"
#include "../format/spareclasses.h"
#include "../quant/qinput.h"
#include "../quant/windows.h"
#include "cmodel.h"
#include "cwrite.h"
#include "export.h"

typedef struct Job {
    QcArena arena;
    QcModelFile model;
    QcQGraph g;
    QcFlip flip;
    QcInputs coreset;
    QcDriftBase drift;
    QcFrontEnd front;
    int knows_source; /* drift is there */
    int has_lost_drift; /* the figure needs what was learned, which only a learner has */
    QcLearner learner;
    void *memory; /* the learner's */
    int has_learned;
    char *source, *header, *prefix; /* paths; prefix of symbols */
    char origin[256];
} Job;

/* "dir/name.c" -> "dir/name.h" and "name". */
static int name_outputs(Job *job, const char *output, QcErr *err)
{
    size_t length = output ? strlen(output) : 0;
    if (qc_is_standard(output) || length < 3 || strcmp(output + length - 2, ".c"))
        return qc_fail(err, QC_EUSAGE, "C source is two files, named by -o NAME.c");
    const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output;
    job->source = qc_arena_text(&job->arena, output, length, err);
    job->header = qc_arena_text(&job->arena, output, length, err);
    job->prefix = qc_arena_text(&job->arena, base, strlen(base) - 2, err);
    if (!job->source || !job->header || !job->prefix) return -1;
    job->header[length - 1] = 'h';
    const char *wrong = qc_c_validate(job->prefix);
    return wrong
               ? qc_fail(err, QC_EUSAGE, "symbols are named after the file, and '%.120s' %s", job->prefix, wrong)
               : 0;
}

/* Without a coreset nothing is learned, and spare rows are no use. */
static int load_model(Job *job, const char *path, int learns, QcErr *err)
{
    if (qc_modelfile_load(&job->model, path, err)) return -1;
    int has_learned = qc_learned_is_there(&job->model);
    if (!learns && qc_drop_spare_classes(&job->model, err)) return qc_within(err, qc_input_name(path));
    if (qc_qgraphfile_decode(&job->g, &job->model, &job->arena, err)) return qc_within(err, qc_input_name(path));
    job->knows_source = qc_driftbase_decode(&job->drift, &job->model, &job->g, &job->arena, err);
    if (job->knows_source < 0) return qc_within(err, qc_input_name(path));
    job->has_lost_drift = job->knows_source && has_learned && !learns;
    if (job->has_lost_drift) job->knows_source = 0;
    if (job->model.front.rate && qc_fronttables_make(&job->front, &job->model.front, &job->arena, err))
        return qc_within(err, qc_input_name(path));
    const QcQTensor *in = &job->g.tensors[0];
    const QcModelFile *m = &job->model;
    if (in->channels == m->channels && in->height == m->height && in->width == m->length &&
        job->g.classes == m->classes)
        return 0;
    qc_fail(err, QC_EFORMAT, "the model's graph takes other windows or has other classes than its description says");
    return qc_within(err, qc_input_name(path));
}

static int has_flip(const Job *job)
{
    QcCursor c;
    return qc_container_find(&job->model.container, "flip", &c);
}

static int fill_coreset(Job *job, QcErr *err)
{
    uint8_t *window = qc_arena_take(&job->arena, job->coreset.window, 1, err);
    if (!window) return -1;
    for (uint32_t i = 0; i < job->coreset.n; i++) {
        QcKeptExample kept = qc_inputs_kept(&job->coreset, i);
        if (qc_inputs_read(&job->coreset, window, i, err)) return -1;
        qc_learner_fill(&job->learner, i, window, NULL, kept.label, kept.misses, kept.flags, kept.id);
    }
    return 0;
}

/* A learner as the device will have it: flip network if there is one, coreset, parameters, what was learned already. */
static int load_learner(Job *job, const QcExport *e, QcErr *err)
{
    QcLearnerSetup setup = {.graph = &job->g,
                            .flip = &job->flip,
                            .parameters = qc_parameters_default(job->g.bits),
                            .seed = e->seed,
                            .ring = e->batch};
    const QcKernels *kernels = qc_need_kernels(err);
    if (job->knows_source) setup.source = (QcHeadSource){job->drift.mean, job->drift.weight};
    if (!kernels || qc_parameters_tune(&setup.parameters, e->tune, e->n_tune, err)) return -1;
    if (has_flip(job)) {
        if (qc_flipfile_decode(&job->flip, &job->model, &job->g, &job->arena, err))
            return qc_within(err, qc_input_name(e->input));
        setup.flips = &qc_flip_rounds;
    }
    if (qc_inputs_open(&job->coreset, e->coreset, &job->model, &job->g, 1, QC_LABELS_ALL, err)) return -1;
    setup.capacity = job->coreset.data.capacity;
    uint64_t bytes = qc_learner_bytes(&setup);
    if (bytes > UINT32_MAX) return qc_fail(err, QC_EUNSUPPORTED, "the device would need %" PRIu64 " bytes", bytes);
    job->memory = qc_aligned_new(bytes, "the learner", err);
    if (!job->memory) return -1;
    qc_learner_place(&job->learner, &setup, kernels, job->memory);
    job->has_learned = qc_learned_decode(&job->learner, &job->model, err);
    return job->has_learned < 0 ? qc_within(err, qc_input_name(e->input)) : fill_coreset(job, err);
}

/* The same model, coreset, parameters and seed: the same number. */
static uint64_t identify(const Job *job)
{
    uint8_t digest[QC_DIGEST_BYTES];
    uint64_t identity = 0;
    QcDigest d;
    qc_digest_init(&d);
    qc_digest_add(&d, job->model.container.digest, QC_DIGEST_BYTES);
    qc_digest_add(&d, job->coreset.data.digest, QC_DIGEST_BYTES);
    qc_parameters_digest(&d, &job->learner.setup.parameters);
    qc_digest_add(&d, &job->learner.setup.seed, sizeof job->learner.setup.seed);
    qc_digest_end(&d, digest);
    for (int i = 0; i < 8; i++) identity = identity << 8 | digest[i];
    return identity;
}

static void tell_origin(Job *job, const QcExport *e)
{
    char model[QC_DIGEST_TEXT], coreset[QC_DIGEST_TEXT] = "";
    qc_digest_text(model, job->model.container.digest);
    if (job->learner.setup.capacity) qc_digest_text(coreset, job->coreset.data.digest);
    snprintf(job->origin, sizeof job->origin, "Made by %.120s ; model=sha256:%.16s%s%.16s", e->command, model,
             *coreset ? " coreset=sha256:" : "", coreset);
}

static int write_both(const Job *job, const QcCModel *m, QcErr *err)
{
    QcOutput source = {0}, header = {0};
    int status = -1;
    if (qc_output_open(&source, job->source, 0, err) || qc_output_open(&header, job->header, 0, err)) goto end;
    qc_cmodel_source(source.stream, m);
    qc_cmodel_header(header.stream, m);
    status = qc_output_commit_pair(&source, &header, err);
end:
    qc_output_release(&source);
    qc_output_release(&header);
    return status;
}

/* The closed-form head needs no bit-flip network. */
static int can_learn(const Job *job) { return has_flip(job) || qc_head_fits(&job->g); }

static const char *what_it_does(const QcExport *e, const QcCModel *m)
{
    if (m->learner && m->learner->setup.flips)
        return "predicts, learns by flips and its last layer, and keeps its state";
    if (m->learner) return "predicts, learns by its last layer and keeps its state";
    if (!e->coreset) return "predicts only: no coreset was given (-c)";
    return "predicts only: the last layer is too large for a closed form, and the model has no bit-flip network "
           "(qc-bitflip-train gives it one)";
}

static void say(QcExport *e, const QcCModel *m, int has_lost_drift)
{
    const char *what = what_it_does(e, m);
    snprintf(e->words, sizeof e->words,
             "%s %s; flash %" PRIu64 " bytes, RAM %" PRIu64 " bytes without code and stack%s",
             m->prefix, what, m->flash, m->ram,
             has_lost_drift ? "; the model has learned: it has drift figures only with its coreset (-c)" : "");
}

int qc_export_c(QcExport *e, QcErr *err)
{
    Job job = {0};
    int status = -1;
    const char *const inputs[] = {e->input, e->coreset};
    if (name_outputs(&job, e->output, err) || qc_output_refuse_overwrite(job.header, inputs, 2, err) ||
        qc_output_check(job.source, 0, err) || qc_output_check(job.header, 0, err))
        goto end;
    if (load_model(&job, e->input, e->coreset != NULL, err)) goto end;
    int learns = e->coreset && can_learn(&job);
    if (learns && load_learner(&job, e, err)) goto end;
    tell_origin(&job, e);
    QcCModel m = {.prefix = job.prefix,
                  .file = &job.model,
                  .g = &job.g,
                  .learner = learns ? &job.learner : NULL,
                  .has_learned = job.has_learned > 0, .drift = job.knows_source ? &job.drift : NULL,
                  .front = job.model.front.rate ? &job.front : NULL,
                  .identity = identify(&job),
                  .origin = job.origin};
    qc_cmodel_measure(&m);
    status = write_both(&job, &m, err);
    if (!status) say(e, &m, job.has_lost_drift);
end:
    free(job.memory);
    qc_inputs_close(&job.coreset);
    qc_modelfile_release(&job.model);
    qc_arena_release(&job.arena);
    return status;
}
