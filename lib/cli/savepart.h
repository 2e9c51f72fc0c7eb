/* savepart.h - parts of a data file: made, written and reported as qc-split does. */
#ifndef QC_CLI_SAVEPART_H
#define QC_CLI_SAVEPART_H

#include "../data/dataset.h"

/* The examples index[0..n-1] of d, with this command and d's digest as where they come from. The caller releases it. */
int qc_part_make(QcDataset *part, const QcDataset *d, const uint32_t *index, uint32_t n, QcErr *err);

/* json: an object on standard output; else a note. */
void qc_part_report(const char *path, uint32_t n, int json);

/* Makes it, writes it, reports it. */
int qc_part_save(const char *path, const QcDataset *d, const uint32_t *index, uint32_t n, int json, QcErr *err);

#endif
