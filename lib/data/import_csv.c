/* Tables: one window per row, or one sample per row (--window, --window-column). In the first form values are channel
 * after channel, or step after step with --channels-last. What the columns are is concluded in tableroles.c. The UCR
 * archive of 2018 gives its series as such tables (.tsv): parted by tabs, the label first, shorter series filled up
 * with NaN; its text form (.txt) is parted by blanks.
 *
 * Labels are sorted by name; ids are counted from the file's digest, as in import_ts.c; a window of steps has the id of
 * its first row.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "number.h"
#include "recorder.h"
#include "stamps.h"
#include "table.h"
#include "tablepieces.h"
#include "tree.h"

typedef struct Reader {
    QcTable t;
    const QcImportOptions *o;
    QcSeriesList *list;
    QcRecorder recorder;
    float *row; /* [values]; malloc'd */
    uint32_t unlabelled; /* rows whose label cell is empty */
} Reader;

/* --- a row -------------------------------------------------------------------------------------------- */

/* What a row says besides its values. */
typedef struct Row {
    int32_t label;
    uint32_t group, recording;
    double time;
    char window[QC_FIELD_NAME];
} Row;

static int read_name(uint32_t *index, QcNames *names, Reader *r, QcField cell, int label, QcErr *err)
{
    char name[QC_FIELD_NAME];
    uint32_t n = names->n;
    size_t length = (size_t)(cell.end - cell.at);
    if (*index < n && length && names->names[*index][0] == *cell.at) { /* most rows have the name of the row before */
        if (strlen(names->names[*index]) == length && !memcmp(names->names[*index], cell.at, length)) return 0;
    }
    if (qc_table_name(name, &r->t, cell, label, err) || qc_names_add(names, &r->list->arena, name, index, err))
        return -1;
    if (label && names->n > QC_CLASSES_MAX)
        return qc_lines_fail(&r->t.lines, err, "column %u has more than %d different labels, and %d is the most%s",
                             r->t.label + 1, QC_CLASSES_MAX, QC_CLASSES_MAX,
                             r->o->label ? "" : ": is it really the label? (--label-column)");
    return 0;
}

/* None, NA and ? may be classes; what programs write for a missing number is none. */
static int is_no_label(QcField cell)
{
    return cell.at == cell.end || qc_field_is(cell, "nan") || qc_field_is(cell, "<na>") || qc_field_is(cell, "#n/a");
}

/* An empty cell of a column that must name something in each row. */
static int fail_unnamed(const Reader *r, uint32_t c, const char *what, QcErr *err)
{
    const char *hint = "--ignore leaves the column out";
    return qc_lines_fail(&r->t.lines, err, "column %u names the %s, and its cell is empty (%s)", c + 1, what, hint);
}

static int read_place(Row *row, Reader *r, uint32_t c, QcField cell, QcErr *err)
{
    QcRole role = r->t.column[c].role;
    uint32_t label = row->label < 0 ? 0 : (uint32_t)row->label;
    if (cell.at == cell.end && role == QC_ROLE_GROUP) return fail_unnamed(r, c, "group", err);
    if (cell.at == cell.end && role == QC_ROLE_RECORDING) return fail_unnamed(r, c, "recording", err);
    switch (role) {
    case QC_ROLE_LABEL:
        if (is_no_label(cell)) return row->label = -1, 0;
        if (read_name(&label, &r->list->labels, r, cell, 1, err)) return -1;
        return row->label = (int32_t)label, 0;
    case QC_ROLE_GROUP: return read_name(&row->group, &r->list->groups, r, cell, 0, err);
    case QC_ROLE_RECORDING: return read_name(&row->recording, &r->list->recordings, r, cell, 0, err);
    case QC_ROLE_WINDOW: return qc_table_name(row->window, &r->t, cell, 0, err);
    case QC_ROLE_TIME:
        if (!r->t.is_samples || !qc_table_stamp(&row->time, &r->t, cell)) return 0;
        return qc_lines_fail(&r->t.lines, err, "the time '%.*s' is neither a number nor a date", QC_FIELD(cell));
    default: return 0;
    }
}

static int fail_columns(const Reader *r, QcField line, QcErr *err)
{
    int64_t n = qc_table_count(line, r->t.separator);
    if (n < 0) return qc_lines_fail(&r->t.lines, err, "a quoted cell is not closed");
    return qc_lines_fail(&r->t.lines, err, "%lld columns instead of %u", (long long)n, r->t.columns);
}

static int fail_cell(const Reader *r, uint32_t c, QcField cell, const char *wrong, QcErr *err)
{
    const char *hint = memchr(cell.at, ',', (size_t)(cell.end - cell.at)) && !r->o->decimal
                           ? " (--decimal , reads numbers with a comma)"
                           : "";
    return qc_lines_fail(&r->t.lines, err, "column %u '%.*s' %s%s", c + 1, QC_FIELD(cell), wrong, hint);
}

