/* qc-train: an architecture and a data file in; a float model out, and the log of its quantization misses. */
#include <stdio.h>
#include <string.h>

#include "../lib/base/clock.h"
#include "../lib/base/file.h"
#include "../lib/cli/augmentoption.h"
#include "../lib/cli/cli.h"
#include "../lib/cli/trainlog.h"
#include "../lib/coreset/misslog.h"
#include "../lib/format/container.h"
#include "../lib/nn/arch.h"
#include "../lib/nn/graphfile.h"
#include "../lib/nn/train.h"

static const char *arch, *data, *output, *log_path, *checkpoint, *optimizer = "adam", *drift, *miss_bits = "2,3,4,8";
static int64_t epochs = 50, batch = 64, patience, seed = 1, threads, miss_every = 5, checkpoint_every = 1;
static double augment, rate, decay = -1, valid, width;
static int resume, json;

static const QcOption rare[] = {
    {0, "optimizer", QC_OPTION_TEXT, &optimizer, "NAME", "adam or sgd", 0, 0},
    {0, "drift", QC_OPTION_TEXT, &drift, "KIND", "kind of drift: auto, inertial, series, image or bands", 0, 0},
    {0, "width", QC_OPTION_REAL, &width, "R", "factor of the architecture's channels; 0: its own", 0, 100},
    {0, "miss-bits", QC_OPTION_TEXT, &miss_bits, "LIST", "bit-widths at which misses are observed", 0, 0},
    {0, "miss-every", QC_OPTION_INT, &miss_every, "N", "observe misses after every N epochs", 1, 1000000},
    {0, "decay", QC_OPTION_REAL, &decay, "R", "weight decay; -1: .01 for adam, .0005 for sgd", -1, 100},
    {0, "checkpoint-every", QC_OPTION_INT, &checkpoint_every, "N", "write it after every N epochs", 1, 1000000},
    {0},
};

static const QcOption options[] = {
    {'a', "arch", QC_OPTION_TEXT, &arch, "FILE", "architecture (share/arch/*.yaml), or its bare name", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &data, "FILE", "training data", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the float model here", 0, 0},
    {'L', "miss-log", QC_OPTION_TEXT, &log_path, "FILE", "write the log of quantization misses here", 0, 0},
    {0, "epochs", QC_OPTION_INT, &epochs, "N", "passes over the data", 1, 1000000},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "windows in a mini-batch", 1, 65535},
    {0, "rate", QC_OPTION_REAL, &rate, "R", "base rate of the cosine schedule; 0: by the optimizer", 0, 100},
    {0, "augment", QC_OPTION_REAL, &augment, "R", "train under synthetic drifts; 1: as strong as real ones", 0, 10},
    {0, "valid", QC_OPTION_REAL, &valid, "FRACTION", "hold out this share of each class; keep the best epoch", 0, .9},
    {0, "patience", QC_OPTION_INT, &patience, "N", "stop after N epochs without a better loss; 0: never", 0, 1000000},
    {0, "checkpoint", QC_OPTION_TEXT, &checkpoint, "FILE", "keep the state of training here", 0, 0},
    {0, "resume", QC_OPTION_FLAG, &resume, NULL, "resume from the checkpoint if there is one", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of weights, shuffles, validation split and drifts", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "threads to use; 0: all cores", 0, 256},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print one JSON object per epoch (needs -o)", 0, 0},
    QC_OPTIONS_MORE(rare, QC_OPTIONS_RARE),
};

static const QcProgram program = {"qc-train", "train a float classifier", "-a ARCH [-d FILE] [-o FILE] [options]",
                                  options, 0};

static QcTrainLog training;

static int after_epoch(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *err)
{
    qc_trainlog_show(&training, epoch);
    return log_path ? qc_misslog_after_epoch(ctx, g, epoch, err) : 0;
}

static int check_usage(QcTrainOptions *o, QcErr *err)
{
    int sgd = !strcmp(optimizer, "sgd");
    if (!arch) return qc_fail(err, QC_EUSAGE, "which architecture? give -a FILE or a name such as inceptiontime");
    if (!sgd && strcmp(optimizer, "adam"))
        return qc_fail(err, QC_EUSAGE, "--optimizer is adam or sgd, not '%.100s'", optimizer);
    if (json && qc_is_standard(output))
        return qc_fail(err, QC_EUSAGE, "--json prints on standard output, so the model needs -o FILE");
    if (log_path && qc_is_standard(log_path))
        return qc_fail(err, QC_EUSAGE, "the miss log needs a file of its own: -L FILE");
    if (checkpoint && qc_is_standard(checkpoint))
        return qc_fail(err, QC_EUSAGE, "the checkpoint needs a file of its own: --checkpoint FILE");
    if ((!log_path && qc_cli_refuse("miss-bits miss-every", "without -L FILE", err)) ||
        (!checkpoint && qc_cli_refuse("checkpoint-every", "without --checkpoint FILE", err)))
        return -1;
    *o = qc_train_defaults;
    o->epochs = (uint32_t)epochs;
    o->batch = (uint32_t)batch;
    o->optimizer = sgd ? QC_OPTIM_SGD : QC_OPTIM_ADAM;
    o->rate = rate > 0 ? rate : sgd ? .05 : o->rate;
    o->decay = decay >= 0 ? decay : sgd ? 5e-4 : o->decay;
    o->valid = valid;
    o->patience = (uint32_t)patience;
    o->seed = (uint64_t)seed;
    o->threads = qc_threads(threads);
    o->checkpoint = checkpoint;
    o->checkpoint_every = (uint32_t)checkpoint_every;
    o->resume = resume;
    const char *wrong = qc_train_validate(o);
    return wrong ? qc_fail(err, QC_EUSAGE, "%s", wrong) : 0;
}

