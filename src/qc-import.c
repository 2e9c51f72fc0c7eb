/* qc-import: foreign recordings in, a data file out. */
#include <stdio.h>
#include <string.h>

#include "../lib/cli/cli.h"
#include "../lib/data/import.h"

static const char *format, *output, *label, *group, *recording, *header;
static int64_t channels;
static int json;
static QcList groups;

static const QcOption options[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "dsa, ts or csv; without it found out where that is certain", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "NAME", "import this person (group) only; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the data file here, not to standard output", 0, 0},
    {0, "channels", QC_OPTION_INT, &channels, "N", "csv: a row holds N channels one after another (else 1)", 1, 1 << 24},
    {0, "label-column", QC_OPTION_TEXT, &label, "COLUMN", "csv: name or number of the label, or none (else the last)", 0, 0},
    {0, "group-column", QC_OPTION_TEXT, &group, "COLUMN", "csv: name or number of the person or group (else none)", 0, 0},
    {0, "recording-column", QC_OPTION_TEXT, &recording, "COLUMN", "csv: name or number of the recording (else none)", 0, 0},
    {0, "header", QC_OPTION_TEXT, &header, "yes|no", "csv: whether the first row has names (else found out)", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print what was imported on standard output as JSON (needs -o)", 0, 0},
    {0},
};

static const QcProgram program = {"qc-import", "turn foreign recordings into a data file", "[options] [PATH]", options, 1};

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    qc_progress(done, total, "importing");
}

static int read_header_word(int *flag, const char *word, QcErr *err)
{
    *flag = !word ? -1 : !strcmp(word, "yes") ? 1 : 0;
    return word && !*flag && strcmp(word, "no") ? qc_fail(err, QC_EUSAGE, "--header is yes or no, not '%.40s'", word) : 0;
}

static void report(const QcDataset *d)
{
    if (json)
        printf("{\"examples\": %u, \"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u, \"groups\": %u, \"recordings\": %u}\n",
               d->n, d->channels, d->height, d->length, d->labels.n, d->groups.n, d->recordings.n);
    else
        qc_say("%u windows of %u channels x %u, %u classes, %u groups", d->n, d->channels, d->length, d->labels.n, d->groups.n);
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv);
    const char *path = operands ? argv[1] : "-";
    QcErr err = {0};
    QcDataset data = {0};
    QcImportOptions o = {.groups = groups.items, .n_groups = (uint32_t)groups.n, .channels = (uint32_t)channels, .label = label,
                         .group = group, .recording = recording, .progress = show_progress};
    int status = -1;
    if (json && qc_is_standard(output)) {
        qc_fail(&err, QC_EUSAGE, "--json prints on standard output, so the data needs -o FILE");
        goto end;
    }
    if (read_header_word(&o.header, header, &err) || qc_import(&data, format, path, &o, &err)) goto end;
    qc_progress_end();
    if (qc_dataset_sign(&data, qc_cli_command(), NULL, &err) || qc_dataset_save(&data, output, &err)) goto end;
    report(&data);
    status = 0;
end:
    qc_dataset_release(&data);
    return qc_cli_end(&err, status);
}