static int read_value(float *x, const Reader *r, uint32_t c, QcField cell, int may_miss, QcErr *err)
{
    const char *wrong;
    double value;
    if (!r->o->decimal) return qc_series_value(x, cell, may_miss, &wrong) ? fail_cell(r, c, cell, wrong, err) : 0;
    if (!qc_table_number(&value, cell, 1, &wrong)) return *x = (float)value, 0;
    if (!strcmp(wrong, "is missing"))
        return qc_series_value(x, cell, may_miss, &wrong) ? fail_cell(r, c, cell, wrong, err) : 0;
    return fail_cell(r, c, cell, wrong, err);
}

/* A number that ends where its cell ends, as nearly all numbers do; found without a search for the separator. 0:
 * read the cell. */
static int take_value(float *x, QcField *rest, char separator)
{
    double value;
    const char *at = rest->at;
    if (!at || qc_number_read_double(&value, &at, rest->end)) return 0;
    if (at < rest->end) {
        if (*at != separator) return 0;
        at++;
        while (separator == ' ' && at < rest->end && (*at == ' ' || *at == '\t')) at++;
        rest->at = at;
    } else rest->at = NULL;
    *x = (float)value;
    return 1;
}

static int read_row(Row *row, float *x, Reader *r, QcField line, QcErr *err)
{
    const QcTable *t = &r->t;
    int may_miss = qc_series_may_miss(r->o);
    QcField rest = line, cell;
    row->time = NAN;
    for (uint32_t c = 0; c < t->columns; c++) {
        QcRole role = t->column[c].role;
        if (role == QC_ROLE_VALUE && !r->o->decimal && take_value(&x[t->column[c].place], &rest, t->separator))
            continue;
        int more = qc_table_cell(&rest, &cell, t->separator);
        if (more <= 0 && role == QC_ROLE_EMPTY && c == t->columns - 1 && !more)
            break; /* a header with a separator at its end, over rows without */
        if (more <= 0) return fail_columns(r, line, err);
        if (role == QC_ROLE_VALUE ? read_value(&x[t->column[c].place], r, c, cell, may_miss, err)
                                  : read_place(row, r, c, cell, err))
            return qc_table_count(line, t->separator) != t->columns ? fail_columns(r, line, err) : -1;
    }
    if (rest.at && qc_field_trim(rest).at < rest.end) return fail_columns(r, line, err);
    if (rest.at && t->separator != ' ' && t->column[t->columns - 1].role != QC_ROLE_EMPTY)
        return fail_columns(r, line, err);
    return 0;
}

/* The group of a row, before its other cells are read: rows of other groups may have any content. */
static int is_wanted(const Reader *r, QcField line)
{
    const QcTable *t = &r->t;
    QcField cell = {0};
    char name[QC_FIELD_NAME];
    if (!r->o->n_groups || t->group == QC_NO_COLUMN) return 1;
    for (uint32_t c = 0; c <= t->group; c++)
        if (qc_table_cell(&line, &cell, t->separator) <= 0) return 1;
    return !qc_table_name(name, t, cell, 0, NULL) ? qc_import_wants(r->o, name) : 1;
}

/* Progress is shown rarely, because a call for the terminal takes longer than a row. */
static void show_progress(Reader *r, uint64_t row)
{
    QcLines *l = &r->t.lines;
    if (row % 64 == 0 || l->next == l->end) qc_lines_progress(l, r->o->progress, r->o->ctx);
}

/* --- rows that are windows ------------------------------------------------------------------------------ */

static int read_windows(Reader *r, QcErr *err)
{
    QcField line;
    Row row = {.label = -1};
    uint64_t base = qc_lines_id(&r->t.lines);
    uint32_t steps = r->t.values / r->list->channels;
    for (uint64_t k = 0; qc_table_next(&r->t, &line); k++) {
        if (!is_wanted(r, line)) continue;
        if (k == UINT32_MAX) return qc_fail(err, QC_EFORMAT, "%.300s has too many rows", r->t.lines.name);
        if (read_row(&row, r->row, r, line, err)) return -1;
        QcSeries *s = qc_series_add_row(r->list, r->row, steps, r->o, &r->t.lines, err);
        if (!s) return -1;
        r->unlabelled += (uint32_t)(row.label < 0 && r->t.label != QC_NO_COLUMN);
        s->label = row.label;
        s->group = row.group;
        s->recording = row.recording;
        s->id = base + k;
        show_progress(r, k);
    }
    return 0;
}

/* --- rows that are samples -------------------------------------------------------------------------------- */

/* What distinguishes two windows: the name, within group and recording. */
typedef struct Key {
    char *name;
    uint32_t group, recording, line;
} Key;