/* Before long work: none replaces what is read or another output, and each can be written. */
static int check_outputs(QcErr *err)
{
    const char *const inputs[] = {data, arch}, *const outputs[] = {output, log_path, checkpoint},
                      *const names[] = {"-o", "-L", "--checkpoint"};
    for (int i = 0; i < 3; i++) {
        if (i && !outputs[i]) continue;
        for (int k = 0; k < i; k++)
            if ((!k || outputs[k]) && qc_same_output(outputs[k], outputs[i]))
                return qc_fail(err, QC_EUSAGE, "%s and %s name the same file", names[k], names[i]);
        if (qc_output_refuse_overwrite(outputs[i], inputs, 2, err) || qc_output_check(outputs[i], 1, err)) return -1;
    }
    return qc_train_check_checkpoint(checkpoint, err);
}

/* A fresh model file for this data, with provenance; its graph is added when it has learned. */
static int begin_model(QcModelFile *m, QcGraph *g, QcDataset *d, QcErr *err)
{
    char path[4096], name[QC_NAME_MAX + 1];
    QcInput input = {"data", d->digest};
    QcNorm norm;
    if (qc_arch_find(path, sizeof path, arch, err) || qc_train_check_classes(d, qc_input_name(data), err) ||
        qc_norm_measure(&norm, d, &d->arena, err) ||
        qc_arch_load(g, name, path, width, d->channels, d->height, d->length, d->labels.n, err))
        return -1;
    if (qc_modelfile_init(m, name, d->channels, d->height, d->length, d->labels.n, d->labels.names, &norm, err))
        return -1;
    m->front = d->front;
    return qc_modelfile_stamp(m, qc_cli_command(), &input, 1, err);
}

/* Training counts misses, and a checkpoint keeps them. */
static int begin_log(QcTrainOptions *o, QcMissLog *log, const QcDataset *d, const QcModelFile *m, QcErr *err)
{
    o->save_hook = qc_misslog_save_hook;
    o->load_hook = qc_misslog_load_hook;
    if (qc_misslog_begin(log, d, miss_bits, err)) return -1;
    return qc_provenance_add(&log->provenance, &log->arena, m->provenance.lines[0], err);
}

int main(int argc, char **argv)
{
    QcErr err = {0};
    QcDataset d = {0};
    QcModelFile m = {0};
    QcGraph g = {0};
    QcMissLog log = {0};
    QcAugment augmentation;
    QcTrainOptions o;
    QcMissWatch watch = {.log = &log, .data = &d, .norm = &m.norm};
    int32_t *map;
    int status = -1;
    double start = qc_seconds();
    qc_cli_parse(&program, argc, argv);
    training.json = json;
    if (check_usage(&o, &err) || check_outputs(&err) || qc_dataset_load(&d, data, &err) ||
        begin_model(&m, &g, &d, &err))
        goto end;
    if (qc_dataset_match(&d, &m, QC_LABELS_ALL, &map, &d.arena, &err)) {
        qc_within(&err, qc_input_name(data));
        goto end;
    }
    watch.map = map;
    watch.every = (uint32_t)miss_every;
    watch.threads = o.threads;
    o.after_epoch = after_epoch;
    o.ctx = &watch;
    int augments = qc_cli_augment(&augmentation, augment, drift, &m, &d.arena, &err);
    if (augments < 0 || (augments && qc_augment_encode(&m, &augmentation, &err))) goto end;
    o.augment = augments ? &augmentation : NULL;
    training.augmented = augments;
    if (log_path && begin_log(&o, &log, &d, &m, &err)) goto end;
    qc_graph_reset(&g, (uint64_t)seed);
    if (qc_train(&g, &d, &m.norm, map, &o, &err)) goto end;
    qc_progress_end();
    if (log_path && qc_misslog_save(&log, log_path, &err)) goto end;
    if (qc_graph_encode(&m, &g, &err) || qc_modelfile_save(&m, output, &err)) goto end;
    qc_trainlog_end(&training, qc_container_bytes(&m.container), qc_seconds() - start);
    status = 0;
end:
    qc_misswatch_release(&watch);
    qc_misslog_release(&log);
    qc_graph_release(&g);
    qc_modelfile_release(&m);
    qc_dataset_release(&d);
    return qc_cli_end(&err, status);
}
