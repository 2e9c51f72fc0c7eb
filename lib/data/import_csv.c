/* A table with one window a row. Values are channel-major: all steps of channel 1, then of channel 2 and so on; columns for label,
 * group and recording may stand anywhere. The separator (comma, semicolon, tab, blank) is the one that the first row has most of.
 * Labels are sorted by name; ids are counted from the file's digest, as in import_ts.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "lines.h"

enum { CLASSES_MAX = 4096, NO_COLUMN = UINT32_MAX };

typedef struct Table {
    QcLines lines;
    char separator;
    int header;
    uint32_t columns, rows;
    uint32_t label, group, recording; /* columns from 0; NO_COLUMN = none */
} Table;

int qc_recognise_csv(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (!strcasecmp(dot, ".csv") || !strcasecmp(dot, ".tsv"));
}

static char guess_separator(QcField line)
{
    static const char candidates[] = "\t;, "; /* a comma may stand in a name, a blank beside anything */
    char best = ',';
    uint32_t most = 1;
    for (const char *c = candidates; *c; c++) {
        uint32_t n = qc_field_count(line, *c);
        if (n > most) {
            most = n;
            best = *c;
        }
        if (*c == ',' && most > 1) break;
    }
    return best;
}

/* Next row that is not blank. */
static int next_row(Table *t, QcField *line)
{
    while (qc_lines_next(&t->lines, line))
        if (line->at < line->end) return 1;
    return 0;
}

static QcField unquoted(QcField f)
{
    return f.end - f.at >= 2 && *f.at == '"' && f.end[-1] == '"' ? (QcField){f.at + 1, f.end - 1} : f;
}

static int is_number(QcField field)
{
    float value;
    const char *wrong;
    return !qc_field_number(&value, unquoted(field), &wrong) || !strcmp(wrong, "is missing") || !strcmp(wrong, "is not finite") ||
           !strcmp(wrong, "is out of range");
}

/* A column by number from 1, or by its name in the first row. */
static int find_column(uint32_t *column, const char *name, const char *what, const Table *t, QcField first, int header, QcErr *err)
{
    char *behind;
    unsigned long number = strtoul(name, &behind, 10);
    if (*name && !*behind) {
        if (!number || number > t->columns)
            return qc_fail(err, QC_EUSAGE, "there is no column %s for the %s: %.200s has %u", name, what, t->lines.name, t->columns);
        *column = (uint32_t)number - 1;
        return 0;
    }
    QcField field;
    for (uint32_t c = 0; header != 0 && qc_field_next(&first, &field, t->separator); c++)
        if (qc_field_is(unquoted(field), name)) {
            *column = c;
            return 0;
        }
    return qc_fail(err, QC_EUSAGE, "the first row of %.200s has no column '%.60s' for the %s", t->lines.name, name, what);
}

static int find_columns(Table *t, const QcImportOptions *o, QcField first, QcErr *err)
{
    t->label = t->columns - 1;
    t->group = t->recording = NO_COLUMN;
    if (o->label && !strcmp(o->label, "none"))
        t->label = NO_COLUMN;
    else if (o->label && find_column(&t->label, o->label, "label", t, first, o->header, err))
        return -1;
    if (o->group && find_column(&t->group, o->group, "group", t, first, o->header, err)) return -1;
    if (o->recording && find_column(&t->recording, o->recording, "recording", t, first, o->header, err)) return -1;
    if (t->label != NO_COLUMN && (t->label == t->group || t->label == t->recording))
        return qc_fail(err, QC_EUSAGE, "column %u cannot be both the label and a group or recording", t->label + 1);
    return 0;
}

static int is_value(const Table *t, uint32_t column) { return column != t->label && column != t->group && column != t->recording; }

/* A first row is a header when words stand where most values should, or its label is called one. A few words among numbers are a bad row, not a header:
 * the row must not be lost without a sentence. */
static int looks_like_header(const Table *t, QcField first)
{
    static const char *const words[] = {"label", "class", "target", "y", NULL};
    QcField field;
    uint32_t values = 0, words_seen = 0;
    for (uint32_t c = 0; qc_field_next(&first, &field, t->separator); c++) {
        values += is_value(t, c) ? 1 : 0;
        words_seen += is_value(t, c) && !is_number(field) ? 1 : 0;
        for (int k = 0; c == t->label && words[k]; k++)
            if (qc_field_is(unquoted(field), words[k])) return 1;
    }
    return 2 * words_seen > values;
}

static uint32_t value_columns(const Table *t)
{
    uint32_t n = 0;
    for (uint32_t c = 0; c < t->columns; c++) n += is_value(t, c) ? 1 : 0;
    return n;
}

