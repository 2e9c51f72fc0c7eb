#include "savepart.h"

#include <stdio.h>

#include "../base/file.h"
#include "cli.h"

int qc_part_make(QcDataset *part, const QcDataset *d, const uint32_t *index, uint32_t n, QcErr *err)
{
    if (qc_dataset_subset(part, d, index, n, d->capacity, err)) return -1;
    return qc_dataset_sign(part, qc_cli_command(), d->digest, err);
}

void qc_part_report(const char *path, uint32_t n, int json)
{
    if (!json) {
        qc_note("%s: %u examples", qc_output_name(path), n);
        return;
    }
    printf("{\"file\": ");
    qc_json_text(path);
    printf(", \"examples\": %u}\n", n);
}

int qc_part_save(const char *path, const QcDataset *d, const uint32_t *index, uint32_t n, int json, QcErr *err)
{
    QcDataset part = {0};
    int status = qc_part_make(&part, d, index, n, err) || qc_dataset_save(&part, path, err) ? -1 : 0;
    qc_dataset_release(&part);
    if (!status) qc_part_report(path, n, json);
    return status;
}