typedef struct Keys {
    Key *items;
    uint32_t n, room;
} Keys;

static int compare_keys(const void *a, const void *b)
{
    const Key *p = a, *q = b;
    int order = strcmp(p->name, q->name);
    if (order) return order;
    if (p->group != q->group) return p->group < q->group ? -1 : 1;
    return p->recording != q->recording ? (p->recording < q->recording ? -1 : 1)
           : p->line < q->line          ? -1
                                        : p->line > q->line;
}

static int check_once(Keys *keys, const Reader *r, QcErr *err)
{
    if (keys->n) qsort(keys->items, keys->n, sizeof *keys->items, compare_keys);
    for (uint32_t k = 1; k < keys->n; k++) {
        const Key *a = &keys->items[k - 1], *b = &keys->items[k];
        if (!strcmp(a->name, b->name) && a->group == b->group && a->recording == b->recording)
            return qc_fail(err, QC_EFORMAT,
                           "%.200s:%u: window '%.60s' begins again, but the rows of a window must follow each other",
                           r->t.lines.name, b->line, b->name);
    }
    return 0;
}

/* A new name of --window-column ends a window; two labels in one are an error. */
static int mind_window(Keys *keys, Reader *r, const Row *row, const Row *before, int first, QcErr *err)
{
    if (!first && row->group == before->group && row->recording == before->recording &&
        !strcmp(row->window, before->window))
        return row->label == before->label
                   ? 0
                   : qc_lines_fail(&r->t.lines, err, "window '%.60s' has two labels", row->window);
    if (qc_recorder_break(&r->recorder, err)) return -1;
    if (keys->n == keys->room) {
        uint32_t room = keys->room ? 2 * keys->room : 64;
        Key *larger = realloc(keys->items, room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "windows");
        keys->items = larger;
        keys->room = room;
    }
    char *name = qc_arena_text(&r->list->arena, row->window, strlen(row->window), err);
    if (!name) return -1;
    keys->items[keys->n++] = (Key){name, row->group, row->recording, r->t.lines.line};
    return 0;
}

/* If neither a column nor a file names the recordings, each segment between two breaks is a recording. */
static int name_recordings(Reader *r, uint32_t from, QcErr *err)
{
    char name[32];
    for (uint32_t k = from; r->t.recording == QC_NO_COLUMN && !r->o->name_pattern && !r->o->window_id && k < r->list->n;
         k++) {
        QcSeries *s = &r->list->items[k];
        snprintf(name, sizeof name, "line %u", s->line);
        if (qc_names_add(&r->list->recordings, &r->list->arena, name, &s->recording, err)) return -1;
    }
    return 0;
}

static int read_samples(Reader *r, Keys *keys, QcErr *err)
{
    const QcTable *t = &r->t;
    QcField line;
    Row row = {.label = -1}, before = row;
    uint64_t base = qc_lines_id(&r->t.lines);
    uint32_t from = r->list->n;
    int first = 1, leave_out = r->o->missing == QC_MISSING_DROP;
    for (uint64_t k = 0; qc_table_next(&r->t, &line); k++) {
        int wanted = is_wanted(r, line), whole = 1;
        if (wanted && read_row(&row, r->row, r, line, err)) return -1;
        for (uint32_t c = 0; wanted && c < t->values; c++) whole = whole && !isnan(r->row[c]);
        if (wanted && !whole && r->o->missing == QC_MISSING_REFUSE)
            return qc_lines_fail(&r->t.lines, err, "a value is missing (--missing fill or drop allows it)");
        int unlabelled = wanted && row.label < 0 && t->label != QC_NO_COLUMN;
        r->unlabelled += (uint32_t)unlabelled;
        if (!wanted || (unlabelled && leave_out)) { /* a row that is left out ends the recording */
            if (qc_recorder_break(&r->recorder, err)) return -1;
            continue;
        }
        if (t->window != QC_NO_COLUMN && mind_window(keys, r, &row, &before, first, err)) return -1;
        QcPlace place = {row.label, row.group, row.recording, row.time, t->lines.line, base + k};
        float *x = qc_recorder_sample(&r->recorder, &place, err);
        if (!x) return -1;
        memcpy(x, r->row, t->values * sizeof *x);
        before = row;
        first = 0;
        show_progress(r, k);
    }
    return qc_recorder_break(&r->recorder, err) || name_recordings(r, from, err) ? -1 : 0;
}

/* --- the whole table -------------------------------------------------------------------------------------- */

