/* qc-synth: synthetic subjects, from nothing or from recordings of real people. */
#include "../lib/base/file.h"
#include "../lib/base/plural.h"
#include "../lib/bitflip/simulate.h"
#include "../lib/cli/cli.h"
#include "../lib/data/synth.h"

static int64_t activities = 8, subjects = 3, windows = 40, channels = 9, length = 100, seed = 1;
static double drift = 1;
static const char *output, *source_path;

static const QcOption options[] = {
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the data file here, not to standard output", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &source_path, "FILE", "synthetic subjects from this data: all its windows for each",
     0, 0},
    {0, "activities", QC_OPTION_INT, &activities, "N", "classes", 1, 999},
    {0, "subjects", QC_OPTION_INT, &subjects, "N", "groups p1 to pN", 1, 999},
    {0, "windows", QC_OPTION_INT, &windows, "N", "windows of each activity and subject", 1, 999999},
    {0, "channels", QC_OPTION_INT, &channels, "N", "channels; three make a sensor", 1, 999},
    {0, "length", QC_OPTION_INT, &length, "N", "time steps of a window, at 25 per second", 1, 65535},
    {0, "drift", QC_OPTION_REAL, &drift, "X", "how much subjects differ; 0: by noise, 1: like people", 0, 10},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of all random numbers", 0, 0},
    {0},
};

static const QcProgram program = {"qc-synth", "make inertial recordings of synthetic subjects", "[options]", options,
                                  0};

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    qc_progress(done, total, "synthesizing");
}

static int synthesize(QcDataset *data, QcErr *err)
{
    QcSynthOptions o = {.activities = (uint32_t)activities,
                        .subjects = (uint32_t)subjects,
                        .windows = (uint32_t)windows,
                        .channels = (uint32_t)channels,
                        .length = (uint32_t)length,
                        .drift = drift,
                        .seed = (uint64_t)seed,
                        .progress = show_progress};
    int status = qc_synth(data, &o, err);
    qc_progress_end();
    return status || qc_dataset_sign(data, qc_cli_command(), NULL, err) ? -1 : 0;
}

static int make_of_data(QcDataset *data, QcErr *err)
{
    QcDataset source = {0};
    QcSimulateOptions o = {.subjects = (uint32_t)subjects, .strength = drift, .seed = (uint64_t)seed};
    int status = qc_dataset_load(&source, source_path, err) || qc_simulate(data, &source, &o, err) ||
                         qc_dataset_sign(data, qc_cli_command(), source.digest, err)
                     ? -1
                     : 0;
    qc_dataset_release(&source);
    return status;
}

static int check(QcErr *err)
{
    if (source_path && qc_cli_refuse("activities windows channels length", "with -d: the data has its own", err))
        return -1;
    return qc_output_refuse_overwrite(output, &source_path, 1, err) || qc_output_check(output, 1, err) ? -1 : 0;
}

int main(int argc, char **argv)
{
    qc_cli_parse(&program, argc, argv);
    QcErr err = {0};
    QcDataset data = {0};
    int status = check(&err) ? -1 : source_path ? make_of_data(&data, &err) : synthesize(&data, &err);
    if (!status) status = qc_dataset_save(&data, output, &err);
    if (!status)
        qc_note("%u window%s of %u channel%s x %u, %u classes, %u subject%s", data.n, qc_plural(data.n, "s"),
                data.channels, qc_plural(data.channels, "s"), data.length, data.labels.n, data.groups.n,
                qc_plural(data.groups.n, "s"));
    qc_dataset_release(&data);
    return qc_cli_end(&err, status);
}
