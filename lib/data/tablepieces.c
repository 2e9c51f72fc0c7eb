#include "tablepieces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/digest.h"
#include "../base/plural.h"

/* --- files of a folder ---------------------------------------------------------------------------------------- */

static int check_names(QcSeriesList *list, const QcTable *t, QcErr *err)
{
    QcDigest digest;
    char name[40];
    if (!t->has_header) return 0;
    qc_digest_init(&digest);
    uint32_t *order = malloc((t->values ? t->values : 1) * sizeof *order);
    if (!order) return qc_fail_memory(err, "columns");
    for (uint32_t c = 0; c < t->columns; c++)
        if (t->column[c].role == QC_ROLE_VALUE) order[t->column[c].place] = c;
    for (uint32_t k = 0; k < t->values; k++) {
        qc_name_plain(name, t->column[order[k]].name);
        qc_digest_add(&digest, name, strlen(name) + 1);
    }
    free(order);
    uint64_t number = qc_digest_number(&digest);
    if (list->columns && list->columns != number)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: its columns of values have other names than in the files before it, or another order: "
                       "--columns names them in order",
                       t->lines.name);
    list->columns = number;
    return 0;
}

static int check_rate(QcSeriesList *list, const QcTable *t, QcErr *err)
{
    if (!(t->mean_step > 0 && t->unit > 0) || t->repeats >= 1.5) return 0;
    double rate = 1 / (t->mean_step * t->unit);
    if (list->rate > 0 && fabs(rate / list->rate - 1) > 0.1)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s has %.4g samples/s, the files before it %.4g: import them apart, or leave the times out "
                       "(--time-column none --ignore %u)",
                       t->lines.name, rate, list->rate, t->time + 1);
    if (!(list->rate > 0)) list->rate = rate;
    return 0;
}

int qc_table_fits(QcSeriesList *list, const QcTable *t, QcErr *err)
{
    return check_names(list, t, err) || (t->is_samples && check_rate(list, t, err)) ? -1 : 0;
}

/* --- the order of rows ---------------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return p < q ? -1 : p > q;
}

/* How often a group or recording comes back after another. */
static int count_returns(uint32_t *returns, const QcSeriesList *list, uint32_t from, const QcTable *t, QcErr *err)
{
    uint32_t n = list->n - from, switches = 0, others = 0;
    uint64_t *keys = malloc((n ? n : 1) * sizeof *keys);
    if (!keys) return qc_fail_memory(err, "recordings");
    for (uint32_t k = 0; k < n; k++) {
        const QcSeries *s = &list->items[from + k];
        keys[k] = (uint64_t)s->group << 32 | (t->recording == QC_NO_COLUMN ? 0 : s->recording);
        switches += k && keys[k] != keys[k - 1] ? 1 : 0;
    }
    if (n) qsort(keys, n, sizeof *keys, compare_keys);
    for (uint32_t k = 1; k < n; k++) others += keys[k] != keys[k - 1] ? 1 : 0;
    free(keys);
    *returns = switches - others;
    return 0;
}

int qc_table_pieces(const QcSeriesList *list, uint32_t from, uint32_t falls, const QcTable *t, QcErr *err)
{
    char text[80];
    uint32_t returns = 0;
    uint64_t rows = 0;
    for (uint32_t k = from; k < list->n; k++) rows += list->items[k].length;
    if (4 * (uint64_t)falls > rows)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: the times of '%s' go back in %u of %llu rows: sort the rows by time, or name their "
                       "recordings with --recording-column or --group-column",
                       t->lines.name, qc_column_called(text, t, t->time), falls, (unsigned long long)rows);
    if (count_returns(&returns, list, from, t, err)) return -1;
    uint32_t column = t->recording == QC_NO_COLUMN ? t->group : t->recording;
    if (!returns || column == QC_NO_COLUMN) return 0;
    qc_column_called(text, t, column);
    if (4 * (uint64_t)returns > rows)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: rows of different '%s' alternate (%u times in %llu rows): sort the rows so that each "
                       "recording is in one piece",
                       t->lines.name, text, returns, (unsigned long long)rows);
    qc_import_note(t->o, "recordings by '%s' come back %u time%s after another: no window crosses such a place", text,
                   returns, qc_plural(returns, "s"));
    return 0;
}