static int measure(Table *t, const QcImportOptions *o, QcErr *err)
{
    QcField first, line;
    if (!next_row(t, &first)) return qc_fail(err, QC_EFORMAT, "%.300s is empty", t->lines.name);
    t->separator = guess_separator(first);
    t->columns = qc_field_count(first, t->separator);
    if (find_columns(t, o, first, err)) return -1;
    t->header = o->header >= 0 ? o->header : looks_like_header(t, first);
    for (t->rows = t->header ? 0 : 1; next_row(t, &line); t->rows++)
        if (t->rows == UINT32_MAX) return qc_fail(err, QC_EFORMAT, "%.300s has too many rows", t->lines.name);
    if (!t->rows) return qc_fail(err, QC_EFORMAT, "%.300s has a header, but no rows", t->lines.name);
    uint32_t values = value_columns(t), channels = o->channels ? o->channels : 1;
    if (!values) return qc_fail(err, QC_EFORMAT, "%.300s: no column is left for values (wrong kind of file, or wrong separator?)", t->lines.name);
    if (values % channels)
        return qc_fail(err, QC_EUSAGE, "%u columns of values cannot be divided into %u channels", values, channels);
    return 0;
}

static int read_name(uint32_t *index, QcNames *names, QcDataset *d, const Table *t, QcField field, const char *what, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (qc_field_name(name, &t->lines, field, err) || qc_names_add(names, &d->arena, name, index, err)) return -1;
    if (names == &d->labels && names->n > CLASSES_MAX)
        return qc_lines_fail(&t->lines, err, "more than %d different %ss: is column %u really the %s?", CLASSES_MAX, what, t->label + 1, what);
    return 0;
}

static int read_row(QcDataset *d, uint32_t i, const Table *t, QcField line, QcErr *err)
{
    float *x = d->x + i * qc_dataset_values(d);
    const char *wrong;
    QcField field;
    uint32_t columns = qc_field_count(line, t->separator), label = 0;
    if (columns != t->columns) return qc_lines_fail(&t->lines, err, "%u columns instead of %u", columns, t->columns);
    for (uint32_t c = 0; qc_field_next(&line, &field, t->separator); c++) {
        if (is_value(t, c) && qc_field_number(x++, unquoted(field), &wrong))
            return qc_lines_fail(&t->lines, err, "column %u '%.*s' %s", c + 1, QC_FIELD(field), wrong);
        if (c == t->label) {
            if (read_name(&label, &d->labels, d, t, field, "label", err)) return -1;
            d->label[i] = (int32_t)label;
        }
        if (c == t->group && read_name(&d->group[i], &d->groups, d, t, field, "group", err)) return -1;
        if (c == t->recording && read_name(&d->recording[i], &d->recordings, d, t, field, "recording", err)) return -1;
    }
    return 0;
}

static int wanted(const Table *t, QcField line, const QcImportOptions *o)
{
    QcField field = {0};
    for (uint32_t c = 0; c <= t->group && qc_field_next(&line, &field, t->separator); c++)
        ;
    for (uint32_t k = 0; k < o->n_groups; k++) {
        QcField name = unquoted(field);
        if ((size_t)(name.end - name.at) == strlen(o->groups[k]) && !memcmp(name.at, o->groups[k], strlen(o->groups[k]))) return 1;
    }
    return !o->n_groups;
}

/* Sorted by number where the names are numbers: strverscmp puts 2 before 10. */
static int compare_labels(const void *a, const void *b) { return strverscmp(*(char *const *)a, *(char *const *)b); }

/* Classes get the same order whatever row comes first. */
static int sort_labels(QcDataset *d, QcErr *err)
{
    uint32_t n = d->labels.n;
    char **old = malloc((n ? n : 1) * sizeof *old);
    int32_t *map = malloc((n ? n : 1) * sizeof *map);
    if (old && map && n) {
        memcpy(old, d->labels.names, n * sizeof *old);
        qsort(d->labels.names, n, sizeof *d->labels.names, compare_labels);
        for (uint32_t k = 0; k < n; k++) map[k] = (int32_t)qc_names_find(&d->labels, old[k]);
        for (uint32_t i = 0; i < d->n; i++) d->label[i] = d->label[i] < 0 ? -1 : map[d->label[i]];
    }
    int status = old && map ? 0 : qc_fail_memory(err, "labels");
    free(old);
    free(map);
    return status;
}

static int read_rows(QcDataset *d, Table *t, const QcImportOptions *o, QcErr *err)
{
    QcField line;
    uint32_t row = 0, kept = 0;
    uint64_t base = qc_lines_id(&t->lines);
    qc_lines_rewind(&t->lines);
    if (t->header) next_row(t, &line);
    for (; row < t->rows && next_row(t, &line); row++) {
        if (!wanted(t, line, o)) continue;
        if (read_row(d, kept, t, line, err)) return -1;
        d->id[kept++] = base + row;
        if (o->progress) o->progress(o->ctx, row + 1, t->rows);
    }
    d->n = kept; /* rows of other groups leave their room unused */
    for (uint32_t k = 0; k < o->n_groups; k++)
        if (qc_names_find(&d->groups, o->groups[k]) < 0)
            return qc_fail(err, QC_EUSAGE, "%.300s has no row of group '%.60s'", t->lines.name, o->groups[k]);
    return sort_labels(d, err);
}

int qc_import_csv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    Table t = {0};
    if (qc_lines_open(&t.lines, path, err)) return -1;
    int status = measure(&t, o, err);
    if (!status) {
        uint32_t channels = o->channels ? o->channels : 1;
        status = qc_dataset_init(d, t.rows, channels, 1, value_columns(&t) / channels, 0, err) || read_rows(d, &t, o, err) ? -1 : 0;
    }
    qc_lines_close(&t.lines);
    return status;
}
