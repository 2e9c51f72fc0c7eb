/* qc-split: a data file in; training and test part, some groups, or the batches of a stream out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/cli/cli.h"
#include "../lib/cli/savepart.h"
#include "../lib/data/split.h"

static const char *output, *second, *by = "block", *order_name = "shuffled";
static double test;
static int64_t batches, seed = 1;
static int mixed, json;
static QcList groups, leave;

static const QcOption options[] = {
    {'t', "test", QC_OPTION_REAL, &test, "FRACTION", "this share of the examples becomes the test part", 0, 1},
    {0, "by", QC_OPTION_TEXT, &by, "WAY", "block, recording, group or random", 0, 0},
    {0, "leave", QC_OPTION_LIST, &leave, "NAME", "recordings of this name ('*': any) are the test part; repeatable",
     0, 0},
    {0, "mixed", QC_OPTION_FLAG, &mixed, NULL, "draw without regard to classes", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "NAME", "take only this group (person); repeatable", 0, 0},
    {0, "batches", QC_OPTION_INT, &batches, "N", "cut into N stream batches, -o PREFIX gives PREFIX.01.qcd ...", 1,
     99999},
    {0, "order", QC_OPTION_TEXT, &order_name, "ORDER", "of the batches: shuffled, recorded or classes", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the training part (or all that was picked) here", 0, 0},
    {'O', "test-output", QC_OPTION_TEXT, &second, "FILE", "write the test part here", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of all random numbers", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print the sizes of what was written as JSON (needs -o)", 0, 0},
    {0},
};

static const QcProgram program = {"qc-split", "split a data file into parts", "[options] [DATA]", options, 1};

typedef char Path[4096];

/* Numbers of one length, so that a shell lists the batches in their order. */
static char *batch_path(Path path, int64_t batch)
{
    int digits = snprintf(NULL, 0, "%02" PRId64, batches);
    snprintf(path, sizeof(Path), "%.4000s.%0*" PRId64 ".qcd", output, digits, batch + 1);
    return path;
}

static int spare_data(const char *data, QcErr *err)
{
    Path path;
    for (int64_t b = 0; b < batches; b++)
        if (qc_output_refuse_overwrite(batch_path(path, b), &data, 1, err)) return -1;
    if (qc_output_refuse_overwrite(batches ? NULL : output, &data, 1, err)) return -1;
    return qc_output_refuse_overwrite(second, &data, 1, err) ? -1 : 0;
}

/* Words are checked even where they have no effect; options without effect are refused. */
static int check_words(QcErr *err)
{
    QcSplitBy way;
    QcStreamOrder kind;
    if (qc_split_by_name(&way, by, err) || qc_stream_order_by_name(&kind, order_name, err)) return -1;
    int stratifies = way == QC_SPLIT_RANDOM || way == QC_SPLIT_RECORDING;
    return (!batches && qc_cli_refuse("order", "without --batches N", err)) ||
                   (test <= 0 && qc_cli_refuse("by mixed", "without -t FRACTION, which is above 0", err)) ||
                   (!stratifies && qc_cli_refuse("mixed", "unless --by is random or recording", err))
               ? -1
               : 0;
}

static int check_usage(QcErr *err)
{
    if ((test > 0 || leave.n) && batches)
        return qc_fail(err, QC_EUSAGE, "-t and --batches are two jobs: split first, then cut the part into batches");
    if (test > 0 && leave.n)
        return qc_fail(err, QC_EUSAGE, "the test part is a share of the examples (-t) or what --leave names, not both");
    if ((test > 0 || leave.n) && !second) return qc_fail(err, QC_EUSAGE, "the test part needs a file: -O FILE");
    if (second && !(test > 0 || leave.n))
        return qc_fail(err, QC_EUSAGE, "-O takes the test part, so -t FRACTION (above 0) or --leave NAME is needed");
    if (batches && qc_is_standard(output))
        return qc_fail(err, QC_EUSAGE, "--batches writes several files, so -o PREFIX is needed");
    if (test <= 0 && !leave.n && !batches && !groups.n)
        return qc_fail(err, QC_EUSAGE, "nothing to do: give -t FRACTION, --leave NAME, -g GROUP or --batches N");
    if ((test > 0 || leave.n) && qc_same_output(output, second))
        return qc_fail(err, QC_EUSAGE,
                       qc_is_standard(output) ? "two parts cannot both go to standard output"
                                              : "-o and -O name the same file");
    if (json && (qc_is_standard(output) || (second && qc_is_standard(second))))
        return qc_fail(err, QC_EUSAGE, "--json prints on standard output, so the parts need files");
    return check_words(err);
}

static int save_batches(const QcDataset *d, uint32_t *order, QcErr *err)
{
    QcStreamOrder kind;
    Path path;
    uint32_t n = (uint32_t)batches, *starts = calloc(n + 1, sizeof *starts);
    if (!starts) return qc_fail_memory(err, "batches");
    int status = qc_stream_order_by_name(&kind, order_name, err) ||
                         qc_split_batches(order, starts, d, n, kind, (uint64_t)seed, err)
                     ? -1
                     : 0;
    for (uint32_t b = 0; b < n && !status; b++) {
        status = qc_part_save(batch_path(path, b), d, order + starts[b], starts[b + 1] - starts[b], json, err);
    }
    free(starts);
    return status;
}

static int save_two(const QcDataset *d, uint32_t *order, QcErr *err)
{
    QcSplitOptions o = {.test = test,
                        .leave = leave.items,
                        .n_leave = (uint32_t)leave.n,
                        .stratify = !mixed,
                        .seed = (uint64_t)seed};
    uint32_t n_train;
    QcDataset train = {0}, held_out = {0};
    if (qc_split_by_name(&o.by, by, err) || qc_split(order, &n_train, d, &o, err)) return -1;
    if (!leave.n && o.by == QC_SPLIT_RANDOM)
        qc_note("random windows: neighbours of what a model learned from are in the test part, so it will look better "
                "than it is");
    int status = qc_part_make(&train, d, order, n_train, err) ||
                         qc_part_make(&held_out, d, order + n_train, d->n - n_train, err) ||
                         qc_dataset_save_pair(&train, output, &held_out, second, err)
                     ? -1
                     : 0;
    qc_dataset_release(&train);
    qc_dataset_release(&held_out);
    if (status) return -1;
    qc_part_report(output, n_train, json);
    qc_part_report(second, d->n - n_train, json);
    return 0;
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv), status = -1;
    QcErr err = {0};
    QcDataset all = {0}, picked = {0};
    uint32_t *order = NULL, n;
    const char *data = operands ? argv[1] : "-";
    if (check_usage(&err) || spare_data(data, &err) || qc_dataset_load(&all, data, &err)) goto end;
    order = malloc(all.n * sizeof *order);
    if (!order) {
        qc_fail_memory(&err, "a split");
        goto end;
    }
    if (qc_split_pick_groups(order, &n, &all, groups.items, (uint32_t)groups.n, &err)) goto end;
    if (qc_dataset_subset(&picked, &all, order, n, all.capacity, &err)) goto end;
    memcpy(picked.digest, all.digest, sizeof picked.digest);
    qc_dataset_release(&all);
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    if (test > 0 || leave.n)
        status = save_two(&picked, order, &err);
    else if (batches)
        status = save_batches(&picked, order, &err);
    else
        status = qc_part_save(output, &picked, order, n, json, &err);
end:
    free(order);
    qc_dataset_release(&picked);
    qc_dataset_release(&all);
    return qc_cli_end(&err, status);
}
