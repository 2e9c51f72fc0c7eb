/* libsvm's text: "label 1:v 2:v 5:v # comment", a row an example. Indices count from 1 (or from 0, if 0 comes up) and
 * rise; what is not named is 0. Every index is a feature with a scale of its own, so a channel, unless --channels says
 * that a row holds series.
 */
#include <stdlib.h>
#include <string.h>

#include "inflate.h"
#include "series.h"
#include "table.h"
#include "tree.h"

enum { INDEX_MAX = 1 << 24 };
enum { INDICES_FROM_0 = 1, INDICES_FROM_1 }; /* QcSeriesList.indices_from */

typedef struct Reader {
    QcLines lines;
    const QcImportOptions *o;
    QcSeriesList *list;
    uint32_t columns, base, rows; /* base: the lowest index, 0 or 1 */
    float *row;
} Reader;

static QcField without_comment(QcField line)
{
    const char *hash = memchr(line.at, '#', (size_t)(line.end - line.at));
    return qc_field_trim((QcField){line.at, hash ? hash : line.end});
}

/* "5:0.25". -1: not a pair. *index is UINT32_MAX for qid, which is ignored. */
static int read_pair(uint32_t *index, QcField *value, QcField pair)
{
    const char *colon = memchr(pair.at, ':', (size_t)(pair.end - pair.at));
    if (!colon || colon == pair.at || colon + 1 == pair.end) return -1;
    *value = (QcField){colon + 1, pair.end};
    *index = 0;
    if (qc_field_is((QcField){pair.at, colon}, "qid")) return *index = UINT32_MAX, 0;
    for (const char *at = pair.at; at < colon; at++) {
        if (*at < '0' || *at > '9') return -1;
        *index = *index * 10 + (uint32_t)(*at - '0');
        if (*index > INDEX_MAX) return -1;
    }
    return 0;
}

/* All files of a folder count alike. A file without index 0 counts from 0 if an earlier file does: its feature 0 is
 * always 0. */
static int agree_on_base(Reader *r, QcErr *err)
{
    if (r->list->indices_from == INDICES_FROM_1 && !r->base)
        return qc_fail(err, QC_EFORMAT,
                       "%.300s has an index 0, and no file before it has: write 0:0 into a row of the first file, so "
                       "that all files count from 0",
                       r->lines.name);
    if (r->list->indices_from == INDICES_FROM_0) r->base = 0;
    r->list->indices_from = r->base ? INDICES_FROM_1 : INDICES_FROM_0;
    return 0;
}

/* The highest index of all rows, and whether they count from 0. */
static int measure(Reader *r, QcErr *err)
{
    QcField line, cell, value;
    uint32_t most = 0, index;
    r->base = 1;
    while (qc_lines_next(&r->lines, &line)) {
        line = without_comment(line);
        if (line.at == line.end) continue;
        int64_t before = -1;
        qc_field_next(&line, &cell, ' ');
        if (memchr(cell.at, ':', (size_t)(cell.end - cell.at)))
            return qc_lines_fail(&r->lines, err, "a line begins with its label, not with '%.*s'", QC_FIELD(cell));
        while (qc_field_next(&line, &cell, ' ')) {
            if (cell.at == cell.end) continue;
            if (read_pair(&index, &value, cell))
                return qc_lines_fail(&r->lines, err, "'%.*s' is no pair of index and value", QC_FIELD(cell));
            if (index == UINT32_MAX) continue;
            if ((int64_t)index <= before) return qc_lines_fail(&r->lines, err, "index %u does not rise", index);
            before = index;
            if (!index) r->base = 0;
            if (index > most) most = index;
        }
        r->rows++;
    }
    if (!r->rows) return qc_fail(err, QC_EFORMAT, "%.300s is empty", r->lines.name);
    if (agree_on_base(r, err)) return -1;
    r->columns = r->o->indices ? r->o->indices : most + 1 - r->base;
    if (!r->columns) return qc_fail(err, QC_EFORMAT, "%.300s: no column is left for values", r->lines.name);
    if (most + 1 - r->base > r->columns)
        return qc_fail(err, QC_EUSAGE, "%.300s has index %u, which is beyond --indices %u", r->lines.name, most,
                       r->columns);
    return qc_inflate_check(r->lines.name, r->lines.view.length, (uint64_t)r->rows * r->columns * sizeof(float), err);
}

