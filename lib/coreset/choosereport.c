#include "choose.h"

#include <stdio.h>
#include <stdlib.h>

enum { NEVER = UINT32_MAX };

static void count_classes(QcChooseReport *r, const QcDataset *coreset, const QcDataset *d)
{
    QcChooseRow *rows = r->rows + r->n;
    for (uint32_t c = 0; c < d->labels.n; c++)
        r->rows[r->n++] = (QcChooseRow){.kind = "class", .name = d->labels.names[c]};
    for (uint32_t i = 0; i < d->n; i++) rows[d->label[i]].whole++;
    for (uint32_t i = 0; i < coreset->n; i++) { /* a subset keeps the names' order */
        rows[coreset->label[i]].set++;
        if (coreset->flags[i] & QC_EXAMPLE_RESERVED) rows[coreset->label[i]].reserved++;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t level_in(const QcDataset *coreset, uint32_t i)
{
    return coreset->flags[i] & QC_EXAMPLE_NEVER_RIGHT ? NEVER : coreset->misses[i];
}

/* level: sorted levels of all logged examples. */
static int count_misses(QcChooseReport *r, const QcDataset *coreset, const uint32_t *level, uint32_t n, QcErr *err)
{
    for (uint32_t i = 0; i < n;) {
        QcChooseRow *row = &r->rows[r->n++];
        char text[16];
        int length = level[i] == NEVER ? snprintf(text, sizeof text, "never right")
                                       : snprintf(text, sizeof text, "%u", level[i]);
        *row = (QcChooseRow){.kind = "misses", .name = qc_arena_text(&r->arena, text, (size_t)length, err)};
        if (!row->name) return -1;
        for (uint32_t k = 0; k < coreset->n; k++) {
            int in = level_in(coreset, k) == level[i];
            row->set += in;
            row->reserved += in && coreset->flags[k] & QC_EXAMPLE_RESERVED;
        }
        for (uint32_t first = i; i < n && level[i] == level[first]; i++) row->whole++;
    }
    return 0;
}

static int count(QcChooseReport *r, const QcDataset *coreset, const QcDataset *d, const QcMissLog *log, QcErr *err)
{
    uint32_t n = log ? log->n : 0, levels = 0, *level = qc_arena_take(&r->arena, n, sizeof *level, err);
    if (!level) return -1;
    for (uint32_t i = 0; i < n; i++) level[i] = qc_misslog_never_right(log, i) ? NEVER : qc_misslog_total(log, i);
    if (n) qsort(level, n, sizeof *level, by_number);
    for (uint32_t i = 0; i < n; i++) levels += i == 0 || level[i] != level[i - 1];
    r->rows = qc_arena_take(&r->arena, (size_t)d->labels.n + levels, sizeof *r->rows, err);
    if (!r->rows) return -1;
    count_classes(r, coreset, d);
    return count_misses(r, coreset, level, n, err);
}

int qc_choose_report(QcChooseReport *report, const QcDataset *coreset, const QcDataset *data, const QcMissLog *log,
                     QcErr *err)
{
    *report = (QcChooseReport){0};
    if (!count(report, coreset, data, log, err)) return 0;
    qc_choose_report_release(report);
    return -1;
}

void qc_choose_report_release(QcChooseReport *report)
{
    if (!report) return;
    qc_arena_release(&report->arena);
    *report = (QcChooseReport){0};
}