static int find_channels(Reader *r, QcErr *err)
{
    const QcImportOptions *o = r->o;
    uint32_t values = r->t.values, channels = r->t.is_samples || o->features ? values : o->channels ? o->channels : 1;
    if (r->t.is_samples && (o->channels || o->channels_last))
        return qc_fail(err, QC_EUSAGE,
                       "where a row is one step, the columns are the channels: --channels does not apply");
    if (o->features && (o->channels || o->window || o->window_id))
        return qc_fail(err, QC_EUSAGE, "--features makes every value a channel: --channels and windows do not apply");
    if (o->window && o->window_id)
        return qc_fail(err, QC_EUSAGE, "--window cuts recordings, and --window-column names windows: use one of them");
    if (values % channels)
        return qc_fail(err, QC_EUSAGE, "%u columns of values cannot be divided into %u channels", values, channels);
    return qc_series_channels(r->list, channels, r->t.lines.name, err);
}

static int read_table(Reader *r, QcErr *err)
{
    const QcTable *t = &r->t;
    Keys keys = {0};
    uint32_t from = r->list->n, falls = r->list->falls;
    if (find_channels(r, err) || qc_table_fits(r->list, t, err)) return -1;
    r->row = malloc(t->values * sizeof *r->row);
    if (!r->row) return qc_fail_memory(err, "a row");
    r->list->one_window = !t->is_samples || t->window != QC_NO_COLUMN;
    qc_recorder_init(&r->recorder, r->list, r->o, t->lines.name,
                     t->time == QC_NO_COLUMN || t->window != QC_NO_COLUMN ? 0 : 2.5 * t->step);
    int status = t->is_samples ? read_samples(r, &keys, err) : read_windows(r, err);
    if (!status && t->is_samples && t->window == QC_NO_COLUMN) 
        status = qc_table_pieces(r->list, from, r->list->falls - falls, t, err);
    if (!status && t->window != QC_NO_COLUMN) status = check_once(&keys, r, err);
    free(keys.items);
    if (status) return -1;
    qc_table_summary(t, r->list->labels.n);
    int out = t->is_samples && r->o->missing == QC_MISSING_DROP;
    if (r->unlabelled)
        qc_import_note(r->o, "%u rows %s", r->unlabelled, out ? "without a label were left out" : "have no label");
    return 0;
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, char separator, int label_first,
                  QcErr *err)
{
    Reader r = {.o = o, .list = list};
    int status = qc_table_open(&r.t, path, separator, label_first, o, err) || read_table(&r, err) ? -1 : 0;
    free(r.row);
    qc_recorder_release(&r.recorder);
    qc_table_close(&r.t);
    return status;
}

static int gather_csv(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    return gather(list, path, o, 0, 0, err);
}
static int gather_tsv(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    return gather(list, path, o, '\t', !o->label, err);
}

/* --- finding the format --------------------------------------------------------------------------------------- */

static int ends_in(const char *path, const char *suffix)
{
    return qc_path_ends_in(path, suffix) && !qc_is_folder(path);
}

/* A .tsv that begins with a whole number and goes on with others is of the archive, whose labels are whole. Of whole
 * numbers alone it may be either table. */
static int is_archive(const char *path, int *uncertain)
{
    QcTable t;
    QcErr err;
    const QcImportOptions none = {.label = "none", .features = 1};
    int archive = 0;
    *uncertain = 0;
    if (!ends_in(path, ".tsv")) return 0;
    if (!qc_table_open(&t, path, '\t', 0, &none, &err) && !t.has_header && t.columns > 1) {
        const QcColumn *first = &t.column[0], *last = &t.column[t.columns - 1];
        int other_is_whole = last->numbers && last->whole == last->numbers && !last->missing;
        *uncertain = first->numbers == first->n && first->whole == first->n && other_is_whole;
        archive = first->numbers == first->n && first->whole == first->numbers && !other_is_whole;
    }
    qc_table_close(&t);
    return archive;
}

static int recognise_tsv(const char *path)
{
    int uncertain;
    return is_archive(path, &uncertain);
}

static int recognise_csv(const char *path)
{
    int uncertain;
    return ends_in(path, ".csv") || ends_in(path, ".txt") ||
           (ends_in(path, ".tsv") && !is_archive(path, &uncertain) && !uncertain);
}

#define TABLE_ROWS                                                                                                     \
    &qc_row_label, &qc_row_group, &qc_row_recording, &qc_row_time, &qc_row_window_id, &qc_row_columns, &qc_row_ignore, \
        &qc_row_header, &qc_row_decimal, QC_ROWS_SHAPE, &qc_row_unequal, &qc_row_missing, &qc_row_length,              \
        QC_ROWS_RECORDINGS, QC_ROWS_FILES

static const QcImportRow *const rows[] = {TABLE_ROWS, NULL};

const QcImporter qc_importer_csv = {"csv", "a table (commas, semicolons, tabs, blanks): a window or sample per row",
                                    rows,  recognise_csv,
                                    NULL,  gather_csv,
                                    1};
const QcImporter qc_importer_tsv = {
    "tsv", "UCR archive of 2018: a series per row, the label first", rows, recognise_tsv, NULL, gather_tsv, 1};