static int read_label(int32_t *label, Reader *r, QcField cell, QcErr *err)
{
    QcTable t = {.lines = r->lines, .o = r->o};
    char name[QC_FIELD_NAME];
    uint32_t index;
    double number;
    const char *wrong;
    if (memchr(cell.at, ',', (size_t)(cell.end - cell.at)))
        return qc_lines_fail(&r->lines, err, "'%.*s' is more than one label", QC_FIELD(cell));
    if (qc_table_name(name, &t, cell, 1, err)) return -1;
    if (!qc_table_number(&number, cell, 0, &wrong) && strchr(name, '.'))
        return qc_lines_fail(&r->lines, err, "the label '%.*s' looks like a number to predict, not a class",
                             QC_FIELD(cell));
    if (qc_names_add(&r->list->labels, &r->list->arena, name, &index, err)) return -1;
    if (r->list->labels.n > QC_CLASSES_MAX)
        return qc_lines_fail(&r->lines, err, "more than %d different labels", QC_CLASSES_MAX);
    return *label = (int32_t)index, 0;
}

static int read_row(Reader *r, QcField line, uint64_t id, QcErr *err)
{
    QcField cell, value;
    int32_t label = -1;
    uint32_t index;
    const char *wrong;
    memset(r->row, 0, r->columns * sizeof *r->row);
    qc_field_next(&line, &cell, ' ');
    int unlabelled = r->o->label && !strcmp(r->o->label, "none");
    if (!unlabelled && read_label(&label, r, cell, err)) return -1;
    while (qc_field_next(&line, &cell, ' ')) {
        if (cell.at == cell.end) continue;
        if (read_pair(&index, &value, cell))
            return qc_lines_fail(&r->lines, err, "'%.*s' is no pair of index and value", QC_FIELD(cell));
        if (index == UINT32_MAX) continue;
        if (qc_series_value(&r->row[index - r->base], value, qc_series_may_miss(r->o), &wrong))
            return qc_lines_fail(&r->lines, err, "value %u '%.*s' %s", index, QC_FIELD(value), wrong);
    }
    QcSeries *s = qc_series_add_row(r->list, r->row, r->columns / r->list->channels, r->o, &r->lines, err);
    if (!s) return -1;
    s->label = label;
    s->id = id;
    return 0;
}

static int read_all(Reader *r, QcErr *err)
{
    QcField line;
    uint64_t id = qc_lines_id(&r->lines);
    if (measure(r, err)) return -1;
    uint32_t channels = r->o->channels ? r->o->channels : r->columns;
    if (r->columns % channels)
        return qc_fail(err, QC_EUSAGE, "%u values cannot be divided into %u channels", r->columns, channels);
    if (channels == r->columns && r->o->missing == QC_MISSING_FILL)
        return qc_fail(err, QC_EUSAGE, "--missing fill takes neighbours in time, and features have none");
    if (qc_series_channels(r->list, channels, r->lines.name, err)) return -1;
    r->row = malloc(r->columns * sizeof *r->row);
    if (!r->row) return qc_fail_memory(err, "a row");
    r->list->one_window = 1;
    qc_lines_rewind(&r->lines);
    while (qc_lines_next(&r->lines, &line)) {
        line = without_comment(line);
        if (line.at < line.end && read_row(r, line, id++, err)) return -1;
        qc_lines_progress(&r->lines, r->o->progress, r->o->ctx);
    }
    qc_import_note(r->o, "%u features, %s; label: the first number", r->columns,
                   channels == r->columns ? "each a channel" : "in channels one after another");
    return 0;
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .list = list};
    if (qc_lines_open(&r.lines, path, err)) return -1;
    int status = read_all(&r, err);
    free(r.row);
    qc_lines_close(&r.lines);
    return status;
}

static int recognise(const char *path)
{
    return (qc_path_ends_in(path, ".libsvm") || qc_path_ends_in(path, ".svm")) && !qc_is_folder(path);
}

static const QcImportRow row_width = {"indices",
                                      QC_ROW_COUNT,
                                      "N",
                                      "the number of features (else the highest index)",
                                      offsetof(QcImportOptions, indices),
                                      NULL,
                                      0};
static const QcImportRow row_label = {"label-column",
                                      QC_ROW_TEXT,
                                      "none",
                                      "none: the first number is no label",
                                      offsetof(QcImportOptions, label),
                                      NULL,
                                      0};
static const QcImportRow *const rows[] = {&row_width, &row_label, QC_ROWS_SHAPE, &qc_row_missing, QC_ROWS_FILES, NULL};

const QcImporter qc_importer_libsvm = {
    "libsvm", "libsvm's text: label index:value ...; each index a feature", rows, recognise, NULL, gather, 1};
